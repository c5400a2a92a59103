//! Checks of inclusion and consistency (RFC 9162, sections 2.1.3.2 and
//! 2.1.4.2; the trees are those of RFC 6962).

use crate::log::head::{Hash, LogHead, leaf_hash, node_hash};
use crate::refusal::Refusal;

/// Longest path through a tree: one hash for each bit of a size, and one more
/// where a consistency proof names its first subtree.
pub const PATH_LEN_MAX: usize = 65;

/// Root of the tree of this size in which the leaf hash stands there; `None`
/// if the path has another length than it must have.
pub fn root_of_inclusion(index: u64, size: u64, leaf: &Hash, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut from, mut last) = (index, size - 1);
    let mut root = *leaf;
    for hash in path {
        if last == 0 {
            return None;
        }
        if from & 1 == 1 || from == last {
            root = node_hash(hash, &root);
            while from & 1 == 0 && from != 0 {
                (from, last) = (from >> 1, last >> 1);
            }
        } else {
            root = node_hash(&root, hash);
        }
        (from, last) = (from >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

/// Checks that an entry is in a log.
///
/// # Errors
/// `HashMismatch` if the path does not lead from it to the root.
pub fn check_inclusion(
    head: &LogHead,
    index: u64,
    entry: &[u8],
    path: &[Hash],
) -> Result<(), Refusal> {
    let root = root_of_inclusion(index, head.size, &leaf_hash(entry), path);
    if root == Some(head.root) {
        Ok(())
    } else {
        Err(Refusal::HashMismatch)
    }
}

/// The roots of both sizes that a bridge ([`crate::log::tree::Tree::bridge`])
/// leads to; `None` if it has another length than it must have. Where the
/// second is the root of a signed head, no tree with that head has another
/// root at the first size.
pub fn roots_of_bridge(first: u64, second: u64, bridge: &[Hash]) -> Option<(Hash, Hash)> {
    let (seed, path) = bridge.split_first()?;
    if first == 0 || first > second {
        return None;
    }
    if first == second {
        return path.is_empty().then_some((*seed, *seed));
    }
    let (mut from, mut last) = (first - 1, second - 1);
    while from & 1 == 1 {
        (from, last) = (from >> 1, last >> 1);
    }
    let (mut one, mut two) = (*seed, *seed);
    for hash in path {
        if last == 0 {
            return None;
        }
        if from & 1 == 1 || from == last {
            one = node_hash(hash, &one);
            two = node_hash(hash, &two);
            while from & 1 == 0 && from != 0 {
                (from, last) = (from >> 1, last >> 1);
            }
        } else {
            two = node_hash(&two, hash);
        }
        (from, last) = (from >> 1, last >> 1);
    }
    (last == 0).then_some((one, two))
}

/// Checks a consistency proof as RFC 6962 has it.
///
/// # Errors
/// `Rollback` if the second is smaller, `HashMismatch` if they are not shown
/// to be one log.
pub fn check_consistency(first: &LogHead, second: &LogHead, proof: &[Hash]) -> Result<(), Refusal> {
    if second.size < first.size {
        return Err(Refusal::Rollback);
    }
    if first.size == 0 || first.size == second.size {
        let same = first.size == 0 || first.root == second.root;
        return if same && proof.is_empty() {
            Ok(())
        } else {
            Err(Refusal::HashMismatch)
        };
    }
    let seeded = [&[first.root], proof].concat();
    let bridge = if first.size.is_power_of_two() {
        &seeded
    } else {
        proof
    };
    if roots_of_bridge(first.size, second.size, bridge) == Some((first.root, second.root)) {
        Ok(())
    } else {
        Err(Refusal::HashMismatch)
    }
}

#[cfg(test)]
mod tests;
