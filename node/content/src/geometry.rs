//! Sizes and units: chunk, duty span, have word.

use serde::{Deserialize, Serialize};

/// Smallest chunk that is not a file's end, in bytes (FastCDC minimum).
pub const CHUNK_LEN_MIN: u32 = 32 * 1024;
/// Mean chunk in bytes (FastCDC normal size).
pub const CHUNK_LEN_MEAN: u32 = 128 * 1024;
/// Largest chunk in bytes (FastCDC maximum).
pub const CHUNK_LEN_MAX: u32 = 512 * 1024;
/// Chunks in one duty span: unit of claims and of rendezvous rank.
pub const DUTY_SPAN_CHUNKS: u32 = 16;
/// Chunks in one have word.
pub const HAVE_WORD_CHUNKS: u32 = 64;

/// Position of a chunk in its content, from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct ChunkIndex(pub u32);

impl ChunkIndex {
    /// The duty span that holds this chunk.
    pub fn span(self) -> SpanIndex {
        SpanIndex(self.0 / DUTY_SPAN_CHUNKS)
    }
}

/// Position of a duty span in its content, from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct SpanIndex(pub u32);

impl SpanIndex {
    /// The chunks of this span in a content of `chunks` chunks; empty beyond its end.
    pub fn chunks(self, chunks: u32) -> impl Iterator<Item = ChunkIndex> + Clone {
        let first = self.0.saturating_mul(DUTY_SPAN_CHUNKS).min(chunks);
        let end = first.saturating_add(DUTY_SPAN_CHUNKS).min(chunks);
        (first..end).map(ChunkIndex)
    }
}

/// Number of duty spans in a content of `chunks` chunks.
pub fn spans(chunks: u32) -> u32 {
    chunks.div_ceil(DUTY_SPAN_CHUNKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_each_chunk_once() {
        for chunks in [0, 1, 15, 16, 17, 100] {
            let all: Vec<u32> = (0..spans(chunks))
                .flat_map(|s| SpanIndex(s).chunks(chunks))
                .map(|c| c.0)
                .collect();
            assert_eq!(all, (0..chunks).collect::<Vec<_>>());
        }
        assert_eq!(SpanIndex(u32::MAX).chunks(5).count(), 0);
        assert_eq!(ChunkIndex(31).span(), SpanIndex(1));
    }
}
