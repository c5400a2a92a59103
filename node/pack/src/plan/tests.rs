//! Tests of planning: what is shared, what is sent once, what is refused.

use patchmesh_content::geometry::{CHUNK_LEN_MAX, CHUNK_LEN_MIN};

use super::*;
use crate::sample::{noise, publish};

fn range(index: &ReleaseIndex, path: &str) -> (u32, u32, u32) {
    let file = index.files.iter().find(|file| file.path == path).unwrap();
    let FileKind::File {
        first,
        count,
        offset,
        ..
    } = file.kind
    else {
        panic!("{path} is a file");
    };
    (first.0, count, offset)
}

fn tiny(count: u64, seed: u64) -> Vec<(String, Vec<u8>)> {
    let file = |n: u64| {
        let bytes = noise(seed + n, 20 + usize::try_from(n * 37 % 4000).unwrap());
        (format!("f{n:05}"), bytes)
    };
    (0..count).map(file).collect()
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files
        .iter()
        .map(|(path, bytes)| (path.as_str(), &bytes[..]))
        .collect()
}

#[test]
fn ten_thousand_tiny_files_become_few_chunks() {
    let files = tiny(10_000, 0);
    let (index, _) = publish(&borrowed(&files), 1);
    let total = index.total_bytes();
    let chunks = index.chunks.len() as u64;
    assert!(
        chunks * 128 * 1024 <= total + u64::from(CHUNK_LEN_MAX),
        "{chunks} chunks"
    );
    assert!(index.chunks.iter().all(|chunk| chunk.len <= CHUNK_LEN_MAX));
}

#[test]
fn an_edited_tiny_file_leaves_most_shared_chunks_as_they_were() {
    let mut files = tiny(2_000, 0);
    let before = publish(&borrowed(&files), 1).0;
    files[1000].1.push(0);
    files.remove(500);
    let after = publish(&borrowed(&files), 1).0;
    let known: Vec<ChunkId> = before.chunks.iter().map(|chunk| chunk.id).collect();
    let new = after
        .chunks
        .iter()
        .filter(|chunk| !known.contains(&chunk.id));
    let new = new.count();
    assert!(new <= 6, "{new} of {} chunks are new", after.chunks.len());
}

#[test]
fn equal_files_have_one_range_and_equal_chunks_are_sent_once() {
    let large = noise(1, 1 << 20);
    let longer = [&large[..], &noise(2, 100_000)].concat();
    let (index, pack) = publish(
        &[
            ("a", &large),
            ("b", &large),
            ("c", &longer),
            ("d", b"tiny"),
            ("e", b"tiny"),
        ],
        1,
    );
    assert_eq!(range(&index, "a"), range(&index, "b"));
    assert_eq!(range(&index, "d"), range(&index, "e"));
    let (first, count, _) = range(&index, "c");
    assert!(first >= range(&index, "a").1 && count > 1);
    assert!(!index.sequence.is_empty());
    assert!(pack.len() < (1 << 20) + 100_000 + CHUNK_LEN_MAX as usize);
    let mut ids: Vec<_> = index.chunks.iter().map(|chunk| chunk.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), index.chunks.len());
}

#[test]
fn equal_tiny_files_share_a_range_also_after_their_chunk_is_closed() {
    let mut files = tiny(500, 0);
    files[499].1 = files[0].1.clone();
    let (index, _) = publish(&borrowed(&files), 1);
    assert_eq!(range(&index, "f00000"), range(&index, "f00499"));
}

#[test]
fn zeros_that_go_on_are_one_chunk() {
    let (index, _) = publish(&[("zeros", &vec![0; 4 << 20])], 19);
    assert_eq!(index.chunks.len(), 1);
    assert_eq!(index.sequence, [0; 8]);
    assert!(index.wire_bytes() < 100);
}

#[test]
fn without_repeats_the_sequence_is_empty() {
    let (index, _) = publish(&[("a", &noise(1, 1 << 20)), ("b", b"tiny")], 1);
    assert_eq!(index.sequence, [0u32; 0]);
}

#[test]
fn a_file_at_the_border_of_small_has_its_own_chunk() {
    let border = CHUNK_LEN_MIN as usize;
    let (index, _) = publish(
        &[
            ("a", &noise(1, border - 1)),
            ("b", &noise(2, border)),
            ("c", &noise(3, 1)),
        ],
        1,
    );
    assert_eq!(range(&index, "b"), (0, 1, 0));
    assert_eq!(range(&index, "a"), (1, 1, 0));
    assert_eq!(range(&index, "c"), (1, 1, CHUNK_LEN_MIN - 1));
}

#[test]
fn the_largest_stored_frame_passes_the_index() {
    let (index, pack) = publish(&[("a", &noise(9, 3 << 20))], 1);
    assert!(pack.len() > 3 << 20);
    assert_eq!(index.check(3 << 20), Ok(()));
}

#[test]
fn a_shared_chunk_never_passes_its_limit() {
    // Files whose hash does not end the chunk, each just below the border.
    let files: Vec<(String, Vec<u8>)> = (0..400u64)
        .map(|n| (format!("f{n:04}"), noise(n, 32_767)))
        .filter(|(_, bytes)| !blake3(bytes)[0].is_multiple_of(16))
        .take(40)
        .collect();
    let (index, _) = publish(&borrowed(&files), 1);
    assert_eq!(index.chunks[0].len, 16 * 32_767);
    assert_eq!(index.chunks.len(), 3);
}

/// Takes chunks and forgets them.
struct Forget;

impl ChunkSink for Forget {
    fn take(&mut self, _: NewChunk) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn entries_that_no_release_may_carry_are_refused_by_name() {
    let mut planner = Planner::new(ReleaseFacts::default());
    planner.directory("b", 0o755).unwrap();
    let error = |result: Result<(), PlanError>| result.unwrap_err().to_string();
    assert_eq!(
        error(planner.directory("a", 0o755)),
        "\"a\" comes after \"b\", but paths must ascend in byte order"
    );
    assert_eq!(
        error(planner.file("b", 0o644, &b""[..], &mut Forget)),
        "\"b\" comes after \"b\", but paths must ascend in byte order"
    );
    assert_eq!(
        error(planner.file("c", 0o4755, &b""[..], &mut Forget)),
        "\"c\" has mode 4755; set-uid, set-gid and sticky are not published"
    );
    assert_eq!(
        error(planner.file("c/../d", 0o644, &b""[..], &mut Forget)),
        "\"c/../d\" is not allowed: dot-or-empty-part"
    );
    assert_eq!(
        error(planner.link("c", 0o777, "../x")),
        "\"c -> ../x\" is not allowed: dot-or-empty-part"
    );
}

#[test]
fn clashes_that_only_the_whole_tree_shows_are_refused_at_the_end() {
    let mut planner = Planner::new(ReleaseFacts::default());
    planner.link("A", 0o777, "x").unwrap();
    planner.directory("a", 0o755).unwrap();
    let plan = planner.finish(&mut Forget).unwrap();
    let pack = Pack {
        hash: [0; 32],
        wire_lengths: vec![],
    };
    assert_eq!(plan.index(pack), Err(IndexRefusal::PathClash));
}

#[test]
fn a_pack_with_another_number_of_frames_is_refused() {
    let mut planner = Planner::new(ReleaseFacts::default());
    let file = planner.file("a", 0o644, &b"x"[..], &mut Forget);
    file.unwrap();
    let plan = planner.finish(&mut Forget).unwrap();
    assert_eq!(plan.chunks_len(), 1);
    let pack = Pack {
        hash: [0; 32],
        wire_lengths: vec![],
    };
    assert_eq!(plan.index(pack), Err(IndexRefusal::Inconsistent));
}

#[test]
fn a_failing_sink_ends_the_planning() {
    let mut planner = Planner::new(ReleaseFacts::default());
    let mut full = |_: NewChunk| Err(io::ErrorKind::StorageFull.into());
    let result = planner.file("a", 0o644, &noise(1, 100_000)[..], &mut full);
    assert!(matches!(result, Err(PlanError::Sink(_))));
}
