//! Verifies bytes against their signed ids (S-13).

use crate::id::{ChunkId, blake3};
use crate::index::ChunkEntry;

/// Why bytes are not the chunk they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkRefusal {
    /// The plain bytes have another length than signed.
    #[error("wrong-length")]
    WrongLength,
    /// The plain bytes have another hash than signed.
    #[error("wrong-hash")]
    WrongHash,
}

/// Whether `plain` is exactly the chunk of the index entry.
pub fn verify_chunk(plain: &[u8], entry: &ChunkEntry) -> Result<(), ChunkRefusal> {
    if plain.len() != entry.len as usize {
        return Err(ChunkRefusal::WrongLength);
    }
    if ChunkId(blake3(plain)) != entry.id {
        return Err(ChunkRefusal::WrongHash);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S-13.
    #[test]
    fn one_flipped_bit_or_one_missing_byte_is_refused() {
        let mut plain = vec![3u8; 1000];
        let entry = ChunkEntry {
            id: ChunkId(blake3(&plain)),
            len: 1000,
            wire_len: 40,
        };
        assert_eq!(verify_chunk(&plain, &entry), Ok(()));
        assert_eq!(
            verify_chunk(&plain[1..], &entry),
            Err(ChunkRefusal::WrongLength)
        );
        plain[999] ^= 1;
        assert_eq!(verify_chunk(&plain, &entry), Err(ChunkRefusal::WrongHash));
    }
}
