//! 10 `fast-forward`: the largest version is safe, a larger one refused, and a
//! rotation of the online keys repairs it. T-07, T-32.

use patchmesh_trust::canonical::Value;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;

use crate::kit::{
    NOW, Publication, ROOT, SNAPSHOT, TIMESTAMP, all_lines, edit, give, give_all, holding, keys,
    listed, object, restart, root, root_plan, sign, stored,
};

fn fast(version: &str) -> Vec<u8> {
    let newer = Publication::new(2).timestamp;
    let text = String::from_utf8(newer).unwrap();
    assert!(text.contains("\"version\":2}"));
    text.replacen("\"version\":2}", &format!("\"version\":{version}}}"), 1)
        .into_bytes()
}

#[test]
fn attack_fast_forward() {
    let mut verifier = holding(&Publication::new(1));
    let role = RoleName::Timestamp;
    for larger in [
        "9223372036854775808",
        "18446744073709551616",
        "1e30",
        "99999999999999999999",
    ] {
        let verdict = give(&mut verifier, &role, &fast(larger));
        assert_eq!(verdict, Err(Refusal::Malformed), "{larger}");
    }
    let largest = edit(&Publication::new(2).timestamp, TIMESTAMP, |signed| {
        signed.insert("version".to_owned(), Value::Integer(i64::MAX));
    });
    give(&mut verifier, &role, &largest).unwrap();
    assert_eq!(verifier.head().timestamp, i64::MAX as u64);
    // Stuck, as it must be, also after a restart.
    let (documents, floors) = stored(&verifier);
    let mut verifier = restart(&documents, Some(&floors));
    let honest = Publication::new(3);
    let verdict = give(&mut verifier, &role, &honest.timestamp);
    assert_eq!(verdict, Err(Refusal::Rollback));
    // The rotation repairs it, and only now.
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[12], 1);
    let rotated = sign(plan.build().unwrap(), ROOT);
    give(&mut verifier, &RoleName::Root, &rotated).unwrap();
    assert_eq!(verifier.head().timestamp, 0);
    let verdict = give(&mut verifier, &role, &largest);
    assert_eq!(verdict, Err(Refusal::UnknownKey));
    let mut honest = honest;
    honest.timestamp = edit(&honest.timestamp, &[12], |_| {});
    give_all(&mut verifier, &honest);
    assert_eq!(listed(&verifier), ["desktop/KB-3", "server/S-1"]);
}

/// T-32 after a crash: the root is durable, the floors are still the old ones.
#[test]
fn a_crash_during_the_repair_does_not_undo_it() {
    let largest = edit(&Publication::new(2).timestamp, TIMESTAMP, |signed| {
        signed.insert("version".to_owned(), Value::Integer(i64::MAX));
    });
    let mut verifier = holding(&Publication::new(1));
    give(&mut verifier, &RoleName::Timestamp, &largest).unwrap();
    let (mut documents, floors) = stored(&verifier);
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[12], 1);
    let rotated = sign(plan.build().unwrap(), ROOT);
    documents.insert(1, (RoleName::Root, rotated));
    documents.truncate(2);
    let mut verifier = restart(&documents, Some(&floors));
    let mut honest = Publication::new(3);
    honest.timestamp = edit(&honest.timestamp, &[12], |_| {});
    give_all(&mut verifier, &honest);
    assert_eq!(listed(&verifier), ["desktop/KB-3", "server/S-1"]);
}

/// T-32 across a restart: the store keeps the file of a timestamp that a
/// rotation of the snapshot key voided, and its own key still speaks.
#[test]
fn a_restart_after_the_repair_does_not_undo_it() {
    let newer = Publication::new(2);
    let everything = edit(&newer.snapshot, SNAPSHOT, |signed| {
        signed.insert("version".to_owned(), Value::Integer(i64::MAX));
        let pin = Value::object([("version", Value::Integer(i64::MAX))]);
        object(signed, &["meta"]).insert("targets.json".to_owned(), pin);
    });
    let mut theirs = newer.with_snapshot(2, everything);
    theirs.timestamp = edit(&theirs.timestamp, TIMESTAMP, |signed| {
        let pin = object(signed, &["meta", "snapshot.json"]);
        pin.insert("version".to_owned(), Value::Integer(i64::MAX));
    });
    let mut verifier = holding(&Publication::new(1));
    give(&mut verifier, &RoleName::Timestamp, &theirs.timestamp).unwrap();
    give(&mut verifier, &RoleName::Snapshot, &theirs.snapshot).unwrap();
    let (mut files, _) = stored(&verifier);
    let mut plan = root_plan(2);
    plan.snapshot = keys(&[13], 1);
    let rotated = sign(plan.build().unwrap(), ROOT);
    give(&mut verifier, &RoleName::Root, &rotated).unwrap();
    files.insert(1, (RoleName::Root, rotated));
    let honest = Publication::new(3);
    let snapshot = edit(&honest.snapshot, &[13], |_| {});
    let honest = honest.with_snapshot(3, snapshot);
    let mut verifier = restart_any(&files, &verifier.floors());
    give(&mut verifier, &RoleName::Timestamp, &honest.timestamp).unwrap();
    // Once more, before the new snapshot has come.
    files[2].1.clone_from(&honest.timestamp);
    let mut verifier = restart_any(&files, &verifier.floors());
    assert_eq!(verifier.head().timestamp, 3);
    let verdict = give(&mut verifier, &RoleName::Timestamp, &theirs.timestamp);
    assert_eq!(verdict, Err(Refusal::Rollback));
    give_all(&mut verifier, &honest);
    assert_eq!(listed(&verifier), ["desktop/KB-3", "server/S-1"]);
}

/// A restart with files of which some no longer stand.
fn restart_any(files: &[(RoleName, Vec<u8>)], floors: &[u8]) -> Verifier {
    let files = files.iter().map(|(role, bytes)| (role, bytes.as_slice()));
    let restored = Verifier::restore(&root(1), &all_lines(), files, Some(floors));
    restored.unwrap().0
}

/// A thief of the online keys names versions of everything, the root and the
/// snapshot itself included; the rotation repairs all of it.
#[test]
fn fast_forwarded_pins_of_every_role_are_repaired() {
    let newer = Publication::new(2);
    let everything = edit(&newer.snapshot, SNAPSHOT, |signed| {
        let meta = object(signed, &["meta"]);
        let names: Vec<_> = meta.keys().cloned().collect();
        let top = ["root.json", "timestamp.json", "snapshot.json", "junk.json"];
        for name in names.into_iter().chain(top.map(str::to_owned)) {
            let pin = Value::object([("version", Value::Integer(i64::MAX))]);
            meta.insert(name, pin);
        }
    });
    let theirs = newer.with_snapshot(2, everything);
    let mut verifier = holding(&Publication::new(1));
    give(&mut verifier, &RoleName::Timestamp, &theirs.timestamp).unwrap();
    give(&mut verifier, &RoleName::Snapshot, &theirs.snapshot).unwrap();
    let (documents, floors) = stored(&verifier);
    let mut verifier = restart(&documents, Some(&floors));
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[12], 1);
    plan.snapshot = keys(&[13], 1);
    let rotated = sign(plan.build().unwrap(), ROOT);
    give(&mut verifier, &RoleName::Root, &rotated).unwrap();
    let honest = Publication::new(3);
    let snapshot = edit(&honest.snapshot, &[13], |_| {});
    let mut honest = honest.with_snapshot(3, snapshot);
    honest.timestamp = edit(&honest.timestamp, &[12], |_| {});
    give_all(&mut verifier, &honest);
    assert_eq!(listed(&verifier), ["desktop/KB-3", "server/S-1"]);
}

/// The largest snapshot leaves floors that can be read again.
#[test]
fn the_largest_snapshot_survives_a_restart() {
    let newer = Publication::new(2);
    let with = |count: usize| {
        let long = "x".repeat(80);
        let wide = edit(&newer.snapshot, SNAPSHOT, |signed| {
            let meta = object(signed, &["meta"]);
            for number in meta.len()..count {
                let pin = Value::object([("version", Value::Integer(i64::MAX))]);
                meta.insert(format!("{long}{number}.json"), pin);
            }
        });
        newer.clone().with_snapshot(2, wide)
    };
    let mut verifier = holding(&Publication::new(1));
    let largest = with(4_096);
    give_all(&mut verifier, &largest);
    let (documents, floors) = stored(&verifier);
    assert_eq!(restart(&documents, Some(&floors)).floors(), floors);
    let larger = with(4_097);
    let mut verifier = holding(&Publication::new(1));
    give(&mut verifier, &RoleName::Timestamp, &larger.timestamp).unwrap();
    let verdict = give(&mut verifier, &RoleName::Snapshot, &larger.snapshot);
    assert_eq!(verdict, Err(Refusal::TooLarge));
}

/// T-35: a stolen timestamp key moves the time no further than the root's
/// expiry, and only as long as it speaks.
#[test]
fn a_time_far_ahead_is_bounded_and_dies_with_its_signer() {
    let far = edit(&Publication::new(2).timestamp, TIMESTAMP, |signed| {
        object(signed, &["patchmesh"]).insert("issued".to_owned(), Value::Integer(i64::MAX));
    });
    let mut verifier = holding(&Publication::new(1));
    assert_eq!(verifier.issued(), Some(NOW));
    give(&mut verifier, &RoleName::Timestamp, &far).unwrap();
    assert!(verifier.issued().unwrap() < NOW.plus_days(365));
    let (documents, floors) = stored(&verifier);
    let mut verifier = restart(&documents, Some(&floors));
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[12], 1);
    let rotated = sign(plan.build().unwrap(), ROOT);
    give(&mut verifier, &RoleName::Root, &rotated).unwrap();
    assert_eq!(verifier.issued(), None);
}

/// A version is also compared where it is pinned.
#[test]
fn a_fast_forwarded_snapshot_pin_is_a_floor_too() {
    let mut verifier = holding(&Publication::new(1));
    let ahead = edit(&Publication::new(2).timestamp, TIMESTAMP, |signed| {
        let pin = object(signed, &["meta", "snapshot.json"]);
        pin.insert("version".to_owned(), Value::Integer(50));
    });
    give(&mut verifier, &RoleName::Timestamp, &ahead).unwrap();
    let verdict = give(
        &mut verifier,
        &RoleName::Timestamp,
        &Publication::new(3).timestamp,
    );
    assert_eq!(verdict, Err(Refusal::Rollback));
    assert_eq!(verifier.wants()[0].version, Some(50));
    assert_eq!(listed(&verifier).len(), 2);
    assert!(verifier.expires(NOW).is_some());
}
