//! From a fetched wire frame to a stored chunk: decode, verify, store, in this
//! order and nowhere else. Runs on blocking threads.

use patchmesh_content::tree::verify_chunk;
use patchmesh_core::input::Fetched;
use patchmesh_pack::compress::decode;
use patchmesh_proto::limits::CHUNK_WIRE_LEN_MAX;
use patchmesh_store::{Put, PutError, Store};

use crate::contents::Place;

/// What came of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The answer for the engine.
    pub(crate) outcome: Fetched,
    /// Bytes of the frame that were of no use: corrupt, or held already.
    pub(crate) wasted: u64,
}

/// Takes a frame that should be the chunk at this place.
pub(crate) fn take(store: &Store, place: &Place, frame: &[u8]) -> Taken {
    let len = frame.len() as u64;
    let corrupt = Taken {
        outcome: Fetched::Corrupt,
        wasted: len,
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
        },
        Ok(Put::Present) => Taken {
            outcome: Fetched::Held,
            wasted: len,
        },
        Err(error @ PutError::Full { .. }) => {
            tracing::warn!(error = %error, "no room for chunks");
            Taken {
                outcome: Fetched::NoRoom,
                wasted: len,
            }
        }
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "a chunk was not stored");
            Taken {
                outcome: Fetched::NoRoom,
                wasted: len,
            }
        }
    }
}
