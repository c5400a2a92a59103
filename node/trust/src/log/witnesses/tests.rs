//! What takes a place, what counts, and that the order does not matter.

use proptest::prelude::*;

use super::*;
use crate::annex::keys::Witness;
use crate::key::{NodeKey, PublicKey};
use crate::time::UtcTime;

const MESH: [u8; 32] = [7; 32];

fn key(number: u8) -> NodeKey {
    NodeKey::from_seed([number; 32])
}

/// Witnesses 1 and 2 in site `a`, 3 in site `b`.
fn keys() -> Keys {
    let witness = |number: u8, site: &str| Witness {
        key: PublicKey::ed25519(&key(number).public()).unwrap(),
        site: site.to_owned(),
    };
    Keys {
        witnesses: vec![witness(1, "a"), witness(2, "a"), witness(3, "b")],
        ..Keys::default()
    }
}

fn witnesses() -> Witnesses {
    let mut witnesses = Witnesses::new(&MESH);
    assert!(witnesses.set_keys(&keys()).is_empty());
    witnesses
}

/// The log of a view, of this many leaves; views differ from leaf 4 on.
fn log(view: u8, size: u8) -> Tree {
    let leaf = |at: u8| {
        let mut hash = [at; 32];
        hash[0] = if at < 4 { 0 } else { view };
        hash
    };
    Tree::of((0..size).map(leaf))
}

fn signed(witness: u8, tree: &Tree) -> Cosignature {
    Cosignature::sign(&key(witness), &MESH, tree.head(), UtcTime(1_800_000_000)).unwrap()
}

#[test]
fn the_highest_of_each_witness_counts_and_sites_are_distinct() {
    let tree = log(0, 8);
    let mut held = witnesses();
    assert_eq!(held.take(signed(1, &log(0, 5)), &tree), Ok(Taken::Kept));
    assert_eq!(held.take(signed(1, &log(0, 5)), &tree), Ok(Taken::Known));
    assert_eq!(held.take(signed(1, &log(0, 3)), &tree), Ok(Taken::Known));
    assert_eq!(held.count(4), Count { keys: 1, sites: 1 });
    assert_eq!(held.count(5), Count::default(), "leaf 5 is not in it");
    assert_eq!(held.take(signed(1, &tree), &tree), Ok(Taken::Kept));
    assert_eq!(held.take(signed(2, &tree), &tree), Ok(Taken::Kept));
    assert_eq!(held.count(7), Count { keys: 2, sites: 1 });
    assert_eq!(held.take(signed(3, &tree), &tree), Ok(Taken::Kept));
    assert_eq!(held.count(7), Count { keys: 3, sites: 2 });
    let asked = |keys, sites| held.count(7).is_enough(Cosignatures { keys, sites });
    assert!(asked(3, 2) && !asked(4, 2) && !asked(3, 3));
    assert_eq!(held.count(8), Count::default());
}

#[test]
fn what_no_witness_signed_takes_no_place() {
    let tree = log(0, 8);
    let mut held = witnesses();
    let before = held.digest();
    let stranger = held.take(signed(9, &tree), &tree);
    assert_eq!(stranger, Err(Refusal::UnknownKey));
    let genuine = signed(1, &tree);
    let as_other = Cosignature {
        witness: key(3).public(),
        ..genuine.clone()
    };
    let mut of_other_time = genuine.clone();
    of_other_time.signature[7] ^= 1;
    let of_other_head = Cosignature {
        head: log(0, 7).head(),
        ..genuine.clone()
    };
    let ahead = Cosignature {
        head: log(0, 9).head(),
        ..genuine.clone()
    };
    let split = Cosignature {
        head: log(1, 8).head(),
        ..genuine
    };
    for forged in [as_other, of_other_time, of_other_head, ahead, split] {
        assert_eq!(held.take(forged, &tree), Err(Refusal::BadSignature));
    }
    let of_other_network = Cosignature::sign(&key(1), &[8; 32], tree.head(), UtcTime(1)).unwrap();
    let taken = held.take(of_other_network, &tree);
    assert_eq!(taken, Err(Refusal::BadSignature));
    assert_eq!((held.digest(), held.count(0)), (before, Count::default()));
}

#[test]
fn another_log_is_kept_apart_and_counts_for_nothing() {
    let tree = log(0, 8);
    let mut held = witnesses();
    let other = signed(1, &log(1, 6));
    assert_eq!(held.take(other.clone(), &tree), Ok(Taken::Other));
    assert_eq!(held.take(other.clone(), &tree), Ok(Taken::Known));
    assert_eq!(held.take(signed(1, &log(1, 7)), &tree), Ok(Taken::Known));
    assert_eq!(held.count(0), Count::default());
    let shown: Vec<_> = held.shown().filter_map(|one| one.other).collect();
    assert_eq!(shown, [other.head]);
    assert!(held.all().any(|one| *one == other), "it is passed on");
}

#[test]
fn who_is_no_witness_any_more_is_forgotten() {
    let tree = log(0, 8);
    let mut held = witnesses();
    for witness in [1, 2] {
        held.take(signed(witness, &tree), &tree).unwrap();
    }
    let mut fewer = keys();
    fewer.witnesses.remove(0);
    assert_eq!(held.set_keys(&fewer), [key(1).public()]);
    assert_eq!(held.count(7), Count { keys: 1, sites: 1 });
    let again = held.take(signed(1, &tree), &tree);
    assert_eq!(again, Err(Refusal::UnknownKey));
}

#[test]
fn what_is_of_the_log_before_goes_with_it() {
    let (before, after) = (log(0, 8), log(1, 6));
    let mut held = witnesses();
    held.take(signed(1, &before), &before).unwrap();
    held.take(signed(2, &log(0, 4)), &before).unwrap();
    assert_eq!(held.replaced(&after), [key(1).public()]);
    assert_eq!(held.count(3), Count { keys: 1, sites: 1 });
}

/// A step of a node: it gets a cosignature, or its log grows.
#[derive(Debug, Clone)]
enum Step {
    Take(u8, u8),
    Grow(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let take = (1..4_u8, 1..12_u8).prop_map(|(witness, size)| Step::Take(witness, size));
    let grow = (1..12_u8).prop_map(Step::Grow);
    proptest::collection::vec(prop_oneof![3 => take, 1 => grow], 1..24)
}

fn run(steps: &[Step]) -> Witnesses {
    let mut held = witnesses();
    let mut tree = log(0, 1);
    for step in steps.iter().chain([&Step::Grow(12)]) {
        match *step {
            Step::Take(witness, size) => {
                held.take(signed(witness, &log(0, size)), &tree).unwrap();
            }
            Step::Grow(size) if u64::from(size) > tree.size() => {
                tree = log(0, size);
                held.grown(&tree);
            }
            Step::Grow(_) => {}
        }
    }
    held
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_gives_the_same_cosignatures(steps in steps(), seed in 0..1_000_usize) {
        let one = run(&steps);
        let mut shuffled = steps.clone();
        let len = shuffled.len();
        for at in 0..len {
            shuffled.swap(at, (at * 7 + seed) % len);
        }
        let two = run(&shuffled);
        let heads = |held: &Witnesses| -> Vec<_> {
            held.shown().map(|one| one.kept.map(|kept| kept.head)).collect()
        };
        prop_assert_eq!(heads(&one), heads(&two));
        prop_assert_eq!(one.digest(), two.digest());
    }
}
