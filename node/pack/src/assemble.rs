//! Files from their chunks, checked against every signed hash on the way (S-21).

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::Hasher;
use patchmesh_content::index::{ChunkEntry, FileEntry, FileKind, ReleaseIndex};
use patchmesh_content::tree::{ChunkRefusal, verify_chunk};
use sha2::{Digest, Sha256};

/// Rebuilds one regular file: ask [`wanted`](Self::wanted) for the next chunk,
/// [`feed`](Self::feed) its plain bytes and write what comes back, until
/// nothing is wanted; then [`finish`](Self::finish) compares length, BLAKE3
/// and SHA-256.
#[derive(Debug)]
pub struct FileAssembler<'a> {
    index: &'a ReleaseIndex,
    chunks: Vec<ChunkIndex>,
    next: usize,
    signed: Signed,
    left: u64,
    offset: u32,
    blake3: Hasher,
    sha256: Sha256,
}

#[derive(Debug, Clone, Copy)]
struct Signed {
    blake3: [u8; 32],
    sha256: [u8; 32],
}

/// Why bytes do not make the file. The text is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssembleRefusal {
    /// Bytes that are not the wanted chunk.
    #[error("chunk {}: {refusal}", chunk.0)]
    Chunk {
        /// The wanted chunk.
        chunk: ChunkIndex,
        /// What is wrong with the bytes.
        refusal: ChunkRefusal,
    },
    /// Chunks are missing, or one was fed that was not wanted.
    #[error("wrong-count")]
    WrongCount,
    /// The whole file has another BLAKE3 than signed.
    #[error("wrong-blake3")]
    WrongBlake3,
    /// The whole file has another SHA-256 than signed.
    #[error("wrong-sha256")]
    WrongSha256,
}

impl<'a> FileAssembler<'a> {
    /// Starts a file of a checked index; none if the entry is not a regular file.
    pub fn new(index: &'a ReleaseIndex, file: &FileEntry) -> Option<Self> {
        let FileKind::File {
            len,
            blake3,
            sha256,
            offset,
            ..
        } = file.kind
        else {
            return None;
        };
        Some(Self {
            index,
            chunks: index.file_chunks(file).collect(),
            next: 0,
            signed: Signed { blake3, sha256 },
            left: len,
            offset,
            blake3: Hasher::new(),
            sha256: Sha256::new(),
        })
    }

    /// The next chunk and its entry; none when the file has all its bytes.
    pub fn wanted(&self) -> Option<(ChunkIndex, &'a ChunkEntry)> {
        let chunk = *self.chunks.get(self.next)?;
        Some((chunk, self.index.chunk(chunk)?))
    }

    /// Takes the plain bytes of the wanted chunk and gives those that belong to
    /// the file, to be written next. A chunk that lies wholly in the file is
    /// compared with its id; a chunk that small files share is not, since the
    /// file's own hashes cover the part in use. After a refusal the same chunk
    /// is still wanted.
    pub fn feed<'b>(&mut self, plain: &'b [u8]) -> Result<&'b [u8], AssembleRefusal> {
        let (chunk, entry) = self.wanted().ok_or(AssembleRefusal::WrongCount)?;
        let refused = |refusal| AssembleRefusal::Chunk { chunk, refusal };
        let start = self.offset as usize;
        let available = (entry.len as usize).saturating_sub(start);
        let len = usize::try_from(self.left).map_or(available, |left| left.min(available));
        if len == entry.len as usize {
            verify_chunk(plain, entry).map_err(refused)?;
        } else if plain.len() != entry.len as usize {
            return Err(refused(ChunkRefusal::WrongLength));
        }
        let bytes = plain
            .get(start..start + len)
            .ok_or(AssembleRefusal::WrongCount)?;
        self.blake3.update(bytes);
        self.sha256.update(bytes);
        self.left -= len as u64;
        self.offset = 0;
        self.next += 1;
        Ok(bytes)
    }

    /// Compares the whole file with its signed hashes.
    pub fn finish(self) -> Result<(), AssembleRefusal> {
        if self.next != self.chunks.len() || self.left != 0 {
            return Err(AssembleRefusal::WrongCount);
        }
        if self.blake3.finish() != self.signed.blake3 {
            return Err(AssembleRefusal::WrongBlake3);
        }
        let sha256: [u8; 32] = self.sha256.finalize().into();
        if sha256 == self.signed.sha256 {
            Ok(())
        } else {
            Err(AssembleRefusal::WrongSha256)
        }
    }
}

#[cfg(test)]
mod tests;
