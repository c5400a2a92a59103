//! Figures for the track record; not part of the quick tests. Run with
//! `cargo test -p patchmesh-store --test store speed -- --ignored --nocapture`,
//! and `TMPDIR` on the disk to be measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use patchmesh_content::id::{ChunkId, blake3};
use patchmesh_store::Store;

use crate::make::{chunk, filled, open};

const MIB: f64 = 1024.0 * 1024.0;

/// Puts chunks of 128 KiB and syncs at the end; seconds and bytes of sled.
fn put(store: &Store, dir: &Path, count: u32) -> (f64, u64) {
    let wires: BTreeMap<ChunkId, Vec<u8>> = (0..count)
        .map(|number| {
            let wire = blake3(&number.to_le_bytes()).repeat(4096);
            (ChunkId(blake3(&wire)), wire)
        })
        .collect();
    let start = Instant::now();
    for (id, wire) in &wires {
        store.put_chunk(id, wire).unwrap();
    }
    store.close().unwrap();
    (start.elapsed().as_secs_f64(), size(&dir.join("index")))
}

fn size(path: &Path) -> u64 {
    if path.is_file() {
        return fs::metadata(path).unwrap().len();
    }
    fs::read_dir(path)
        .unwrap()
        .map(|entry| size(&entry.unwrap().path()))
        .sum()
}

#[test]
#[ignore = "a measurement"]
fn put_with_durability() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).store;
    let count = 2_048;
    let (seconds, sled) = put(&store, dir.path(), count);
    let bytes = f64::from(count) * 128.0 * 1024.0;
    let share = 100.0 * f64::from(u32::try_from(sled).unwrap()) / bytes;
    println!(
        "put: {:.1} MiB/s durable; sled {share:.3} % of the bytes",
        bytes / MIB / seconds
    );
}

#[test]
#[ignore = "a measurement"]
fn t01_restart_with_100_000_chunks() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 100_000);
    let restart = |what: &str| {
        let start = Instant::now();
        let opened = open(dir.path());
        let took = start.elapsed();
        assert_eq!(opened.restored.chunks.len(), 100_000);
        println!("{what}: {took:?}, rebuilt: {}", opened.report.index_rebuilt);
        assert!(took <= Duration::from_secs(2), "{what}");
        opened.store
    };
    drop(restart("with the index"));
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    drop(restart("without the index"));
    let store = restart("again with the index");
    let (id, wire) = chunk(100_000, 1_000);
    store.put_chunk(&id, &wire).unwrap();
    store.close().unwrap();
    println!(
        "sled: {} bytes for 100,000 chunks",
        size(&dir.path().join("index"))
    );
}
