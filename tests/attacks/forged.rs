//! Documents that are signed and say what none may say, and genuine ones in the
//! wrong place.

use std::fs;

use patchmesh_core::message::DocumentRef;
use patchmesh_tests::bench::{Bench, release};
use patchmesh_tests::forge::{DAYS, Forge, LINE, ONLINE, PEOPLE, keys, root_plan, sign};
use patchmesh_tests::hostile::Hostile;
use patchmesh_tests::input;
use patchmesh_tests::text::{altered, part, signed, snapshot, timestamp};
use patchmesh_tests::until::until;
use patchmesh_trust::layout::{index_path, metadata_path};
use patchmesh_trust::role::RoleName;

use crate::support::{
    Offered, SOON, claiming, copy, evil_index, head, of_role, offer, rescue, serve,
};

/// Places a snapshot and a timestamp over these targets and this statement.
fn place(evil: &Forge, version: u64, targets: &[u8], line: &[u8]) {
    let number = i64::try_from(version).unwrap();
    let named = format!("release/{LINE}");
    let pinned = [("targets", number, targets), (&*named, number, line)];
    let snapshot = snapshot(number, &pinned, ONLINE);
    let timestamp = timestamp(number, (number, &snapshot), ONLINE);
    for (role, bytes) in [
        (RoleName::Targets, targets),
        (RoleName::Line(LINE.to_owned()), line),
        (RoleName::Snapshot, &snapshot),
        (RoleName::Timestamp, &timestamp),
    ] {
        evil.write(&metadata_path(&role, version), bytes);
    }
}

fn told(name: &str, offered: &Offered) -> String {
    format!("{name} {} in {:?}", offered.code, offered.took)
}

/// T-11: with all keys but the root's.
#[test]
fn attack_03_threshold_zero() {
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let evil = bench.forge.stolen(&bench.path("evil"));
    let node = &bench.endpoints[0];
    let mut all = Vec::new();
    let thresholds = ["0", "-1", "18446744073709551616", "1.0", "\"1\"", "null"];
    for (number, threshold) in (0..).zip(thresholds) {
        let version = 10 + u64::from(number);
        let good = evil.documents(version, &PEOPLE, ONLINE);
        let to = format!("\"threshold\":{threshold}");
        let targets = altered(
            &RoleName::Targets,
            &good.targets,
            "\"threshold\":2",
            &to,
            &PEOPLE,
        );
        place(&evil, version, &targets, &good.line);
        let guise = claiming(&bench, 60 + number, version);
        let offered = offer(node, &guise, &evil.repository, "targets");
        assert_eq!(offered.code, "Malformed", "{threshold}");
        assert_eq!(of_role(&offered.asked, "release/desktop"), 0, "{threshold}");
        all.push(told(threshold, &offered));
    }
    bench.forge.version = 20;
    bench.forge.publish();
    let healed = rescue(&mut bench);
    println!(
        "03 threshold-zero: {}; healed in {healed:?}",
        all.join(", ")
    );
}

/// T-17: from N to exactly N + 1, by the thresholds of both.
#[test]
fn attack_07_forged_rotation() {
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let node = &bench.endpoints[0];
    let mut all = Vec::new();
    for (number, (name, root, code)) in (0..).zip(rotations()) {
        let evil = bench.forge.stolen(&bench.path(&format!("evil-{number}")));
        evil.write(&metadata_path(&RoleName::Root, 2), &root);
        let mut guise = claiming(&bench, 70 + number, 1);
        guise.head[0] = 2;
        let offered = offer(node, &guise, &evil.repository, "root");
        assert_eq!(offered.code, code, "{name}");
        assert_eq!(node.status().unwrap().head.root, 1, "{name}");
        all.push(format!("{name} {}", offered.code));
    }
    bench.forge.rotate([10, 10]);
    let healed = rescue(&mut bench);
    assert_eq!(bench.endpoints[0].status().unwrap().head.root, 2);
    println!(
        "07 forged-rotation: {} refused ({}); the genuine one taken in {healed:?}",
        all.len(),
        all.join(", ")
    );
}

type Rotation = (&'static str, Vec<u8>, &'static str);

fn rotations() -> Vec<Rotation> {
    let mut plan = root_plan(2, DAYS, [ONLINE; 2]);
    plan.root = keys(&[4, 5, 6], 2);
    let by = |seeds: &[u8]| sign(plan.build().unwrap(), seeds);
    let enough = [1, 2, 4, 5, 6];
    let good = by(&enough);
    let role = RoleName::Root;
    let version = |to: &str| {
        altered(
            &role,
            &good,
            "\"version\":2",
            &format!("\"version\":{to}"),
            &enough,
        )
    };
    let text = part(&role, &good);
    let at = text.find("\"root\":{").unwrap();
    let threshold = |to: &str| {
        let (before, own) = text.split_at(at);
        let own = own.replacen("\"threshold\":2", &format!("\"threshold\":{to}"), 1);
        signed(&format!("{before}{own}"), &enough)
    };
    let changed = String::from_utf8(good.clone()).unwrap();
    let changed = changed.replacen("\"threshold\":2", "\"threshold\":1", 1);
    vec![
        ("strangers", by(&[101, 102]), "UnknownKey"),
        ("old keys only", by(&[1, 2]), "UnknownKey"),
        ("new keys only", by(&[4, 5]), "UnknownKey"),
        ("one old key short", by(&[1, 4, 5]), "BelowThreshold"),
        ("one new key short", by(&[1, 2, 4]), "BelowThreshold"),
        ("no signature", by(&[]), "BelowThreshold"),
        ("a version skipped", version("3"), "Pending"),
        ("the same version", version("1"), "Contradiction"),
        ("version 0", version("0"), "Malformed"),
        ("version -2", version("-2"), "Malformed"),
        ("version 2^63", version("9223372036854775808"), "Malformed"),
        ("threshold 0", threshold("0"), "Malformed"),
        ("never to be met", threshold("4"), "BelowThreshold"),
        (
            "another type",
            altered(
                &role,
                &good,
                "\"_type\":\"root\"",
                "\"_type\":\"targets\"",
                &enough,
            ),
            "Malformed",
        ),
        (
            "changed after signing",
            changed.into_bytes(),
            "BadSignature",
        ),
    ]
}

/// T-19, T-20, T-23: genuine documents, without a key, in other places.
#[test]
fn attack_11_mix_and_match() {
    let mut bench = Bench::new();
    let tree = bench.path("tree");
    input::tree(&tree, 61, 100_000);
    bench.forge.release(&tree, "release-1");
    let old = bench.forge.version;
    input::change(&tree, 62);
    bench.forge.release(&tree, "release-2");
    bench.add_lonely(LINE);
    let new = bench.forge.version;
    let line = RoleName::Line(LINE.to_owned());
    let metadata = |role: &RoleName| (metadata_path(role, old), metadata_path(role, new));
    let index = |number: usize| {
        let entry = &bench.forge.releases[number];
        index_path(LINE, &entry.id, &entry.sha256)
    };
    let cases = [
        ("snapshot", metadata(&RoleName::Snapshot), "Rollback"),
        ("targets", metadata(&RoleName::Targets), "Rollback"),
        ("release/desktop", metadata(&line), "Rollback"),
        ("index", (index(0), index(1)), "HashMismatch"),
    ];
    let node = &bench.endpoints[0];
    let mut all = Vec::new();
    for (number, (what, (from, to), code)) in (0..).zip(cases) {
        let evil = bench.path(&format!("evil-{number}"));
        copy(&bench.forge.repository, &evil);
        fs::copy(evil.join(&from), evil.join(&to)).unwrap();
        let offered = offer(node, &claiming(&bench, 90 + number, new), &evil, what);
        assert_eq!(offered.code, code, "{what}");
        all.push(told(what, &offered));
        assert!(!bench.staged(0, "release-2").exists());
    }
    let healed = rescue(&mut bench);
    println!("11 mix-and-match: {}; healed in {healed:?}", all.join(", "));
}

/// T-21: a network has one level of delegation, so a cycle leads nowhere, and
/// a wide tree is paid for by its bytes only.
#[test]
fn attack_17_delegation_cycle() {
    let mut bench = Bench::new();
    bench.add_lonely(LINE);
    let evil = bench.forge.stolen(&bench.path("evil"));
    let node = &bench.endpoints[0];
    let good = |version| evil.documents(version, &PEOPLE, ONLINE);
    let text = part(&RoleName::Targets, &good(10).targets);
    let from = text.find("{\"keyids\"").unwrap();
    let own = &text[from..=from + text[from..].find('}').unwrap()];
    let named = |name: &str| own.replace("release/desktop", name);
    let wide = |version, count: usize| {
        let others = (0..count).map(|number| named(&format!("release/l{number}")));
        let all: Vec<_> = others.chain([own.to_owned()]).collect();
        altered(
            &RoleName::Targets,
            &good(version).targets,
            own,
            &all.join(","),
            &PEOPLE,
        )
    };
    place(&evil, 10, &wide(10, 1_024), &good(10).line);
    let offered = offer(node, &claiming(&bench, 95, 10), &evil.repository, "targets");
    assert_eq!(offered.code, "TooLarge");
    // A statement that delegates to itself, and to one that may delegate back.
    let other = named("release/l1");
    let cycle = format!(
        "\"_type\":\"targets\",\"delegations\":{{\"keys\":{{}},\"roles\":[{own},{other}]}}"
    );
    let line = RoleName::Line(LINE.to_owned());
    let mut thief = evil.clone();
    thief.release_bytes(&evil_index(&bench, &evil, "evil-1"), "evil-1");
    let statement = thief.documents(11, &PEOPLE, ONLINE).line;
    let statement = altered(&line, &statement, "\"_type\":\"targets\"", &cycle, &PEOPLE);
    let targets = wide(11, 300);
    place(&evil, 11, &targets, &statement);
    let attacker = Hostile::start(&claiming(&bench, 96, 11), serve(&evil.repository));
    attacker.dial(node);
    until("the statement is taken", SOON, || release(node, "evil-1"));
    let asked = attacker.asked();
    let metadata = asked
        .iter()
        .filter(|asked| matches!(asked, DocumentRef::Metadata { .. }))
        .count();
    println!(
        "17 delegation-cycle: 1025 wide {} in {:?}; \
         301 wide with a cycle taken, {metadata} documents asked for",
        offered.code, offered.took
    );
    assert_eq!(head(node), 11);
    assert_eq!(of_role(&asked, "release/desktop"), 1, "{asked:?}");
    assert!(metadata <= 6, "{asked:?}");
}
