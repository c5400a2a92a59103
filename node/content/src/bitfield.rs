//! Set of held chunks, as 64-bit words that travel as they are.

use crate::geometry::{ChunkIndex, HAVE_WORD_CHUNKS};

/// Which chunks of a content are held. Bits beyond the content's end are 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitfield {
    words: Vec<u64>,
    chunks: u32,
    held: u32,
}

impl Bitfield {
    /// Nothing held of `chunks` chunks.
    pub fn empty(chunks: u32) -> Self {
        let words = vec![0; chunks.div_ceil(HAVE_WORD_CHUNKS) as usize];
        Self {
            words,
            chunks,
            held: 0,
        }
    }

    /// Everything held of `chunks` chunks.
    pub fn full(chunks: u32) -> Self {
        let mut all = Self::empty(chunks);
        for word in 0..all.words_len() {
            all.merge_word(word, u64::MAX);
        }
        all
    }

    /// Number of chunks in the content.
    pub fn chunks(&self) -> u32 {
        self.chunks
    }

    /// Number of chunks held.
    pub fn held(&self) -> u32 {
        self.held
    }

    /// Whether every chunk is held.
    pub fn is_full(&self) -> bool {
        self.held == self.chunks
    }

    /// Whether this chunk is held; `false` beyond the end.
    pub fn contains(&self, chunk: ChunkIndex) -> bool {
        let word = self
            .words
            .get((chunk.0 / HAVE_WORD_CHUNKS) as usize)
            .copied()
            .unwrap_or(0);
        word >> (chunk.0 % HAVE_WORD_CHUNKS) & 1 == 1
    }

    /// Adds a chunk; returns whether it was new. Beyond the end nothing changes.
    pub fn insert(&mut self, chunk: ChunkIndex) -> bool {
        if chunk.0 >= self.chunks || self.contains(chunk) {
            return false;
        }
        self.words[(chunk.0 / HAVE_WORD_CHUNKS) as usize] |= 1 << (chunk.0 % HAVE_WORD_CHUNKS);
        self.held += 1;
        true
    }

    /// Takes a chunk out; returns whether it was there.
    pub fn remove(&mut self, chunk: ChunkIndex) -> bool {
        if !self.contains(chunk) {
            return false;
        }
        self.words[(chunk.0 / HAVE_WORD_CHUNKS) as usize] &= !(1 << (chunk.0 % HAVE_WORD_CHUNKS));
        self.held -= 1;
        true
    }

    /// Number of words.
    pub fn words_len(&self) -> u32 {
        self.chunks.div_ceil(HAVE_WORD_CHUNKS)
    }

    /// One word; 0 beyond the end.
    pub fn word(&self, index: u32) -> u64 {
        self.words.get(index as usize).copied().unwrap_or(0)
    }

    /// Adds the set bits of a word; bits and words beyond the end are ignored.
    /// Returns the bits that were new.
    pub fn merge_word(&mut self, index: u32, bits: u64) -> u64 {
        let Some(word) = self.words.get_mut(index as usize) else {
            return 0;
        };
        let left = self.chunks - index * HAVE_WORD_CHUNKS;
        let mask = if left >= HAVE_WORD_CHUNKS {
            u64::MAX
        } else {
            (1 << left) - 1
        };
        let new = bits & mask & !*word;
        *word |= new;
        self.held += new.count_ones();
        new
    }

    /// The held chunks in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = ChunkIndex> + '_ {
        (0..self.chunks)
            .map(ChunkIndex)
            .filter(|chunk| self.contains(*chunk))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_set(
            chunks in 1u32..300,
            ops in prop::collection::vec((any::<bool>(), 0u32..310), 0..200),
        ) {
            let mut field = Bitfield::empty(chunks);
            let mut set = std::collections::BTreeSet::new();
            for (add, chunk) in ops {
                if add {
                    let new = chunk < chunks && set.insert(chunk);
                    prop_assert_eq!(field.insert(ChunkIndex(chunk)), new);
                } else {
                    prop_assert_eq!(field.remove(ChunkIndex(chunk)), set.remove(&chunk));
                }
            }
            prop_assert_eq!(field.held() as usize, set.len());
            let held: Vec<u32> = field.iter().map(|c| c.0).collect();
            prop_assert_eq!(held, set.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn words_rebuild_the_field(
            chunks in 0u32..300,
            seed in prop::collection::vec(any::<u64>(), 5),
        ) {
            let mut field = Bitfield::empty(chunks);
            for (index, bits) in (0u32..).zip(&seed) {
                field.merge_word(index, *bits);
            }
            let mut copy = Bitfield::empty(chunks);
            for index in 0..field.words_len() {
                copy.merge_word(index, field.word(index));
            }
            prop_assert_eq!(&copy, &field);
            prop_assert!(Bitfield::full(chunks).is_full());
        }
    }
}
