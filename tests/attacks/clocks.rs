//! Nodes whose wall clock is wrong, by four amounts, from the start, from the
//! middle of a fetch, and from before the rollout (T-36). The clock is that of the
//! real program, made wrong by the preloaded library of `faketime`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use patchmesh_api::releases::{Release, ReleaseState, WaitingOn};
use patchmesh_api::status::{Status, TrustState};
use patchmesh_demo::compare::fingerprint;
use patchmesh_demo::fleet::Daemon;
use patchmesh_tests::bench::{Bench, FAST, mbit, release};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

use crate::parties::{SECURITY, in_use, network, operations, publish};
use crate::support::SOON;

/// How wrong the clocks of the four endpoints are, as `faketime` reads it.
const OFFSETS: [&str; 4] = ["-400d", "-1h", "+1h", "+400d"];
const FAR_BEHIND: usize = 0;
const FAR_AHEAD: usize = 3;
const RELEASE: &str = "release-1";

/// The file that says how wrong the clock of an endpoint is.
fn clock_of(bench: &Bench, endpoint: usize) -> PathBuf {
    bench.path(&format!("clock-{endpoint}"))
}

/// Lets a clock be wrong from now on; the file is never seen half written.
fn set(bench: &Bench, endpoint: usize, offset: &str) {
    let file = clock_of(bench, endpoint);
    let new = file.with_extension("new");
    fs::write(&new, offset).unwrap();
    fs::rename(new, file).unwrap();
}

/// Sets all four clocks right.
fn repair(bench: &Bench) {
    for endpoint in 0..OFFSETS.len() {
        set(bench, endpoint, "+0");
    }
}

/// The preloaded library, as the program names it.
fn library() -> String {
    let shown = Command::new("faketime").args(["-f", "+0", "env"]).output();
    let shown = shown.expect("install the package `faketime`");
    let shown = String::from_utf8(shown.stdout).unwrap();
    let found = shown
        .lines()
        .find_map(|line| line.strip_prefix("LD_PRELOAD="));
    found.expect("faketime preloads a library").to_owned()
}

/// Starts four endpoints whose clocks these files set.
fn add_four(bench: &mut Bench, offsets: [&str; 4]) {
    let library = library();
    for (endpoint, offset) in offsets.iter().enumerate() {
        set(bench, endpoint, offset);
        let file = clock_of(bench, endpoint);
        let settings = [
            ("LD_PRELOAD", &*library),
            ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            // A real jump of the wall clock leaves the other alone.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        bench.add(0, 1, &settings);
    }
}

fn until_status(node: &Daemon, what: &str, mut is: impl FnMut(&Status) -> bool) {
    until(&format!("{what} at {}", node.name), SOON, || {
        node.status().ok().filter(|status| is(status)).map(drop)
    });
}

fn until_release(node: &Daemon, what: &str, mut is: impl FnMut(&Release) -> bool) {
    until(
        &format!("{RELEASE} is {what} at {}", node.name),
        SOON,
        || release(node, RELEASE).filter(|found| is(found)).map(drop),
    );
}

fn has_trouble(status: &Status, code: &str) -> bool {
    status.troubles.iter().any(|trouble| trouble.code == code)
}

/// By a clock that is 400 days ahead everything has expired; that is said, with
/// the clock as a reason.
fn until_ahead(node: &Daemon) {
    until_status(node, "the clock is ahead", |status| {
        status.trust.state == TrustState::Stale && has_trouble(status, "ClockAhead")
    });
}

fn until_current(node: &Daemon) {
    until_status(node, "all is well", |status| {
        status.trust.state == TrustState::Current && status.troubles.is_empty()
    });
}

/// Whoever starts with a clock that is an hour off works; 400 days off, it is
/// turned away, says what its clock says, and joins once the clock is set.
#[test]
#[ignore = "cargo x clocks: needs the package faketime"]
fn attack_33_clock_shift_at_the_start() {
    let mut bench = Bench::with_sites(&[FAST]);
    add_four(&mut bench, OFFSETS);
    let tree = bench.path("tree");
    input::tree(&tree, 70, 200_000);
    bench.release(&tree, RELEASE);
    for endpoint in [1, 2] {
        let node = &bench.endpoints[endpoint];
        until_release(node, "staged", |found| found.state == ReleaseState::Staged);
    }
    for endpoint in [FAR_BEHIND, FAR_AHEAD] {
        until_status(&bench.endpoints[endpoint], "the clock is said", |status| {
            let turned_away = |trouble: &&str| trouble.contains("whose clock says 202");
            let mut details = status.troubles.iter().map(|trouble| &*trouble.detail);
            details.find(turned_away).is_some()
        });
        assert!(release(&bench.endpoints[endpoint], RELEASE).is_none());
    }
    repair(&bench);
    for node in &bench.endpoints {
        until_release(node, "staged", |found| found.state == ReleaseState::Staged);
        until_current(node);
    }
    println!("33 clock-shift at the start: 2 of 4 work, 2 say their clock and join once it is set");
}

/// A clock that jumps in the middle of a fetch loses no byte.
#[test]
#[ignore = "cargo x clocks: needs the package faketime"]
fn attack_33_clock_shift_in_a_fetch() {
    let mut bench = Bench::with_sites(&[mbit(2)]);
    add_four(&mut bench, ["+0"; 4]);
    let tree = bench.path("tree");
    input::tree(&tree, 71, 3_000_000);
    let index = bench.release(&tree, RELEASE);
    for node in &bench.endpoints {
        until_release(node, "begun", |found| found.chunks_held > 0);
    }
    for (endpoint, offset) in OFFSETS.iter().enumerate() {
        set(&bench, endpoint, offset);
    }
    for node in &bench.endpoints[..FAR_AHEAD] {
        until_release(node, "staged", |found| found.state == ReleaseState::Staged);
    }
    until_status(
        &bench.endpoints[FAR_BEHIND],
        "the clock is behind",
        |status| status.trust.state == TrustState::Current && has_trouble(status, "ClockBehind"),
    );
    let ahead = &bench.endpoints[FAR_AHEAD];
    until_ahead(ahead);
    let held = release(ahead, RELEASE).unwrap();
    assert_ne!(held.state, ReleaseState::Staged, "no installation begins");
    assert!(held.chunks_held > 0, "nothing is deleted");
    repair(&bench);
    for node in &bench.endpoints {
        until_release(node, "staged", |found| found.state == ReleaseState::Staged);
        until_current(node);
    }
    let site = bench.counters(0);
    println!(
        "33 clock-shift in a fetch: one node of 4 holds {} of {} chunks until its clock is set; \
         {} bytes over the WAN for {}",
        held.chunks_held,
        held.chunks_total,
        site.wan_payload,
        index.wire_bytes()
    );
}

/// What operations approve is applied where the clock lets the metadata stand.
#[test]
#[ignore = "cargo x clocks: needs the package faketime"]
fn attack_33_clock_shift_before_the_rollout() {
    let mut bench = Bench::new();
    let ceremony = network(&mut bench, 0);
    add_four(&mut bench, ["+0"; 4]);
    let tree = bench.path("tree");
    input::tree(&tree, 72, 200_000);
    let draft = ceremony.release(&tree, &format!("desktop/{RELEASE}"), &SECURITY);
    publish(&ceremony, &bench, &draft);
    for node in &bench.endpoints {
        until_release(node, "staged", |found| {
            found.state == ReleaseState::Staged && found.waiting_on == [WaitingOn::Rollout]
        });
    }
    for (endpoint, offset) in OFFSETS.iter().enumerate() {
        set(&bench, endpoint, offset);
    }
    let ahead = &bench.endpoints[FAR_AHEAD];
    until_ahead(ahead);
    operations(&ceremony, &bench, &["approve", RELEASE], 1);
    let wanted = fingerprint(&tree).unwrap();
    for node in &bench.endpoints[..FAR_AHEAD] {
        until_good(node, &wanted);
    }
    let held = release(ahead, RELEASE).unwrap();
    assert_eq!(held.state, ReleaseState::Staged, "{held:?}");
    assert!(fs::symlink_metadata(in_use(ahead)).is_err(), "not applied");
    assert!(bench.staged(FAR_AHEAD, RELEASE).exists(), "not deleted");
    repair(&bench);
    for node in &bench.endpoints {
        until_good(node, &wanted);
        until_current(node);
    }
    println!("33 clock-shift before the rollout: 3 of 4 apply, 1 once its clock is set");
}

fn until_good(node: &Daemon, wanted: &str) {
    until_release(node, "good", |found| found.state == ReleaseState::Good);
    let tree: &Path = &fs::canonicalize(in_use(node)).unwrap();
    assert_eq!(fingerprint(tree).unwrap(), wanted, "{}", node.name);
}

/// T-37: a timestamp of 30 days is told after 16, and no more once that was wrong.
#[test]
#[ignore = "cargo x clocks: needs the package faketime"]
fn a_timestamp_past_half_of_its_life_is_told() {
    let mut bench = Bench::with_sites(&[FAST]);
    add_four(&mut bench, ["+0"; 4]);
    for node in &bench.endpoints {
        until_current(node);
    }
    set(&bench, 0, "+16d");
    until_status(&bench.endpoints[0], "the age is told", |status| {
        status.trust.state == TrustState::Current && has_trouble(status, "TimestampAgeing")
    });
    repair(&bench);
    until_current(&bench.endpoints[0]);
}

/// A monotonic clock that jumps, which no system should have, ends no node.
#[test]
#[ignore = "cargo x clocks: needs the package faketime"]
fn a_monotonic_clock_that_jumps_ends_no_node() {
    let mut bench = Bench::with_sites(&[FAST]);
    let library = library();
    set(&bench, 0, "+0");
    let file = clock_of(&bench, 0);
    let settings = [
        ("LD_PRELOAD", &*library),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
    ];
    bench.add(0, 1, &settings);
    for offset in ["-1h", "+400d", "+0"] {
        set(&bench, 0, offset);
        until_status(&bench.endpoints[0], "an answer", |_| true);
    }
}
