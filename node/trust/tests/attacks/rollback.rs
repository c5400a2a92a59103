//! 08 `rollback`: nothing older comes back, neither after a restart nor after
//! the documents are lost. T-22, T-30, T-31.

use patchmesh_trust::canonical::Value;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{TrustState, Verifier};

use crate::kit::{
    NOW, Publication, ROOT, SNAPSHOT, TIMESTAMP, all_lines, edit, give, give_all, holding, keys,
    line, listed, listed_at, object, restart, root, root_plan, sign, stored,
};

#[test]
fn attack_rollback() {
    let mut verifier = holding(&Publication::new(2));
    let old = Publication::new(1);
    for (role, bytes) in old.documents() {
        assert_eq!(
            give(&mut verifier, &role, &bytes),
            Err(Refusal::Rollback),
            "{role}"
        );
    }
    assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
}

#[test]
fn attack_rollback_after_restart() {
    let (documents, floors) = stored(&holding(&Publication::new(2)));
    let mut verifier = restart(&documents, Some(&floors));
    assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
    assert_eq!(verifier.floors(), floors);
    for (role, bytes) in Publication::new(1).documents() {
        assert_eq!(
            give(&mut verifier, &role, &bytes),
            Err(Refusal::Rollback),
            "{role}"
        );
    }
}

/// T-31: deleting the metadata files does not lower the floor.
#[test]
fn attack_rollback_after_deletion() {
    let (documents, floors) = stored(&holding(&Publication::new(2)));
    for kept in 0..documents.len() {
        let mut verifier = restart(&documents[..kept], Some(&floors));
        let old = Publication::new(1);
        let verdict = give(&mut verifier, &RoleName::Timestamp, &old.timestamp);
        assert_eq!(verdict, Err(Refusal::Rollback), "{kept} kept");
        for (role, bytes) in Publication::new(2).documents() {
            assert_eq!(
                give(&mut verifier, &role, &bytes),
                Ok(()),
                "{kept} kept: {role}"
            );
        }
        assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
    }
}

/// Old files put in the place of new ones are found out by the floors.
#[test]
fn replaced_files_are_let_go_of() {
    let (_, floors) = stored(&holding(&Publication::new(2)));
    let (old, _) = stored(&holding(&Publication::new(1)));
    let mut verifier = restart(&old, Some(&floors));
    assert_eq!(verifier.head().timestamp, 0);
    assert_eq!(verifier.head().snapshot, 0);
    assert_eq!(listed(&verifier), Vec::<String>::new());
    assert_eq!(verifier.state(NOW), TrustState::Bootstrapped);
    give_all(&mut verifier, &Publication::new(2));
    assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
}

/// A root that was seen is not forgotten with its file, else its rotation of a
/// stolen key would be undone.
#[test]
fn a_lost_root_is_missed() {
    let mut verifier = holding(&Publication::new(2));
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[12], 1);
    let rotated = sign(plan.build().unwrap(), ROOT);
    give(&mut verifier, &RoleName::Root, &rotated).unwrap();
    let (_, floors) = stored(&verifier);
    let mut verifier = restart(&[], Some(&floors));
    let by_old_key = Publication::new(3).timestamp;
    let verdict = give(&mut verifier, &RoleName::Timestamp, &by_old_key);
    assert_eq!(verdict, Err(Refusal::Pending));
    give(&mut verifier, &RoleName::Root, &rotated).unwrap();
    let verdict = give(&mut verifier, &RoleName::Timestamp, &by_old_key);
    assert_eq!(verdict, Err(Refusal::UnknownKey));
}

/// T-34: every prefix of a commit sequence is a state that loads, and none of
/// them lowers a floor.
#[test]
fn every_crash_point_of_an_update_restores() {
    let (mut documents, mut floors) = stored(&holding(&Publication::new(1)));
    let mut verifier = restart(&documents, Some(&floors));
    for (role, bytes) in Publication::new(2).documents() {
        give(&mut verifier, &role, &bytes).unwrap();
        let slot = documents
            .iter_mut()
            .find(|(held, _)| *held == role)
            .unwrap();
        slot.1 = bytes;
        // Crash between the document and the floors, then after both.
        for floors in [&floors, &verifier.floors()] {
            let mut restored = restart(&documents, Some(floors));
            let names = listed(&restored);
            assert_eq!(names.len(), 2, "after {role}: {names:?}");
            assert_eq!(restored.wants(), verifier.wants(), "after {role}");
            let old = Publication::new(1).timestamp;
            let verdict = give(&mut restored, &RoleName::Timestamp, &old);
            assert_eq!(verdict, Err(Refusal::Rollback), "after {role}");
        }
        floors = verifier.floors();
    }
    assert_eq!(
        listed(&restart(&documents, Some(&floors))),
        ["desktop/KB-2", "server/S-1"]
    );
}

/// T-22: expired files load, list nothing, and do not stand in the way.
#[test]
fn expired_local_files_do_not_block() {
    let (documents, floors) = stored(&holding(&Publication::new(1)));
    let later = NOW.plus_days(300);
    let mut verifier = restart(&documents, Some(&floors));
    assert_eq!(listed_at(&verifier, later), Vec::<String>::new());
    assert!(matches!(verifier.state(later), TrustState::Stale { .. }));
    // From outside, the same bytes are no news and others of the past expired.
    let newer = Publication::new(2).timestamp;
    let verdict = verifier.admit(&RoleName::Timestamp, &newer, later);
    assert_eq!(verdict.unwrap_err(), Refusal::Expired);
    let fresh = edit(&newer, TIMESTAMP, |signed| {
        signed.insert("expires".to_owned(), Value::text("2090-01-01T00:00:00Z"));
    });
    let admission = verifier.admit(&RoleName::Timestamp, &fresh, later).unwrap();
    assert_eq!(verifier.apply(admission).len(), 1);
    assert_eq!(verifier.wants()[0].role, RoleName::Snapshot);
}

/// A stored document is still checked against the keys of its delegator.
#[test]
fn stored_files_of_others_are_refused() {
    let forged = edit(&Publication::new(1).timestamp, &[99], |_| {});
    let documents = [(RoleName::Timestamp, forged)];
    let documents = documents
        .iter()
        .map(|(role, bytes)| (role, bytes.as_slice()));
    let (verifier, refused) = Verifier::restore(&root(1), &all_lines(), documents, None).unwrap();
    assert_eq!(refused, [(RoleName::Timestamp, Refusal::UnknownKey)]);
    assert_eq!(verifier.head().timestamp, 0);
}

#[test]
fn damaged_floors_are_refused() {
    let (_, floors) = stored(&holding(&Publication::new(1)));
    for damaged in [&floors[1..], &floors[..floors.len() - 1], b"", b"{}"] {
        let restored = Verifier::restore(&root(1), &[], [], Some(damaged));
        assert!(restored.is_err());
    }
}

/// CVE-2022-29173, CVE-2025-2887; T-19: no role sinks, none vanishes.
#[test]
fn cve_2022_29173_rollback() {
    let newer = Publication::new(2);
    let sunk = edit(&newer.snapshot, SNAPSHOT, |signed| {
        signed.insert("version".to_owned(), Value::Integer(3));
        let pin = object(signed, &["meta", "release/desktop.json"]);
        pin.insert("version".to_owned(), Value::Integer(1));
    });
    let vanished = edit(&newer.snapshot, SNAPSHOT, |signed| {
        signed.insert("version".to_owned(), Value::Integer(3));
        object(signed, &["meta"]).remove("release/server.json");
    });
    for snapshot in [sunk, vanished] {
        let theirs = newer.clone().with_snapshot(3, snapshot);
        let mut verifier = holding(&newer);
        give(&mut verifier, &RoleName::Timestamp, &theirs.timestamp).unwrap();
        let verdict = give(&mut verifier, &RoleName::Snapshot, &theirs.snapshot);
        assert_eq!(verdict, Err(Refusal::Rollback));
        assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
    }
}

/// CVE-2025-2887: a delegated role's own version counts, not only the pin's.
#[test]
fn cve_2025_2887_delegated_rollback() {
    let (one, two) = (Publication::new(1), Publication::new(2));
    let mut verifier = holding(&two);
    let lying = Publication::of(
        3,
        two.targets.clone(),
        one.desktop.clone(),
        two.server.clone(),
    );
    let snapshot = edit(&lying.snapshot, SNAPSHOT, |signed| {
        let pin = object(signed, &["meta", "release/desktop.json"]);
        pin.insert("version".to_owned(), Value::Integer(3));
    });
    let lying = lying.with_snapshot(3, snapshot);
    for (role, bytes) in &lying.documents()[..3] {
        give(&mut verifier, role, bytes).unwrap();
    }
    let verdict = give(&mut verifier, &line("desktop"), &lying.desktop);
    assert_eq!(verdict, Err(Refusal::Rollback));
}

/// CVE-2025-2888; T-18: a refused timestamp leaves no trace.
#[test]
fn cve_2025_2888_rejected_timestamp_cached() {
    let mut verifier = holding(&Publication::new(2));
    let before = stored(&verifier);
    let lower = edit(&Publication::new(1).timestamp, TIMESTAMP, |signed| {
        signed.insert("version".to_owned(), Value::Integer(9));
    });
    let expired = edit(&Publication::new(3).timestamp, TIMESTAMP, |signed| {
        signed.insert("expires".to_owned(), Value::text("2020-01-01T00:00:00Z"));
    });
    for (bytes, refusal) in [(lower, Refusal::Rollback), (expired, Refusal::Expired)] {
        let verdict = give(&mut verifier, &RoleName::Timestamp, &bytes);
        assert_eq!(verdict, Err(refusal));
    }
    assert_eq!(stored(&verifier), before);
}
