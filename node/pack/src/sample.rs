//! Bytes for tests: made from a seed, the same on every platform.

use std::io::{self, Read};

use patchmesh_content::index::ReleaseIndex;

use crate::compress::{compress, decode};
use crate::pack::PackWriter;
use crate::plan::{NewChunk, Planner, ReleaseFacts};

/// Bytes that do not compress: splitmix64 in little-endian order.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Bytes that compress like text: words from a small list.
pub(crate) fn text(seed: u64, len: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "chunk ", "span ", "lease ", "claim ", "peer ", "store ", "origin ", "site ", "ring ",
        "release ", "index ", "root ", "content ", "node ", "grant ", "have\n",
    ];
    let mut bytes = Vec::with_capacity(len + 8);
    for draw in noise(seed, len) {
        bytes.extend_from_slice(WORDS[usize::from(draw % 16)].as_bytes());
        if bytes.len() >= len {
            break;
        }
    }
    bytes.truncate(len);
    bytes
}

/// A reader that gives its bytes in the sizes it is told, over and over.
pub(crate) struct Dribble<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) sizes: Vec<usize>,
    pub(crate) turn: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        if size == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = size.min(buffer.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.bytes = later;
        Ok(count)
    }
}

/// A release of regular files with one compression level for all.
pub(crate) fn publish(files: &[(&str, &[u8])], level: i32) -> (ReleaseIndex, Vec<u8>) {
    let mut planner = Planner::new(ReleaseFacts {
        line: "desktop".to_owned(),
        id: "KB-1".to_owned(),
        ..ReleaseFacts::default()
    });
    let mut pack = PackWriter::new(vec![]);
    let mut next = 0;
    let mut sink = |new: NewChunk| {
        assert_eq!(new.chunk.0, next);
        next += 1;
        pack.append(&compress(&new.plain, level).unwrap())
    };
    for (path, bytes) in files {
        planner.file(path, 0o644, *bytes, &mut sink).unwrap();
    }
    let plan = planner.finish(&mut sink).unwrap();
    let (bytes, pack) = pack.finish().unwrap();
    (plan.index(pack).unwrap(), bytes)
}

/// The plain chunks of a pack in index order.
pub(crate) fn unpack(index: &ReleaseIndex, pack: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = pack;
    let chunks = index.chunks.iter().map(|entry| {
        let (frame, later) = rest.split_at(entry.wire_len as usize);
        rest = later;
        decode(frame, entry.len).unwrap()
    });
    let chunks = chunks.collect();
    assert!(rest.is_empty());
    chunks
}
