//! The cases.

use patchmesh_trust::author::RootPlan;
use patchmesh_trust::canonical::{Object, Value};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::time::UtcTime;

use crate::kit::{
    DESKTOP, NOW, Publication, ROOT, SERVER, SNAPSHOT, TARGETS, TIMESTAMP, edit, envelope, keys,
    line, member, object, root, root_plan, sign, signed_part, statement, targets_plan,
};

/// A document after others.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) given: Vec<(RoleName, Vec<u8>)>,
    pub(crate) role: RoleName,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expect: &'static str,
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let lists = [
        signatures(),
        texts(),
        members(),
        pins(),
        histories(),
        snapshots(),
        pinned_snapshots(),
        targets(),
        lines(),
        roots(),
    ];
    lists.into_iter().flatten().collect()
}

/// The first documents of a publication.
fn first(publication: &Publication, count: usize) -> Vec<(RoleName, Vec<u8>)> {
    publication.documents().into_iter().take(count).collect()
}

fn of_role(
    role: &RoleName,
    given: &[(RoleName, Vec<u8>)],
    cases: Vec<(&'static str, Vec<u8>, &'static str)>,
) -> Vec<Case> {
    let case = |(name, bytes, expect)| Case {
        name,
        given: given.to_vec(),
        role: role.clone(),
        bytes,
        expect,
    };
    cases.into_iter().map(case).collect()
}

fn timestamps(cases: Vec<(&'static str, Vec<u8>, &'static str)>) -> Vec<Case> {
    of_role(&RoleName::Timestamp, &[], cases)
}

fn genuine() -> Vec<u8> {
    Publication::new(1).timestamp
}

/// The timestamp with exactly these signatures beside or instead of its own.
fn with_signatures(own: usize, others: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let signed = signed_part(&genuine());
    let message = signed.canonical();
    let key = crate::kit::key(TIMESTAMP[0]);
    let own = (0..own).map(|_| (key.public_key().key_id(), key.sign(&message)));
    envelope(&signed, own.chain(others).collect::<Vec<_>>())
}

fn junk(count: usize) -> impl Iterator<Item = (String, Vec<u8>)> {
    (0..count).map(|number| (format!("{number:064x}"), vec![7; 64]))
}

fn signatures() -> Vec<Case> {
    let text = String::from_utf8(genuine()).unwrap();
    let at = text.find("\"sig\":\"").unwrap() + 7;
    let digit = if text.as_bytes()[at] == b'0' {
        "1"
    } else {
        "0"
    };
    let flipped = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
    let unknown = edit(&genuine(), &[99], |_| ());
    timestamps(vec![
        ("a timestamp", genuine(), "ok"),
        (
            "no signature",
            with_signatures(0, junk(0)),
            "BelowThreshold",
        ),
        ("signed by a key of nobody", unknown, "UnknownKey"),
        (
            "signed by the key of the snapshot",
            edit(&genuine(), SNAPSHOT, |_| ()),
            "UnknownKey",
        ),
        (
            "one digit of the signature is another",
            flipped.into_bytes(),
            "BadSignature",
        ),
        ("one key id twice", with_signatures(2, junk(0)), "Malformed"),
        (
            "a further signature that is none",
            with_signatures(1, junk(1)),
            "ok",
        ),
        (
            "thirty-two signatures",
            with_signatures(1, junk(31)),
            "TooLarge",
        ),
    ])
}

fn texts() -> Vec<Case> {
    let text = String::from_utf8(genuine()).unwrap();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let deep = format!("{}{}", "[".repeat(80), "]".repeat(80));
    let marked = format!("\u{feff}{text}").into_bytes();
    let mut broken = text.clone().into_bytes();
    broken.insert(2, 0xff);
    let padded = |len: usize| format!("{text}{}", " ".repeat(len - text.len())).into_bytes();
    timestamps(vec![
        (
            "white space after it",
            format!("{text} \n ").into_bytes(),
            "ok",
        ),
        ("as long as may be", padded(4_096), "ok"),
        ("a byte longer than may be", padded(4_097), "TooLarge"),
        (
            "something after it",
            format!("{text}{{}}").into_bytes(),
            "Malformed",
        ),
        ("half of it", text[..text.len() / 2].into(), "Malformed"),
        ("nothing", Vec::new(), "Malformed"),
        ("a byte-order mark", marked, "Malformed"),
        ("a byte that is no UTF-8", broken, "Malformed"),
        (
            "one member twice",
            change("\"version\"", "\"version\":1,\"version\""),
            "Malformed",
        ),
        (
            "a fraction",
            change("\"version\":1", "\"version\":1.0"),
            "Malformed",
        ),
        (
            "an exponent",
            change("\"version\":1", "\"version\":1e0"),
            "Malformed",
        ),
        (
            "a number beyond 2^63 - 1",
            change("\"version\":1", "\"version\":9223372036854775808"),
            "Malformed",
        ),
        (
            "half a surrogate pair",
            change("\"signed\":{", "\"signed\":{\"\\ud800\":1,"),
            "Malformed",
        ),
        (
            "too deep",
            change("\"signed\":{", &format!("\"signed\":{{\"a\":{deep},")),
            "Malformed",
        ),
        ("no object", b"[]".to_vec(), "Malformed"),
    ])
}

fn members() -> Vec<Case> {
    let with = |name: &str, value: Value| {
        edit(&genuine(), TIMESTAMP, |signed| {
            drop(signed.insert(name.to_owned(), value));
        })
    };
    let without = |name: &str| edit(&genuine(), TIMESTAMP, |signed| drop(signed.remove(name)));
    let at = |seconds: i64| Value::text(UtcTime(NOW.0 + seconds).format().unwrap());
    timestamps(vec![
        (
            "of another type",
            with("_type", Value::text("snapshot")),
            "Malformed",
        ),
        (
            "of a later specification",
            with("spec_version", Value::text("2.0.0")),
            "Malformed",
        ),
        (
            "a version of 0",
            with("version", Value::Integer(0)),
            "Malformed",
        ),
        (
            "a version below 0",
            with("version", Value::Integer(-1)),
            "Malformed",
        ),
        (
            "the highest version",
            with("version", Value::Integer(i64::MAX)),
            "ok",
        ),
        ("no version", without("version"), "Malformed"),
        ("no expiry", without("expires"), "Malformed"),
        (
            "an expiry that is no date",
            with("expires", Value::text("2026-02-30T00:00:00Z")),
            "Malformed",
        ),
        ("expires in a second", with("expires", at(1)), "ok"),
        ("expires now", with("expires", at(0)), "Expired"),
        ("names no snapshot", without("meta"), "Malformed"),
        (
            "a member that nobody knows",
            with("x-vendor", Value::text("signed as well")),
            "ok",
        ),
    ])
}

fn pins() -> Vec<Case> {
    let pin = |change: fn(&mut Object)| {
        edit(&genuine(), TIMESTAMP, |signed| {
            change(object(signed, &["meta", "snapshot.json"]));
        })
    };
    timestamps(vec![
        (
            "pins the snapshot by no hash",
            pin(|pin| drop(pin.remove("hashes"))),
            "ok",
        ),
        (
            "pins it by a hash too short",
            pin(|pin| {
                drop(pin.insert(
                    "hashes".to_owned(),
                    Value::object([("sha256", Value::text("00"))]),
                ));
            }),
            "Malformed",
        ),
        (
            "pins a snapshot of version 0",
            pin(|pin| drop(pin.insert("version".to_owned(), Value::Integer(0)))),
            "Malformed",
        ),
    ])
}

fn histories() -> Vec<Case> {
    let (one, two) = (Publication::new(1), Publication::new(2));
    let other = edit(&two.timestamp, TIMESTAMP, |signed| {
        signed.insert("expires".to_owned(), Value::text("2029-01-01T00:00:00Z"));
    });
    of_role(
        &RoleName::Timestamp,
        &first(&two, 1),
        vec![
            ("the same again", two.timestamp, "ok"),
            ("the one before", one.timestamp, "Rollback"),
            ("another of the same version", other, "Contradiction"),
        ],
    )
}

fn snapshots() -> Vec<Case> {
    let role = RoleName::Snapshot;
    let one = Publication::new(1);
    let bytes = one.snapshot.clone();
    let mut longer = bytes.clone();
    longer.push(b' ');
    let mut all = of_role(
        &role,
        &[],
        vec![("before any timestamp", bytes.clone(), "Pending")],
    );
    all.extend(of_role(
        &role,
        &first(&one, 1),
        vec![
            ("the snapshot that is pinned", bytes.clone(), "ok"),
            ("a byte longer than pinned", longer, "TooLarge"),
            (
                "other bytes than pinned",
                edit(&bytes, SNAPSHOT, swap_hash),
                "HashMismatch",
            ),
            ("the one after it", Publication::new(2).snapshot, "Pending"),
        ],
    ));
    all
}

/// A snapshot after these documents and a timestamp that pins it.
fn pinned(
    name: &'static str,
    version: u64,
    bytes: Vec<u8>,
    given: &[(RoleName, Vec<u8>)],
    expect: &'static str,
) -> Vec<Case> {
    let timestamp = crate::kit::timestamp(version, &bytes);
    let mut given = given.to_vec();
    given.push((RoleName::Timestamp, timestamp));
    of_role(&RoleName::Snapshot, &given, vec![(name, bytes, expect)])
}

fn pinned_snapshots() -> Vec<Case> {
    let one = Publication::new(1);
    let bytes = one.snapshot.clone();
    let held = one.documents();
    let newer = |change: fn(&mut Object)| {
        let snapshot = Publication::of(
            2,
            one.targets.clone(),
            one.desktop.clone(),
            one.server.clone(),
        );
        edit(&snapshot.snapshot, SNAPSHOT, change)
    };
    let expired = edit(&bytes, SNAPSHOT, |signed| {
        signed.insert("expires".to_owned(), Value::text("2020-01-01T00:00:00Z"));
    });
    let empty = edit(&bytes, SNAPSHOT, |signed| object(signed, &["meta"]).clear());
    let gone = newer(|signed| drop(object(signed, &["meta"]).remove("release/server.json")));
    let sunk = {
        let two = Publication::new(2);
        let given = two.documents();
        let low = edit(&two.snapshot, SNAPSHOT, |signed| {
            signed.insert("version".to_owned(), Value::Integer(3));
            let pin = object(signed, &["meta", "targets.json"]);
            pin.insert("version".to_owned(), Value::Integer(1));
        });
        pinned(
            "names an older targets document",
            3,
            low,
            &given,
            "Rollback",
        )
    };
    let mut all = pinned(
        "signed by others",
        1,
        edit(&bytes, TARGETS, |_| ()),
        &[],
        "UnknownKey",
    );
    all.extend(pinned("expired", 1, expired, &[], "Expired"));
    all.extend(pinned("lists no targets", 1, empty, &[], "Malformed"));
    all.extend(pinned(
        "a release line is gone from it",
        2,
        gone,
        &held,
        "Rollback",
    ));
    all.extend(sunk);
    all
}

/// Turns one digit of a hash, so that the length stays.
fn swap_hash(signed: &mut Object) {
    let hash = member(signed, &["meta", "targets.json", "hashes", "sha256"]);
    let text = hash.as_text().unwrap().to_owned();
    let digit = if text.starts_with('0') { "1" } else { "0" };
    *hash = Value::text(format!("{digit}{}", &text[1..]));
}

/// Targets under a snapshot of their own.
fn under(name: &'static str, bytes: Vec<u8>, expect: &'static str) -> Vec<Case> {
    let one = Publication::new(1);
    let publication = Publication::of(1, bytes.clone(), one.desktop, one.server);
    of_role(
        &RoleName::Targets,
        &first(&publication, 2),
        vec![(name, bytes, expect)],
    )
}

fn delegation(change: impl FnOnce(&mut Object)) -> Vec<u8> {
    let targets = sign(targets_plan(1).build().unwrap(), &[]);
    edit(&targets, TARGETS, |signed| {
        let Value::List(roles) = member(signed, &["delegations", "roles"]) else {
            panic!("roles are a list");
        };
        let Value::Object(role) = &mut roles[0] else {
            panic!("a role is an object");
        };
        change(role);
    })
}

fn targets() -> Vec<Case> {
    let genuine = Publication::new(1).targets;
    let set = |name: &'static str, value: Value| {
        delegation(|role| drop(role.insert(name.to_owned(), value)))
    };
    let both = set("path_hash_prefixes", Value::List(vec![Value::text("00")]));
    let cases = [
        ("the targets that are pinned", genuine.clone(), "ok"),
        (
            "one of two signatures",
            edit(&genuine, &TARGETS[..1], |_| ()),
            "BelowThreshold",
        ),
        (
            "signed by the keys of the root",
            edit(&genuine, ROOT, |_| ()),
            "UnknownKey",
        ),
        (
            "a threshold of 0",
            set("threshold", Value::Integer(0)),
            "Malformed",
        ),
        (
            "a threshold below 0",
            set("threshold", Value::Integer(-1)),
            "Malformed",
        ),
        (
            "a threshold that is a text",
            set("threshold", Value::text("2")),
            "Malformed",
        ),
        (
            "delegates the name of the root",
            set("name", Value::text("root")),
            "Malformed",
        ),
        (
            "two delegations of one name",
            set("name", Value::text("release/server")),
            "Malformed",
        ),
        (
            "does not say if it ends the look-up",
            delegation(|role| drop(role.remove("terminating"))),
            "Malformed",
        ),
        ("patterns and hash prefixes in one", both, "Malformed"),
        (
            "names a key that it does not list",
            set("keyids", Value::List(vec![Value::text("00")])),
            "ok",
        ),
    ];
    let cases = cases.into_iter();
    cases
        .flat_map(|(name, bytes, expect)| under(name, bytes, expect))
        .collect()
}

fn lines() -> Vec<Case> {
    let one = Publication::new(1);
    let desktop = |seeds: &[u8]| sign(statement("desktop", 1, &["KB-1"]), seeds);
    let given = |desktop: &[u8]| {
        let server = one.server.clone();
        first(
            &Publication::of(1, one.targets.clone(), desktop.to_vec(), server),
            3,
        )
    };
    let case = |name, bytes: Vec<u8>, expect| {
        of_role(
            &line("desktop"),
            &given(&bytes),
            vec![(name, bytes, expect)],
        )
    };
    let expired = edit(&one.desktop, DESKTOP, |signed| {
        signed.insert("expires".to_owned(), Value::text("2020-01-01T00:00:00Z"));
    });
    let mut all = case("a statement", desktop(DESKTOP), "ok");
    all.extend(case(
        "one of two people",
        desktop(&DESKTOP[..1]),
        "BelowThreshold",
    ));
    all.extend(case(
        "signed by people of another line",
        desktop(SERVER),
        "UnknownKey",
    ));
    all.extend(case(
        "signed for a stranger too",
        desktop(&[30, 31, 99]),
        "ok",
    ));
    all.extend(case("an expired statement", expired, "Expired"));
    let mobile = sign(statement("mobile", 1, &["M-1"]), DESKTOP);
    all.extend(of_role(
        &line("mobile"),
        &first(&one, 3),
        vec![("a line that nobody delegates", mobile, "NotDelegated")],
    ));
    all
}

fn roots() -> Vec<Case> {
    let plan = RootPlan {
        root: keys(&[4, 5, 6], 2),
        ..root_plan(2)
    };
    let signed = |seeds: &[u8]| sign(plan.build().unwrap(), seeds);
    let change = |name: &str, value: Value| {
        edit(&root(2), ROOT, |signed| {
            drop(signed.insert(name.to_owned(), value));
        })
    };
    let zero = edit(&root(2), ROOT, |signed| {
        object(signed, &["roles", "targets"]).insert("threshold".to_owned(), Value::Integer(0));
    });
    let missing = edit(&root(2), ROOT, |signed| {
        drop(object(signed, &["roles"]).remove("snapshot"));
    });
    of_role(
        &RoleName::Root,
        &[],
        vec![
            ("other keys, both thresholds", signed(&[1, 2, 4, 5]), "ok"),
            ("signed by the old keys only", signed(&[1, 2]), "UnknownKey"),
            ("signed by the new keys only", signed(&[4, 5]), "UnknownKey"),
            ("one old key short", signed(&[1, 4, 5]), "BelowThreshold"),
            ("one new key short", signed(&[1, 2, 4]), "BelowThreshold"),
            ("the root again", root(1), "ok"),
            ("a root is left out", root(3), "Pending"),
            (
                "expired, but only one on the way",
                change("expires", Value::text("2020-01-01T00:00:00Z")),
                "ok",
            ),
            ("a threshold of 0 for the targets", zero, "Malformed"),
            ("no keys for the snapshot", missing, "Malformed"),
            (
                "two signatures of one person",
                edit(&root(2), &[1, 1], |_| ()),
                "Malformed",
            ),
        ],
    )
}
