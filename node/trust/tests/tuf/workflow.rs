//! The top-level workflow, to the letter of the specification where a mesh
//! goes its own way.

use patchmesh_trust::canonical::{Object, Value};
use patchmesh_trust::key::sha256;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::lookup::LookUp;
use patchmesh_trust::state::{TrustState, Verifier};
use patchmesh_trust::time::UtcTime;

use crate::kit::{
    Files, NOW, TOP, client, current, delegations, document, expiring, find, give, hex,
    key_objects, pin, refresh, role_keys, root, target, targets, text, to,
};

fn plain(version: u64, paths: &[&str]) -> Files {
    let top = targets(paths, delegations(&[]), version, &[4]);
    Files::publish(version, &[("targets", top)])
}

#[test]
fn of_two_timestamps_of_one_version_the_first_is_kept() {
    let files = plain(1, &[]);
    let mut verifier = current(&files);
    let meta = Value::object([("snapshot.json", pin(100))]);
    let other = document("timestamp", 1, &[("meta", meta)], &[2]);
    // T-18, T-44: no failure, and nothing of the second is believed.
    assert_eq!(give(&mut verifier, &RoleName::Timestamp, &other), Ok(()));
    let held = verifier.document(&RoleName::Timestamp, None).unwrap();
    assert_eq!(*held, *files.0["timestamp"]);
    assert_eq!(verifier.wants(), []);
    // Without the document the floor alone refuses it.
    let mut after = client();
    assert_eq!(after.take_stored([], Some(&verifier.floors())), Ok(vec![]));
    assert_eq!(
        give(&mut after, &RoleName::Timestamp, &other),
        Err(Refusal::Contradiction)
    );
}

#[test]
fn the_time_of_an_update_is_one_and_all_above_must_be_fresh() {
    let files = plain(1, &["x"]);
    let meta = Value::object([("snapshot.json", pin(1))]);
    let soon = NOW.plus_days(1);
    let timestamp = expiring("timestamp", 1, soon, &[("meta", meta)], &[2]);
    let mut verifier = client();
    assert_eq!(
        give(&mut verifier, &RoleName::Timestamp, &timestamp),
        Ok(())
    );
    let snapshot = &files.0["snapshot"];
    let at = |verifier: &Verifier, utc| {
        let admitted = verifier.admit(&RoleName::Snapshot, snapshot, utc);
        admitted.map(|admission| admission.is_new())
    };
    // T-16: the time is an argument; the last second before the expiry is good.
    assert_eq!(at(&verifier, UtcTime(soon.0 - 1)), Ok(true));
    assert_eq!(at(&verifier, soon), Err(Refusal::Expired));
    assert_eq!(give(&mut verifier, &RoleName::Snapshot, snapshot), Ok(()));
    assert_eq!(
        give(&mut verifier, &RoleName::Targets, &files.0["targets"]),
        Ok(())
    );
    assert!(matches!(verifier.look_up("x", NOW), Ok(LookUp::Found(_))));
    assert_eq!(verifier.look_up("x", soon).unwrap_err(), Refusal::Expired);
    assert_eq!(verifier.state(soon), TrustState::Stale { since: soon });
}

#[test]
fn a_fast_forward_is_undone_by_rotating_the_key_that_did_it() {
    let far = plain(100, &[]);
    let near = plain(1, &["x"]);
    let mut verifier = current(&far);
    assert_eq!(
        give(&mut verifier, &RoleName::Timestamp, &near.0["timestamp"]),
        Err(Refusal::Rollback)
    );
    // A new key beside the old one voids nothing (T-32).
    let keys = [
        ("root", 1),
        ("timestamp", 2),
        ("snapshot", 3),
        ("targets", 5),
    ];
    let second = root(2, &keys, true, &[1]);
    assert_eq!(give(&mut verifier, &RoleName::Root, &second), Ok(()));
    assert_eq!(
        give(&mut verifier, &RoleName::Timestamp, &near.0["timestamp"]),
        Err(Refusal::Rollback)
    );
    let keys = [
        ("root", 1),
        ("timestamp", 22),
        ("snapshot", 3),
        ("targets", 4),
    ];
    let third = root(3, &keys, true, &[1]);
    assert_eq!(give(&mut verifier, &RoleName::Root, &third), Ok(()));
    let meta = Value::object([("snapshot.json", pin(1))]);
    let timestamp = document("timestamp", 1, &[("meta", meta)], &[22]);
    let mut files = near.clone();
    files.0.insert("timestamp".to_owned(), timestamp);
    assert_eq!(refresh(&mut verifier, &files), Ok(()));
    assert_eq!(find(&mut verifier, &files, "x").0, Ok(true));
    assert_eq!(verifier.version(&RoleName::Targets), 1);
}

#[test]
fn a_role_may_not_vanish_from_the_snapshot_until_its_key_is_rotated() {
    let top = |version| targets(&[], delegations(&[to("A", 10)]), version, &[4]);
    let a = targets(&[], delegations(&[]), 1, &[10]);
    let first = Files::publish(1, &[("targets", top(1)), ("A", a)]);
    let mut verifier = current(&first);
    let second = Files::publish(2, &[("targets", top(2))]);
    assert_eq!(
        refresh(&mut verifier, &second),
        Err(Refusal::Rollback),
        "T-19"
    );
    let keys = [
        ("root", 1),
        ("timestamp", 2),
        ("snapshot", 33),
        ("targets", 4),
    ];
    assert_eq!(
        give(&mut verifier, &RoleName::Root, &root(2, &keys, true, &[1])),
        Ok(())
    );
    let meta = Value::object([("targets.json", pin(2))]);
    let mut third = second.clone();
    let snapshot = document("snapshot", 2, &[("meta", meta)], &[33]);
    third.0.insert("snapshot".to_owned(), snapshot);
    assert_eq!(refresh(&mut verifier, &third), Ok(()));
}

#[test]
fn sha512_counts_alone_and_beside_sha256_and_unknown_hashes_fit_nothing() {
    let sha512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                  2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    let sha256 = hex(&sha256(b"abc"));
    let entry = |hashes: &[(&str, &str)]| {
        let hashes = hashes
            .iter()
            .map(|(name, hash)| ((*name).to_owned(), text(*hash)));
        Value::object([
            ("length", Value::Integer(3)),
            ("hashes", Value::Object(hashes.collect())),
        ])
    };
    let zeros = "0".repeat(64);
    let entries = [
        ("256", entry(&[("sha256", &sha256)]), true),
        ("512", entry(&[("sha512", sha512)]), true),
        (
            "both",
            entry(&[("sha256", &sha256), ("sha512", sha512)]),
            true,
        ),
        (
            "one bad",
            entry(&[("sha256", &zeros), ("sha512", sha512)]),
            false,
        ),
        (
            "and unknown",
            entry(&[("sha256", &sha256), ("md9", "00")]),
            true,
        ),
        ("unknown", entry(&[("md9", "00")]), false),
    ];
    let object = entries
        .iter()
        .map(|(name, entry, _)| ((*name).to_owned(), entry.clone()));
    let top = document(
        "targets",
        1,
        &[("targets", Value::Object(object.collect()))],
        &[4],
    );
    let verifier = current(&Files::publish(1, &[("targets", top)]));
    for (name, _, fits) in entries {
        let LookUp::Found(found) = verifier.look_up(name, NOW).unwrap() else {
            panic!("{name} is listed");
        };
        let mut check = found.check();
        check.update(b"a").unwrap();
        check.update(b"bc").unwrap();
        assert_eq!(check.clone().finish().is_ok(), fits, "{name}");
        assert_eq!(
            check.update(b"d"),
            Err(Refusal::TooLarge),
            "T-23: the first byte beyond"
        );
        let short = found.check();
        assert_eq!(short.finish(), Err(Refusal::HashMismatch));
    }
}

#[test]
fn a_pinned_hash_binds_the_bytes_of_a_document() {
    let files = plain(1, &["x"]);
    let bytes = &files.0["targets"];
    let pinned = |hash: String, len: usize| {
        let hashes = Value::object([("sha512", text(hash))]);
        let pin = Value::object([
            ("version", Value::Integer(1)),
            ("length", Value::number(len as u64)),
            ("hashes", hashes),
        ]);
        let meta = Value::object([("targets.json", pin)]);
        let mut files = files.clone();
        let snapshot = document("snapshot", 1, &[("meta", meta)], &[3]);
        files.0.insert("snapshot".to_owned(), snapshot);
        refresh(&mut client(), &files)
    };
    let zeros = "00".repeat(64);
    assert_eq!(
        pinned(zeros.clone(), bytes.len()),
        Err(Refusal::HashMismatch)
    );
    assert_eq!(
        pinned(zeros, bytes.len() - 1),
        Err(Refusal::TooLarge),
        "T-13"
    );
    assert_eq!(
        pinned("00".to_owned(), bytes.len()),
        Err(Refusal::Malformed)
    );
}

#[test]
fn unknown_fields_are_signed_and_kept_and_the_bytes_stay_as_they_came() {
    let top = targets(&["x"], delegations(&[]), 1, &[4]);
    let mut spaced = top.clone();
    spaced.extend_from_slice(b" \n");
    let own = Value::object([("anything", Value::List(vec![Value::Null, text("\u{e9}")]))]);
    let meta = Value::object([("snapshot.json", pin(1))]);
    let members = [("meta", meta), ("x-unknown", own)];
    let timestamp = document("timestamp", 1, &members, &[2]);
    let mut files = Files::publish(1, &[("targets", top)]);
    files.0.insert("timestamp".to_owned(), timestamp.clone());
    files.0.insert("targets".to_owned(), spaced.clone());
    let verifier = current(&files);
    let held = |role| verifier.document(role, None).unwrap().to_vec();
    assert_eq!(held(&RoleName::Timestamp), timestamp, "T-09");
    assert_eq!(held(&RoleName::Targets), spaced, "T-09");
    // The unknown field is under the signature: without it nothing verifies.
    let without = String::from_utf8(timestamp).unwrap();
    let without = without.replace("x-unknown", "y-unknown");
    let refused = give(&mut client(), &RoleName::Timestamp, without.as_bytes());
    assert_eq!(refused, Err(Refusal::BadSignature));
}

#[test]
fn a_key_that_cannot_be_read_never_counts_and_takes_nothing_from_others() {
    let mut keys = key_objects(&[1, 2, 3, 4]);
    let weak = Value::object([
        ("keytype", text("ed25519")),
        ("scheme", text("ed25519")),
        ("keyval", Value::object([("public", text("00".repeat(32)))])),
    ]);
    keys.insert("weak".to_owned(), weak);
    let mut roles = Object::new();
    for (name, seed) in TOP {
        let Value::List(mut ids) = role_keys(&[seed], 1)["keyids"].clone() else {
            panic!("key ids are a list");
        };
        ids.push(text("weak"));
        let threshold = ("threshold".to_owned(), Value::Integer(1));
        let role = Object::from([("keyids".to_owned(), Value::List(ids)), threshold]);
        roles.insert(name.to_owned(), Value::Object(role));
    }
    let members = [
        ("consistent_snapshot", Value::Bool(false)),
        ("keys", Value::Object(keys)),
        ("roles", Value::Object(roles)),
    ];
    let anchor = document("root", 1, &members, &[1]);
    assert!(Verifier::new(&anchor, &[]).is_err(), "a mesh refuses it");
    let mut verifier = Verifier::foreign(&anchor).unwrap();
    assert!(!verifier.consistent_snapshot());
    assert_eq!(refresh(&mut verifier, &plain(1, &["x"])), Ok(()));
    // A signature of all zeros fits a weak key and every message elsewhere.
    let meta = Value::object([("snapshot.json", pin(2))]);
    let unsigned = document("timestamp", 2, &[("meta", meta)], &[]);
    let unsigned = String::from_utf8(unsigned).unwrap();
    let forged = format!(r#"[{{"keyid":"weak","sig":"{}"}}]"#, "00".repeat(64));
    let forged = unsigned.replace("[]", &forged);
    assert_eq!(
        give(&mut verifier, &RoleName::Timestamp, forged.as_bytes()),
        Err(Refusal::UnknownKey)
    );
}

#[test]
fn a_delegated_role_never_takes_the_name_of_a_top_role() {
    for name in ["root", "timestamp", "snapshot", "targets"] {
        let top = targets(&[], delegations(&[to(name, 10)]), 1, &[4]);
        let files = Files::publish(1, &[("targets", top)]);
        assert_eq!(
            refresh(&mut client(), &files),
            Err(Refusal::Malformed),
            "{name}"
        );
    }
    let role = RoleName::Delegated("A".to_owned());
    let verifier = current(&plain(1, &[]));
    let refused = verifier.admit(&role, &plain(1, &[]).0["targets"], NOW);
    assert_eq!(
        refused.unwrap_err(),
        Refusal::NotDelegated,
        "only a look-up admits one"
    );
}

#[test]
fn a_target_without_delegations_needs_no_delegations_member() {
    let entries = Object::from([("x".to_owned(), target(b"x"))]);
    let top = document("targets", 1, &[("targets", Value::Object(entries))], &[4]);
    let files = Files::publish(1, &[("targets", top)]);
    assert_eq!(find(&mut current(&files), &files, "x").0, Ok(true));
    assert_eq!(find(&mut current(&files), &files, "y"), (Ok(false), vec![]));
    assert_eq!(client().look_up("x", NOW).unwrap_err(), Refusal::Pending);
}
