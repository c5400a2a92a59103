//! Chunks: written at once, durable by the batch.

use patchmesh_content::id::ChunkId;

use crate::error::{PutError, ReadError, SyncError};
use crate::inner::Store;
use crate::options::{Put, Synced, Usage};

impl Store {
    /// Stores the wire frame of a chunk that the caller has decoded and found
    /// equal to its id. On return it can be read and served; it is durable
    /// after the next `sync`, which runs by itself when a batch is full.
    pub fn put_chunk(&self, id: &ChunkId, wire: &[u8]) -> Result<Put, PutError> {
        unimplemented!("{id:?} {wire:?}")
    }

    /// Makes everything durable that was written before the call. To be called
    /// at least every 2 s while chunks arrive. It also reports chunks lost by a
    /// batch that `put_chunk` closed.
    pub fn sync(&self) -> Result<Synced, SyncError> {
        unimplemented!()
    }

    /// `sync`, and the index is brought up to date; the last call before the
    /// process ends.
    pub fn close(&self) -> Result<Synced, SyncError> {
        unimplemented!()
    }

    /// The wire frame of a chunk, checked against its seal; `None` where it is
    /// not held.
    pub fn read_chunk(&self, id: &ChunkId) -> Result<Option<Vec<u8>>, ReadError> {
        unimplemented!("{id:?}")
    }

    /// Whether a chunk is held, durable or not.
    pub fn contains(&self, id: &ChunkId) -> bool {
        unimplemented!("{id:?}")
    }

    /// All chunks held, in ascending order.
    pub fn chunks(&self) -> Vec<ChunkId> {
        unimplemented!()
    }

    /// How full the store is.
    pub fn usage(&self) -> Usage {
        unimplemented!()
    }
}
