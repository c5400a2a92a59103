//! From a fetched wire frame to a stored chunk: decode, verify, store, in this
//! order and nowhere else. Runs on blocking threads.

use patchmesh_content::tree::verify_chunk;
use patchmesh_core::input::Fetched;
use patchmesh_pack::compress::decode;
use patchmesh_proto::limits::CHUNK_WIRE_LEN_MAX;
use patchmesh_store::{Put, Store};

use crate::chunks::contents::Place;
use crate::room::Lack;

/// What came of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The answer for the engine.
    pub(crate) outcome: Fetched,
    /// Bytes of the frame that were of no use: corrupt, or held already.
    pub(crate) wasted: u64,
    /// What the store lacked, where it is `Fetched::NoRoom`.
    pub(crate) lack: Option<Lack>,
}

/// Takes a frame that should be the chunk at this place.
pub(crate) fn take(store: &Store, place: &Place, frame: &[u8]) -> Taken {
    let len = frame.len() as u64;
    let corrupt = Taken {
        outcome: Fetched::Corrupt,
        wasted: len,
        lack: None,
    };
    // Another release may carry the same chunk in another wire frame, made at
    // another level, so the signed hash decides and not this index's length.
    if frame.len() > CHUNK_WIRE_LEN_MAX {
        return corrupt;
    }
    let Ok(plain) = decode(frame, place.entry.len) else {
        return corrupt;
    };
    if verify_chunk(&plain, &place.entry).is_err() {
        return corrupt;
    }
    match store.put_chunk(&place.entry.id, frame) {
        Ok(Put::Written) => Taken {
            outcome: Fetched::Held,
            wasted: 0,
            lack: None,
        },
        Ok(Put::Present) => Taken {
            outcome: Fetched::Held,
            wasted: len,
            lack: None,
        },
        Err(error) => Taken {
            outcome: Fetched::NoRoom,
            wasted: len,
            lack: Some(Lack::of_put(&error)),
        },
    }
}
