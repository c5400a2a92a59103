//! Tests of wire frames: both ways, and everything a hostile frame can try.

use proptest::prelude::*;
use zstd::bulk::Compressor;

use super::*;
use crate::sample::{noise, text};

fn round(plain: &[u8], level: i32) -> Vec<u8> {
    let frame = compress(plain, level).unwrap();
    assert!(frame.len() <= plain.len() + 1);
    let len = u32::try_from(plain.len()).unwrap();
    assert_eq!(decode(&frame, len).as_deref(), Ok(plain));
    frame
}

fn refusal(frame: &[u8], len: usize) -> WireRefusal {
    decode(frame, u32::try_from(len).unwrap()).expect_err("the frame is refused")
}

/// A zstd frame as other tools write it.
fn foreign(plain: &[u8], parameters: &[CParameter]) -> Vec<u8> {
    let mut compressor = Compressor::new(3).unwrap();
    for parameter in parameters {
        compressor.set_parameter(*parameter).unwrap();
    }
    framed(ENCODING_ZSTD, &compressor.compress(plain).unwrap())
}

#[test]
fn every_kind_of_bytes_goes_both_ways_at_every_level_in_use() {
    for level in [1, 3, 19] {
        for len in [1, 2, 255, 256, 257, 65_791, 65_792, 200_000] {
            round(&noise(1, len), level);
            round(&text(2, len), level);
            round(&vec![7; len], level);
        }
    }
    round(&text(3, CHUNK_LEN_MAX as usize), 19);
}

#[test]
fn bytes_that_do_not_compress_are_stored_and_others_are_not() {
    let stored = round(&noise(1, 100_000), 19);
    assert_eq!((stored[0], stored.len()), (ENCODING_STORED, 100_001));
    let small = round(&text(1, 100_000), 19);
    assert_eq!(small[0], ENCODING_ZSTD);
    assert!(small.len() < 40_000, "{} bytes", small.len());
    assert!(small.len() <= compress(&text(1, 100_000), 1).unwrap().len());
}

#[test]
fn a_saving_of_less_than_two_per_cent_does_not_pay() {
    assert!(pays(&[0; 98], &[0; 100]));
    assert!(!pays(&[0; 99], &[0; 100]));
    assert!(!pays(&[0; 1], &[0; 1]));
}

#[test]
fn the_signed_length_has_bounds() {
    assert_eq!(refusal(&[ENCODING_STORED], 0), WireRefusal::Length);
    let frame = framed(ENCODING_STORED, &[0; 8]);
    let above = CHUNK_LEN_MAX as usize + 1;
    assert_eq!(refusal(&frame, above), WireRefusal::Length);
}

#[test]
fn wrong_outer_frames_are_refused_with_their_code() {
    let stored = framed(ENCODING_STORED, b"chunk");
    assert_eq!(refusal(&stored, 4), WireRefusal::TooLong);
    assert_eq!(refusal(&stored, 6), WireRefusal::WrongLength);
    assert_eq!(refusal(&[], 5), WireRefusal::Truncated);
    assert_eq!(
        refusal(&framed(2, b"chunk"), 5),
        WireRefusal::UnknownEncoding
    );
}

#[test]
fn wrong_zstd_headers_are_refused_before_decoding() {
    let plain = vec![9u8; 100_000];
    let good = compress(&plain, 3).unwrap();
    let len = plain.len();
    assert_eq!(refusal(&good, len - 1), WireRefusal::ContentSize);
    assert_eq!(refusal(&good, len + 1), WireRefusal::ContentSize);
    assert_eq!(refusal(&good[..4], len), WireRefusal::NotZstd);
    assert_eq!(refusal(&good[..5], len), WireRefusal::Truncated);
    assert_eq!(refusal(&good[..7], len), WireRefusal::Truncated);
    assert_eq!(refusal(&good[..good.len() - 1], len), WireRefusal::Corrupt);
    let checksum = foreign(&plain, &[CParameter::ChecksumFlag(true)]);
    assert_eq!(refusal(&checksum, len), WireRefusal::Checksum);
    let sizeless = foreign(&plain, &[CParameter::ContentSizeFlag(false)]);
    assert_eq!(refusal(&sizeless, len), WireRefusal::ContentSize);
    let mut dictionary = good.clone();
    dictionary[5] |= 1;
    assert_eq!(refusal(&dictionary, len), WireRefusal::Dictionary);
    let mut reserved = good;
    reserved[5] |= 0b1000;
    assert_eq!(refusal(&reserved, len), WireRefusal::Corrupt);
}

/// S-04.
#[test]
fn exactly_one_frame_is_taken() {
    let plain = vec![9u8; 100_000];
    let good = compress(&plain, 3).unwrap();
    let two = [&good[..], &good[1..]].concat();
    assert_eq!(refusal(&two, plain.len()), WireRefusal::TrailingBytes);
    let one_more = [&good[..], &[0]].concat();
    assert_eq!(refusal(&one_more, plain.len()), WireRefusal::TrailingBytes);
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0];
    let after = [&good[..], &skippable].concat();
    assert_eq!(refusal(&after, plain.len()), WireRefusal::TrailingBytes);
    let before = [&[ENCODING_ZSTD][..], &skippable, &good[1..]].concat();
    assert_eq!(refusal(&before, plain.len()), WireRefusal::NotZstd);
}

/// A frame of a few kilobytes that unpacks to 64 MiB, with an honest header and
/// with one that lies: neither is unpacked.
#[test]
fn bombs_are_refused() {
    let bomb = foreign(&vec![0u8; 64 << 20], &[]);
    assert!(bomb.len() < 16_384, "{} bytes", bomb.len());
    let largest = CHUNK_LEN_MAX as usize;
    assert_eq!(refusal(&bomb, largest), WireRefusal::Window);
    // Single segment with a four-byte content size: the blocks hold more.
    let body = &bomb[1 + 4 + 1 + 1 + 4..];
    let mut lying = vec![ENCODING_ZSTD];
    lying.extend_from_slice(&ZSTD_MAGIC);
    lying.push(0b1010_0000);
    lying.extend_from_slice(&CHUNK_LEN_MAX.to_le_bytes());
    lying.extend_from_slice(body);
    assert_eq!(refusal(&lying, largest), WireRefusal::Corrupt);
}

#[test]
fn a_window_above_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let header = |window: u8| {
        let mut frame = vec![ENCODING_ZSTD];
        frame.extend_from_slice(&ZSTD_MAGIC);
        frame.extend_from_slice(&[0b1000_0000, window]);
        frame.extend_from_slice(&1000u32.to_le_bytes());
        // One last block: the byte 7, a thousand times.
        let block: u32 = 1 | (1 << 1) | (1000 << 3);
        frame.extend_from_slice(&block.to_le_bytes()[..3]);
        frame.push(7);
        frame
    };
    assert_eq!(decode(&header(9 << 3), 1000), Ok(vec![7; 1000]));
    assert_eq!(refusal(&header((9 << 3) | 1), 1000), WireRefusal::Window);
    assert_eq!(refusal(&header(10 << 3), 1000), WireRefusal::Window);
    assert_eq!(refusal(&header(0xff), 1000), WireRefusal::Window);
}

proptest! {
    #[test]
    fn random_frames_never_panic(
        frame in prop::collection::vec(any::<u8>(), 0..300),
        len in 0u32..600_000,
    ) {
        if let Ok(plain) = decode(&frame, len) {
            prop_assert_eq!(plain.len(), len as usize);
        }
    }

    #[test]
    fn changed_frames_never_panic_and_never_give_another_length(
        seed in any::<u64>(),
        len in 1usize..20_000,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        shorten in any::<bool>(),
    ) {
        let plain = text(seed, len);
        let mut frame = compress(&plain, 3).unwrap();
        for (at, byte) in changes {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        if shorten {
            frame.truncate(cut.index(frame.len()));
        }
        if let Ok(decoded) = decode(&frame, u32::try_from(len).unwrap()) {
            prop_assert_eq!(decoded.len(), len);
        }
    }
}
