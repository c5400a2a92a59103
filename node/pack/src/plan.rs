//! Plans a release: takes the entries of a tree, cuts their bytes into chunks
//! and knows each chunk once.

use std::collections::BTreeMap;
use std::io::{self, Read};

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ChunkId, Hasher, blake3};
use patchmesh_content::index::{ChunkEntry, FileEntry, FileKind, IndexRefusal, ReleaseIndex};
use patchmesh_content::path::{self, PathRefusal};
use sha2::{Digest, Sha256};

use crate::chunker::Chunker;
use crate::limits::SMALL_FILE_LEN;
use crate::pack::Pack;
use crate::shared::{Filled, Shared};

/// What a release says about itself besides its files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseFacts {
    /// Release line.
    pub line: String,
    /// Release id within the line.
    pub id: String,
    /// Severity word, empty if none.
    pub severity: String,
    /// CVE ids this release repairs.
    pub cves: Vec<String>,
}

/// A chunk that occurs for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChunk {
    /// Its position in the index; each chunk comes one after the last.
    pub chunk: ChunkIndex,
    /// Its plain bytes, 1 to
    /// [`CHUNK_LEN_MAX`](patchmesh_content::geometry::CHUNK_LEN_MAX).
    pub plain: Vec<u8>,
}

/// Takes new chunks in index order, to compress and write them.
pub trait ChunkSink {
    /// Takes one chunk; an error ends the planning.
    fn take(&mut self, chunk: NewChunk) -> io::Result<()>;
}

impl<F: FnMut(NewChunk) -> io::Result<()>> ChunkSink for F {
    fn take(&mut self, chunk: NewChunk) -> io::Result<()> {
        self(chunk)
    }
}

/// Why a tree cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A mode with more than permission bits.
    #[error("{path:?} has mode {mode:o}; set-uid, set-gid and sticky are not published")]
    Mode {
        /// The entry.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// Entries must come in ascending byte order of their paths.
    #[error("{path:?} comes after {last:?}, but paths must ascend in byte order")]
    Order {
        /// The entry.
        path: String,
        /// The entry before it.
        last: String,
    },
    /// A path or link target that no release may carry.
    #[error("{path:?} is not allowed: {refusal}")]
    Path {
        /// The entry.
        path: String,
        /// The rule.
        refusal: PathRefusal,
    },
    /// The bytes of a file were not to be had.
    #[error("failed to read {path:?}")]
    Read {
        /// The entry.
        path: String,
        /// What the reader said.
        #[source]
        source: io::Error,
    },
    /// The sink did not take a chunk.
    #[error("failed to hand over a chunk")]
    Sink(#[source] io::Error),
    /// Over four thousand million chunks.
    #[error("too many chunks in one release")]
    TooManyChunks,
}

/// Plans a release from entries in ascending byte order of their paths.
///
/// Chunks come out in index order. Equal chunks come out once. A file shorter
/// than [`SMALL_FILE_LEN`] shares a chunk with others, an empty one has none,
/// and files with equal bytes have one range.
#[derive(Debug, Default)]
pub struct Planner {
    facts: ReleaseFacts,
    entries: Vec<FileEntry>,
    chunks: Vec<(ChunkId, u32)>,
    known: BTreeMap<ChunkId, u32>,
    sequence: Vec<u32>,
    /// First entry with these bytes, by BLAKE3 and length.
    files: BTreeMap<([u8; 32], u64), usize>,
    shared: Shared,
}

/// A planned release that lacks only its pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    facts: ReleaseFacts,
    entries: Vec<FileEntry>,
    chunks: Vec<(ChunkId, u32)>,
    sequence: Vec<u32>,
}

impl Planner {
    /// An empty tree.
    pub fn new(facts: ReleaseFacts) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: &str, mode: u32) -> Result<(), PlanError> {
        self.entry(path, mode, FileKind::Directory)
    }

    /// Adds a symbolic link; `mode` is as the file system shows it, usually 0o777.
    pub fn link(&mut self, path: &str, mode: u32, target: &str) -> Result<(), PlanError> {
        path::check_link(path, target).map_err(|refusal| PlanError::Path {
            path: format!("{path} -> {target}"),
            refusal,
        })?;
        self.entry(path, mode, FileKind::Link(target.to_owned()))
    }

    /// Adds a regular file and reads it to its end.
    pub fn file(
        &mut self,
        path: &str,
        mode: u32,
        reader: impl Read,
        sink: &mut impl ChunkSink,
    ) -> Result<(), PlanError> {
        self.entry(path, mode, no_bytes())?;
        let failed = |source| PlanError::Read {
            path: path.to_owned(),
            source,
        };
        let mut reader = reader;
        let mut head = Vec::new();
        let small = SMALL_FILE_LEN as u64;
        let read = reader.by_ref().take(small).read_to_end(&mut head);
        read.map_err(failed)?;
        if head.len() < SMALL_FILE_LEN {
            self.small_file(&head, sink)
        } else {
            self.large_file(path, head.chain(reader), sink)
        }
    }

    /// Hands over the last shared chunk and ends the plan.
    pub fn finish(mut self, sink: &mut impl ChunkSink) -> Result<Planned, PlanError> {
        if let Some(filled) = self.shared.take() {
            self.place(filled, sink)?;
        }
        let identity = self
            .sequence
            .iter()
            .copied()
            .eq(0..number(self.chunks.len())?);
        let sequence = if identity { vec![] } else { self.sequence };
        Ok(Planned {
            facts: self.facts,
            entries: self.entries,
            chunks: self.chunks,
            sequence,
        })
    }
}

impl Planner {
    fn entry(&mut self, path: &str, mode: u32, kind: FileKind) -> Result<(), PlanError> {
        path::check(path).map_err(|refusal| PlanError::Path {
            path: path.to_owned(),
            refusal,
        })?;
        if mode > 0o777 {
            return Err(PlanError::Mode {
                path: path.to_owned(),
                mode,
            });
        }
        if let Some(last) = self.entries.last()
            && last.path.as_str() >= path
        {
            return Err(PlanError::Order {
                path: path.to_owned(),
                last: last.path.clone(),
            });
        }
        self.entries.push(FileEntry {
            path: path.to_owned(),
            mode,
            kind,
        });
        Ok(())
    }

    fn small_file(&mut self, bytes: &[u8], sink: &mut impl ChunkSink) -> Result<(), PlanError> {
        let at = self.entries.len() - 1;
        let hash = blake3(bytes);
        self.entries[at].kind = FileKind::File {
            len: bytes.len() as u64,
            blake3: hash,
            sha256: Sha256::digest(bytes).into(),
            first: ChunkIndex(0),
            count: 0,
            offset: 0,
        };
        if bytes.is_empty() {
            return Ok(());
        }
        if let Some(same) = self.same_file(hash, bytes.len() as u64, at) {
            if !self.shared.add_same(at, same) {
                self.entries[at].kind = self.entries[same].kind.clone();
            }
            return Ok(());
        }
        if let Some(filled) = self.shared.make_room(bytes.len()) {
            self.place(filled, sink)?;
        }
        match self.shared.add(at, bytes, &hash) {
            Some(filled) => self.place(filled, sink),
            None => Ok(()),
        }
    }

    fn large_file(
        &mut self,
        path: &str,
        reader: impl Read,
        sink: &mut impl ChunkSink,
    ) -> Result<(), PlanError> {
        let at = self.entries.len() - 1;
        let begin = self.sequence.len();
        let mut chunker = Chunker::new(reader);
        let mut hasher = Hasher::new();
        let mut sha256 = Sha256::new();
        let mut len = 0;
        loop {
            let next = chunker.next_chunk().map_err(|source| PlanError::Read {
                path: path.to_owned(),
                source,
            })?;
            let Some(plain) = next else { break };
            hasher.update(plain);
            sha256.update(plain);
            len += plain.len() as u64;
            self.position(plain, sink)?;
        }
        let hash = hasher.finish();
        if let Some(same) = self.same_file(hash, len, at) {
            self.sequence.truncate(begin);
            self.entries[at].kind = self.entries[same].kind.clone();
            return Ok(());
        }
        self.entries[at].kind = FileKind::File {
            len,
            blake3: hash,
            sha256: sha256.finalize().into(),
            first: ChunkIndex(number(begin)?),
            count: number(self.sequence.len() - begin)?,
            offset: 0,
        };
        Ok(())
    }

    /// An earlier file with these bytes; remembers this one if there is none.
    fn same_file(&mut self, hash: [u8; 32], len: u64, at: usize) -> Option<usize> {
        let first = *self.files.entry((hash, len)).or_insert(at);
        (first != at).then_some(first)
    }

    /// Gives a shared chunk its position, and the files in it their ranges.
    fn place(&mut self, filled: Filled, sink: &mut impl ChunkSink) -> Result<(), PlanError> {
        let position = ChunkIndex(number(self.sequence.len())?);
        self.position(&filled.bytes, sink)?;
        for member in filled.members {
            if let FileKind::File {
                first,
                count,
                offset,
                ..
            } = &mut self.entries[member.entry].kind
            {
                (*first, *count, *offset) = (position, 1, member.offset);
            }
        }
        Ok(())
    }

    /// Adds a position to the sequence, and the chunk if it is new.
    fn position(&mut self, plain: &[u8], sink: &mut impl ChunkSink) -> Result<(), PlanError> {
        let id = ChunkId(blake3(plain));
        if let Some(chunk) = self.known.get(&id) {
            self.sequence.push(*chunk);
            return Ok(());
        }
        let chunk = number(self.chunks.len())?;
        sink.take(NewChunk {
            chunk: ChunkIndex(chunk),
            plain: plain.to_vec(),
        })
        .map_err(PlanError::Sink)?;
        self.chunks.push((id, number(plain.len())?));
        self.known.insert(id, chunk);
        self.sequence.push(chunk);
        Ok(())
    }
}

impl Planned {
    /// Number of chunks that were handed over.
    pub fn chunks_len(&self) -> usize {
        self.chunks.len()
    }

    /// Joins plan and pack to a release index that passed
    /// [`ReleaseIndex::check`]. The pack must hold one frame for each chunk.
    pub fn index(self, pack: Pack) -> Result<ReleaseIndex, IndexRefusal> {
        if pack.wire_lengths.len() != self.chunks.len() {
            return Err(IndexRefusal::Inconsistent);
        }
        let chunks = self.chunks.into_iter().zip(pack.wire_lengths);
        let index = ReleaseIndex {
            line: self.facts.line,
            id: self.facts.id,
            severity: self.facts.severity,
            cves: self.facts.cves,
            files: self.entries,
            chunks: chunks
                .map(|((id, len), wire_len)| ChunkEntry { id, len, wire_len })
                .collect(),
            sequence: self.sequence,
            pack: pack.hash,
        };
        index.check(index.total_bytes())?;
        Ok(index)
    }
}

fn number(value: usize) -> Result<u32, PlanError> {
    u32::try_from(value).map_err(|_| PlanError::TooManyChunks)
}

fn no_bytes() -> FileKind {
    FileKind::File {
        len: 0,
        blake3: [0; 32],
        sha256: [0; 32],
        first: ChunkIndex(0),
        count: 0,
        offset: 0,
    }
}

#[cfg(test)]
mod tests;
