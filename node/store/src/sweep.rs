//! Giving up chunks.

use patchmesh_content::id::ChunkId;

use crate::error::SweepError;
use crate::inner::Store;
use crate::options::Swept;

impl Store {
    /// Removes one chunk; whether it was held.
    pub fn remove(&self, id: &ChunkId) -> Result<bool, SweepError> {
        unimplemented!("{id:?}")
    }

    /// Removes every durable chunk that `keep` does not want. Chunks of the
    /// open batch stay.
    pub fn sweep(&self, keep: impl Fn(&ChunkId) -> bool) -> Result<Swept, SweepError> {
        let _ = keep;
        unimplemented!()
    }
}
