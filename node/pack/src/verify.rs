//! Compares a file that was written before with its signed hashes.

use patchmesh_content::id::Hasher;
use patchmesh_content::index::{FileEntry, FileKind};
use sha2::{Digest as _, Sha256};

/// The bytes of one file on their way through both hashes.
#[derive(Debug, Clone)]
pub struct FileCheck {
    signed: ([u8; 32], [u8; 32]),
    left: u64,
    longer: bool,
    blake3: Hasher,
    sha256: Sha256,
}

impl FileCheck {
    /// Begins a file; none if the entry is not a regular file.
    pub fn new(file: &FileEntry) -> Option<Self> {
        let FileKind::File {
            len,
            blake3,
            sha256,
            ..
        } = file.kind
        else {
            return None;
        };
        Some(Self {
            signed: (blake3, sha256),
            left: len,
            longer: false,
            blake3: Hasher::new(),
            sha256: Sha256::new(),
        })
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.longer |= left.is_none();
        self.left = left.unwrap_or_default();
        self.blake3.update(bytes);
        self.sha256.update(bytes);
    }

    /// Whether what came is the file, whole: length and both hashes.
    pub fn finish(self) -> bool {
        let (blake3, sha256) = self.signed;
        let own: [u8; 32] = self.sha256.finalize().into();
        self.left == 0 && !self.longer && self.blake3.finish() == blake3 && own == sha256
    }
}

#[cfg(test)]
mod tests {
    use patchmesh_content::geometry::ChunkIndex;
    use patchmesh_content::id::blake3;

    use super::*;

    #[test]
    fn only_the_whole_file_passes() {
        let bytes = b"some bytes";
        let entry = FileEntry {
            path: "a".to_owned(),
            mode: 0o644,
            kind: FileKind::File {
                len: bytes.len() as u64,
                blake3: blake3(bytes),
                sha256: Sha256::digest(bytes).into(),
                first: ChunkIndex(0),
                count: 1,
                offset: 0,
            },
        };
        let passes = |parts: &[&[u8]]| {
            let mut check = FileCheck::new(&entry).unwrap();
            for part in parts {
                check.update(part);
            }
            check.finish()
        };
        assert!(passes(&[b"some ", b"bytes"]));
        assert!(!passes(&[b"some bytez"]));
        assert!(!passes(&[b"some byte"]));
        assert!(!passes(&[b"some bytes", b"s"]));
        assert!(!passes(&[]));
        let folder = FileEntry {
            kind: FileKind::Directory,
            ..entry
        };
        assert!(FileCheck::new(&folder).is_none());
    }
}
