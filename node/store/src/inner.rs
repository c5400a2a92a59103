//! The store itself: what it knows about the chunks, and its locks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use patchmesh_content::id::ChunkId;

use crate::disk::{Disk, DiskFile};
use crate::index::{Group, Index, Lengths};
use crate::layout::Layout;
use crate::options::Options;

/// The index is brought up to date after this many batches, and at the end.
/// What it lacks costs one question per file at the next start, nothing else.
const INDEX_EVERY_BATCHES: u32 = 16;

/// Chunk files, trust files and the index of one node. All calls block; share
/// it as `Arc<Store>` between blocking threads.
#[derive(Debug)]
pub struct Store {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) layout: Layout,
    pub(crate) options: Options,
    /// Never held across a file call.
    held: Mutex<Held>,
    /// Signalled when a chunk stops being `Place::Writing`.
    pub(crate) written: Condvar,
    /// Held by whoever moves or removes chunk files; taken before `held`.
    gate: Mutex<Gate>,
    /// Held by whoever commits a record.
    records: Mutex<()>,
    /// Keeps other processes out until the store is dropped.
    _lock: Option<File>,
}

/// What is known about the chunks.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) chunks: BTreeMap<ChunkId, Chunk>,
    /// Bytes of all chunk files, those being written included.
    pub(crate) used: u64,
    /// Chunks of the open batch; its files stay open, so that an error of
    /// writing back is reported to their fsync.
    pub(crate) pending: Vec<(ChunkId, Box<dyn DiskFile>)>,
    pub(crate) pending_bytes: u64,
    /// Chunks lost by a batch that a put closed, until `sync` reports them.
    pub(crate) lost: Vec<ChunkId>,
    pub(crate) lost_why: Option<io::Error>,
    /// Where the next scrub step starts.
    pub(crate) scrub_from: Option<ChunkId>,
}

/// One chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Length of its file.
    pub(crate) len: u32,
    pub(crate) place: Place,
}

/// Where the file of a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In `chunks/`, durable.
    Durable,
    /// In `incoming/`, complete.
    Incoming,
    /// In `incoming/`, incomplete; not held yet.
    Writing,
}

/// State of the one who moves files.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) index: Option<Index>,
    /// Groups whose entry in the index is old.
    pub(crate) stale: BTreeSet<Group>,
    pub(crate) batches: u32,
}

impl Held {
    /// Takes a chunk out of the books.
    pub(crate) fn forget(&mut self, id: &ChunkId) {
        let Some(chunk) = self.chunks.remove(id) else {
            return;
        };
        self.used -= u64::from(chunk.len);
        if let Some(at) = self.pending.iter().position(|(other, _)| other == id) {
            self.pending.swap_remove(at);
            self.pending_bytes -= u64::from(chunk.len);
        }
    }

    /// A chunk that can be read.
    pub(crate) fn readable(&self, id: &ChunkId) -> Option<Chunk> {
        let chunk = *self.chunks.get(id)?;
        (chunk.place != Place::Writing).then_some(chunk)
    }
}

impl Store {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        layout: Layout,
        options: Options,
        (held, gate): (Held, Gate),
        lock: Option<File>,
    ) -> Self {
        Self {
            disk,
            layout,
            options,
            held: Mutex::new(held),
            written: Condvar::new(),
            gate: Mutex::new(gate),
            records: Mutex::new(()),
            _lock: lock,
        }
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn records(&self) -> MutexGuard<'_, ()> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file of a chunk.
    pub(crate) fn path(&self, id: &ChunkId, place: Place) -> PathBuf {
        match place {
            Place::Durable => self.layout.chunk(id),
            Place::Incoming | Place::Writing => self.layout.incoming_chunk(id),
        }
    }

    /// Brings the index up to date, at once or when enough batches have passed.
    /// An index that fails is given up until the next start.
    pub(crate) fn update_index(&self, gate: &mut Gate, at_once: bool) {
        let Some(index) = &gate.index else { return };
        if gate.stale.is_empty() || (!at_once && gate.batches < INDEX_EVERY_BATCHES) {
            return;
        }
        let groups: Vec<_> = {
            let held = self.held();
            gate.stale
                .iter()
                .map(|group| (*group, lengths(&held, *group)))
                .collect()
        };
        match index.write(&groups).and_then(|()| index.flush()) {
            Ok(()) => {
                gate.stale.clear();
                gate.batches = 0;
            }
            Err(error) => {
                tracing::warn!(%error, "the store's index failed; it is off until a restart");
                gate.index = None;
            }
        }
    }
}

fn lengths(held: &Held, group: Group) -> Lengths {
    let (first, last) = group.bounds();
    let durable = held.chunks.range(first..=last);
    durable
        .filter(|(_, chunk)| chunk.place == Place::Durable)
        .map(|(id, chunk)| (*id, chunk.len))
        .collect()
}
