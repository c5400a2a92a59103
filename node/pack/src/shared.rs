//! Chunks that small files share, so that ten thousand tiny files do not
//! become ten thousand chunks.

use crate::limits::{SHARED_CHUNK_LEN_MAX, SHARED_CHUNK_LEN_MIN, SHARED_CUT_ONE_IN};

/// The shared chunk that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    bytes: Vec<u8>,
    members: Vec<Member>,
}

/// A small file in a shared chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// Position of the file among the entries.
    pub(crate) entry: usize,
    /// Where it begins in the chunk, in bytes.
    pub(crate) offset: u32,
}

/// A shared chunk that is complete.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    /// Its plain bytes.
    pub(crate) bytes: Vec<u8>,
    /// The files in it.
    pub(crate) members: Vec<Member>,
}

impl Shared {
    /// Takes out what is there if `len` more bytes do not fit.
    pub(crate) fn make_room(&mut self, len: usize) -> Option<Filled> {
        if self.bytes.len() + len > SHARED_CHUNK_LEN_MAX {
            self.take()
        } else {
            None
        }
    }

    /// Adds a file for which there is room; `hash` is its BLAKE3. Takes out
    /// the chunk if it ends here.
    pub(crate) fn add(&mut self, entry: usize, bytes: &[u8], hash: &[u8; 32]) -> Option<Filled> {
        self.members.push(Member {
            entry,
            offset: self.offset(),
        });
        self.bytes.extend_from_slice(bytes);
        let ends =
            self.bytes.len() >= SHARED_CHUNK_LEN_MIN && hash[0].is_multiple_of(SHARED_CUT_ONE_IN);
        if ends { self.take() } else { None }
    }

    /// Adds a file with the same bytes as one that is already there.
    pub(crate) fn add_same(&mut self, entry: usize, same: usize) -> bool {
        let found = self.members.iter().find(|member| member.entry == same);
        let Some(&Member { offset, .. }) = found else {
            return false;
        };
        self.members.push(Member { entry, offset });
        true
    }

    /// Takes out what is there, if anything.
    pub(crate) fn take(&mut self) -> Option<Filled> {
        if self.members.is_empty() {
            return None;
        }
        Some(Filled {
            bytes: std::mem::take(&mut self.bytes),
            members: std::mem::take(&mut self.members),
        })
    }

    fn offset(&self) -> u32 {
        u32::try_from(self.bytes.len()).expect("a shared chunk is at most 512 KiB")
    }
}
