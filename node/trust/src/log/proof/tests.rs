//! Known answers: the eight leaves, their roots and proofs that the reference
//! implementation of certificate transparency and its successors publish
//! (transparency-dev/merkle), and proofs that must fail.

use patchmesh_content::id::unhex32;
use proptest::prelude::*;

use super::*;
use crate::key::unhex;
use crate::log::head::empty_root;
use crate::log::tree::Tree;

const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Position, size, path.
const INCLUSIONS: [(u64, u64, &[&str]); 4] = [
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        3,
        &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    ),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// Sizes, proof.
const CONSISTENCIES: [(u64, u64, &[&str]); 4] = [
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

fn hashes(texts: &[&str]) -> Vec<Hash> {
    texts.iter().map(|text| unhex32(text).unwrap()).collect()
}

fn entry(index: u64) -> Vec<u8> {
    unhex(LEAVES[usize::try_from(index).unwrap()]).unwrap()
}

fn head(size: u64) -> LogHead {
    let root = ROOTS[usize::try_from(size - 1).unwrap()];
    LogHead {
        size,
        root: unhex32(root).unwrap(),
    }
}

fn tree() -> Tree {
    Tree::of((0..8).map(|index| leaf_hash(&entry(index))))
}

#[test]
fn the_published_roots_come_out() {
    let tree = tree();
    for size in 1..=8 {
        assert_eq!(tree.root_at(size), Some(head(size).root));
    }
    assert_eq!(tree.root_at(0), Some(empty_root()));
}

#[test]
fn the_published_inclusion_proofs_are_made_and_hold() {
    let tree = tree();
    for (index, size, path) in INCLUSIONS {
        let path = hashes(path);
        assert_eq!(tree.inclusion(index, size).as_ref(), Some(&path));
        let (head, entry) = (head(size), entry(index));
        assert_eq!(check_inclusion(&head, index, &entry, &path), Ok(()));
        for wrong in [index ^ 1, index ^ 2, index.wrapping_sub(1), index + 8] {
            assert!(check_inclusion(&head, wrong, &entry, &path).is_err());
        }
        for at in 0..path.len() {
            let mut other = path.clone();
            other[at][0] ^= 8;
            assert!(check_inclusion(&head, index, &entry, &other).is_err());
            assert!(check_inclusion(&head, index, &entry, &path[..at]).is_err());
        }
        let longer = [&path[..], &[head.root]].concat();
        assert!(check_inclusion(&head, index, &entry, &longer).is_err());
        assert!(check_inclusion(&head, index, b"other", &path).is_err());
    }
}

#[test]
fn the_published_consistency_proofs_are_made_and_hold() {
    let tree = tree();
    for (first, second, proof) in CONSISTENCIES {
        let proof = hashes(proof);
        assert_eq!(tree.consistency(first, second).as_ref(), Some(&proof));
        let (one, two) = (head(first), head(second));
        assert_eq!(check_consistency(&one, &two, &proof), Ok(()));
        assert_eq!(
            check_consistency(&two, &one, &proof),
            Err(Refusal::Rollback)
        );
        for other in [first ^ 2, first + 1] {
            let other = LogHead { size: other, ..one };
            assert!(check_consistency(&other, &two, &proof).is_err());
        }
        for at in 0..proof.len() {
            let mut other = proof.clone();
            other[at][0] ^= 16;
            assert!(check_consistency(&one, &two, &other).is_err());
            assert!(check_consistency(&one, &two, &proof[..at]).is_err());
        }
        let around = [
            [&[one.root], &proof[..]].concat(),
            [&proof[..], &[two.root]].concat(),
        ];
        for longer in around {
            assert!(check_consistency(&one, &two, &longer).is_err());
        }
    }
}

#[test]
fn equal_and_empty_logs_need_an_empty_proof() {
    let empty = LogHead {
        size: 0,
        root: empty_root(),
    };
    assert_eq!(check_consistency(&empty, &head(8), &[]), Ok(()));
    assert_eq!(check_consistency(&head(8), &head(8), &[]), Ok(()));
    assert!(check_consistency(&head(8), &head(8), &[[0; 32]]).is_err());
    let other = LogHead {
        root: [1; 32],
        ..head(8)
    };
    assert!(check_consistency(&head(8), &other, &[]).is_err());
    assert!(check_consistency(&head(2), &head(3), &[]).is_err());
}

proptest! {
    #[test]
    fn no_numbers_and_hashes_panic(
        a in any::<u64>(),
        b in any::<u64>(),
        path in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        prop_assert!(a < b || root_of_inclusion(a, b, &[0; 32], &path).is_none());
        prop_assert!(a <= b || roots_of_bridge(a, b, &path).is_none());
        let head = |size| LogHead { size, root: [0; 32] };
        prop_assert!(a == 0 || check_consistency(&head(a), &head(b), &path).is_err() || a == b);
    }
}
