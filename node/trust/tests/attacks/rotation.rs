//! 07 `forged-rotation`: from root N to exactly N + 1, by the thresholds of
//! both; CVE-2025-2885.

use patchmesh_trust::author::RootPlan;
use patchmesh_trust::canonical::Value;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;

use crate::kit::{
    NOW, Publication, ROOT, edit, give, give_all, holding, key, keys, listed, object, root,
    root_plan, sign, verifier,
};

/// The next root, whose own keys are these.
fn next(seeds: &[u8], threshold: u32) -> RootPlan {
    let mut plan = root_plan(2);
    plan.root = keys(seeds, threshold);
    plan
}

fn signed(plan: &RootPlan, seeds: &[u8]) -> Vec<u8> {
    sign(plan.build().unwrap(), seeds)
}

fn verdict(bytes: &[u8]) -> Option<Refusal> {
    verifier().admit(&RoleName::Root, bytes, NOW).err()
}

#[test]
fn attack_forged_rotation() {
    let plan = next(&[4, 5, 6], 2);
    for (name, bytes, expected) in signed_by_others(&plan) {
        assert_eq!(verdict(&bytes), expected, "{name}");
    }
    for (name, bytes, expected) in stating_other_things(&plan) {
        assert_eq!(verdict(&bytes), expected, "{name}");
    }
}

type Case = (&'static str, Vec<u8>, Option<Refusal>);

fn signed_by_others(plan: &RootPlan) -> [Case; 6] {
    let case = |name, seeds: &[u8], expected| (name, signed(plan, seeds), expected);
    [
        case("both thresholds", &[1, 2, 4, 5], None),
        case("old keys only", &[1, 2], Some(Refusal::UnknownKey)),
        case("new keys only", &[4, 5], Some(Refusal::UnknownKey)),
        case(
            "one old key short",
            &[1, 4, 5],
            Some(Refusal::BelowThreshold),
        ),
        case(
            "one new key short",
            &[1, 2, 4],
            Some(Refusal::BelowThreshold),
        ),
        case("no signature", &[], Some(Refusal::BelowThreshold)),
    ]
}

fn stating_other_things(plan: &RootPlan) -> [Case; 9] {
    let base = signed(plan, &[]);
    let enough = [1, 2, 4, 5, 6];
    let version = |number: i64| {
        edit(&base, &enough, |signed| {
            signed.insert("version".to_owned(), Value::Integer(number));
        })
    };
    let threshold = |number: i64| {
        edit(&base, &enough, |signed| {
            let role = object(signed, &["roles", "root"]);
            role.insert("threshold".to_owned(), Value::Integer(number));
        })
    };
    let without_a_role = edit(&base, &enough, |signed| {
        object(signed, &["roles"]).remove("snapshot");
    });
    let another_type = edit(&base, &enough, |signed| {
        signed.insert("_type".to_owned(), Value::text("targets"));
    });
    let changed = String::from_utf8(signed(plan, &enough)).unwrap();
    let changed = changed.replace("\"threshold\":2", "\"threshold\":1");
    let malformed = Some(Refusal::Malformed);
    [
        ("a version skipped", version(3), Some(Refusal::Pending)),
        ("the same version", version(1), Some(Refusal::Contradiction)),
        ("version 0", version(0), malformed),
        ("a negative version", version(-2), malformed),
        ("new threshold 0", threshold(0), malformed),
        (
            "never to be met",
            threshold(4),
            Some(Refusal::BelowThreshold),
        ),
        ("a role is missing", without_a_role, malformed),
        ("another type", another_type, malformed),
        (
            "changed after signing",
            changed.into_bytes(),
            Some(Refusal::BadSignature),
        ),
    ]
}

/// Keys shared by both lists count for both.
#[test]
fn an_overlap_of_keys_counts_twice() {
    assert_eq!(verdict(&signed(&next(&[2, 3, 4], 2), &[2, 3])), None);
}

#[test]
fn cve_2025_2885_root_version() {
    let mut verifier = verifier();
    give(&mut verifier, &RoleName::Root, &root(2)).unwrap();
    assert_eq!(verifier.head().root, 2);
    // The file of one version may not stand for another.
    assert_eq!(
        give(&mut verifier, &RoleName::Root, &root(4)),
        Err(Refusal::Pending)
    );
    let other = edit(&root(1), ROOT, |signed| {
        signed.insert("comment".to_owned(), Value::text("other"));
    });
    assert_eq!(
        give(&mut verifier, &RoleName::Root, &other),
        Err(Refusal::Rollback)
    );
    // A root that is held already is no news, whatever its version.
    assert_eq!(give(&mut verifier, &RoleName::Root, &root(1)), Ok(()));
    assert_eq!(verifier.head().root, 2);
    assert_eq!(
        verifier.document(&RoleName::Root, Some(1)).as_deref(),
        Some(&*root(1))
    );
}

/// T-17: an expired root is passed through; behind an expired last one nothing
/// is accepted.
#[test]
fn intermediate_roots_may_be_expired_and_the_last_may_not() {
    let mut old = root_plan(2);
    old.expires = NOW.plus_days(-1);
    let mut verifier = verifier();
    give(&mut verifier, &RoleName::Root, &signed(&old, ROOT)).unwrap();
    let publication = Publication::new(1);
    let role = RoleName::Timestamp;
    let verdict = give(&mut verifier, &role, &publication.timestamp);
    assert_eq!(verdict, Err(Refusal::Expired));
    give(&mut verifier, &RoleName::Root, &root(3)).unwrap();
    give_all(&mut verifier, &publication);
    assert_eq!(listed(&verifier), ["desktop/KB-1", "server/S-1"]);
}

/// T-17: keys that were rotated away speak no more, not even for their past.
#[test]
fn rotated_root_keys_are_worthless() {
    let mut verifier = verifier();
    let rotated = signed(&next(&[4, 5, 6], 2), &[1, 2, 4, 5]);
    give(&mut verifier, &RoleName::Root, &rotated).unwrap();
    let by_old = sign(root_plan(3).build().unwrap(), ROOT);
    let verdict = give(&mut verifier, &RoleName::Root, &by_old);
    assert_eq!(verdict, Err(Refusal::UnknownKey));
}

/// A rotation that only adds keys leaves everything in place (T-32).
#[test]
fn adding_a_key_keeps_documents_and_floors() {
    let mut verifier = holding(&Publication::new(3));
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[10, 12], 1);
    give(&mut verifier, &RoleName::Root, &signed(&plan, ROOT)).unwrap();
    assert_eq!(listed(&verifier), ["desktop/KB-3", "server/S-1"]);
    let older = Publication::new(2).timestamp;
    let verdict = give(&mut verifier, &RoleName::Timestamp, &older);
    assert_eq!(verdict, Err(Refusal::Rollback));
}

#[test]
fn an_anchor_is_signed_by_its_own_threshold() {
    for (seeds, expected) in [
        (&[1, 2][..], None),
        (&[1], Some(Refusal::BelowThreshold)),
        (&[], Some(Refusal::BelowThreshold)),
        (&[7, 8], Some(Refusal::UnknownKey)),
    ] {
        let anchor = sign(root_plan(1).build().unwrap(), seeds);
        assert_eq!(Verifier::new(&anchor, &[]).err(), expected, "{seeds:?}");
    }
    let one = Verifier::new(&root(1), &[]).unwrap();
    let fewer = Verifier::new(&sign(root_plan(1).build().unwrap(), &[2, 3]), &[]).unwrap();
    // The network's id is what the root says, not who happened to sign it.
    assert_eq!(one.mesh_id(), fewer.mesh_id());
    assert_ne!(
        one.mesh_id(),
        Verifier::new(&root(2), &[]).unwrap().mesh_id()
    );
    assert_eq!(key(1).public_key(), key(1).public_key());
}
