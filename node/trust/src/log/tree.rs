//! A tree in memory: grows at its end, and gives roots and proofs of any size
//! that it had.

use crate::log::head::{Hash, LogHead, empty_root, node_hash};

/// Hashes in a full tile (C2SP tlog-tiles).
pub const TILE_WIDTH: u64 = 256;
const WIDTH: usize = 256;

/// The leaf hashes, and above them the root of every full tile, as the tiles
/// of the published log hold them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree with these leaf hashes.
    pub fn of(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut tree = Self::default();
        tree.extend(leaves);
        tree
    }

    /// Appends leaf hashes.
    pub fn extend(&mut self, leaves: impl IntoIterator<Item = Hash>) {
        for leaf in leaves {
            self.push(leaf);
        }
    }

    fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(hash);
            let mut tiles = self.levels[level].rchunks_exact(WIDTH);
            let whole = self.levels[level].len().is_multiple_of(WIDTH);
            let Some(tile) = tiles.next().filter(|_| whole) else {
                return;
            };
            hash = fold(tile);
        }
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Size and root.
    pub fn head(&self) -> LogHead {
        let size = self.size();
        let root = self.root_at(size).unwrap_or_else(empty_root);
        LogHead { size, root }
    }

    /// Hashes of a level of tiles; level 0 are the leaf hashes.
    pub fn level(&self, level: usize) -> &[Hash] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// Position of a leaf hash, the last one: what is asked for was mostly added
    /// lately.
    pub fn position(&self, leaf: &Hash) -> Option<u64> {
        let position = self.level(0).iter().rposition(|held| held == leaf);
        position.map(|at| at as u64)
    }

    /// Root of the first leaves; `None` if there are not that many.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        if size > self.size() {
            return None;
        }
        Some(if size == 0 {
            empty_root()
        } else {
            self.subtree(0, size)
        })
    }

    /// Whether the first leaves of this tree have this head.
    pub fn has(&self, head: &LogHead) -> bool {
        self.root_at(head.size) == Some(head.root)
    }

    /// The path that proves a leaf in the tree of this size (RFC 6962, 2.1.1).
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut from, mut to) = (0, size);
        let mut path = Vec::new();
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                path.push(self.subtree(middle, to));
                to = middle;
            } else {
                path.push(self.subtree(from, middle));
                from = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// What leads to the roots of both sizes (RFC 6962, 2.1.2), the subtree
    /// that they share at the right edge of the first always included: RFC 6962
    /// leaves that out where it is the whole of the first tree.
    pub fn bridge(&self, first: u64, second: u64) -> Option<Vec<Hash>> {
        if first == 0 || first > second || second > self.size() {
            return None;
        }
        let (mut from, mut to) = (0, second);
        let mut path = Vec::new();
        while to != first {
            let middle = from + split(to - from);
            if first <= middle {
                path.push(self.subtree(middle, to));
                to = middle;
            } else {
                path.push(self.subtree(from, middle));
                from = middle;
            }
        }
        path.push(self.subtree(from, to));
        path.reverse();
        Some(path)
    }

    /// The consistency proof of RFC 6962.
    pub fn consistency(&self, first: u64, second: u64) -> Option<Vec<Hash>> {
        let mut path = self.bridge(first, second)?;
        if first.is_power_of_two() || first == second {
            path.remove(0);
        }
        Some(path)
    }

    /// Root of the subtree over the leaves `from..to`, a range that splitting a
    /// tree gives.
    fn subtree(&self, from: u64, to: u64) -> Hash {
        self.subtree_of(0, from, to)
    }

    fn subtree_of(&self, level: usize, from: u64, to: u64) -> Hash {
        if from.is_multiple_of(TILE_WIDTH) && to.is_multiple_of(TILE_WIDTH) {
            return self.subtree_of(level + 1, from / TILE_WIDTH, to / TILE_WIDTH);
        }
        if to - from == 1 {
            let at = usize::try_from(from).unwrap_or(usize::MAX);
            return self.levels[level][at];
        }
        let middle = from + split(to - from);
        let left = self.subtree_of(level, from, middle);
        node_hash(&left, &self.subtree_of(level, middle, to))
    }
}

/// Root over these hashes, of which there is at least one.
fn fold(hashes: &[Hash]) -> Hash {
    if let [hash] = hashes {
        return *hash;
    }
    let middle = usize::try_from(split(hashes.len() as u64)).unwrap_or_default();
    let (left, right) = hashes.split_at(middle);
    node_hash(&fold(left), &fold(right))
}

/// The largest power of two below a number that is at least 2.
fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}

#[cfg(test)]
mod tests;
