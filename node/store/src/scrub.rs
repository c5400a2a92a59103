//! Reading back what lies at rest.

use std::io;
use std::ops::Bound;

use patchmesh_content::id::{ChunkId, ContentId};

use crate::error::{ReadError, ScrubError};
use crate::inner::{Place, Store};
use crate::layout::content_id;
use crate::options::Scrubbed;

/// Chunks of one step; a step of tiny chunks ends here.
const STEP_CHUNKS_MAX: usize = 4096;

impl Store {
    /// Reads about `bytes_max` bytes of chunks from where the last step ended,
    /// and at the end of the round all release indexes. `verify` decodes a wire
    /// frame and compares the chunk's hash.
    pub fn scrub(
        &self,
        bytes_max: u64,
        verify: impl Fn(&ChunkId, &[u8]) -> bool,
    ) -> Result<Scrubbed, ScrubError> {
        let mut step = Scrubbed::default();
        while step.bytes < bytes_max && step.chunks < STEP_CHUNKS_MAX {
            let Some(id) = self.next_to_scrub() else {
                self.held().scrub_from = None;
                self.scrub_indexes(&mut step)?;
                step.wrapped = true;
                break;
            };
            match self.scrub_chunk(&id, &verify) {
                Ok(len) => step.bytes += len,
                Err(ReadError::Damaged { .. }) => step.damaged.push(id),
                Err(ReadError::Io { path, source }) => {
                    let so_far = step;
                    return Err(ScrubError {
                        path,
                        so_far,
                        source,
                    });
                }
            }
            step.chunks += 1;
        }
        Ok(step)
    }

    /// Moves the cursor to the next durable chunk.
    fn next_to_scrub(&self) -> Option<ChunkId> {
        let mut held = self.held();
        let from = held.scrub_from.map_or(Bound::Unbounded, Bound::Excluded);
        let mut behind = held.chunks.range((from, Bound::Unbounded));
        let next = behind.find(|(_, chunk)| chunk.place == Place::Durable)?;
        let id = *next.0;
        held.scrub_from = Some(id);
        Some(id)
    }

    fn scrub_chunk(
        &self,
        id: &ChunkId,
        verify: &impl Fn(&ChunkId, &[u8]) -> bool,
    ) -> Result<u64, ReadError> {
        let Some(wire) = self.read_chunk(id)? else {
            // Removed since the cursor moved.
            return Ok(0);
        };
        if verify(id, &wire) {
            return Ok(u64::try_from(wire.len()).unwrap_or(u64::MAX));
        }
        let mut gate = self.gate();
        let Some(chunk) = self.held().readable(id) else {
            return Ok(0);
        };
        let path = self.path(id, chunk.place);
        self.take_away(&mut gate, id, chunk.place);
        Err(ReadError::Damaged { path })
    }

    fn scrub_indexes(&self, step: &mut Scrubbed) -> Result<(), ScrubError> {
        let fail = |path, step: &Scrubbed, source: io::Error| ScrubError {
            path,
            so_far: step.clone(),
            source,
        };
        let dir = self.layout.indexes();
        let names = self
            .disk
            .list(&dir)
            .map_err(|error| fail(dir, step, error))?;
        let mut contents: Vec<ContentId> = names
            .iter()
            .filter_map(|name| content_id(name, ".index"))
            .collect();
        contents.sort_unstable();
        for content in contents {
            match self.read_index(&content) {
                Ok(_) => {}
                Err(ReadError::Damaged { .. }) => step.damaged_indexes.push(content),
                Err(ReadError::Io { path, source }) => return Err(fail(path, step, source)),
            }
        }
        Ok(())
    }
}
