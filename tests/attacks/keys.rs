//! What a thief of some keys can do, and what ends it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use patchmesh_tests::bench::{Bench, FAST, release};
use patchmesh_tests::forge::{Forge, LINE, ONLINE, PEOPLE, keys, now, sign};
use patchmesh_tests::hostile::Hostile;
use patchmesh_tests::input;
use patchmesh_tests::text::{altered, signed, snapshot, timestamp};
use patchmesh_tests::until::until;
use patchmesh_trust::author::{LineKeys, TargetsPlan};
use patchmesh_trust::layout::metadata_path;
use patchmesh_trust::role::RoleName;

use crate::support::{SOON, claiming, copy, evil_index, head, offer, rescue, serve};

/// A version far above the newest.
const HIGH: u64 = 99;
/// The largest version there is.
const LARGEST: u64 = (1 << 63) - 1;
const STRANGER: u8 = 101;

/// A copy of the publisher's folder, to which the thief publishes.
fn thief(bench: &Bench, name: &str) -> Forge {
    let folder: PathBuf = bench.path(name);
    copy(&bench.forge.repository, &folder);
    bench.forge.stolen(&folder)
}

/// Rotates the stolen keys away and waits until endpoint and origin are at the
/// newest version.
fn rotate(bench: &mut Bench) -> Duration {
    bench.forge.rotate([10, 10]);
    bench.refresh();
    let began = Instant::now();
    for node in bench.endpoints.iter().chain(&bench.origin) {
        until(&format!("{} is healed", node.name), SOON, || {
            (head(node) == bench.forge.version).then_some(())
        });
    }
    began.elapsed()
}

/// T-32: freeze and fast-forward, no release; a rotation of that one key ends
/// it.
#[test]
fn attack_04_stolen_timestamp() {
    let mut bench = Bench::new();
    bench.forge.rotate([10, 11]);
    bench.add_lonely(LINE);
    let mut thief = thief(&bench, "evil");
    let index = evil_index(&bench, &thief, "evil-1");
    thief.release_bytes(&index, "evil-1");
    let documents = thief.documents_by(HIGH, &PEOPLE, [10, STRANGER]);
    thief.place(&documents, HIGH);
    let guise = claiming(&bench, 41, HIGH);
    let node = &bench.endpoints[0];
    let offered = offer(node, &guise, &thief.repository, "snapshot");
    assert_eq!(offered.code, "UnknownKey");
    assert_eq!(head(node), HIGH, "its timestamp counts");
    assert!(node.status().unwrap().releases.is_empty());
    bench.forge.rotate([12, 11]);
    let healed = rescue(&mut bench);
    println!(
        "04 stolen-timestamp: {} in {:?}, 0 releases; healed by rotation in {healed:?}",
        offered.code, offered.took
    );
    assert!(bench.endpoints[0].status().unwrap().releases.is_empty());
}

/// T-19, T-20: what people signed does not go back, and nothing is said in
/// their name.
#[test]
fn attack_05_stolen_online_keys() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 42, 100_000);
    bench.release(&tree, "release-1");
    let old = bench.forge.placed();
    input::change(&tree, 43);
    bench.release(&tree, "release-2");
    bench.add(0, 1, &[]);
    bench.until_staged("release-2");
    let own = bench.forge.version;
    let version = i64::try_from(own).unwrap();
    let new = bench.forge.placed();
    let thief = thief(&bench, "evil");
    let named = format!("release/{LINE}");
    let forged = thief.documents(own + 1, &[STRANGER, 102], ONLINE).line;
    let targets = ("targets", version, &new.targets[..]);
    let old_targets = ("targets", version - 1, &old.targets[..]);
    let line = |version, bytes| (&*named, version, bytes);
    let rollback = |name, pinned| (name, "snapshot", "Rollback", pinned);
    let cases = [
        rollback(
            "an older statement",
            vec![targets, line(version - 1, &old.line[..])],
        ),
        rollback(
            "an older delegation",
            vec![old_targets, line(version, &new.line[..])],
        ),
        rollback("a statement left out", vec![targets]),
        (
            "a statement of strangers",
            &*named,
            "UnknownKey",
            vec![targets, line(version + 1, &forged[..])],
        ),
    ];
    let role = RoleName::Line(LINE.to_owned());
    thief.write(&metadata_path(&role, own + 1), &forged);
    let node = &bench.endpoints[0];
    let mut told = Vec::new();
    for (number, (name, what, code, pinned)) in (0..).zip(cases) {
        let high = HIGH + u64::from(number);
        let claim = i64::try_from(high).unwrap();
        let snapshot = snapshot(claim, &pinned, ONLINE);
        thief.write(&metadata_path(&RoleName::Snapshot, high), &snapshot);
        let timestamp = timestamp(claim, (claim, &snapshot), ONLINE);
        thief.write(&metadata_path(&RoleName::Timestamp, high), &timestamp);
        let guise = claiming(&bench, 42 + number, high);
        let offered = offer(node, &guise, &thief.repository, what);
        assert_eq!(offered.code, code, "{name}");
        told.push(format!("{name} {} in {:?}", offered.code, offered.took));
        let listed = node.status().unwrap().releases;
        assert_eq!(listed.len(), 2, "{name}");
    }
    let healed = rotate(&mut bench);
    println!(
        "05 stolen-online-keys: {}; healed by rotation in {healed:?}",
        told.join(", ")
    );
    assert_eq!(bench.endpoints[0].status().unwrap().releases.len(), 2);
}

/// T-21: who holds the keys of one line, and the online key, speaks for that
/// line only.
#[test]
fn attack_06_stolen_line() {
    let mut bench = Bench::new();
    bench.add_lonely("*");
    let thief = thief(&bench, "evil");
    let lines = [("desktop", [21, 22]), ("server", [23, 24])];
    let line_keys = |(line, seeds): &(&str, [u8; 2])| LineKeys {
        line: (*line).to_owned(),
        keys: keys(seeds, 2),
    };
    let plan = TargetsPlan {
        version: HIGH,
        expires: now().plus_days(1),
        lines: lines.iter().map(line_keys).collect(),
        rollout: None,
        membership: None,
    };
    let targets = sign(plan.build().unwrap(), &PEOPLE);
    let mut own = thief.clone();
    let index = evil_index(&bench, &thief, "evil-1");
    own.release_bytes(&index, "evil-1");
    // The statement lists a release of the own line, and one of the other's.
    let honest = own.documents(HIGH, &[21, 22], ONLINE).line;
    let line = RoleName::Line("desktop".to_owned());
    let text = patchmesh_tests::text::part(&line, &honest);
    let from = text.find(r#""release/desktop/evil-1""#).unwrap();
    let entry = text[from..].split_once("}}").unwrap().0.to_owned();
    let other = entry.replace("release/desktop/evil-1", "release/server/evil-2");
    let both = altered(
        &line,
        &honest,
        &entry,
        &format!("{entry}}},{other}"),
        &[21, 22],
    );
    // And the same keys sign for the other line.
    let server = signed(
        &text.replace("release/desktop", "release/server"),
        &[21, 22],
    );
    let high = i64::try_from(HIGH).unwrap();
    let pinned = [
        ("targets", high, &targets[..]),
        ("release/desktop", high, &both[..]),
        ("release/server", high, &server[..]),
    ];
    let snapshot = snapshot(high, &pinned, ONLINE);
    let timestamp = timestamp(high, (high, &snapshot), ONLINE);
    for (role, bytes) in [
        (RoleName::Targets, &targets),
        (line, &both),
        (RoleName::Line("server".to_owned()), &server),
        (RoleName::Snapshot, &snapshot),
        (RoleName::Timestamp, &timestamp),
    ] {
        thief.write(&metadata_path(&role, HIGH), bytes);
    }
    let node = &bench.endpoints[0];
    let guise = claiming(&bench, 51, HIGH);
    let offered = offer(node, &guise, &thief.repository, "release/server");
    assert_eq!(offered.code, "UnknownKey");
    until("the own line is heard", SOON, || {
        release(node, "evil-1").map(|found| assert_eq!(found.line, "desktop"))
    });
    let listed = node.status().unwrap().releases;
    println!(
        "06 stolen-line: other line {} in {:?}, {} of 2 paths listed",
        offered.code,
        offered.took,
        listed.len()
    );
    assert_eq!(listed.len(), 1, "{listed:?}");
}

/// T-07, T-32: the largest version is a version, a larger one is none, and a
/// rotation brings everybody back.
#[test]
fn attack_10_fast_forward() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let thief = thief(&bench, "evil");
    let documents = thief.documents(LARGEST, &PEOPLE, ONLINE);
    let larger = altered(
        &RoleName::Timestamp,
        &documents.timestamp,
        &LARGEST.to_string(),
        &(1u64 << 63).to_string(),
        &[ONLINE],
    );
    thief.write(&metadata_path(&RoleName::Timestamp, 0), &larger);
    let node = &bench.endpoints[0];
    let guise = claiming(&bench, 52, u64::MAX);
    let offered = offer(node, &guise, &thief.repository, "timestamp");
    assert_eq!(offered.code, "Malformed");
    thief.place(&documents, LARGEST);
    let guise = claiming(&bench, 53, LARGEST);
    let attacker = Hostile::start(&guise, serve(&thief.repository));
    attacker.dial(node);
    for (name, node) in [("endpoint", node), ("origin", bench.origin())] {
        until(&format!("the {name} is fast-forwarded"), SOON, || {
            (head(node) == LARGEST).then_some(())
        });
    }
    drop(attacker);
    let healed = rotate(&mut bench);
    println!(
        "10 fast-forward: 2^63 {} in {:?}, 2^63-1 taken, healed by rotation in {healed:?}",
        offered.code, offered.took
    );
}
