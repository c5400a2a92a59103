//! Properties: hostile mutations are never taken, and the order in which
//! documents arrive does not matter.

use std::sync::LazyLock;

use patchmesh_trust::canonical::parse;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::kit::{
    NOW, Publication, ROOT, all_lines, edit, give, holding, keys, listed, root, root_plan, sign,
    signed_part, stored, verifier,
};

/// Targets behind a snapshot that a rotation took away do not survive a
/// restart: nothing names them any more. They are asked for again.
fn restarted(verifier: &Verifier) -> Verifier {
    let (documents, floors) = stored(verifier);
    let documents = documents.iter().map(|(role, bytes)| (role, &**bytes));
    let restored = Verifier::restore(&root(1), &all_lines(), documents, Some(&floors));
    let (restored, refused) = restored.unwrap();
    for (role, refusal) in refused {
        assert_eq!(refusal, Refusal::Pending, "{role}");
        assert_eq!(verifier.head().snapshot, 0, "{role}");
    }
    restored
}

/// The same cases in every run.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

type Documents = Vec<(RoleName, Vec<u8>)>;

/// Every document of a history: three publications and two rotations, the
/// first of which replaces the timestamp's key.
static HISTORY: LazyLock<Documents> = LazyLock::new(history);

/// What the publisher itself holds at the end.
static EXPECTED: LazyLock<Verifier> = LazyLock::new(|| {
    let mut verifier = verifier();
    for (role, bytes) in HISTORY.iter() {
        give(&mut verifier, role, bytes).ok();
    }
    verifier
});

/// The documents of a second publication, in the order in which they are taken.
static NEWER: LazyLock<Documents> = LazyLock::new(|| {
    let mut documents = vec![(RoleName::Root, root(2))];
    documents.extend(Publication::new(2).documents());
    documents
});

/// Verifiers that hold so many of the newer documents; with nothing before
/// them, and with a first publication.
static STEPS: LazyLock<[Vec<Verifier>; 2]> = LazyLock::new(|| {
    [verifier(), holding(&Publication::new(1))].map(|mut verifier| {
        let mut steps = vec![verifier.clone()];
        for (role, bytes) in NEWER.iter() {
            give(&mut verifier, role, bytes).unwrap();
            steps.push(verifier.clone());
        }
        steps
    })
});

fn history() -> Documents {
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[12], 1);
    let mut documents = vec![(RoleName::Root, sign(plan.build().unwrap(), ROOT))];
    plan.version = 3;
    plan.root = keys(&[4, 5], 2);
    let rotated = sign(plan.build().unwrap(), &[1, 2, 4, 5]);
    documents.push((RoleName::Root, rotated));
    for version in 1..=3 {
        let mut publication = Publication::new(version);
        if version > 1 {
            publication.timestamp = edit(&publication.timestamp, &[12], |_| {});
        }
        documents.extend(publication.documents());
    }
    documents
}

proptest! {
    #![proptest_config(config(24))]

    /// T-14: delivered in any order, with restarts in between, again and again
    /// until nothing moves.
    #[test]
    fn any_order_reaches_the_same_state(
        order in Just(HISTORY.clone()).prop_shuffle(),
        restarts in prop::collection::vec(prop::bool::weighted(0.1), 17),
    ) {
        prop_assert_eq!(order.len(), restarts.len());
        let mut verifier = verifier();
        loop {
            let before = stored(&verifier);
            for ((role, bytes), restarts) in order.iter().zip(&restarts) {
                give(&mut verifier, role, bytes).ok();
                if *restarts {
                    verifier = restarted(&verifier);
                }
            }
            if stored(&verifier) == before {
                break;
            }
        }
        let expected = &*EXPECTED;
        prop_assert_eq!(listed(&verifier), ["desktop/KB-3", "server/S-1"]);
        prop_assert_eq!(verifier.head(), expected.head());
        prop_assert_eq!(stored(&verifier).0, stored(expected).0);
        prop_assert_eq!(verifier.floors(), expected.floors());
        prop_assert_eq!(verifier.wants(), []);
    }
}

#[derive(Debug, Clone)]
enum Mutation {
    Flip {
        at: prop::sample::Index,
        bits: u8,
    },
    Cut(prop::sample::Index),
    Insert {
        at: prop::sample::Index,
        byte: u8,
    },
    Remove {
        at: prop::sample::Index,
        len: usize,
    },
    Copy {
        from: prop::sample::Index,
        to: prop::sample::Index,
        len: usize,
    },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (index(), 1u8..).prop_map(|(at, bits)| Mutation::Flip { at, bits }),
        1 => index().prop_map(Mutation::Cut),
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert { at, byte }),
        1 => (index(), 1usize..8).prop_map(|(at, len)| Mutation::Remove { at, len }),
        2 => (index(), index(), 1usize..40)
            .prop_map(|(from, to, len)| Mutation::Copy { from, to, len }),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    let size = bytes.len();
    match mutation {
        Mutation::Flip { at, bits } => bytes[at.index(size)] ^= bits,
        Mutation::Cut(at) => bytes.truncate(at.index(size)),
        Mutation::Insert { at, byte } => bytes.insert(at.index(size), *byte),
        Mutation::Remove { at, len } => {
            let from = at.index(size);
            bytes.drain(from..(from + len).min(size));
        }
        Mutation::Copy { from, to, len } => {
            let from = from.index(size);
            let part = bytes[from..(from + len).min(size)].to_vec();
            let to = to.index(size);
            bytes.splice(to..to, part);
        }
    }
}

proptest! {
    #![proptest_config(config(300))]

    /// No mutation panics; one that is admitted states exactly what was signed.
    #[test]
    fn mutated_documents_are_never_taken_for_others(
        which in 0usize..6,
        mutations in prop::collection::vec(mutation(), 1..4),
        base in 0usize..2,
    ) {
        let verifier = &STEPS[base][which];
        let (role, original) = &NEWER[which];
        let mut bytes = original.clone();
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        if verifier.admit(role, &bytes, NOW).is_ok() {
            prop_assert_eq!(signed_part(&bytes), signed_part(original));
        }
    }

    /// Whatever parses can be written as JSON that says the same.
    #[test]
    fn what_parses_reads_back(text in "[\\[\\]{}:,\"0-9a-c\\\\ -]{0,40}") {
        if let Ok(value) = parse(text.as_bytes()) {
            let json = value.json();
            prop_assert_eq!(parse(&json), Ok(value.clone()));
            prop_assert_eq!(parse(&json).unwrap().canonical(), value.canonical());
        }
    }

    /// Arbitrary bytes are refused in every role.
    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut verifier = STEPS[1][0].clone();
        for (role, _) in NEWER.iter() {
            prop_assert!(verifier.admit(role, &bytes, NOW).is_err());
        }
        prop_assert!(verifier.restore_floors(&bytes).is_err());
    }
}
