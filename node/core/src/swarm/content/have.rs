//! What other peers hold, as they said, and what is still to be said to them.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::{ChunkIndex, HAVE_WORD_CHUNKS};
use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_proto::limits::HAVE_WORDS_MAX;

use crate::message::Message;

/// One peer's bitfield.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) bits: Bitfield,
    /// Whether it counts as a holder in reach: near, connected and trusted.
    pub(crate) counted: bool,
}

/// Bitfields of the connected peers.
#[derive(Debug, Default)]
pub(crate) struct Views(pub(crate) BTreeMap<PeerId, View>);

/// Chunks that a peer gained and lost by one message.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) gained: Vec<ChunkIndex>,
    pub(crate) lost: Vec<ChunkIndex>,
}

impl Views {
    /// Takes a Have; unknown words are ignored, and of several with one index
    /// the last counts (S-14).
    pub(crate) fn update(&mut self, peer: PeerId, fresh: View, words: &[(u32, u64)]) -> Change {
        let view = self.0.entry(peer).or_insert(fresh);
        let mut change = Change::default();
        // A chunk gained and lost by one message would be lost before it was gained.
        let words: BTreeMap<u32, u64> = words.iter().copied().collect();
        for (index, new) in words {
            let gone = view.bits.word(index) & !new;
            let lost = chunks_of(index, gone);
            for &chunk in &lost {
                view.bits.remove(chunk);
            }
            change.lost.extend(lost);
            let gained = view.bits.merge_word(index, new);
            change.gained.extend(chunks_of(index, gained));
        }
        change
    }
}

/// Every word of a content of so many chunks, all bits set: the meaning of `all`.
pub(crate) fn all_words(bits: &Bitfield) -> Vec<(u32, u64)> {
    (0..bits.words_len()).map(|word| (word, u64::MAX)).collect()
}

fn chunks_of(word: u32, mut bits: u64) -> Vec<ChunkIndex> {
    let mut chunks = Vec::with_capacity(bits.count_ones() as usize);
    while bits != 0 {
        let bit = bits.trailing_zeros();
        chunks.push(ChunkIndex(word * HAVE_WORD_CHUNKS + bit));
        bits &= bits - 1;
    }
    chunks
}

/// Own changes that members don't know yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    words: BTreeSet<u32>,
    chunks: u32,
}

impl Pending {
    /// Notes a change; returns how many are unsaid now.
    pub(crate) fn note(&mut self, chunk: ChunkIndex) -> u32 {
        self.words.insert(chunk.0 / HAVE_WORD_CHUNKS);
        self.chunks += 1;
        self.chunks
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Takes the unsaid words as messages.
    pub(crate) fn take(&mut self, content: ContentId, held: &Bitfield) -> Vec<Message> {
        self.chunks = 0;
        let words = std::mem::take(&mut self.words);
        if held.is_full() {
            return full(content, held);
        }
        let words: Vec<_> = words.into_iter().map(|w| (w, held.word(w))).collect();
        parts(content, &words)
    }
}

/// Everything held, as messages to a peer that knows nothing.
pub(crate) fn full(content: ContentId, held: &Bitfield) -> Vec<Message> {
    if held.is_full() {
        return vec![Message::Have {
            content,
            all: true,
            words: Vec::new(),
        }];
    }
    let words: Vec<_> = (0..held.words_len())
        .map(|w| (w, held.word(w)))
        .filter(|&(_, bits)| bits != 0)
        .collect();
    if words.is_empty() {
        return vec![Message::Have {
            content,
            all: false,
            words,
        }];
    }
    parts(content, &words)
}

fn parts(content: ContentId, words: &[(u32, u64)]) -> Vec<Message> {
    words
        .chunks(HAVE_WORDS_MAX)
        .map(|part| Message::Have {
            content,
            all: false,
            words: part.to_vec(),
        })
        .collect()
}
