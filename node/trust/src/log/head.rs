//! Hashes of the tree (RFC 6962, section 2.1), and its head.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 in the tree.
pub type Hash = [u8; 32];

/// How many leaves a log has, and the root of the tree over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogHead {
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

/// A rotation let another log, or none, take the place of the known one (T-79).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// Head that was known before.
    pub before: LogHead,
    /// Head that the first timestamp of the new signer names; `None` for no log.
    pub after: Option<LogHead>,
    /// The root that names that signer.
    pub root_version: u64,
}

/// Leaf hashes that somebody gave, from this position on. Nothing is believed
/// of them until they lead to a signed root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaves<'a> {
    /// Position of the first.
    pub from: u64,
    /// The leaf hashes.
    pub hashes: &'a [Hash],
}

impl LogHead {
    /// The head of a log without leaves.
    pub fn empty() -> Self {
        Self {
            size: 0,
            root: empty_root(),
        }
    }
}

impl Leaves<'_> {
    /// Nothing.
    pub const NONE: Self = Self {
        from: 0,
        hashes: &[],
    };
}

/// Hash of a leaf with this entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(entry)
        .finalize()
        .into()
}

/// Hash of a node with these two below it.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let hasher = Sha256::new().chain_update([1]);
    hasher
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// Root of the tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}
