//! Chunks and stores to test with.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use patchmesh_content::id::{ChunkId, blake3};
use patchmesh_store::{OpenError, Opened, Options, Store};

/// Bytes a seal adds to a wire frame on disk.
pub(crate) const SEAL_LEN: u64 = 40;

/// A lock that is held for longer is held by somebody.
const INHERITED_MAX: Duration = Duration::from_secs(10);

/// A chunk of this number and its bytes; its frame is the bytes themselves.
pub(crate) fn chunk(number: u32, len: usize) -> (ChunkId, Vec<u8>) {
    let mut bytes = number.to_le_bytes().repeat(len.div_ceil(4));
    bytes.truncate(len);
    (ChunkId(blake3(&bytes)), bytes)
}

/// Whether a frame is the chunk, as `pack` would find by decoding it.
pub(crate) fn is_chunk(id: &ChunkId, wire: &[u8]) -> bool {
    blake3(wire) == id.0
}

/// Opens a store with room for everything. A process that another test is just
/// starting has a copy of every lock of this one until it runs its program.
pub(crate) fn open(dir: &Path) -> Opened {
    let begin = Instant::now();
    loop {
        match Store::open(dir, Options::new(1 << 40)) {
            Err(OpenError::Held { .. }) if begin.elapsed() < INHERITED_MAX => thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// A store with this many durable chunks of 1,000 bytes.
pub(crate) fn filled(dir: &Path, count: u32) -> Vec<ChunkId> {
    let store = open(dir).store;
    let ids = (0..count).map(|number| {
        let (id, wire) = chunk(number, 1_000);
        store.put_chunk(&id, &wire).unwrap();
        id
    });
    let mut ids: Vec<ChunkId> = ids.collect();
    store.close().unwrap();
    ids.sort_unstable();
    ids
}

/// The file of a durable chunk.
pub(crate) fn file(dir: &Path, id: &ChunkId) -> std::path::PathBuf {
    let hex = id.to_hex();
    dir.join("chunks")
        .join(&hex[..2])
        .join(format!("{hex}.chunk"))
}
