//! What publishing and checking cost per byte, beside what nobody can be below:
//! one BLAKE3 pass, and zstd without any of our frames. Input: this program.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use patchmesh_content::geometry::CHUNK_LEN_MEAN;
use patchmesh_content::id::blake3;
use patchmesh_pack::chunker::Chunker;
use patchmesh_pack::compress::{compress, decode};

const LEN_MAX: usize = 8 << 20;
/// Level of the frames that are decoded, and a quick one beside it.
const LEVELS: [i32; 2] = [19, 3];

/// Bytes of a real executable.
fn input() -> Vec<u8> {
    let own = std::env::current_exe().expect("this program has a path");
    let mut bytes = std::fs::read(own).expect("this program can be read");
    bytes.truncate(LEN_MAX);
    bytes
}

fn cut(criterion: &mut Criterion) {
    let bytes = input();
    let mut group = criterion.benchmark_group("cut");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("limit: one BLAKE3 pass", |b| b.iter(|| blake3(&bytes)));
    group.bench_function("cut and hash chunks", |b| {
        b.iter(|| {
            let mut chunker = Chunker::new(&bytes[..]);
            while let Some(chunk) = chunker.next_chunk().expect("memory can be read") {
                black_box(blake3(chunk));
            }
        });
    });
}

fn frame(criterion: &mut Criterion) {
    let bytes = input();
    let len = CHUNK_LEN_MEAN as usize;
    let plain = &bytes[len..2 * len];
    for level in LEVELS {
        let mut group = criterion.benchmark_group(format!("frame, level {level}"));
        group
            .throughput(Throughput::Bytes(len as u64))
            .sample_size(10);
        let bare = || zstd::bulk::compress(plain, level);
        group.bench_function("limit: zstd", |b| b.iter(bare));
        group.bench_function("make a frame", |b| b.iter(|| compress(plain, level)));
    }
    let mut group = criterion.benchmark_group("open a frame");
    group.throughput(Throughput::Bytes(len as u64));
    for level in LEVELS {
        let bare = zstd::bulk::compress(plain, level).expect("bytes are compressed");
        let frame = compress(plain, level).expect("bytes are compressed");
        let size = CHUNK_LEN_MEAN;
        group.bench_function(BenchmarkId::new("limit: zstd", level), |b| {
            b.iter(|| zstd::bulk::decompress(&bare, len));
        });
        group.bench_function(BenchmarkId::new("decode and hash", level), |b| {
            b.iter(|| blake3(&decode(&frame, size).expect("an own frame")));
        });
    }
}

criterion_group!(benches, cut, frame);
criterion_main!(benches);
