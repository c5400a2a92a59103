//! The release indexes in use: where a chunk lies in its pack, and what it
//! must hash to. Adapters look chunks up here; the engine decides.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ChunkId, ContentId};
use patchmesh_content::index::{ChunkEntry, ReleaseIndex};

/// One release index with the offsets of its wire frames.
#[derive(Debug)]
pub(crate) struct Known {
    /// The index.
    pub(crate) index: ReleaseIndex,
    /// Offset of each wire frame in the pack, in bytes.
    offsets: Vec<u64>,
}

/// Where a wire frame lies in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// BLAKE3 of the pack.
    pub(crate) pack: [u8; 32],
    /// Offset in bytes.
    pub(crate) offset: u64,
    /// What the index says of the chunk.
    pub(crate) entry: ChunkEntry,
}

/// Indexes by content; shared with blocking tasks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents(Arc<Mutex<BTreeMap<ContentId, Arc<Known>>>>);

impl Contents {
    /// Adds an index that was verified and made durable.
    pub(crate) fn insert(&self, content: ContentId, index: ReleaseIndex) {
        let offsets = index
            .chunks
            .iter()
            .scan(0u64, |next, chunk| {
                let offset = *next;
                *next += u64::from(chunk.wire_len);
                Some(offset)
            })
            .collect();
        self.lock()
            .insert(content, Arc::new(Known { index, offsets }));
    }

    /// Takes an index out.
    pub(crate) fn remove(&self, content: &ContentId) {
        self.lock().remove(content);
    }

    /// One index.
    pub(crate) fn get(&self, content: &ContentId) -> Option<Arc<Known>> {
        self.lock().get(content).cloned()
    }

    /// Every content.
    pub(crate) fn all(&self) -> Vec<ContentId> {
        self.lock().keys().copied().collect()
    }

    /// Where one chunk lies and what it must be.
    pub(crate) fn place(&self, content: &ContentId, chunk: ChunkIndex) -> Option<Place> {
        let known = self.get(content)?;
        let entry = *known.index.chunk(chunk)?;
        let offset = *known.offsets.get(chunk.0 as usize)?;
        Some(Place {
            pack: known.index.pack,
            offset,
            entry,
        })
    }

    /// Every position at which a chunk occurs.
    pub(crate) fn positions(&self, id: &ChunkId) -> Vec<(ContentId, ChunkIndex)> {
        let mut found = Vec::new();
        for (content, known) in self.lock().iter() {
            let at = known.index.chunks.iter().position(|chunk| chunk.id == *id);
            if let Some(at) = at.and_then(|at| u32::try_from(at).ok()) {
                found.push((*content, ChunkIndex(at)));
            }
        }
        found
    }

    /// Whether any index in use lists this chunk.
    pub(crate) fn lists(&self, id: &ChunkId) -> bool {
        !self.positions(id).is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ContentId, Arc<Known>>> {
        // Each change is one insert or remove: valid even after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
