//! Chunks that were found altered since the start, for `patchmesh why`: which,
//! where, and whether a sound one came since. Within a bound; the newest stay.

use std::collections::{BTreeMap, VecDeque};

use patchmesh_api::limits::CORRUPT_MAX;
use patchmesh_api::releases::{CorruptChunk, CorruptPlace};
use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ChunkId, ContentId, PeerId};

use crate::clock;

/// Contents that are remembered at one time; of a further one nothing is kept.
const CONTENTS_MAX: usize = 64;

/// Where an altered chunk was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// On the disk of this node.
    Disk,
    /// In what an HTTP origin sent.
    Origin,
    /// In what a peer sent.
    Peer(PeerId),
}

/// Altered chunks by content.
#[derive(Debug, Default)]
pub(crate) struct Corrupt(BTreeMap<ContentId, VecDeque<CorruptChunk>>);

impl Corrupt {
    /// Notes an altered chunk.
    pub(crate) fn note(&mut self, place: (ContentId, ChunkIndex), id: ChunkId, found: Found) {
        let (content, chunk) = place;
        if self.0.len() >= CONTENTS_MAX && !self.0.contains_key(&content) {
            return;
        }
        let list = self.0.entry(content).or_default();
        if list.len() == CORRUPT_MAX {
            list.pop_front();
        }
        let (found, peer) = match found {
            Found::Disk => (CorruptPlace::Disk, None),
            Found::Origin => (CorruptPlace::Origin, None),
            Found::Peer(peer) => (CorruptPlace::Peer, Some(peer)),
        };
        list.push_back(CorruptChunk {
            chunk: chunk.0,
            id,
            found,
            peer,
            at: clock::utc().0,
            mended: false,
        });
    }

    /// A sound chunk came in.
    pub(crate) fn mended(&mut self, id: &ChunkId) {
        let all = self.0.values_mut().flatten();
        all.filter(|one| one.id == *id)
            .for_each(|one| one.mended = true);
    }

    /// The release is forgotten.
    pub(crate) fn forget(&mut self, content: &ContentId) {
        self.0.remove(content);
    }

    /// What was found of one content, oldest first.
    pub(crate) fn of(&self, content: &ContentId) -> Vec<CorruptChunk> {
        self.0.get(content).into_iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn altered_chunks_are_remembered_within_bounds_and_marked_once_mended() {
        let mut corrupt = Corrupt::default();
        let content = ContentId([1; 32]);
        let (first, second) = (ChunkId([2; 32]), ChunkId([3; 32]));
        corrupt.note((content, ChunkIndex(7)), first, Found::Disk);
        let peer = PeerId([4; 32]);
        corrupt.note((content, ChunkIndex(8)), second, Found::Peer(peer));
        corrupt.mended(&first);
        let seen = corrupt.of(&content);
        assert_eq!((seen[0].chunk, seen[0].mended), (7, true));
        assert_eq!((seen[1].peer, seen[1].mended), (Some(peer), false));
        for number in 0..200u32 {
            corrupt.note((content, ChunkIndex(number)), first, Found::Origin);
            let other = ContentId([u8::try_from(number).unwrap_or(0); 32]);
            corrupt.note((other, ChunkIndex(0)), first, Found::Disk);
        }
        assert_eq!(corrupt.of(&content).len(), CORRUPT_MAX);
        assert_eq!(corrupt.0.len(), CONTENTS_MAX);
        corrupt.forget(&content);
        assert!(corrupt.of(&content).is_empty());
    }
}
