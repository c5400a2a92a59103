//! What callers give and get: options, reports and small results.

use std::time::Duration;

use patchmesh_content::id::{ChunkId, ContentId};

/// Knobs of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Most bytes of chunk files, those not yet durable included (`store.quota`).
    pub quota_bytes: u64,
    /// A batch is made durable when this many bytes wait; 8 MiB.
    pub batch_bytes_max: u64,
    /// A batch is made durable when this many chunks wait; 256.
    pub batch_chunks_max: usize,
    /// Threads that wait for the disk while a batch is made durable; 8. The file
    /// system then commits many files at once.
    pub sync_threads: usize,
    /// How long sled may take to open before the index is rebuilt; 10 s.
    pub index_open_max: Duration,
}

impl Options {
    /// The defaults with this quota in bytes.
    pub fn new(quota_bytes: u64) -> Self {
        Self {
            quota_bytes,
            batch_bytes_max: 8 * 1024 * 1024,
            batch_chunks_max: 256,
            sync_threads: 8,
            index_open_max: Duration::from_secs(10),
        }
    }
}

/// What opening found and repaired.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenReport {
    /// The index did not open or was not ours; it was moved to `quarantine/`
    /// and built again from the chunk files. Worth an alarm.
    pub index_rebuilt: bool,
    /// Not even a new index opened; the store works without one, and the next
    /// start is slower. Worth an alarm.
    pub index_off: bool,
    /// The floors were damaged; the file is in `quarantine/`. Worth an alarm.
    pub floors_damaged: bool,
    /// Chunks of an unfinished batch that were complete and were kept.
    pub adopted: usize,
    /// Unfinished files that were removed.
    pub leftovers_removed: usize,
    /// Damaged files that were moved to `quarantine/`, as paths in the store.
    pub quarantined: Vec<String>,
}

/// What came of storing a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was there already.
    Present,
    /// It is written and can be read; the next `sync` makes it durable.
    Written,
}

/// A batch that is durable now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Synced {
    /// Chunks of the batch.
    pub chunks: usize,
    /// Bytes of their files.
    pub bytes: u64,
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Chunks removed.
    pub chunks: usize,
    /// Bytes freed.
    pub bytes: u64,
}

/// One step of a scrub.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scrubbed {
    /// Chunks read.
    pub chunks: usize,
    /// Bytes read.
    pub bytes: u64,
    /// Chunks that were missing or no longer what they were; taken away, no
    /// longer held.
    pub damaged: Vec<ChunkId>,
    /// Release indexes no longer equal to their name; taken away.
    pub damaged_indexes: Vec<ContentId>,
    /// The end was reached; the next step starts over.
    pub wrapped: bool,
}

/// How full the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Chunks held, those not yet durable included.
    pub chunks: usize,
    /// Bytes of their files.
    pub used_bytes: u64,
    /// `store.quota`.
    pub quota_bytes: u64,
    /// Bytes written but not yet durable.
    pub pending_bytes: u64,
    /// Bytes free on the disk, where it can be asked.
    pub disk_free_bytes: Option<u64>,
}

impl Usage {
    /// Whether a batch of chunks would still fit.
    pub fn has_room(&self, batch_bytes: u64) -> bool {
        self.used_bytes.saturating_add(batch_bytes) <= self.quota_bytes
            && self.disk_free_bytes.is_none_or(|free| free >= batch_bytes)
    }
}

/// Small files beside the floors that must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateName {
    /// The member certificate.
    Cert,
    /// The clock floor.
    Clock,
    /// The key of this node.
    Identity,
}
