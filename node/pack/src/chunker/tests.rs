//! Tests of the cuts: fixed for ever, the same for any buffering, and local.

use std::collections::BTreeSet;

use fastcdc::v2020::FastCDC;
use patchmesh_content::id::{ChunkId, blake3};
use proptest::prelude::*;

use super::*;
use crate::sample::{Dribble, noise, text};

fn lengths(reader: impl Read) -> Vec<usize> {
    let mut chunker = Chunker::new(reader);
    let mut lengths = vec![];
    while let Some(chunk) = chunker.next_chunk().unwrap() {
        lengths.push(chunk.len());
    }
    lengths
}

fn ids(bytes: &[u8]) -> BTreeSet<ChunkId> {
    let mut at = 0;
    let cut = |len| {
        at += len;
        ChunkId(blake3(&bytes[at - len..at]))
    };
    lengths(bytes).into_iter().map(cut).collect()
}

/// The cuts are part of the format: other cuts mean that no chunk of a release
/// is found in the one before. If this test fails, the format has changed
/// (S-06).
#[test]
fn golden_cuts() {
    assert_eq!(
        lengths(&noise(1, 1 << 20)[..]),
        [
            152_936, 125_819, 38_273, 50_371, 190_452, 169_871, 173_941, 146_913
        ]
    );
    assert_eq!(
        lengths(&text(2, 1 << 20)[..]),
        [
            166_846, 37_551, 219_237, 144_123, 131_099, 88_276, 221_166, 40_278
        ]
    );
    assert_eq!(lengths(&vec![0; 1_200_000][..]), [MAX, MAX, 151_424]);
    assert_eq!(lengths(&noise(3, MIN)[..]), [MIN]);
    assert_eq!(lengths(&b"x"[..]), [1]);
    assert_eq!(lengths(&b""[..]), [0usize; 0]);
}

#[test]
fn the_buffer_does_not_grow() {
    let bytes = noise(4, 5 << 20);
    let mut chunker = Chunker::new(&bytes[..]);
    while chunker.next_chunk().unwrap().is_some() {
        assert_eq!(chunker.buffer.capacity(), CHUNKER_BUFFER_LEN);
    }
}

#[test]
fn a_reader_that_fails_ends_the_cutting() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
    let bytes = noise(5, 100_000);
    let mut chunker = Chunker::new((&bytes[..]).chain(Broken));
    assert!(chunker.next_chunk().is_err());
}

#[test]
fn one_inserted_byte_changes_at_most_three_chunks_in_95_of_100_cases() {
    let bytes = noise(6, 4 << 20);
    let before = ids(&bytes);
    let mut local = 0;
    let places = noise(7, 800);
    for place in places.chunks_exact(8) {
        let draw = u64::from_le_bytes(place.try_into().unwrap());
        let at = usize::try_from(draw % bytes.len() as u64).unwrap();
        let mut changed = bytes.clone();
        changed.insert(at, 0x5a);
        if ids(&changed).difference(&before).count() <= 3 {
            local += 1;
        }
    }
    assert!(local >= 95, "only {local} of 100 stayed local");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn cuts_do_not_depend_on_the_sizes_of_reads(
        seed in any::<u64>(),
        len in 0usize..2_000_000,
        mut sizes in prop::collection::vec(0usize..700_000, 1..8),
        plain in any::<bool>(),
    ) {
        sizes.push(4096);
        let bytes = if plain { noise(seed, len) } else { text(seed, len) };
        let whole: Vec<usize> = FastCDC::with_level(&bytes, MIN, MEAN, MAX, Normalization::Level1)
            .map(|chunk| chunk.length)
            .collect();
        let dribbled = lengths(Dribble { bytes: &bytes, sizes, turn: 0 });
        prop_assert_eq!(dribbled.iter().sum::<usize>(), len);
        if let Some((_, inner)) = dribbled.split_last() {
            prop_assert!(inner.iter().all(|len| (MIN..=MAX).contains(len)));
        }
        prop_assert_eq!(dribbled, whole);
    }
}
