//! Durable chunks beside what the file system asks for the same bytes: one file
//! that is synced once, and a file for each chunk, synced, renamed and its
//! folder synced. `TMPDIR` says which disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use patchmesh_content::id::{ChunkId, blake3};
use patchmesh_store::{Options, Store};
use tempfile::TempDir;

const CHUNKS: u32 = 64;
const CHUNK_LEN: usize = 128 << 10;

fn frames() -> Vec<(ChunkId, Vec<u8>)> {
    let frame = |number: u32| {
        let bytes = blake3(&number.to_le_bytes()).repeat(CHUNK_LEN / 32);
        (ChunkId(blake3(&bytes)), bytes)
    };
    (0..CHUNKS).map(frame).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn one_file(folder: &Path, frames: &[(ChunkId, Vec<u8>)]) {
    let mut file = File::create(folder.join("all")).expect("a file");
    for (_, frame) in frames {
        file.write_all(frame).expect("room");
    }
    file.sync_all().expect("a disk");
}

fn a_file_each(folder: &Path, frames: &[(ChunkId, Vec<u8>)]) {
    for (id, frame) in frames {
        let name = folder.join(id.to_hex());
        let mut file = File::create(name.with_extension("new")).expect("a file");
        file.write_all(frame).expect("room");
        file.sync_all().expect("a disk");
        fs::rename(name.with_extension("new"), &name).expect("a folder");
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .expect("a disk");
    }
}

fn put(criterion: &mut Criterion) {
    let frames = frames();
    let mut group = criterion.benchmark_group("durable put of 64 chunks");
    group.throughput(Throughput::Bytes(u64::from(CHUNKS) * CHUNK_LEN as u64));
    group.sample_size(10);
    group.bench_function("limit: one file, one sync", |b| {
        b.iter_batched_ref(
            folder,
            |folder| one_file(folder.path(), &frames),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("today: a file each, synced each", |b| {
        b.iter_batched_ref(
            folder,
            |folder| a_file_each(folder.path(), &frames),
            BatchSize::PerIteration,
        );
    });
    let opened = || {
        let folder = folder();
        let opened = Store::open(folder.path(), Options::new(1 << 30));
        (opened.expect("a new store").store, folder)
    };
    group.bench_function("store", |b| {
        b.iter_batched_ref(
            opened,
            |(store, _)| {
                for (id, frame) in &frames {
                    store.put_chunk(id, frame).expect("room");
                }
                store.sync().expect("a disk");
            },
            BatchSize::PerIteration,
        );
    });
}

criterion_group!(benches, put);
criterion_main!(benches);
