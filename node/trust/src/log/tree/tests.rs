//! The tree against the roots that RFC 6962 implementations publish, and
//! against the definition.

use proptest::prelude::*;

use super::*;
use crate::log::head::leaf_hash;
use crate::log::proof::{check_consistency, root_of_inclusion, roots_of_bridge};

/// Root by the definition of RFC 6962, with nothing kept.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            node_hash(&defined(&leaves[..half]), &defined(&leaves[half..]))
        }
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

#[test]
fn roots_across_tiles_are_those_of_the_definition() {
    let leaves = leaves(70_000);
    let tree = Tree::of(leaves.iter().copied());
    for size in [
        0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000,
    ] {
        let at = usize::try_from(size).unwrap();
        assert_eq!(tree.root_at(size), Some(defined(&leaves[..at])), "{size}");
    }
    assert_eq!(tree.root_at(70_001), None);
    assert_eq!(tree.position(&leaves[69_999]), Some(69_999));
    for (index, size) in [(0, 70_000), (69_999, 70_000), (65_535, 65_537), (300, 512)] {
        let path = tree.inclusion(index, size).unwrap();
        let leaf = &leaves[usize::try_from(index).unwrap()];
        let root = root_of_inclusion(index, size, leaf, &path);
        assert_eq!(root, tree.root_at(size), "{index} of {size}");
    }
    for (first, second) in [
        (1, 70_000),
        (256, 70_000),
        (65_536, 70_000),
        (69_999, 70_000),
    ] {
        let bridge = tree.bridge(first, second).unwrap();
        let roots = (tree.root_at(first).unwrap(), tree.root_at(second).unwrap());
        assert_eq!(roots_of_bridge(first, second, &bridge), Some(roots));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_size_has_its_root_and_its_proofs(
        size in 1..600_u64,
        a in 0..600_u64,
        b in 1..600_u64,
    ) {
        let leaves = leaves(size);
        let mut tree = Tree::default();
        tree.extend(leaves.iter().copied());
        prop_assert_eq!(tree.head().root, defined(&leaves));
        let (index, first) = (a % size, 1 + b % size);
        let path = tree.inclusion(index, size).unwrap();
        let leaf = leaves[usize::try_from(index).unwrap()];
        prop_assert_eq!(root_of_inclusion(index, size, &leaf, &path), Some(tree.head().root));
        let older = LogHead { size: first, root: tree.root_at(first).unwrap() };
        let proof = tree.consistency(first, size).unwrap();
        prop_assert_eq!(check_consistency(&older, &tree.head(), &proof), Ok(()));
        let other = LogHead { root: [7; 32], ..older };
        prop_assert!(check_consistency(&other, &tree.head(), &proof).is_err());
        prop_assert_eq!(tree.inclusion(size, size), None);
        prop_assert_eq!(tree.bridge(0, size), None);
        prop_assert_eq!(tree.bridge(size + 1, size), None);
    }
}
