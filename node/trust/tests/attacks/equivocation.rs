//! Two statements of one role and version: what proves it, what does not, how
//! long it freezes the role, and hostile proofs. T-43, T-45.

use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::state::equivocation::Equivocation;
use patchmesh_trust::time::UtcTime;
use proptest::prelude::*;

use crate::kit::{
    DESKTOP, NOW, Publication, ROOT, TARGETS, TIMESTAMP, edit, give, holding, keys, line, root,
    root_plan, sign,
};
use patchmesh_trust::canonical::Value;

/// The same document, expiring a second later, signed by these keys.
fn twin(bytes: &[u8], seeds: &[u8]) -> Vec<u8> {
    edit(bytes, seeds, |signed| {
        let expires = UtcTime(NOW.0 + 86_400).format().unwrap();
        signed.insert("expires".to_owned(), Value::text(expires));
    })
}

fn proved(verifier: &Verifier, role: &RoleName, bytes: &[u8]) -> Option<Equivocation> {
    let refused = verifier.admit(role, bytes, NOW).unwrap_err();
    assert_eq!(refused, Refusal::Contradiction, "{role}");
    verifier.prove(role, bytes)
}

/// A timestamp that was signed twice, as a holder of its key does it.
fn timestamp_proof() -> (Verifier, Equivocation) {
    let published = Publication::new(1);
    let verifier = holding(&published);
    let other = twin(&published.timestamp, TIMESTAMP);
    let proof = proved(&verifier, &RoleName::Timestamp, &other).unwrap();
    (verifier, proof)
}

#[test]
fn attack_equivocation_by_the_threshold_of_each_role_is_proved_to_who_has_the_root() {
    let published = Publication::new(1);
    let mut verifier = holding(&published);
    let (role, held) = (RoleName::Timestamp, &published.timestamp);
    let other = twin(held, TIMESTAMP);
    let proof = proved(&verifier, &role, &other).unwrap();
    assert_eq!((proof.role(), proof.version()), (&role, 1));
    let read = Equivocation::check(&root(1), proof.bytes()).unwrap();
    assert_eq!(read, proof);
    let mut documents = read.documents().map(<[u8]>::to_vec);
    documents.sort();
    let mut given = [held.clone(), other];
    given.sort();
    assert_eq!(documents, given);
    // Below the timestamp another document of one version comes under a newer
    // snapshot, whose signer took part.
    let targets = twin(&published.targets, TARGETS);
    let desktop = twin(&published.desktop, DESKTOP);
    let other = Publication::of(2, targets, desktop, published.server.clone());
    give(&mut verifier, &RoleName::Timestamp, &other.timestamp).unwrap();
    give(&mut verifier, &RoleName::Snapshot, &other.snapshot).unwrap();
    let proof = proved(&verifier, &RoleName::Targets, &other.targets).unwrap();
    assert_eq!(Equivocation::check(&root(1), proof.bytes()), Ok(proof));
    let other = Publication::of(
        3,
        published.targets.clone(),
        other.desktop,
        published.server,
    );
    give(&mut verifier, &RoleName::Timestamp, &other.timestamp).unwrap();
    give(&mut verifier, &RoleName::Snapshot, &other.snapshot).unwrap();
    let proof = proved(&verifier, &line("desktop"), &other.desktop).unwrap();
    assert_eq!(Equivocation::check(&root(1), proof.bytes()), Ok(proof));
}

#[test]
fn two_roots_of_one_version_are_proved_by_the_root_before() {
    let mut verifier = holding(&Publication::new(1));
    let (two, other) = (root(2), twin(&root(2), ROOT));
    give(&mut verifier, &RoleName::Root, &two).unwrap();
    let proof = proved(&verifier, &RoleName::Root, &other).unwrap();
    assert_eq!((proof.version(), proof.root_version()), (2, 1));
    assert_eq!(
        Equivocation::check(&root(1), proof.bytes()),
        Ok(proof.clone())
    );
    assert!(verifier.is_frozen_by(&proof));
    let mut plan = root_plan(3);
    plan.root = keys(&[4, 5, 6], 2);
    let three = sign(plan.build().unwrap(), &[1, 2, 4, 5]);
    give(&mut verifier, &RoleName::Root, &three).unwrap();
    assert!(!verifier.is_frozen_by(&proof), "T-45: other people now");
}

#[test]
fn fewer_keys_other_signatures_and_other_versions_prove_nothing() {
    let published = Publication::new(1);
    let verifier = holding(&published);
    let role = RoleName::Timestamp;
    let held = &published.timestamp;
    // The same statement with another signature set or text is no second one.
    let spaced = String::from_utf8(held.clone())
        .unwrap()
        .replacen(':', ": ", 1);
    assert_eq!(verifier.prove(&role, spaced.as_bytes()), None);
    assert_eq!(verifier.prove(&role, held), None);
    assert_eq!(
        verifier.prove(&role, &twin(held, &[99])),
        None,
        "a stranger"
    );
    assert_eq!(
        verifier.prove(&role, &Publication::new(2).timestamp),
        None,
        "another version"
    );
    let one = twin(&published.targets, &TARGETS[..1]);
    assert_eq!(
        verifier.prove(&RoleName::Targets, &one),
        None,
        "below the threshold"
    );
    // Different key sets prove nothing: a rotation may use a number again.
    let mut rotated = root_plan(2);
    rotated.timestamp = keys(&[12], 1);
    let mut after = verifier.clone();
    give(
        &mut after,
        &RoleName::Root,
        &sign(rotated.build().unwrap(), ROOT),
    )
    .unwrap();
    assert_eq!(after.prove(&role, &twin(held, &[12])), None);
}

/// T-45: only a rotation that takes the word from who signed twice ends it.
#[test]
fn a_role_is_frozen_until_its_signers_no_longer_meet_the_threshold() {
    let (mut verifier, proof) = timestamp_proof();
    assert!(verifier.is_frozen_by(&proof));
    give(&mut verifier, &RoleName::Root, &root(2)).unwrap();
    assert!(verifier.is_frozen_by(&proof), "the same keys");
    let mut plan = root_plan(3);
    plan.timestamp = keys(&[10, 12], 1);
    give(
        &mut verifier,
        &RoleName::Root,
        &sign(plan.build().unwrap(), ROOT),
    )
    .unwrap();
    assert!(
        verifier.is_frozen_by(&proof),
        "a further key takes nothing from it"
    );
    let mut plan = root_plan(4);
    plan.timestamp = keys(&[12], 1);
    give(
        &mut verifier,
        &RoleName::Root,
        &sign(plan.build().unwrap(), ROOT),
    )
    .unwrap();
    assert!(!verifier.is_frozen_by(&proof));
    assert!(
        Equivocation::check(&root(1), proof.bytes()).is_ok(),
        "it stays a proof"
    );
}

#[test]
fn a_proof_of_another_network_or_with_a_gap_in_its_roots_is_refused() {
    let (_, proof) = timestamp_proof();
    let mut plan = root_plan(1);
    plan.root = keys(&[7, 8], 2);
    plan.timestamp = keys(&[13], 1);
    let other = sign(plan.build().unwrap(), &[7, 8]);
    assert!(Equivocation::check(&other, proof.bytes()).is_err());
    let published = Publication::new(1);
    let mut verifier = holding(&published);
    for version in 2..=4 {
        give(&mut verifier, &RoleName::Root, &root(version)).unwrap();
    }
    let proof = proved(
        &verifier,
        &RoleName::Timestamp,
        &twin(&published.timestamp, TIMESTAMP),
    );
    let bytes = proof.unwrap().bytes().to_vec();
    assert_eq!(
        Equivocation::check(&root(1), &bytes)
            .unwrap()
            .root_version(),
        4
    );
    assert_eq!(
        Equivocation::check(&root(3), &bytes)
            .unwrap()
            .root_version(),
        4
    );
    // Without root 2, which stands second.
    let two = root(2);
    let at = bytes
        .windows(two.len())
        .position(|part| part == two)
        .unwrap();
    let mut gap = bytes[..at - 3].to_vec();
    gap.extend_from_slice(&bytes[at + two.len()..]);
    assert_eq!(Equivocation::check(&root(1), &gap), Err(Refusal::Pending));
    assert!(Equivocation::check(&root(2), &gap).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever bytes come, a proof is checked without a panic; and of altered
    /// ones none says something else than the true one.
    #[test]
    fn any_bytes_are_refused_or_say_the_same(
        noise in proptest::collection::vec(any::<u8>(), 0..300),
        at in any::<prop::sample::Index>(),
        bits in 1u8..,
        cut in any::<prop::sample::Index>(),
    ) {
        let anchor = root(1);
        prop_assert!(Equivocation::check(&anchor, &noise).is_err());
        let (_, proof) = timestamp_proof();
        let whole = proof.bytes();
        let cut = &whole[..cut.index(whole.len())];
        prop_assert!(Equivocation::check(&anchor, cut).is_err());
        let mut altered = whole.to_vec();
        altered[at.index(whole.len())] ^= bits;
        if let Ok(read) = Equivocation::check(&anchor, &altered) {
            prop_assert_eq!(read.digests(), proof.digests());
            prop_assert_eq!((read.role(), read.version()), (proof.role(), proof.version()));
        }
    }
}
