//! What can go wrong, one enum per operation.

use std::io;
use std::path::PathBuf;

use patchmesh_content::id::{ChunkId, ContentId};
use patchmesh_trust::role::RoleName;

use crate::disk::is_full;

/// Opening the store failed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Someone else works with this folder.
    #[error("failed to lock the store at {}: another process holds the store", dir.display())]
    Held {
        /// The store.
        dir: PathBuf,
    },
    /// The folder was written by a newer version.
    #[error(
        "failed to open the store at {}: its format is {found}, this program knows up to {known}",
        dir.display()
    )]
    Newer {
        /// The store.
        dir: PathBuf,
        /// Its format.
        found: u32,
        /// Newest format known here.
        known: u32,
    },
    /// The folder holds something else.
    #[error("failed to open the store at {}: it is not a store", dir.display())]
    NotAStore {
        /// The folder.
        dir: PathBuf,
    },
    /// The file that says the format is damaged; the folder holds nothing but a
    /// store, which opens once that file is gone.
    #[error(
        "failed to open the store at {}: {} does not say its format",
        dir.display(),
        path.display()
    )]
    Format {
        /// The store.
        dir: PathBuf,
        /// The file.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("failed to open the store: {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// Whether more free disk space is all that it takes.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_full(source),
            Self::Held { .. }
            | Self::Newer { .. }
            | Self::NotAStore { .. }
            | Self::Format { .. } => false,
        }
    }
}

/// Making a record durable failed; nothing of it may be relied on, and it can
/// be tried again.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A role that cannot be a file name.
    #[error("failed to commit a document: {role} is not a role")]
    BadRole {
        /// The role.
        role: RoleName,
    },
    /// An index whose bytes do not have this name.
    #[error("failed to commit the index {content}: its bytes have another hash")]
    BadIndex {
        /// The name.
        content: ContentId,
    },
    /// More than the store reads back.
    #[error("failed to commit {path}: {len} bytes are more than {max}", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// The disk failed or is full.
    #[error("failed to commit {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl CommitError {
    /// Whether more free disk space is all that it takes.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_full(source),
            Self::BadRole { .. } | Self::BadIndex { .. } | Self::TooLong { .. } => false,
        }
    }
}

/// Storing a chunk failed; it is not held, and it can be tried again.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// No room.
    #[error("{}", full_text(*used, *quota, *cause))]
    Full {
        /// Bytes of chunk files.
        used: u64,
        /// The setting `store.quota`, in bytes.
        quota: u64,
        /// What is full.
        cause: FullCause,
    },
    /// Longer than any wire frame.
    #[error("failed to store chunk {chunk}: {len} bytes are more than {max}")]
    TooLong {
        /// The chunk.
        chunk: ChunkId,
        /// Length of the wire frame.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// The disk failed.
    #[error("failed to store chunk {chunk}")]
    Io {
        /// The chunk.
        chunk: ChunkId,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// What is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullCause {
    /// The disk, before the quota was reached.
    Disk,
    /// The quota.
    Quota,
}

fn full_text(used: u64, quota: u64, cause: FullCause) -> String {
    let what = match cause {
        FullCause::Disk => "the disk is full",
        FullCause::Quota => "the store is full",
    };
    let cure = match cause {
        FullCause::Disk => "free disk space or forget a release",
        FullCause::Quota => "raise store.quota or forget a release",
    };
    format!("failed to store a chunk: {what}: {used} bytes used, store.quota is {quota}; {cure}")
}

/// Making a batch durable failed for some chunks. They are no longer held; tell
/// the engine that they are damaged, so that it fetches them again.
#[derive(Debug, thiserror::Error)]
#[error("failed to make {} chunks durable", lost.len())]
pub struct SyncError {
    /// The chunks that are gone.
    pub lost: Vec<ChunkId>,
    /// Why the first failed.
    #[source]
    pub source: io::Error,
}

impl SyncError {
    /// Whether more free disk space is all that it takes.
    pub fn is_full(&self) -> bool {
        is_full(&self.source)
    }
}

/// Reading failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is gone or no longer what was written; it was taken away and is
    /// no longer held. Tell the engine that it is damaged.
    #[error("failed to read {}: it is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The disk failed; what is held has not changed.
    #[error("failed to read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// Removing chunks failed; those removed so far are gone.
#[derive(Debug, thiserror::Error)]
#[error("failed to remove {}", path.display())]
pub struct SweepError {
    /// The file.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

/// A scrub step failed; the next step goes on behind the file.
#[derive(Debug, thiserror::Error)]
#[error("failed to scrub {}", path.display())]
pub struct ScrubError {
    /// The file.
    pub path: PathBuf,
    /// What was found before it.
    pub so_far: crate::options::Scrubbed,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}
