//! Who may sign what: thresholds, key ids, stolen keys (01 to 06).

use patchmesh_trust::canonical::{Object, Value, parse};
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;

use crate::kit::{
    DESKTOP, NOW, Publication, ROOT, SERVER, SNAPSHOT, TARGETS, TIMESTAMP, edit, envelope, give,
    give_all, holding, key, keys, line, listed, object, public, root, root_plan, sign, signed_part,
    statement, targets_plan, verifier,
};

fn refused(role: &RoleName, bytes: &[u8]) -> Option<Refusal> {
    holding(&Publication::new(1)).admit(role, bytes, NOW).err()
}

#[test]
fn attack_unknown_key() {
    let newer = Publication::new(2);
    let forged = edit(&newer.timestamp, &[99], |_| {});
    let role = RoleName::Timestamp;
    assert_eq!(refused(&role, &forged), Some(Refusal::UnknownKey));
    let unsigned = edit(&newer.timestamp, &[], |_| {});
    assert_eq!(refused(&role, &unsigned), Some(Refusal::BelowThreshold));
    // Another role's key speaks for its own role only.
    let by_snapshot = edit(&newer.timestamp, SNAPSHOT, |_| {});
    assert_eq!(refused(&role, &by_snapshot), Some(Refusal::UnknownKey));
    // The right key id over another key's signature.
    let message = signed_part(&newer.timestamp).canonical();
    let claimed = (key(10).public_key().key_id(), key(99).sign(&message));
    let forged = envelope(&signed_part(&newer.timestamp), [claimed]);
    assert_eq!(refused(&role, &forged), Some(Refusal::BadSignature));
}

/// Targets that need two signatures, in a chain whose root lists one key under
/// two ids.
#[test]
fn attack_threshold_minus_one_one_key_under_two_ids() {
    let twice = edit(&root(1), ROOT, |signed| {
        let own = key(20).public_key();
        let object_of_key = parse(&own.to_json()).unwrap();
        object(signed, &["keys"]).insert("another-name".to_owned(), object_of_key);
        let ids = ["another-name".to_owned(), own.key_id()].map(Value::Text);
        object(signed, &["roles", "targets"]).insert("keyids".to_owned(), Value::List(ids.into()));
    });
    let mut verifier = patchmesh_trust::state::Verifier::new(&twice, &[]).unwrap();
    let publication = Publication::new(1);
    for (role, bytes) in &publication.documents()[..2] {
        give(&mut verifier, role, bytes).unwrap();
    }
    let signed = signed_part(&publication.targets);
    let signature = key(20).sign(&signed.canonical());
    let names = ["another-name".to_owned(), key(20).public_key().key_id()];
    let forged = envelope(&signed, names.map(|name| (name, signature.clone())));
    // The pinned hash would refuse it as well; the threshold does so first.
    let longer = verifier
        .admit(&RoleName::Targets, &forged, NOW)
        .unwrap_err();
    assert_eq!(longer, Refusal::BelowThreshold);
}

#[test]
fn attack_threshold_minus_one_one_signature_twice() {
    let signed = signed_part(&root(2));
    let key = key(1);
    let once = (key.public_key().key_id(), key.sign(&signed.canonical()));
    let forged = envelope(&signed, [once.clone(), once.clone()]);
    assert_eq!(refused(&RoleName::Root, &forged), Some(Refusal::Malformed));
    let single = envelope(&signed, [once]);
    assert_eq!(
        refused(&RoleName::Root, &single),
        Some(Refusal::BelowThreshold)
    );
}

/// T-10: junk beside enough good signatures harms nobody.
#[test]
fn a_garbage_extra_signature_does_not_matter() {
    let signed = signed_part(&root(2));
    let mut signatures: Vec<_> = ROOT[..2]
        .iter()
        .map(|&seed| {
            (
                key(seed).public_key().key_id(),
                key(seed).sign(&signed.canonical()),
            )
        })
        .collect();
    signatures.push(("nobody".to_owned(), vec![1, 2, 3]));
    signatures.push((key(3).public_key().key_id(), vec![7; 64]));
    let bytes = envelope(&signed, signatures);
    let text = String::from_utf8(bytes).unwrap();
    let odd = text.replace("010203", "not hexadecimal");
    assert_eq!(refused(&RoleName::Root, odd.as_bytes()), None);
}

/// CVE-2026-23992; T-11.
#[test]
fn attack_threshold_zero() {
    for threshold in [
        "0",
        "-1",
        "18446744073709551616",
        "1.0",
        "\"1\"",
        "true",
        "null",
    ] {
        let targets = sign(targets_plan(2).build().unwrap(), TARGETS);
        let text = String::from_utf8(signed_part(&targets).canonical()).unwrap();
        let changed = text.replacen("\"threshold\":2", &format!("\"threshold\":{threshold}"), 1);
        assert_ne!(text, changed);
        // Signed as the raw text, in case a lax parser takes it.
        let signatures = TARGETS.iter().map(|&seed| {
            let key = key(seed);
            let signature = key.sign(changed.as_bytes());
            let hex = signature.iter().map(|byte| format!("{byte:02x}"));
            let hex = hex.collect::<String>();
            format!(
                r#"{{"keyid":"{}","sig":"{hex}"}}"#,
                key.public_key().key_id()
            )
        });
        let signatures = signatures.collect::<Vec<_>>().join(",");
        let forged = format!(r#"{{"signatures":[{signatures}],"signed":{changed}}}"#);
        let newer = Publication::new(2);
        let mut verifier = holding(&Publication::new(1));
        let snapshot = edit(&newer.snapshot, SNAPSHOT, |signed| {
            let pin = object(signed, &["meta", "targets.json"]);
            pin.remove("hashes");
            pin.remove("length");
        });
        let newer = newer.with_snapshot(2, snapshot);
        give(&mut verifier, &RoleName::Timestamp, &newer.timestamp).unwrap();
        give(&mut verifier, &RoleName::Snapshot, &newer.snapshot).unwrap();
        let verdict = verifier.admit(&RoleName::Targets, forged.as_bytes(), NOW);
        assert_eq!(verdict.unwrap_err(), Refusal::Malformed, "{threshold}");
    }
}

#[test]
fn a_threshold_above_the_keys_is_never_met() {
    let unreachable = edit(&root(1), ROOT, |signed| {
        let timestamp = object(signed, &["roles", "timestamp"]);
        timestamp.insert("threshold".to_owned(), Value::Integer(2));
    });
    let verifier = patchmesh_trust::state::Verifier::new(&unreachable, &[]).unwrap();
    let timestamp = Publication::new(1).timestamp;
    let verdict = verifier.admit(&RoleName::Timestamp, &timestamp, NOW);
    assert_eq!(verdict.unwrap_err(), Refusal::BelowThreshold);
}

#[test]
fn attack_stolen_timestamp() {
    let mut verifier = holding(&Publication::new(1));
    let newer = Publication::new(2);
    // The thief names a snapshot of its own, signed with the stolen key.
    let snapshot = edit(&newer.snapshot, TIMESTAMP, |_| {});
    let theirs = newer.with_snapshot(2, snapshot);
    give(&mut verifier, &RoleName::Timestamp, &theirs.timestamp).unwrap();
    let verdict = give(&mut verifier, &RoleName::Snapshot, &theirs.snapshot);
    assert_eq!(verdict, Err(Refusal::UnknownKey));
    assert_eq!(listed(&verifier), ["desktop/KB-1", "server/S-1"]);
    // New online keys: the node recovers though the thief went ahead.
    let mut plan = root_plan(2);
    plan.timestamp = keys(&[12], 1);
    let rotated = sign(plan.build().unwrap(), ROOT);
    give(&mut verifier, &RoleName::Root, &rotated).unwrap();
    let mut honest = Publication::new(2);
    honest.timestamp = edit(&honest.timestamp, &[12], |_| {});
    give_all(&mut verifier, &honest);
    assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
}

/// T-19, T-20: both online keys name only what the offline keys signed, and
/// nothing older than what was seen.
#[test]
fn attack_stolen_online_keys() {
    let (one, two) = (Publication::new(1), Publication::new(2));
    let mut verifier = holding(&two);
    // Older role versions under a newer snapshot.
    let older = Publication::of(
        3,
        two.targets.clone(),
        one.desktop.clone(),
        two.server.clone(),
    );
    give(&mut verifier, &RoleName::Timestamp, &older.timestamp).unwrap();
    let verdict = give(&mut verifier, &RoleName::Snapshot, &older.snapshot);
    assert_eq!(verdict, Err(Refusal::Rollback));
    // A statement signed by the thief under a snapshot of its own.
    let forged = edit(&two.desktop, &[10, 11], |signed| {
        signed.insert("version".to_owned(), Value::Integer(3));
    });
    let theirs = Publication::of(4, two.targets.clone(), forged, two.server.clone());
    give(&mut verifier, &RoleName::Timestamp, &theirs.timestamp).unwrap();
    give(&mut verifier, &RoleName::Snapshot, &theirs.snapshot).unwrap();
    give(&mut verifier, &RoleName::Targets, &theirs.targets).unwrap();
    let verdict = give(&mut verifier, &line("desktop"), &theirs.desktop);
    assert_eq!(verdict, Err(Refusal::UnknownKey));
    assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
}

/// T-21: the keys of one line list releases of that line only; the others stay.
#[test]
fn attack_stolen_line() {
    let foreign = edit(
        &sign(statement("desktop", 1, &["KB-1"]), DESKTOP),
        DESKTOP,
        |signed| {
            let targets = object(signed, &["targets"]);
            let entry = targets["release/desktop/KB-1"].clone();
            for path in [
                "release/server/EVIL",
                "release/desktop/a/b",
                "release/desktop",
                "release/desktop/",
                "release/desktop/../server/EVIL",
                "rollout/policy",
                "EVIL",
            ] {
                targets.insert(path.to_owned(), entry.clone());
            }
        },
    );
    let verifier = holding(&Publication::of(
        1,
        sign(targets_plan(1).build().unwrap(), TARGETS),
        foreign,
        sign(statement("server", 1, &["S-1"]), SERVER),
    ));
    assert_eq!(listed(&verifier), ["desktop/KB-1", "server/S-1"]);
}

/// tough, python-tuf: `foreign_key_id`. Ids are names, not hashes.
#[test]
fn foreign_key_id() {
    let renamed = edit(&root(1), ROOT, |signed| {
        let own = key(10).public_key();
        let value = parse(&own.to_json()).unwrap();
        object(signed, &["keys"]).insert("any name".to_owned(), value);
        let ids = Value::List(vec![Value::text("any name")]);
        object(signed, &["roles", "timestamp"]).insert("keyids".to_owned(), ids);
    });
    let verifier = patchmesh_trust::state::Verifier::new(&renamed, &[]).unwrap();
    let signed = signed_part(&Publication::new(1).timestamp);
    let signature = key(10).sign(&signed.canonical());
    let bytes = envelope(&signed, [("any name".to_owned(), signature)]);
    assert!(verifier.admit(&RoleName::Timestamp, &bytes, NOW).is_ok());
}

/// T-20: a statement that is held loses its place when its keys do.
#[test]
fn cached_role_new_delegator() {
    let mut verifier = holding(&Publication::new(1));
    let mut plan = targets_plan(2);
    plan.lines[0].keys = keys(&[50, 51], 2);
    let publication = Publication::of(
        2,
        sign(plan.build().unwrap(), TARGETS),
        sign(statement("desktop", 1, &["KB-1"]), DESKTOP),
        sign(statement("server", 1, &["S-1"]), SERVER),
    );
    for (role, bytes) in &publication.documents()[..3] {
        give(&mut verifier, role, bytes).unwrap();
    }
    assert_eq!(listed(&verifier), ["server/S-1"]);
    let verdict = give(&mut verifier, &line("desktop"), &publication.desktop);
    assert_eq!(verdict, Err(Refusal::UnknownKey));
}

/// The same for the top targets when a root takes their keys away.
#[test]
fn cached_targets_new_root() {
    let mut verifier = holding(&Publication::new(1));
    let mut plan = root_plan(2);
    plan.targets = keys(&[22, 23], 2);
    give(
        &mut verifier,
        &RoleName::Root,
        &sign(plan.build().unwrap(), ROOT),
    )
    .unwrap();
    assert_eq!(listed(&verifier), Vec::<String>::new());
    assert_eq!(verifier.wants()[0].role, RoleName::Targets);
    let verdict = give(
        &mut verifier,
        &RoleName::Targets,
        &Publication::new(1).targets,
    );
    assert_eq!(verdict, Err(Refusal::UnknownKey));
}

/// Unknown kinds of keys leave the document usable and never count.
#[test]
fn an_unknown_kind_of_key_never_counts() {
    let odd = edit(&root(1), ROOT, |signed| {
        let mut unknown: Object = [("keytype", "sphincs"), ("scheme", "sphincs-128")]
            .map(|(name, value)| (name.to_owned(), Value::text(value)))
            .into();
        unknown.insert(
            "keyval".to_owned(),
            Value::object([("public", Value::text("00"))]),
        );
        object(signed, &["keys"]).insert("odd".to_owned(), Value::Object(unknown));
        let ids = Value::List(vec![
            Value::text("odd"),
            Value::text(key(10).public_key().key_id()),
        ]);
        object(signed, &["roles", "timestamp"]).insert("keyids".to_owned(), ids);
    });
    let verifier = patchmesh_trust::state::Verifier::new(&odd, &[]).unwrap();
    let good = Publication::new(1).timestamp;
    assert!(verifier.admit(&RoleName::Timestamp, &good, NOW).is_ok());
    let signed = signed_part(&good);
    let forged = envelope(&signed, [("odd".to_owned(), Vec::new())]);
    let verdict = verifier.admit(&RoleName::Timestamp, &forged, NOW);
    assert_eq!(verdict.unwrap_err(), Refusal::UnknownKey);
}

/// 06 `stolen-line`: a line that delegates another line to its own keys gets
/// nowhere, also not through the look-up of foreign repositories.
#[test]
fn a_mesh_follows_no_delegation_of_a_line() {
    let own = patchmesh_trust::author::TargetsPlan {
        version: 2,
        expires: NOW.plus_days(90),
        lines: vec![patchmesh_trust::author::LineKeys {
            line: "server".to_owned(),
            keys: keys(DESKTOP, 2),
        }],
        rollout: None,
        membership: None,
    };
    let own = sign(own.build().unwrap(), DESKTOP);
    let forged = sign(statement("server", 2, &["S-2"]), DESKTOP);
    let targets = Publication::new(1).targets;
    let theirs = Publication::of(2, targets, own, forged);
    let mut verifier = holding(&Publication::new(1));
    for (role, bytes) in theirs.documents() {
        let expected = match role.to_string().as_str() {
            "release/server" => Err(Refusal::UnknownKey),
            _ => Ok(()),
        };
        assert_eq!(give(&mut verifier, &role, &bytes), expected, "{role}");
    }
    for path in ["release/server/S-2", "release/desktop/KB-1"] {
        let looked = verifier.look_up(path, NOW);
        assert_eq!(looked.unwrap_err(), Refusal::NotDelegated, "{path}");
    }
    assert_eq!(listed(&verifier), ["server/S-1"]);
}

#[test]
fn key_ids_are_the_hash_of_the_key_and_keys_go_both_ways() {
    for key in public(&[1, 2, 3]) {
        assert_eq!(PublicKey::from_json(&key.to_json()), Ok(key.clone()));
        assert_eq!(key.key_id().len(), 64);
    }
    assert_eq!(verifier().head().root, 1);
}
