//! Tests of the release index: both ways, and every refusal.

use super::*;

fn sample() -> ReleaseIndex {
    let chunk = |n: u8, len| ChunkEntry {
        id: ChunkId([n; 32]),
        len,
        wire_len: len / 2 + 1,
    };
    let file = |path: &str, len, first, count, offset| FileEntry {
        path: path.to_owned(),
        mode: 0o644,
        kind: FileKind::File {
            len,
            blake3: [1; 32],
            sha256: [2; 32],
            first: ChunkIndex(first),
            count,
            offset,
        },
    };
    ReleaseIndex {
        line: "desktop".to_owned(),
        id: "KB-1".to_owned(),
        severity: "critical".to_owned(),
        cves: vec!["CVE-2026-1".to_owned()],
        files: vec![
            FileEntry {
                path: "bin".to_owned(),
                mode: 0o755,
                kind: FileKind::Directory,
            },
            file("bin/big", 300, 0, 2, 0),
            FileEntry {
                path: "bin/link".to_owned(),
                mode: 0o777,
                kind: FileKind::Link("big".to_owned()),
            },
            file("empty", 0, 0, 0, 0),
            file("small1", 10, 2, 1, 0),
            file("small2", 20, 2, 1, 10),
        ],
        chunks: vec![chunk(1, 100), chunk(2, 200), chunk(3, 30)],
        sequence: vec![],
        pack: [9; 32],
    }
}

/// The sample with one more file that repeats the chunks of `bin/big`.
fn repeating() -> ReleaseIndex {
    let mut index = sample();
    index.files.push(FileEntry {
        path: "twice".to_owned(),
        mode: 0o644,
        kind: FileKind::File {
            len: 400,
            blake3: [1; 32],
            sha256: [2; 32],
            first: ChunkIndex(3),
            count: 3,
            offset: 0,
        },
    });
    index.sequence = vec![0, 1, 2, 0, 1, 0];
    index
}

#[test]
fn goes_both_ways() {
    let index = sample();
    let bytes = index.encode();
    assert_eq!(ReleaseIndex::decode(&bytes), Ok(index.clone()));
    assert_eq!(index.total_bytes(), 330);
    assert_eq!(index.wire_bytes(), 51 + 101 + 16);
}

/// S-05.
#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let mut bytes = sample().encode();
    // An unknown field that prost would skip.
    bytes.extend_from_slice(&[0xf8, 0x01, 0x05]);
    assert_eq!(
        ReleaseIndex::decode(&bytes),
        Err(IndexRefusal::NotCanonical)
    );
}

fn refusal(change: impl FnOnce(&mut ReleaseIndex)) -> IndexRefusal {
    let mut index = sample();
    change(&mut index);
    ReleaseIndex::decode(&index.encode()).expect_err("the change is refused")
}

/// S-03, S-08, S-09.
#[test]
fn every_inconsistency_has_its_refusal() {
    assert_eq!(refusal(|i| i.chunks[0].len = 0), IndexRefusal::ChunkLength);
    assert_eq!(
        refusal(|i| i.chunks[0].len = CHUNK_LEN_MAX + 1),
        IndexRefusal::ChunkLength
    );
    assert_eq!(
        refusal(|i| i.chunks[1].wire_len = 0),
        IndexRefusal::ChunkLength
    );
    assert_eq!(refusal(|i| i.files.swap(0, 1)), IndexRefusal::PathClash);
    assert_eq!(
        refusal(|i| i.files[5].path = "EMPTY".to_owned()),
        IndexRefusal::PathClash
    );
    assert_eq!(refusal(|i| i.files[0].mode = 0o4755), IndexRefusal::Mode);
    assert_eq!(
        refusal(|i| i.files[5].path = "x/../y".to_owned()),
        IndexRefusal::Path(PathRefusal::DotOrEmptyPart)
    );
    assert_eq!(
        refusal(|i| i.files[2].kind = FileKind::Link("../../x".to_owned())),
        IndexRefusal::Path(PathRefusal::DotOrEmptyPart)
    );
    assert_eq!(refusal(|i| i.chunks.truncate(2)), IndexRefusal::FileRange);
}

/// S-09: one name on some file system is one name here.
#[test]
fn names_that_differ_in_case_or_normalisation_only_clash() {
    for (one, other) in [("zz/a", "zz/A"), ("zz\u{e9}", "zze\u{301}")] {
        let clash = refusal(|i| {
            i.files[4].path = one.to_owned();
            i.files[5].path = other.to_owned();
            i.files.sort_by(|a, b| a.path.cmp(&b.path));
        });
        assert_eq!(clash, IndexRefusal::PathClash, "{one} {other}");
    }
}

#[test]
fn nothing_may_lie_below_a_file_or_a_link() {
    let below = |path: &str| {
        refusal(|i| {
            i.files[3].path = path.to_owned();
            i.files.sort_by(|a, b| a.path.cmp(&b.path));
        })
    };
    assert_eq!(below("bin/link/x"), IndexRefusal::PathClash);
    assert_eq!(below("bin/big/x"), IndexRefusal::PathClash);
}

#[test]
fn a_stated_sum_must_match() {
    let index = sample();
    assert_eq!(index.check(331), Err(IndexRefusal::Sum));
}

#[test]
fn a_file_range_at_the_limit_of_numbers_is_refused() {
    assert_eq!(
        refusal(
            |i| if let FileKind::File { first, count, .. } = &mut i.files[1].kind {
                *first = ChunkIndex(u32::MAX);
                *count = u32::MAX;
            }
        ),
        IndexRefusal::FileRange
    );
}

/// S-07.
#[test]
fn a_repeated_chunk_is_listed_once_and_counted_at_each_of_its_positions() {
    let index = repeating();
    assert_eq!(ReleaseIndex::decode(&index.encode()), Ok(index.clone()));
    let chunks = |at: usize| index.file_chunks(&index.files[at]).map(|c| c.0);
    assert_eq!(chunks(6).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(chunks(1).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(chunks(0).count(), 0);
    assert_eq!(index.wire_bytes(), sample().wire_bytes());
}

#[test]
fn a_sequence_has_one_form_only() {
    let sequence = |sequence: &[u32]| {
        let mut index = repeating();
        index.sequence = sequence.to_vec();
        ReleaseIndex::decode(&index.encode()).expect_err("the change is refused")
    };
    assert_eq!(sequence(&[0, 1, 2, 0, 1, 3]), IndexRefusal::Sequence);
    assert_eq!(sequence(&[0, 1, 2]), IndexRefusal::Sequence);
    assert_eq!(sequence(&[0, 1, 2, 0, 1]), IndexRefusal::FileRange);
    assert_eq!(
        refusal(|i| i.chunks[1].id = i.chunks[0].id),
        IndexRefusal::ChunkTwice
    );
}
