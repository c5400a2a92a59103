//! Chunks: written at once, durable by the batch.

use std::collections::BTreeSet;
use std::io;
use std::sync::PoisonError;

use patchmesh_content::id::ChunkId;
use patchmesh_proto::limits::CHUNK_WIRE_LEN_MAX;

use crate::disk::{DiskFile, is_full, write_all};
use crate::durable::quarantine;
use crate::error::{FullCause, PutError, ReadError, SyncError};
use crate::index::Group;
use crate::inner::{Chunk, Gate, Place, Store};
use crate::options::{Put, Synced, Usage};
use crate::parallel::for_each;
use crate::sealed::{SEAL_LEN, open, seal};

/// Longest chunk file.
pub(crate) const CHUNK_FILE_LEN_MAX: usize = CHUNK_WIRE_LEN_MAX + SEAL_LEN;

/// What became of one batch.
#[derive(Debug, Default)]
struct Batch {
    synced: Synced,
    lost: Vec<ChunkId>,
    why: Option<io::Error>,
}

impl Store {
    /// Stores the wire frame of a chunk that the caller has decoded and found
    /// equal to its id. On return it can be read and served; it is durable
    /// after the next `sync`, which runs by itself when a batch is full.
    pub fn put_chunk(&self, id: &ChunkId, wire: &[u8]) -> Result<Put, PutError> {
        if wire.len() > CHUNK_WIRE_LEN_MAX {
            return Err(PutError::TooLong {
                chunk: *id,
                len: wire.len(),
                max: CHUNK_WIRE_LEN_MAX,
            });
        }
        let len = file_len(wire);
        if !self.reserve(id, len)? {
            return Ok(Put::Present);
        }
        let written = self.write_incoming(id, wire);
        let mut held = self.held();
        self.written.notify_all();
        let file = match written {
            Ok(file) => file,
            Err(source) => {
                held.forget(id);
                let used = held.used;
                drop(held);
                // An unfinished file does not pass its seal at the next start.
                self.disk.remove(&self.layout.incoming_chunk(id)).ok();
                return Err(self.put_error(*id, used, source));
            }
        };
        let place = Place::Incoming;
        held.chunks.insert(*id, Chunk { len, place });
        held.pending.push((*id, file));
        held.pending_bytes += u64::from(len);
        let batch_is_full = held.pending_bytes >= self.options.batch_bytes_max
            || held.pending.len() >= self.options.batch_chunks_max;
        drop(held);
        if batch_is_full {
            self.close_batch(id)?;
        }
        Ok(Put::Written)
    }

    /// Makes everything durable that was written before the call. To be called
    /// at least every 2 s while chunks arrive. It also reports chunks lost by a
    /// batch that `put_chunk` closed.
    pub fn sync(&self) -> Result<Synced, SyncError> {
        self.sync_and_index(false)
    }

    /// `sync`, and the index is brought up to date; the last call before the
    /// process ends.
    pub fn close(&self) -> Result<Synced, SyncError> {
        self.sync_and_index(true)
    }

    /// The wire frame of a chunk, checked against its seal; `None` where it is
    /// not held.
    pub fn read_chunk(&self, id: &ChunkId) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(seen) = self.held().readable(id) else {
            return Ok(None);
        };
        if let Ok(Some(wire)) = self.read_at(id, seen.place) {
            return Ok(Some(wire));
        }
        // A batch may have moved the file meanwhile; behind the gate it lies still.
        let mut gate = self.gate();
        let Some(chunk) = self.held().readable(id) else {
            return Ok(None);
        };
        let path = self.path(id, chunk.place);
        match self.read_at(id, chunk.place) {
            Ok(Some(wire)) => Ok(Some(wire)),
            Ok(None) => {
                self.take_away(&mut gate, id, chunk.place);
                Err(ReadError::Damaged { path })
            }
            Err(source) => Err(ReadError::Io { path, source }),
        }
    }

    /// Takes a chunk out of the store whose bytes the caller found to be others
    /// than its id says. One that is not held is fine.
    pub fn withdraw(&self, id: &ChunkId) {
        let mut gate = self.gate();
        let seen = self.held().readable(id);
        if let Some(chunk) = seen {
            self.take_away(&mut gate, id, chunk.place);
        }
    }

    /// Whether a chunk is held, durable or not.
    pub fn contains(&self, id: &ChunkId) -> bool {
        self.held().readable(id).is_some()
    }

    /// All chunks held, in ascending order.
    pub fn chunks(&self) -> Vec<ChunkId> {
        let held = self.held();
        let readable = held
            .chunks
            .iter()
            .filter(|(_, chunk)| chunk.place != Place::Writing);
        readable.map(|(id, _)| *id).collect()
    }

    /// How full the store is.
    pub fn usage(&self) -> Usage {
        let disk_free_bytes = self.disk.free_bytes(self.layout.dir());
        let held = self.held();
        Usage {
            chunks: held.chunks.len(),
            used_bytes: held.used,
            quota_bytes: self.options.quota_bytes,
            pending_bytes: held.pending_bytes,
            disk_free_bytes,
        }
    }

    /// Reads a chunk file; `None` where it is missing, not what was written, or
    /// twice not given by the disk.
    pub(crate) fn read_at(&self, id: &ChunkId, place: Place) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(id, place);
        let read = || self.disk.read(&path, CHUNK_FILE_LEN_MAX);
        let file = match read() {
            Err(error) if is_unreadable(&error) => read(),
            file => file,
        };
        match file {
            Ok(file) => Ok(open(&id.0, file)),
            Err(error) if is_unreadable(&error) => {
                tracing::warn!(chunk = %id, %error, path = %path.display(),
                    "a chunk is not readable and counts as damaged");
                Ok(None)
            }
            Err(error) if is_damage(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a damaged chunk out of the store.
    pub(crate) fn take_away(&self, gate: &mut Gate, id: &ChunkId, place: Place) {
        self.held().forget(id);
        gate.stale.insert(Group::of(id));
        if let Err(error) = quarantine(self.disk.as_ref(), &self.layout, &self.path(id, place)) {
            tracing::warn!(chunk = %id, %error, "a damaged chunk cannot be removed");
        }
    }

    /// Books room for a chunk; `false` where it is held already.
    fn reserve(&self, id: &ChunkId, len: u32) -> Result<bool, PutError> {
        let mut held = self.held();
        while let Some(chunk) = held.chunks.get(id) {
            if chunk.place != Place::Writing {
                return Ok(false);
            }
            // Another thread writes the same chunk: its outcome is ours.
            held = self
                .written
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let (used, quota) = (held.used, self.options.quota_bytes);
        if used.saturating_add(u64::from(len)) > quota {
            let cause = FullCause::Quota;
            return Err(PutError::Full { used, quota, cause });
        }
        held.used += u64::from(len);
        let place = Place::Writing;
        held.chunks.insert(*id, Chunk { len, place });
        Ok(true)
    }

    fn write_incoming(&self, id: &ChunkId, wire: &[u8]) -> io::Result<Box<dyn DiskFile>> {
        let (head, tail) = seal(&id.0, wire);
        let mut file = self.disk.create(&self.layout.incoming_chunk(id))?;
        for part in [head.as_slice(), wire, tail.as_slice()] {
            write_all(file.as_mut(), part)?;
        }
        Ok(file)
    }

    fn put_error(&self, chunk: ChunkId, used: u64, source: io::Error) -> PutError {
        if is_full(&source) {
            let (quota, cause) = (self.options.quota_bytes, FullCause::Disk);
            PutError::Full { used, quota, cause }
        } else {
            PutError::Io { chunk, source }
        }
    }

    /// Makes the open batch durable for a put; chunks of others that it loses
    /// are left for `sync` to report.
    fn close_batch(&self, own: &ChunkId) -> Result<(), PutError> {
        let mut batch = self.run_batch(&mut self.gate());
        let Some(why) = batch.why.take() else {
            return Ok(());
        };
        let own_is_lost = batch.lost.contains(own);
        let mut held = self.held();
        held.lost
            .extend(batch.lost.into_iter().filter(|id| id != own));
        let used = held.used;
        if own_is_lost {
            let copy = why
                .raw_os_error()
                .map_or_else(|| why.kind().into(), io::Error::from_raw_os_error);
            held.lost_why.get_or_insert(copy);
            return Err(self.put_error(*own, used, why));
        }
        held.lost_why.get_or_insert(why);
        Ok(())
    }

    fn sync_and_index(&self, index_at_once: bool) -> Result<Synced, SyncError> {
        let mut gate = self.gate();
        let mut batch = self.run_batch(&mut gate);
        if index_at_once {
            self.update_index(&mut gate, true);
        }
        let mut held = self.held();
        batch.lost.append(&mut held.lost);
        let left = held.lost_why.take();
        // One that came again since is not lost.
        batch.lost.retain(|id| !held.chunks.contains_key(id));
        match batch.why.or(left) {
            Some(source) if !batch.lost.is_empty() => Err(SyncError {
                lost: batch.lost,
                source,
            }),
            _ => Ok(batch.synced),
        }
    }

    /// fsync of the files, rename, fsync of the folders: only then a chunk
    /// counts as acknowledged.
    fn run_batch(&self, gate: &mut Gate) -> Batch {
        let pending = {
            let mut held = self.held();
            held.pending_bytes = 0;
            std::mem::take(&mut held.pending)
        };
        let mut batch = Batch::default();
        let threads = self.options.sync_threads;
        let synced = for_each(threads, pending, |(id, mut file)| (id, file.sync()));
        let mut moved = Vec::with_capacity(synced.len());
        for (id, outcome) in synced {
            let (from, to) = (self.layout.incoming_chunk(&id), self.layout.chunk(&id));
            match outcome.and_then(|()| self.disk.rename(&from, &to)) {
                Ok(()) => moved.push(id),
                Err(error) => self.lose(&mut batch, id, error),
            }
        }
        let shards: BTreeSet<u8> = moved.iter().map(|id| id.0[0]).collect();
        let shards = shards.into_iter().collect();
        let synced = for_each(threads, shards, |shard| {
            (shard, self.disk.sync_dir(&self.layout.shard(shard)))
        });
        for (shard, outcome) in synced {
            if let Err(error) = outcome {
                batch.why.get_or_insert(error);
                for id in moved.extract_if(.., |id| id.0[0] == shard) {
                    self.lose(&mut batch, id, io::ErrorKind::Other.into());
                }
            }
        }
        self.mark_durable(gate, &moved, &mut batch);
        batch
    }

    fn mark_durable(&self, gate: &mut Gate, moved: &[ChunkId], batch: &mut Batch) {
        let mut held = self.held();
        for id in moved {
            let chunk = held
                .chunks
                .get_mut(id)
                .expect("only the gate's holder removes it");
            chunk.place = Place::Durable;
            batch.synced.bytes += u64::from(chunk.len);
            gate.stale.insert(Group::of(id));
        }
        drop(held);
        batch.synced.chunks = moved.len();
        if !moved.is_empty() {
            gate.batches += 1;
            self.update_index(gate, false);
        }
    }

    /// Gives up a chunk that could not be made durable: after a failed fsync
    /// the kernel may have dropped its bytes while reads still show them.
    fn lose(&self, batch: &mut Batch, id: ChunkId, why: io::Error) {
        self.held().forget(&id);
        for place in [Place::Incoming, Place::Durable] {
            self.disk.remove(&self.path(&id, place)).ok();
        }
        batch.lost.push(id);
        batch.why.get_or_insert(why);
    }
}

/// Whether an error says that these bytes are lost on this disk, whoever asks:
/// a bad sector, a damaged file system, something else under that name.
fn is_unreadable(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let lost = [Errno::IO, Errno::UCLEAN, Errno::BADMSG, Errno::ISDIR];
    Errno::from_io_error(error).is_some_and(|error| lost.contains(&error))
}

/// Whether an error says that the file is not what was written.
fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData
    )
}

/// Length of the file of a frame whose length has been checked.
fn file_len(wire: &[u8]) -> u32 {
    u32::try_from(wire.len() + SEAL_LEN).expect("a frame is shorter than 4 GiB")
}
