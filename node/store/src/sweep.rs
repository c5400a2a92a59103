//! Giving up chunks.

use std::io;

use patchmesh_content::id::ChunkId;

use crate::error::SweepError;
use crate::index::Group;
use crate::inner::{Chunk, Gate, Place, Store};
use crate::options::Swept;

impl Store {
    /// Removes one chunk; whether it was held.
    pub fn remove(&self, id: &ChunkId) -> Result<bool, SweepError> {
        let mut gate = self.gate();
        let Some(chunk) = self.held().readable(id) else {
            return Ok(false);
        };
        self.unlink(&mut gate, id, chunk)?;
        Ok(true)
    }

    /// Removes every durable chunk that `keep` does not want. Chunks of the
    /// open batch stay. A removal need not survive a power cut: what comes back
    /// is a whole chunk, and the next sweep finds it.
    pub fn sweep(&self, keep: impl Fn(&ChunkId) -> bool) -> Result<Swept, SweepError> {
        let mut gate = self.gate();
        let durable: Vec<_> = {
            let held = self.held();
            let durable = held.chunks.iter();
            durable
                .filter(|(_, chunk)| chunk.place == Place::Durable)
                .map(|(id, chunk)| (*id, *chunk))
                .collect()
        };
        let mut swept = Swept::default();
        for (id, chunk) in durable {
            if !keep(&id) {
                self.unlink(&mut gate, &id, chunk)?;
                swept.chunks += 1;
                swept.bytes += u64::from(chunk.len);
            }
        }
        self.update_index(&mut gate, true);
        Ok(swept)
    }

    fn unlink(&self, gate: &mut Gate, id: &ChunkId, chunk: Chunk) -> Result<(), SweepError> {
        let path = self.path(id, chunk.place);
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SweepError {
                path,
                source: error,
            }),
            _ => {
                self.held().forget(id);
                gate.stale.insert(Group::of(id));
                Ok(())
            }
        }
    }
}
