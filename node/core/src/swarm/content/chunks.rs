//! One state per chunk, and the indexes by which the next chunk is found
//! without a scan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::{ChunkIndex, SpanIndex, spans};
use patchmesh_content::id::ContentId;

use crate::ids::FetchId;
use crate::swarm::event::Elsewhere;

/// The chunks of one content.
#[derive(Debug)]
pub(crate) struct Chunks {
    lens: Arc<[u32]>,
    held: Bitfield,
    wanted: bool,
    /// Fetches in flight per chunk: one, or two when the first is slow.
    fetching: BTreeMap<ChunkIndex, Vec<FetchId>>,
    /// Members in reach that hold a chunk.
    holders: Vec<u16>,
    /// Missing chunks that come by another content, and where they are in it.
    elsewhere: Elsewhere,
    /// Wanted chunks with a holder: rarest first, equals in an order of this node.
    ready: BTreeSet<(u16, u32, ChunkIndex)>,
    /// Wanted chunks without a holder, per span and in all.
    open: Vec<u8>,
    open_all: u32,
    salt: u32,
}

/// What may be done about a chunk now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Fetch it over the WAN.
    Open,
    /// Pull it from one of so many members.
    Ready(u16),
    /// Nothing: held, being fetched, unwanted, or to come by another content.
    Settled,
}

impl Chunks {
    /// `held` has as many chunks as `lens`; `salt` orders equally rare chunks.
    pub(crate) fn new(lens: Arc<[u32]>, held: Bitfield, wanted: bool, salt: u32) -> Self {
        assert_eq!(lens.len(), held.chunks() as usize, "one length per chunk");
        let count = held.chunks();
        let mut chunks = Self {
            lens,
            held,
            wanted: false,
            fetching: BTreeMap::new(),
            holders: vec![0; count as usize],
            elsewhere: Elsewhere::new(),
            ready: BTreeSet::new(),
            open: vec![0; spans(count) as usize],
            open_all: 0,
            salt,
        };
        chunks.set_wanted(wanted);
        chunks
    }

    pub(crate) fn count(&self) -> u32 {
        self.held.chunks()
    }

    pub(crate) fn held(&self) -> &Bitfield {
        &self.held
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.held.is_full()
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Length of the wire frame in bytes; 0 beyond the end.
    pub(crate) fn len(&self, chunk: ChunkIndex) -> u32 {
        self.lens.get(chunk.0 as usize).copied().unwrap_or(0)
    }

    /// Wanted chunks that no member in reach holds, not being fetched.
    pub(crate) fn open_all(&self) -> u32 {
        self.open_all
    }

    /// The same of one span.
    pub(crate) fn open_in(&self, span: SpanIndex) -> u8 {
        self.open.get(span.0 as usize).copied().unwrap_or(0)
    }

    /// Whether this chunk is to come over the WAN.
    pub(crate) fn is_open(&self, chunk: ChunkIndex) -> bool {
        chunk.0 < self.count() && self.class(chunk) == Class::Open
    }

    /// Chunks to pull from members, the most urgent first.
    pub(crate) fn ready(&self) -> impl Iterator<Item = ChunkIndex> + '_ {
        self.ready.iter().map(|&(_, _, chunk)| chunk)
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Fetches in flight for this chunk.
    pub(crate) fn fetches(&self, chunk: ChunkIndex) -> &[FetchId] {
        self.fetching.get(&chunk).map_or(&[], Vec::as_slice)
    }

    /// A fetch left.
    pub(crate) fn start(&mut self, chunk: ChunkIndex, fetch: FetchId) {
        self.change(chunk, |this| {
            this.fetching.entry(chunk).or_default().push(fetch);
        });
    }

    /// A fetch is over, or counts no longer.
    pub(crate) fn end(&mut self, chunk: ChunkIndex, fetch: FetchId) {
        self.change(chunk, |this| {
            if let Some(list) = this.fetching.get_mut(&chunk) {
                list.retain(|&id| id != fetch);
                if list.is_empty() {
                    this.fetching.remove(&chunk);
                }
            }
        });
    }

    /// The chunk is in the store; returns whether that is new.
    pub(crate) fn gain(&mut self, chunk: ChunkIndex) -> bool {
        if chunk.0 >= self.count() {
            return false;
        }
        self.change(chunk, |this| this.held.insert(chunk))
    }

    /// The chunk is no longer in the store; returns whether it was.
    pub(crate) fn lose(&mut self, chunk: ChunkIndex) -> bool {
        if chunk.0 >= self.count() {
            return false;
        }
        self.change(chunk, |this| this.held.remove(chunk))
    }

    /// Where a missing chunk comes from, if by another content.
    pub(crate) fn elsewhere(&self, chunk: ChunkIndex) -> Option<(ContentId, ChunkIndex)> {
        self.elsewhere.get(&chunk).copied()
    }

    /// Leaves exactly these chunks to other contents.
    pub(crate) fn defer(&mut self, to: Elsewhere) {
        let before: Vec<ChunkIndex> = self.elsewhere.keys().copied().collect();
        for chunk in before.iter().filter(|chunk| !to.contains_key(chunk)) {
            self.take_back(*chunk);
        }
        for (chunk, place) in to {
            if chunk.0 < self.count() {
                self.change(chunk, |this| this.elsewhere.insert(chunk, place));
            }
        }
    }

    /// Fetches a chunk for this content after all.
    pub(crate) fn take_back(&mut self, chunk: ChunkIndex) {
        self.change(chunk, |this| this.elsewhere.remove(&chunk));
    }

    /// Members in reach that hold a chunk.
    pub(crate) fn holders(&self, chunk: ChunkIndex) -> u16 {
        self.holders.get(chunk.0 as usize).copied().unwrap_or(0)
    }

    /// One more member holds it.
    pub(crate) fn holder_added(&mut self, chunk: ChunkIndex) {
        self.change(chunk, |this| this.holders[chunk.0 as usize] += 1);
    }

    /// One member less holds it.
    pub(crate) fn holder_removed(&mut self, chunk: ChunkIndex) {
        self.change(chunk, |this| this.holders[chunk.0 as usize] -= 1);
    }

    /// Fetch what is missing, or not.
    pub(crate) fn set_wanted(&mut self, wanted: bool) {
        if wanted == self.wanted {
            return;
        }
        for chunk in (0..self.count()).map(ChunkIndex) {
            let before = self.class(chunk);
            self.wanted = wanted;
            let after = self.class(chunk);
            self.wanted = !wanted;
            self.reindex(chunk, before, after);
        }
        self.wanted = wanted;
    }

    fn class(&self, chunk: ChunkIndex) -> Class {
        if !self.wanted
            || self.held.contains(chunk)
            || self.fetching.contains_key(&chunk)
            || self.elsewhere.contains_key(&chunk)
        {
            return Class::Settled;
        }
        match self.holders[chunk.0 as usize] {
            0 => Class::Open,
            holders => Class::Ready(holders),
        }
    }

    fn change<R>(&mut self, chunk: ChunkIndex, act: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.class(chunk);
        let result = act(self);
        let after = self.class(chunk);
        self.reindex(chunk, before, after);
        result
    }

    fn reindex(&mut self, chunk: ChunkIndex, before: Class, after: Class) {
        if before == after {
            return;
        }
        let span = chunk.span().0 as usize;
        // A fixed odd factor spreads neighbouring chunks; the salt makes each
        // node start elsewhere, so that one holder is not asked for the same
        // chunk by all.
        let order = (chunk.0 ^ self.salt).wrapping_mul(0x9e37_79b1);
        match before {
            Class::Open => {
                self.open[span] -= 1;
                self.open_all -= 1;
            }
            Class::Ready(holders) => {
                self.ready.remove(&(holders, order, chunk));
            }
            Class::Settled => {}
        }
        match after {
            Class::Open => {
                self.open[span] += 1;
                self.open_all += 1;
            }
            Class::Ready(holders) => {
                self.ready.insert((holders, order, chunk));
            }
            Class::Settled => {}
        }
    }

    /// Recounts every index; for tests.
    #[cfg(test)]
    pub(crate) fn check(&self, holders: impl Fn(ChunkIndex) -> u16) {
        let mut open = vec![0u8; self.open.len()];
        let mut ready = 0;
        for chunk in (0..self.count()).map(ChunkIndex) {
            assert_eq!(self.holders[chunk.0 as usize], holders(chunk), "{chunk:?}");
            match self.class(chunk) {
                Class::Open => open[chunk.span().0 as usize] += 1,
                Class::Ready(_) => ready += 1,
                Class::Settled => {}
            }
        }
        assert_eq!(open, self.open);
        assert_eq!(
            open.iter().map(|&n| u32::from(n)).sum::<u32>(),
            self.open_all
        );
        assert_eq!(ready, self.ready.len());
    }
}
