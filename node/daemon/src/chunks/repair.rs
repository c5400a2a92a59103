//! What a stage step that found damage leads to: every stored chunk of the
//! release is read and compared, and what is not as signed leaves the store, so
//! that exactly this is fetched again.

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::index::{ChunkEntry, ReleaseIndex};
use patchmesh_content::tree::verify_chunk;
use patchmesh_pack::compress::decode;
use patchmesh_store::{ReadError, Store};

/// Takes the damaged chunks of a release out of the store; returns the places
/// of these and of chunks that are missing.
pub(crate) fn withdraw(store: &Store, index: &ReleaseIndex) -> Vec<ChunkIndex> {
    let places = (0..).map(ChunkIndex).zip(&index.chunks);
    let damaged = places.filter(|(_, entry)| !is_sound(store, entry));
    damaged.map(|(chunk, _)| chunk).collect()
}

fn is_sound(store: &Store, entry: &ChunkEntry) -> bool {
    match store.read_chunk(&entry.id) {
        Ok(Some(frame)) => {
            let plain = decode(&frame, entry.len).ok();
            let sound = plain.is_some_and(|plain| verify_chunk(&plain, entry).is_ok());
            if !sound {
                store.withdraw(&entry.id);
            }
            sound
        }
        Ok(None) | Err(ReadError::Damaged { .. }) => false,
        // It may be readable later; a failure of the disk is no damage to it.
        Err(ReadError::Io { .. }) => true,
    }
}
