//! The release index: files, modes, chunks and wire sizes of one release.
//!
//! Encoding is canonical: decoding and encoding again must give the same bytes,
//! otherwise the index is refused (S-05).

use std::collections::BTreeSet;

use patchmesh_proto::Message as _;
use patchmesh_proto::frame::{FrameRefusal, decode_counted};
use patchmesh_proto::limits::{
    CHUNK_WIRE_LEN_MAX, INDEX_CHUNKS_MAX, INDEX_ELEMENTS_MAX, INDEX_FILES_MAX, INDEX_LEN_MAX,
};
use patchmesh_proto::v1;

use crate::geometry::{CHUNK_LEN_MAX, ChunkIndex};
use crate::id::{ChunkId, ContentId, blake3};
use crate::path::{self, PathRefusal};

/// Format written and read by this build.
pub const INDEX_FORMAT: u32 = 1;

/// One release, checked: every path is safe, every range lies inside its
/// chunks, every sum fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseIndex {
    /// Release line.
    pub line: String,
    /// Release id within the line.
    pub id: String,
    /// Facts for people: severity word, empty if none.
    pub severity: String,
    /// CVE ids this release repairs.
    pub cves: Vec<String>,
    /// Entries in ascending byte order of their paths.
    pub files: Vec<FileEntry>,
    /// Chunks in index order; no id occurs twice, so equal chunks are stored
    /// and sent once (S-07).
    pub chunks: Vec<ChunkEntry>,
    /// Where a chunk occurs more than once: the chunk number at each position
    /// that files count in. Empty if position and chunk number are the same.
    pub sequence: Vec<u32>,
    /// BLAKE3 of the pack: all wire frames in index order.
    pub pack: [u8; 32],
}

/// One chunk as the index describes it (S-03).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkEntry {
    /// BLAKE3 of the plain bytes.
    pub id: ChunkId,
    /// Plain length, 1 to [`CHUNK_LEN_MAX`] bytes.
    pub len: u32,
    /// Length of the wire frame in bytes.
    pub wire_len: u32,
}

/// One entry of the file tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Relative path that passed [`path::check`].
    pub path: String,
    /// Permission bits, 0o777 at most.
    pub mode: u32,
    /// What stands at the path.
    pub kind: FileKind,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Length in bytes.
        len: u64,
        /// BLAKE3 of the whole file.
        blake3: [u8; 32],
        /// SHA-256 of the whole file.
        sha256: [u8; 32],
        /// First position in the sequence of chunks; use
        /// [`ReleaseIndex::file_chunks`] to get the chunks.
        first: ChunkIndex,
        /// Number of positions; 0 for an empty file.
        count: u32,
        /// Offset of the file in its first chunk, in bytes.
        offset: u32,
    },
    /// A symbolic link with this target text.
    Link(String),
}

/// Why an index is refused. The text is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IndexRefusal {
    /// Not a message, or over a size or element cap.
    #[error("{0}")]
    Frame(#[from] FrameRefusal),
    /// A format this build does not know.
    #[error("unknown-format")]
    UnknownFormat,
    /// Decoding and encoding again gives other bytes.
    #[error("not-canonical")]
    NotCanonical,
    /// Lists of different lengths, or a field with a wrong length.
    #[error("inconsistent")]
    Inconsistent,
    /// A chunk length of 0 or above the limit.
    #[error("chunk-length")]
    ChunkLength,
    /// A chunk id that occurs twice.
    #[error("chunk-twice")]
    ChunkTwice,
    /// A sequence that names a missing chunk, or that says nothing.
    #[error("sequence")]
    Sequence,
    /// A file's range does not lie inside its chunks, or its length differs (S-08).
    #[error("file-range")]
    FileRange,
    /// Paths out of order, twice, below a file or link, or clashing on a
    /// file system that ignores case or Unicode normalisation.
    #[error("path-clash")]
    PathClash,
    /// A mode with set-uid, set-gid, sticky or unknown bits.
    #[error("mode")]
    Mode,
    /// A path or link target that is not allowed.
    #[error("path: {0}")]
    Path(#[from] PathRefusal),
    /// A sum that does not fit, or does not match the files.
    #[error("sum")]
    Sum,
}

impl ReleaseIndex {
    /// Reads an index from bytes whose hashes were verified before.
    pub fn decode(bytes: &[u8]) -> Result<Self, IndexRefusal> {
        let wire: v1::ReleaseIndex = decode_counted(bytes, INDEX_LEN_MAX, INDEX_ELEMENTS_MAX)?;
        if wire.format != INDEX_FORMAT {
            return Err(IndexRefusal::UnknownFormat);
        }
        let index = from_wire(&wire)?;
        index.check(wire.total_bytes)?;
        if index.encode() != bytes {
            return Err(IndexRefusal::NotCanonical);
        }
        Ok(index)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        to_wire(self).encode_to_vec()
    }

    /// Name of the content that these bytes describe.
    pub fn content_id(bytes: &[u8]) -> ContentId {
        ContentId(blake3(bytes))
    }

    /// Sum of the file lengths in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(FileEntry::len).sum()
    }

    /// Sum of the wire frames in bytes: what one copy costs on a link.
    pub fn wire_bytes(&self) -> u64 {
        self.chunks
            .iter()
            .map(|chunk| u64::from(chunk.wire_len))
            .sum()
    }

    /// Number of chunks; at most [`INDEX_CHUNKS_MAX`].
    pub fn chunks_len(&self) -> u32 {
        u32::try_from(self.chunks.len()).unwrap_or(u32::MAX)
    }

    /// One chunk, if it exists.
    pub fn chunk(&self, index: ChunkIndex) -> Option<&ChunkEntry> {
        self.chunks.get(index.0 as usize)
    }

    /// The chunks of a file in the order of its bytes; none for an entry that is
    /// not a regular file, or whose range lies outside the sequence.
    pub fn file_chunks(
        &self,
        file: &FileEntry,
    ) -> impl ExactSizeIterator<Item = ChunkIndex> + Clone + '_ {
        let positions = match file.kind {
            FileKind::File { first, count, .. } => first
                .0
                .checked_add(count)
                .filter(|end| *end <= self.positions())
                .map_or(0..0, |end| first.0..end),
            FileKind::Directory | FileKind::Link(_) => 0..0,
        };
        positions.map(|position| {
            let chunk = self.sequence.get(position as usize);
            ChunkIndex(chunk.copied().unwrap_or(position))
        })
    }

    /// Number of positions that file ranges count in.
    fn positions(&self) -> u32 {
        if self.sequence.is_empty() {
            self.chunks_len()
        } else {
            u32::try_from(self.sequence.len()).unwrap_or(u32::MAX)
        }
    }

    /// Checks everything that a decoded index promises; the publisher calls it
    /// before signing. `total_bytes` is the sum the index states.
    pub fn check(&self, total_bytes: u64) -> Result<(), IndexRefusal> {
        if self.files.len() > INDEX_FILES_MAX || self.chunks.len() > INDEX_CHUNKS_MAX {
            return Err(IndexRefusal::Frame(FrameRefusal::TooManyElements));
        }
        self.check_chunks()?;
        self.check_sequence()?;
        check_paths(&self.files)?;
        let mut sum = 0u64;
        for file in &self.files {
            self.check_file(file)?;
            sum = sum.checked_add(file.len()).ok_or(IndexRefusal::Sum)?;
        }
        if sum == total_bytes {
            Ok(())
        } else {
            Err(IndexRefusal::Sum)
        }
    }

    fn check_chunks(&self) -> Result<(), IndexRefusal> {
        let wire_max = u32::try_from(CHUNK_WIRE_LEN_MAX).unwrap_or(u32::MAX);
        let mut ids = BTreeSet::new();
        for chunk in &self.chunks {
            let wire_ok = (1..=wire_max).contains(&chunk.wire_len);
            if !(1..=CHUNK_LEN_MAX).contains(&chunk.len) || !wire_ok {
                return Err(IndexRefusal::ChunkLength);
            }
            if !ids.insert(&chunk.id) {
                return Err(IndexRefusal::ChunkTwice);
            }
        }
        Ok(())
    }

    fn check_sequence(&self) -> Result<(), IndexRefusal> {
        if self.sequence.is_empty() {
            return Ok(());
        }
        if self.sequence.len() > INDEX_CHUNKS_MAX {
            return Err(IndexRefusal::Frame(FrameRefusal::TooManyElements));
        }
        let chunks = self.chunks_len();
        let known = self.sequence.iter().all(|chunk| *chunk < chunks);
        let silent = self.sequence.iter().copied().eq(0..chunks);
        if known && !silent {
            Ok(())
        } else {
            Err(IndexRefusal::Sequence)
        }
    }

    fn check_file(&self, file: &FileEntry) -> Result<(), IndexRefusal> {
        if file.mode > 0o777 {
            return Err(IndexRefusal::Mode);
        }
        let FileKind::File {
            len,
            first,
            count,
            offset,
            ..
        } = &file.kind
        else {
            return Ok(());
        };
        if *count == 0 {
            let empty = *len == 0 && first.0 == 0 && *offset == 0;
            return if empty {
                Ok(())
            } else {
                Err(IndexRefusal::FileRange)
            };
        }
        let chunks = self.file_chunks(file);
        if chunks.len() != *count as usize {
            return Err(IndexRefusal::FileRange);
        }
        let available: u64 = chunks
            .filter_map(|chunk| self.chunk(chunk))
            .map(|chunk| u64::from(chunk.len))
            .sum();
        let fits = if *count == 1 {
            u64::from(*offset)
                .checked_add(*len)
                .is_some_and(|end| end <= available)
        } else {
            *offset == 0 && *len == available
        };
        if fits && *len > 0 {
            Ok(())
        } else {
            Err(IndexRefusal::FileRange)
        }
    }
}

impl FileEntry {
    /// Length in bytes; 0 unless a regular file.
    pub fn len(&self) -> u64 {
        match &self.kind {
            FileKind::File { len, .. } => *len,
            FileKind::Directory | FileKind::Link(_) => 0,
        }
    }

    /// Whether the entry has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Ascending, unique also without regard to case and normalisation, and nothing
/// below a file or link.
fn check_paths(files: &[FileEntry]) -> Result<(), IndexRefusal> {
    let mut folded = BTreeSet::new();
    let mut leaves = BTreeSet::new();
    for pair in files.windows(2) {
        if pair[0].path >= pair[1].path {
            return Err(IndexRefusal::PathClash);
        }
    }
    for file in files {
        path::check(&file.path)?;
        if let FileKind::Link(target) = &file.kind {
            path::check_link(&file.path, target)?;
        }
        let fold = path::folded(&file.path);
        if !matches!(file.kind, FileKind::Directory) {
            leaves.insert(fold.clone());
        }
        if !folded.insert(fold) {
            return Err(IndexRefusal::PathClash);
        }
    }
    for path in &folded {
        let mut rest = path.as_str();
        while let Some((parent, _)) = rest.rsplit_once('/') {
            if leaves.contains(parent) {
                return Err(IndexRefusal::PathClash);
            }
            rest = parent;
        }
    }
    Ok(())
}

fn from_wire(wire: &v1::ReleaseIndex) -> Result<ReleaseIndex, IndexRefusal> {
    let count = wire.chunk_lengths.len();
    if wire.wire_lengths.len() != count || wire.chunk_ids.len() != count * 32 {
        return Err(IndexRefusal::Inconsistent);
    }
    let lengths = wire.chunk_lengths.iter().zip(&wire.wire_lengths);
    let chunks = wire
        .chunk_ids
        .chunks_exact(32)
        .zip(lengths)
        .map(|(id, (len, wire_len))| {
            let id = ChunkId(array32(id)?);
            Ok(ChunkEntry {
                id,
                len: *len,
                wire_len: *wire_len,
            })
        })
        .collect::<Result<Vec<_>, IndexRefusal>>()?;
    let files = wire
        .files
        .iter()
        .map(file_from_wire)
        .collect::<Result<Vec<_>, IndexRefusal>>()?;
    Ok(ReleaseIndex {
        line: wire.line.clone(),
        id: wire.id.clone(),
        severity: wire.severity.clone(),
        cves: wire.cves.clone(),
        files,
        chunks,
        sequence: wire.sequence.clone(),
        pack: array32(&wire.pack)?,
    })
}

fn file_from_wire(file: &v1::FileEntry) -> Result<FileEntry, IndexRefusal> {
    let kind = match v1::file_entry::Kind::try_from(file.kind) {
        Ok(v1::file_entry::Kind::Directory) => FileKind::Directory,
        Ok(v1::file_entry::Kind::Link) => FileKind::Link(file.link.clone()),
        Ok(v1::file_entry::Kind::File) => FileKind::File {
            len: file.length,
            blake3: array32(&file.blake3)?,
            sha256: array32(&file.sha256)?,
            first: ChunkIndex(file.chunk_first),
            count: file.chunk_count,
            offset: file.chunk_offset,
        },
        Ok(v1::file_entry::Kind::Unspecified) | Err(_) => return Err(IndexRefusal::Inconsistent),
    };
    Ok(FileEntry {
        path: file.path.clone(),
        mode: file.mode,
        kind,
    })
}

fn to_wire(index: &ReleaseIndex) -> v1::ReleaseIndex {
    let mut chunk_ids = Vec::with_capacity(index.chunks.len() * 32);
    for chunk in &index.chunks {
        chunk_ids.extend_from_slice(&chunk.id.0);
    }
    v1::ReleaseIndex {
        format: INDEX_FORMAT,
        line: index.line.clone(),
        id: index.id.clone(),
        total_bytes: index.total_bytes(),
        files: index.files.iter().map(file_to_wire).collect(),
        chunk_ids,
        chunk_lengths: index.chunks.iter().map(|chunk| chunk.len).collect(),
        wire_lengths: index.chunks.iter().map(|chunk| chunk.wire_len).collect(),
        pack: index.pack.to_vec(),
        severity: index.severity.clone(),
        cves: index.cves.clone(),
        sequence: index.sequence.clone(),
    }
}

fn file_to_wire(file: &FileEntry) -> v1::FileEntry {
    let mut wire = v1::FileEntry {
        path: file.path.clone(),
        mode: file.mode,
        ..v1::FileEntry::default()
    };
    match &file.kind {
        FileKind::Directory => wire.kind = v1::file_entry::Kind::Directory.into(),
        FileKind::Link(target) => {
            wire.kind = v1::file_entry::Kind::Link.into();
            wire.link.clone_from(target);
        }
        FileKind::File {
            len,
            blake3,
            sha256,
            first,
            count,
            offset,
        } => {
            wire.kind = v1::file_entry::Kind::File.into();
            wire.length = *len;
            wire.blake3 = blake3.to_vec();
            wire.sha256 = sha256.to_vec();
            wire.chunk_first = first.0;
            wire.chunk_count = *count;
            wire.chunk_offset = *offset;
        }
    }
    wire
}

fn array32(bytes: &[u8]) -> Result<[u8; 32], IndexRefusal> {
    bytes.try_into().map_err(|_| IndexRefusal::Inconsistent)
}

#[cfg(test)]
mod tests;
