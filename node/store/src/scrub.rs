//! Reading back what lies at rest.

use patchmesh_content::id::ChunkId;

use crate::error::ScrubError;
use crate::inner::Store;
use crate::options::Scrubbed;

impl Store {
    /// Reads about `bytes_max` bytes of chunks from where the last step ended,
    /// and at the end of the round all release indexes. `verify` decodes a wire
    /// frame and compares the chunk's hash.
    pub fn scrub(
        &self,
        bytes_max: u64,
        verify: impl Fn(&ChunkId, &[u8]) -> bool,
    ) -> Result<Scrubbed, ScrubError> {
        let _ = (bytes_max, verify);
        unimplemented!()
    }
}
