//! Ids of things that are named by their hash or key, and the rendezvous rank
//! by which members share duties without talking.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub [u8; 32]);

        impl Ord for $name {
            #[inline]
            fn cmp(&self, other: &Self) -> Ordering {
                order(&self.0, &other.0)
            }
        }

        impl PartialOrd for $name {
            #[inline]
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// The 32 bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Lower-case hexadecimal, 64 characters.
            pub fn to_hex(self) -> String {
                hex(&self.0)
            }

            /// Reads 64 hexadecimal characters.
            pub fn from_hex(text: &str) -> Option<Self> {
                unhex32(text).map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), &self.to_hex()[..12])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_hex()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                Self::from_hex(&text).ok_or(NotAnId)
            }
        }
    };
}

/// A text that is not 64 hexadecimal characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 64 hexadecimal characters")]
pub struct NotAnId;

id32! {
    /// A chunk: BLAKE3 of its plain bytes.
    ChunkId
}
id32! {
    /// The content of one release: BLAKE3 of its release index.
    ContentId
}
id32! {
    /// A node: its Ed25519 public key.
    PeerId
}

/// The order of the bytes. Ids are keys of most maps of a node; they are equal,
/// or differ in the first eight bytes.
#[inline]
fn order(a: &[u8; 32], b: &[u8; 32]) -> Ordering {
    let head = |bytes: &[u8; 32]| bytes.first_chunk().copied().map(u64::from_be_bytes);
    head(a)
        .cmp(&head(b))
        .then_with(|| if a == b { Ordering::Equal } else { a.cmp(b) })
}

/// Lower-case hexadecimal of any bytes.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Reads 64 hexadecimal characters of either case.
pub fn unhex32(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    if text.len() != 64 {
        return None;
    }
    let mut out = [0u8; 32];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(out)
}

/// BLAKE3 of any bytes.
pub fn blake3(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// A hash in progress, for data that is read in parts.
#[derive(Debug, Clone, Default)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// A hash of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of everything added so far.
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

/// Score of a peer for one duty span; the member with the highest score holds
/// the duty. Weight 0 never holds it.
///
/// Weighted rendezvous hashing: score = -weight / log2(u) with u uniform in
/// (0, 1), so that a member's expected share is its weight over the sum of
/// weights (Schindelhauer and Schomaker, SPAA 2005). log2 is an integer table
/// of 2^-16 resolution, so every platform computes the same order; equal
/// scores are ordered by the hash itself, then by the peer.
pub fn rendezvous(content: &ContentId, span: u32, peer: &PeerId, weight: u32) -> Rank {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&content.0);
    hasher.update(&span.to_le_bytes());
    hasher.update(&peer.0);
    let hash = hasher.finalize();
    let mut head = [0u8; 8];
    head.copy_from_slice(&hash.as_bytes()[..8]);
    let draw = u64::from_le_bytes(head);
    // -log2((draw + 0.5) / 2^64) in units of 2^-16, at least 1.
    let minus_log = (64u64 << 16).saturating_sub(log2_fixed(draw)).max(1);
    let score = (u64::from(weight) << 40) / minus_log;
    Rank {
        score,
        tie: draw,
        peer: *peer,
    }
}

/// Order of members for one duty: greater is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    score: u64,
    tie: u64,
    /// The member ranked.
    pub peer: PeerId,
}

/// log2(x + 0.5) in units of 2^-16, by repeated squaring of the mantissa.
fn log2_fixed(x: u64) -> u64 {
    if x == 0 {
        return 0;
    }
    let exponent = x.ilog2();
    // Mantissa in [1, 2) with 31 fractional bits.
    let mut mantissa = if exponent >= 31 {
        x >> (exponent - 31)
    } else {
        x << (31 - exponent)
    };
    let mut result = u64::from(exponent) << 16;
    for bit in (0..16).rev() {
        mantissa = (mantissa * mantissa) >> 31;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            result |= 1 << bit;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_ordered_as_their_bytes(
            a in any::<[u8; 32]>(),
            b in any::<[u8; 32]>(),
            same in 0usize..33,
        ) {
            let mut b = b;
            b[..same].copy_from_slice(&a[..same]);
            prop_assert_eq!(PeerId(a).cmp(&PeerId(b)), a.cmp(&b));
        }
    }

    #[test]
    fn hexadecimal_goes_both_ways_and_refuses_other_texts() {
        let id = ChunkId([0xa5; 32]);
        assert_eq!(ChunkId::from_hex(&id.to_hex()), Some(id));
        assert_eq!(ChunkId::from_hex(&id.to_hex()[1..]), None);
        assert_eq!(ChunkId::from_hex(&"g".repeat(64)), None);
    }

    #[test]
    fn log2_of_powers_is_exact_and_between_them_monotone() {
        assert_eq!(log2_fixed(1 << 40), 40 << 16);
        assert_eq!(log2_fixed(3) >> 8, 405); // 1.58496 * 256
        let mut last = 0;
        for x in (1..u64::MAX / 2).step_by(usize::MAX / 1000) {
            assert!(log2_fixed(x) >= last);
            last = log2_fixed(x);
        }
    }

    #[test]
    fn shares_follow_the_weights() {
        let peers = [
            (PeerId([1; 32]), 4),
            (PeerId([2; 32]), 1),
            (PeerId([3; 32]), 0),
        ];
        let mut won = [0u32; 3];
        for span in 0..10_000 {
            let content = ContentId([9; 32]);
            let best = (0..3).max_by_key(|&i| rendezvous(&content, span, &peers[i].0, peers[i].1));
            won[best.unwrap()] += 1;
        }
        assert!(
            (7_800..8_200).contains(&won[0]),
            "weight 4 of 5 won {}",
            won[0]
        );
        assert_eq!(won[2], 0);
    }
}
