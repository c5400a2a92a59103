//! The log of a network: what a node takes for its continuation, what it does
//! not, and what proves that it was split. T-72 to T-74.

use patchmesh_proto::Message as _;
use patchmesh_proto::v1;
use patchmesh_trust::author::TimestampPlan;
use patchmesh_trust::log::head::{Hash, Leaves, LogHead, Replaced, leaf_hash};
use patchmesh_trust::log::inclusion::read_document;
use patchmesh_trust::log::tree::Tree;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::state::equivocation::Equivocation;

use crate::kit::{
    NOW, Publication, ROOT, TIMESTAMP, edit, give, holding, keys, line, restart, root, root_plan,
    sign, stored, verifier,
};

/// Leaves that stand for documents which nobody looks at here.
fn leaves(range: std::ops::Range<u8>) -> Vec<Hash> {
    range.map(|n| leaf_hash(&[n; 32])).collect()
}

fn logged(version: u64, log: Option<LogHead>) -> Vec<u8> {
    let plan = TimestampPlan {
        version,
        expires: NOW.plus_days(3),
        issued: NOW,
        snapshot: &Publication::new(1).snapshot,
        log,
    };
    sign(plan.build().unwrap(), TIMESTAMP)
}

fn timestamp(version: u64, leaves: &[Hash]) -> Vec<u8> {
    logged(version, Some(Tree::of(leaves.iter().copied()).head()))
}

/// A node that has taken version 1 with five leaves and holds them.
fn node() -> Verifier {
    let mut node = verifier();
    let first = timestamp(1, &leaves(0..5));
    let admission = node.admit(&RoleName::Timestamp, &first, NOW).unwrap();
    node.apply(admission);
    assert!(node.lacks_leaves());
    assert_eq!(node.fill_log(&leaves(0..4)), Err(Refusal::HashMismatch));
    assert_eq!(node.fill_log(&leaves(1..6)), Err(Refusal::HashMismatch));
    assert_eq!(node.fill_log(&leaves(0..5)), Ok(()));
    assert!(!node.lacks_leaves());
    node
}

fn given(from: u64, hashes: &[Hash]) -> Leaves<'_> {
    Leaves { from, hashes }
}

/// T-72.
#[test]
fn a_newer_timestamp_needs_the_leaves_that_lead_to_its_log() {
    let mut node = node();
    let second = timestamp(2, &leaves(0..8));
    let role = RoleName::Timestamp;
    let unproven = Err(Refusal::Unproven);
    let admit = |node: &Verifier, from, hashes: &[Hash]| {
        let admitted = node.admit_logged(&second, given(from, hashes), NOW);
        admitted.map(|admission| admission.is_new())
    };
    assert_eq!(
        node.admit(&role, &second, NOW).map(drop),
        unproven.map(drop)
    );
    let named = node.unproven(&second).unwrap();
    assert_eq!((named.version, named.head.size), (2, 8));
    for (from, hashes) in [(5, 5..7), (5, 6..9), (6, 6..8), (4, 5..8), (5, 5..5)] {
        assert_eq!(admit(&node, from, &leaves(hashes)), unproven, "{from}");
    }
    // A whole list that does not lead there is a lie, not a doubt.
    assert_eq!(admit(&node, 0, &leaves(1..9)), Err(Refusal::HashMismatch));
    for (from, hashes) in [(5, 5..8), (3, 3..8), (0, 0..8), (5, 5..20)] {
        assert_eq!(admit(&node, from, &leaves(hashes)), Ok(true), "{from}");
    }
    let tail = leaves(5..8);
    let admission = node.admit_logged(&second, given(5, &tail), NOW).unwrap();
    node.apply(admission);
    assert_eq!((node.log_tree().size(), node.lacks_leaves()), (8, false));
    assert_eq!(node.log_floor(), Some(node.log_tree().head()));
}

/// T-72: a log does not shrink, and a network that has one never loses it; not
/// even after a restart without the documents.
#[test]
fn a_log_neither_shrinks_nor_ends() {
    let node = node();
    let smaller = timestamp(2, &leaves(0..4));
    let without = logged(2, None);
    let mut restarted = verifier();
    restarted.restore_floors(&node.floors()).unwrap();
    assert_eq!(restarted.log_floor(), node.log_floor());
    for node in [&node, &restarted] {
        for document in [&smaller, &without] {
            let admitted = node.admit(&RoleName::Timestamp, document, NOW);
            assert_eq!(admitted.map(drop), Err(Refusal::Rollback));
        }
    }
    assert!(!restarted.restore_log(&leaves(1..6).concat()));
    // What came in after the last timestamp was durable is let go of.
    assert!(restarted.restore_log(&leaves(0..7).concat()));
    assert_eq!(restarted.log_tree().size(), 5);
}

/// A root that gives the timestamp another key, and what that key signs.
fn rotated() -> Vec<u8> {
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[12], 1);
    sign(plan.build().unwrap(), ROOT)
}

fn by_new(leaves: Option<&[Hash]>) -> Vec<u8> {
    let log = leaves.map(|leaves| Tree::of(leaves.iter().copied()).head());
    edit(&logged(1, log), &[12], |_| {})
}

/// T-79: a log that may go on has to be shown; another one is taken because the
/// root took the old key its place, and is told of until the next root.
#[test]
fn a_rotation_lets_another_log_in_and_both_heads_are_kept() {
    let role = RoleName::Timestamp;
    let known = Tree::of(leaves(0..5)).head();
    let other = [leaves(9..10), leaves(1..7)].concat();
    let cases = [
        (Some(leaves(0..5)), true),
        (Some(leaves(0..8)), true),
        (Some(other), false),
        (Some(leaves(1..6)), false),
        (Some(leaves(0..4)), false),
        (None, false),
    ];
    for (log, goes_on) in cases {
        let mut node = node();
        give(&mut node, &RoleName::Root, &rotated()).unwrap();
        // A restart in between changes nothing.
        let (documents, floors) = stored(&node);
        node = restart(&documents, Some(&floors));
        assert_eq!((node.log_floor(), node.log_replaced()), (None, None));
        let timestamp = by_new(log.as_deref());
        let larger = log.as_ref().is_some_and(|log| log.len() > 5);
        let bare = node.admit(&role, &timestamp, NOW).map(drop);
        assert_eq!(
            bare,
            if larger {
                Err(Refusal::Unproven)
            } else {
                Ok(())
            }
        );
        let whole = log.clone().unwrap_or_default();
        let admitted = node.admit_logged(&timestamp, given(0, &whole), NOW);
        node.apply(admitted.unwrap());
        let after = log.map(|log| Tree::of(log).head());
        assert_eq!(node.log_floor(), after);
        let replaced = (!goes_on).then_some(Replaced {
            before: known,
            after,
            root_version: 2,
        });
        assert_eq!(node.log_replaced(), replaced);
        let (mut documents, floors) = stored(&node);
        node = restart(&documents, Some(&floors));
        assert_eq!(node.log_replaced(), replaced, "after a restart");
        let mut next = root_plan(3);
        next.timestamp = keys(&[12], 1);
        let next = sign(next.build().unwrap(), ROOT);
        documents.insert(2, (RoleName::Root, next.clone()));
        let restarted = restart(&documents, Some(&floors));
        assert_eq!(
            restarted.log_replaced(),
            None,
            "the root came before a crash"
        );
        give(&mut node, &RoleName::Root, &next).unwrap();
        assert_eq!((node.log_replaced(), node.log_floor()), (None, after));
    }
}

/// T-79: false leaves are no proof of another log.
#[test]
fn what_does_not_lead_to_the_new_head_replaces_nothing() {
    let mut node = node();
    give(&mut node, &RoleName::Root, &rotated()).unwrap();
    let timestamp = by_new(Some(&leaves(0..8)));
    for (from, hashes, refusal) in [
        (0, leaves(1..9), Refusal::HashMismatch),
        (5, leaves(5..8), Refusal::Unproven),
        (0, leaves(0..7), Refusal::Unproven),
    ] {
        let admitted = node.admit_logged(&timestamp, given(from, &hashes), NOW);
        assert_eq!(admitted.map(drop), Err(refusal), "{from}");
    }
    assert_eq!(node.log_replaced(), None);
}

/// T-73.
#[test]
fn heads_that_cannot_both_be_true_are_a_proof_for_anybody() {
    let node = node();
    let fork = |len: u8| {
        let mut fork = leaves(0..len);
        fork[3] = leaf_hash(b"another document");
        fork
    };
    for (len, listed) in [(8, true), (5, false), (4, false)] {
        let fork = fork(len);
        let other = timestamp(2, &fork);
        let leaves = if listed {
            given(0, &fork)
        } else {
            Leaves::NONE
        };
        let refused = node.admit_logged(&other, leaves, NOW).map(drop);
        let expected = if len == 4 {
            Refusal::Rollback
        } else {
            Refusal::Contradiction
        };
        assert_eq!(refused, Err(expected), "{len}");
        let proof = node.prove_split(&other, leaves).unwrap();
        let checked = Equivocation::check(&root(1), proof.bytes()).unwrap();
        assert_eq!(
            (checked.version(), checked.role()),
            (2, &RoleName::Timestamp)
        );
        let [one, two] = checked.split().unwrap();
        assert_eq!((one.size, two.size), (5, u64::from(len)));
        assert!(node.is_frozen_by(&checked));
        assert!(node.is_other_log(&two) || two.size > 5);
        for at in (0..proof.bytes().len()).step_by(41) {
            let mut other = proof.bytes().to_vec();
            other[at] ^= 1;
            let checked = Equivocation::check(&root(1), &other);
            // A name of a key that nobody looks at may differ.
            assert!(checked.is_err() || checked.unwrap().digests() == proof.digests());
        }
    }
}

/// T-73: two views of one log prove nothing, whatever hashes come with them.
#[test]
fn an_honest_publisher_cannot_be_accused() {
    let node = node();
    let second = timestamp(2, &leaves(0..8));
    let whole = leaves(0..8);
    for given in [given(0, &whole), given(5, &whole[5..]), Leaves::NONE] {
        assert_eq!(node.prove_split(&second, given), None);
    }
    let first = timestamp(1, &leaves(0..5));
    let wire = |bridge: Vec<Hash>| split_proof([&first, &second], &bridge);
    let tree = Tree::of(leaves(0..8));
    let honest = tree.bridge(5, 8).unwrap();
    let mut bent = honest.clone();
    bent[0][0] ^= 1;
    for bridge in [vec![], honest, bent, vec![[0; 32]; 65]] {
        let checked = Equivocation::check(&root(1), &wire(bridge));
        assert_eq!(checked.map(drop), Err(Refusal::Malformed));
    }
    let long = Equivocation::check(&root(1), &wire(vec![[0; 32]; 66]));
    assert_eq!(long.map(drop), Err(Refusal::TooLarge));
}

/// T-74.
#[test]
fn a_statement_counts_only_once_it_is_in_the_log() {
    let line = line("desktop");
    let mut node = holding(&Publication::new(1));
    assert!(node.is_logged(&line), "the network has no log");
    let mut entries = leaves(0..3);
    let unlogged = timestamp(2, &entries);
    let admission = node.admit(&RoleName::Timestamp, &unlogged, NOW).unwrap();
    node.apply(admission);
    assert!(!node.is_logged(&line), "the leaves are not known");
    node.fill_log(&entries).unwrap();
    assert!(!node.is_logged(&line));
    let statement = node.document(&line, None).unwrap();
    let digest = read_document(&statement).unwrap().0;
    entries.push(leaf_hash(&digest));
    let third = timestamp(3, &entries);
    let admission = node.admit_logged(&third, given(0, &entries), NOW).unwrap();
    node.apply(admission);
    assert!(node.is_logged(&line));
    let head: Option<LogHead> = node.log_head();
    assert_eq!(head, node.log_floor());
}

fn split_proof(timestamps: [&[u8]; 2], bridge: &[Hash]) -> Vec<u8> {
    let [first, second] = timestamps.map(<[u8]>::to_vec);
    let proof = v1::Proof {
        role: "timestamp".to_owned(),
        version: 2,
        roots: vec![root(1)],
        delegator: Vec::new(),
        first,
        second,
        log: bridge.iter().map(|hash| hash.to_vec()).collect(),
    };
    proof.encode_to_vec()
}
