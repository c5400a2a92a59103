//! Tests of assembling: whole trees both ways, and chunks that are not right.

use patchmesh_content::id::blake3;
use proptest::prelude::*;

use super::*;
use crate::sample::{noise, publish, text, unpack};

/// Every regular file of a release, rebuilt from its chunks.
fn rebuild(index: &ReleaseIndex, chunks: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    let rebuild = |file: &FileEntry| {
        let mut bytes = vec![];
        let mut assembler = FileAssembler::new(index, file)?;
        while let Some((chunk, _)) = assembler.wanted() {
            bytes.extend_from_slice(assembler.feed(&chunks[chunk.0 as usize]).unwrap());
        }
        assembler.finish().unwrap();
        Some((file.path.clone(), bytes))
    };
    index.files.iter().filter_map(rebuild).collect()
}

fn goes_round(files: &[(&str, &[u8])]) -> ReleaseIndex {
    let (index, pack) = publish(files, 1);
    assert_eq!(index.pack, blake3(&pack));
    assert_eq!(index.wire_bytes(), pack.len() as u64);
    assert_eq!(ReleaseIndex::decode(&index.encode()), Ok(index.clone()));
    let expected: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))
        .collect();
    assert!(rebuild(&index, &unpack(&index, &pack)) == expected);
    index
}

#[test]
fn trees_of_every_kind_of_file_go_both_ways() {
    let repetitive = [b"ab".repeat(700_000), vec![1]].concat();
    goes_round(&[
        ("empty", b""),
        ("noise", &noise(1, 1_500_000)),
        ("one", b"x"),
        ("repetitive", &repetitive),
        ("small", &noise(2, 32_767)),
        ("small2", &noise(3, 32_768)),
        ("text", &text(4, 700_000)),
    ]);
    goes_round(&[]);
}

#[test]
fn a_wrong_chunk_is_named_and_can_be_fed_again() {
    let bytes = noise(1, 600_000);
    let (index, pack) = publish(&[("file", &bytes)], 1);
    let chunks = unpack(&index, &pack);
    let mut assembler = FileAssembler::new(&index, &index.files[0]).unwrap();
    let mut flipped = chunks[0].clone();
    flipped[10] ^= 1;
    let refused = |refusal| AssembleRefusal::Chunk {
        chunk: ChunkIndex(0),
        refusal,
    };
    assert_eq!(
        assembler.feed(&flipped),
        Err(refused(ChunkRefusal::WrongHash))
    );
    assert_eq!(
        assembler.feed(&flipped[1..]),
        Err(refused(ChunkRefusal::WrongLength))
    );
    for chunk in &chunks {
        assembler.feed(chunk).unwrap();
    }
    assert_eq!(assembler.feed(&flipped), Err(AssembleRefusal::WrongCount));
    assert_eq!(assembler.finish(), Ok(()));
}

#[test]
fn a_file_that_ends_early_is_refused() {
    let bytes = noise(1, 600_000);
    let (index, pack) = publish(&[("file", &bytes)], 1);
    let chunks = unpack(&index, &pack);
    let mut assembler = FileAssembler::new(&index, &index.files[0]).unwrap();
    assembler.feed(&chunks[0]).unwrap();
    assert_eq!(assembler.finish(), Err(AssembleRefusal::WrongCount));
}

/// S-21.
#[test]
fn a_wrong_shared_chunk_is_found_by_either_hash_of_the_file() {
    let (mut index, pack) = publish(&[("a", b"first"), ("b", b"second")], 1);
    let mut chunk = unpack(&index, &pack).remove(0);
    chunk[5] ^= 1;
    let finish = |index: &ReleaseIndex, at: usize, chunk: &[u8]| {
        let mut assembler = FileAssembler::new(index, &index.files[at]).unwrap();
        assembler.feed(chunk).unwrap();
        assembler.finish()
    };
    assert_eq!(finish(&index, 0, &chunk), Ok(()));
    assert_eq!(finish(&index, 1, &chunk), Err(AssembleRefusal::WrongBlake3));
    let FileKind::File { blake3: hash, .. } = &mut index.files[1].kind else {
        panic!("a file");
    };
    *hash = blake3(&chunk[5..]);
    assert_eq!(finish(&index, 1, &chunk), Err(AssembleRefusal::WrongSha256));
}

#[test]
fn only_regular_files_are_assembled() {
    let (index, _) = publish(&[("a", b"first")], 1);
    let link = FileEntry {
        path: "b".to_owned(),
        mode: 0o777,
        kind: FileKind::Link("a".to_owned()),
    };
    assert!(FileAssembler::new(&index, &link).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_trees_go_both_ways(
        files in prop::collection::btree_map(
            "[a-f]{1,3}x",
            (
                0u64..6,
                prop_oneof![0usize..200, 0usize..40_000, 30_000usize..900_000],
                any::<bool>(),
            ),
            0..8,
        ),
    ) {
        let files: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .map(|(path, (seed, len, plain))| {
                (path, if plain { noise(seed, len) } else { text(seed, len) })
            })
            .collect();
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(path, bytes)| (path.as_str(), &bytes[..])).collect();
        goes_round(&files);
    }
}
