//! 11 `mix-and-match`, 17 `delegation-cycle`: every document is pinned by the
//! one above it. T-15, T-18 to T-21.

use patchmesh_trust::canonical::{Object, Value};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;

use crate::kit::{
    DESKTOP, NOW, Publication, SERVER, SNAPSHOT, TARGETS, TIMESTAMP, edit, give, holding, line,
    listed, member, object, sign, statement, targets_plan, verifier,
};

#[test]
fn attack_mix_and_match() {
    let (one, two) = (Publication::new(1), Publication::new(2));
    // Every later document of one publication behind the earlier ones of the
    // other is refused: older is a rollback, newer has to wait.
    for cut in 1..5 {
        for (first, second, expected) in [
            (&two, &one, Refusal::Rollback),
            (&one, &two, Refusal::Pending),
        ] {
            let mut verifier = verifier();
            for (role, bytes) in &first.documents()[..cut] {
                give(&mut verifier, role, bytes).unwrap();
            }
            let (role, bytes) = &second.documents()[cut];
            assert_eq!(give(&mut verifier, role, bytes), Err(expected), "{role}");
        }
    }
}

/// The same version with other bytes does not pass for the pinned one.
#[test]
fn the_pinned_hash_decides() {
    let publication = Publication::new(1);
    let mut verifier = verifier();
    give(&mut verifier, &RoleName::Timestamp, &publication.timestamp).unwrap();
    for (at, seeds) in [(1, SNAPSHOT), (2, TARGETS), (3, DESKTOP)] {
        let (role, bytes) = &publication.documents()[at];
        // Equal length: the expiry moves by a day.
        let other = edit(bytes, seeds, |signed| {
            let expires = member(signed, &["expires"]).as_text().unwrap().to_owned();
            let day = if expires.contains("1T") { "2T" } else { "1T" };
            let at = expires.find('T').unwrap();
            let moved = format!("{}{day}{}", &expires[..at - 1], &expires[at + 1..]);
            signed.insert("expires".to_owned(), Value::text(moved));
        });
        assert_eq!(other.len(), bytes.len());
        assert_eq!(
            give(&mut verifier, role, &other),
            Err(Refusal::HashMismatch),
            "{role}"
        );
        let mut longer = bytes.clone();
        longer.push(b' ');
        assert_eq!(
            give(&mut verifier, role, &longer),
            Err(Refusal::TooLarge),
            "{role}"
        );
        assert_eq!(give(&mut verifier, role, bytes), Ok(()));
    }
}

/// Nothing is judged before what it hangs on.
#[test]
fn documents_out_of_order_wait() {
    let publication = Publication::new(1);
    let verifier = verifier();
    for (role, bytes) in &publication.documents()[1..] {
        let verdict = verifier.admit(role, bytes, NOW);
        assert_eq!(verdict.unwrap_err(), Refusal::Pending, "{role}");
    }
}

/// T-03: other hashes are signed bytes and nothing more; without SHA-256 there
/// is no pin to check.
#[test]
fn only_sha256_counts_among_the_hashes() {
    let publication = Publication::new(1);
    let hashes = |change: fn(&mut Object)| {
        edit(&publication.timestamp, TIMESTAMP, |signed| {
            let pin = object(signed, &["meta", "snapshot.json"]);
            let sha256 = Value::text("00".repeat(32));
            let mut hashes = Object::from([("sha256".to_owned(), sha256)]);
            change(&mut hashes);
            pin.insert("hashes".to_owned(), Value::Object(hashes));
        })
    };
    let more = hashes(|hashes| {
        hashes.insert("sha512".to_owned(), Value::text("not even hexadecimal"));
    });
    assert_eq!(give(&mut verifier(), &RoleName::Timestamp, &more), Ok(()));
    let none = hashes(Object::clear);
    assert_eq!(
        give(&mut verifier(), &RoleName::Timestamp, &none),
        Err(Refusal::Malformed)
    );
}

/// T-44, first half: of two statements of one version the first is kept.
#[test]
fn the_first_of_two_contradicting_statements_stays() {
    let mut verifier = holding(&Publication::new(1));
    let other = edit(&Publication::new(1).timestamp, TIMESTAMP, |signed| {
        signed.insert("expires".to_owned(), Value::text("2029-01-01T00:00:00Z"));
    });
    let verdict = give(&mut verifier, &RoleName::Timestamp, &other);
    assert_eq!(verdict, Err(Refusal::Contradiction));
    // Also for a role further down, under a newer snapshot.
    let one = Publication::new(1);
    let rewritten = edit(&one.desktop, DESKTOP, |signed| {
        object(signed, &["targets"]).clear();
    });
    let theirs = Publication::of(2, one.targets.clone(), rewritten, one.server.clone());
    for (role, bytes) in &theirs.documents()[..3] {
        give(&mut verifier, role, bytes).unwrap();
    }
    let verdict = give(&mut verifier, &line("desktop"), &theirs.desktop);
    assert_eq!(verdict, Err(Refusal::Contradiction));
    assert_eq!(listed(&verifier), ["desktop/KB-1", "server/S-1"]);
}

/// The same statement with more signatures is the same statement; the bytes
/// are exchanged if the snapshot pins the new ones (T-38).
#[test]
fn a_statement_signed_by_more_is_no_contradiction() {
    let mut plan = targets_plan(1);
    plan.lines[0].keys = crate::kit::keys(&[30, 31, 32], 2);
    let targets = sign(plan.build().unwrap(), TARGETS);
    let server = sign(statement("server", 1, &["S-1"]), SERVER);
    let two = sign(statement("desktop", 1, &["KB-1"]), &[30, 31]);
    let three = sign(statement("desktop", 1, &["KB-1"]), &[30, 31, 32]);
    let mut verifier = holding(&Publication::of(
        1,
        targets.clone(),
        two.clone(),
        server.clone(),
    ));
    assert_eq!(give(&mut verifier, &line("desktop"), &two), Ok(()));
    let newer = Publication::of(2, targets, three.clone(), server);
    for (role, bytes) in newer.documents() {
        give(&mut verifier, &role, &bytes).unwrap();
    }
    assert_eq!(
        verifier.document(&line("desktop"), None).as_deref(),
        Some(&*three)
    );
    assert_eq!(verifier.wants(), []);
}

/// A publication whose top targets are changed before signing.
fn with_targets(change: impl FnOnce(&mut Object)) -> Publication {
    let targets = sign(targets_plan(1).build().unwrap(), &[]);
    Publication::of(
        1,
        edit(&targets, TARGETS, change),
        sign(statement("desktop", 1, &["KB-1"]), DESKTOP),
        sign(statement("server", 1, &["S-1"]), SERVER),
    )
}

fn roles(signed: &mut Object) -> &mut Vec<Value> {
    let Value::List(roles) = member(signed, &["delegations", "roles"]) else {
        panic!("roles are a list");
    };
    roles
}

fn role(roles: &mut [Value], at: usize) -> &mut Object {
    let Value::Object(role) = &mut roles[at] else {
        panic!("a role is an object");
    };
    role
}

/// CVE-2025-2886: a terminating delegation ends the look-up.
#[test]
fn cve_2025_2886_terminating() {
    let overlap = |terminating: bool| {
        with_targets(|signed| {
            let roles = roles(signed);
            let first = role(roles, 0);
            let paths = ["release/desktop/*", "release/server/*"].map(Value::text);
            first.insert("paths".to_owned(), Value::List(paths.into()));
            first.insert("terminating".to_owned(), Value::Bool(terminating));
        })
    };
    // Desktop comes first and covers server's paths, but does not list S-1.
    assert_eq!(listed(&holding(&overlap(true))), ["desktop/KB-1"]);
    assert_eq!(
        listed(&holding(&overlap(false))),
        ["desktop/KB-1", "server/S-1"]
    );
}

/// A path is claimed by the first role that covers it, whoever else lists it.
#[test]
fn an_earlier_role_speaks_first() {
    let publication = with_targets(|signed| {
        let paths = ["release/desktop/*", "release/server/*"].map(Value::text);
        role(roles(signed), 0).insert("paths".to_owned(), Value::List(paths.into()));
    });
    let both = edit(&publication.desktop, DESKTOP, |signed| {
        let targets = object(signed, &["targets"]);
        let entry = targets["release/desktop/KB-1"].clone();
        targets.insert("release/server/S-1".to_owned(), entry);
    });
    let publication = Publication::of(
        1,
        publication.targets.clone(),
        both,
        publication.server.clone(),
    );
    // Neither line may pass it off as a release of the other.
    assert_eq!(listed(&holding(&publication)), ["desktop/KB-1"]);
}

/// tough: `one_bad_path_denies_all`; T-21.
#[test]
fn one_bad_path_denies_itself_only() {
    let publication = Publication::new(1);
    let odd = edit(&publication.desktop, DESKTOP, |signed| {
        let targets = object(signed, &["targets"]);
        let entry = targets["release/desktop/KB-1"].clone();
        let mut without = entry.as_object().unwrap().clone();
        without.remove("custom");
        targets.insert(
            "release/desktop/NO-CUSTOM".to_owned(),
            Value::Object(without),
        );
        targets.insert("elsewhere/x".to_owned(), entry.clone());
        for (id, name, value) in [
            ("OTHER-FORMAT", "v", Value::Integer(2)),
            ("SHORT-B3", "b3", Value::text("00")),
            ("NUMBER-SEV", "sev", Value::Integer(1)),
            ("NESTED", "x", Value::List(Vec::new())),
            ("LONG", "x", Value::text("y".repeat(256))),
        ] {
            let mut entry = entry.as_object().unwrap().clone();
            object(&mut entry, &["custom"]).insert(name.to_owned(), value);
            targets.insert(format!("release/desktop/{id}"), Value::Object(entry));
        }
        let mut huge = entry.as_object().unwrap().clone();
        huge.insert("length".to_owned(), Value::Integer(i64::MAX));
        targets.insert("release/desktop/HUGE".to_owned(), Value::Object(huge));
    });
    let publication = Publication::of(
        1,
        publication.targets.clone(),
        odd,
        publication.server.clone(),
    );
    assert_eq!(
        listed(&holding(&publication)),
        ["desktop/KB-1", "server/S-1"]
    );
}

/// GHSA-j8x2-777p-23fc: delegations inside statements are not followed, so a
/// cycle of them has no effect, nor does a deep chain.
#[test]
fn attack_delegation_cycle() {
    let publication = Publication::new(1);
    let delegations = |signed: &mut Object, target: &str| {
        let top = targets_plan(1).build().unwrap();
        let mut delegations = top.signed()["delegations"].as_object().unwrap().clone();
        for name in ["release/desktop", "release/server"] {
            let Value::List(roles) = member(&mut delegations, &["roles"]) else {
                panic!("roles are a list");
            };
            roles.retain(|role| role.as_object().unwrap()["name"] != Value::text(name));
            let mut role = top.signed()["delegations"].as_object().unwrap()["roles"]
                .as_list()
                .unwrap()[0]
                .as_object()
                .unwrap()
                .clone();
            role.insert("name".to_owned(), Value::text(name));
            role.insert("paths".to_owned(), Value::List(vec![Value::text(target)]));
            roles.push(Value::Object(role));
        }
        signed.insert("delegations".to_owned(), Value::Object(delegations));
    };
    let desktop = edit(&publication.desktop, DESKTOP, |signed| {
        delegations(signed, "release/server/*");
    });
    let server = edit(&publication.server, SERVER, |signed| {
        delegations(signed, "release/desktop/*");
    });
    let verifier = holding(&Publication::of(
        1,
        publication.targets.clone(),
        desktop,
        server,
    ));
    assert_eq!(listed(&verifier), ["desktop/KB-1", "server/S-1"]);
}

/// More roles than a document may delegate to are refused; at the limit a
/// path that all of them cover is given up after few visits.
#[test]
fn attack_wide_tree() {
    let wide = |count: usize| {
        with_targets(|signed| {
            let roles = roles(signed);
            let server = roles.pop().unwrap();
            for number in 0..count {
                let mut role = roles[0].as_object().unwrap().clone();
                role.insert("name".to_owned(), Value::text(format!("w{number}")));
                for (name, value) in [
                    ("paths", Value::List(vec![Value::text("*/*/*")])),
                    ("keyids", Value::List(Vec::new())),
                    ("terminating", Value::Bool(false)),
                ] {
                    role.insert(name.to_owned(), value);
                }
                roles.push(Value::Object(role));
            }
            roles.push(server);
        })
    };
    let publication = wide(1_022);
    assert_eq!(listed(&holding(&publication)), ["desktop/KB-1"]);
    for count in [1_023, 2_000] {
        let publication = wide(count);
        let mut verifier = verifier();
        give(&mut verifier, &RoleName::Timestamp, &publication.timestamp).unwrap();
        give(&mut verifier, &RoleName::Snapshot, &publication.snapshot).unwrap();
        let verdict = give(&mut verifier, &RoleName::Targets, &publication.targets);
        assert_eq!(verdict, Err(Refusal::TooLarge), "{count}");
    }
}

#[test]
fn two_delegations_of_one_name_and_top_names_are_refused() {
    for name in [
        "release/server",
        "root",
        "targets",
        "snapshot",
        "timestamp",
        "",
        "ä",
    ] {
        let publication = with_targets(|signed| {
            let name = Value::text(name);
            role(roles(signed), 0).insert("name".to_owned(), name);
        });
        let mut verifier = verifier();
        give(&mut verifier, &RoleName::Timestamp, &publication.timestamp).unwrap();
        give(&mut verifier, &RoleName::Snapshot, &publication.snapshot).unwrap();
        let verdict = give(&mut verifier, &RoleName::Targets, &publication.targets);
        assert_eq!(verdict, Err(Refusal::Malformed), "{name}");
    }
}
