//! Starting, stopping, crashing.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use patchmesh_api::answer::Answer;
use patchmesh_api::client::Client;
use patchmesh_api::codes;
use patchmesh_api::request::Request;
use patchmesh_demo::compare::fingerprint;
use patchmesh_tests::bench::{Bench, FAST, is_staged, mbit, programs, release, turn};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

#[test]
fn a_restarted_endpoint_fetches_nothing_again() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 4, 2_000_000);
    bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    bench.until_staged("release-1");

    let ended = bench.endpoints[0].terminate().unwrap();
    assert_eq!(ended.code(), Some(0), "SIGTERM is a clean end");
    assert!(!bench.endpoints[0].socket().exists(), "the socket is left");
    bench.restart(0);
    resumes(&bench, &tree);

    bench.endpoints[0].kill().unwrap();
    bench.restart(0);
    resumes(&bench, &tree);
}

fn resumes(bench: &Bench, tree: &Path) {
    let node = &bench.endpoints[0];
    until("it is staged again", Duration::from_secs(30), || {
        is_staged(node, "release-1").then_some(())
    });
    let received = node.status().unwrap().received;
    assert_eq!(received.origin.payload + received.wan.payload, 0);
    assert_eq!(
        fingerprint(&bench.staged(0, "release-1")).unwrap(),
        fingerprint(tree).unwrap()
    );
}

#[test]
fn an_endpoint_that_is_stopped_in_the_middle_goes_on_where_it_was() {
    let mut bench = Bench::with_sites(&[mbit(8)]);
    let tree = bench.path("tree");
    input::tree(&tree, 9, 3_000_000);
    let index = bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    let held = until("a third is there", Duration::from_mins(1), || {
        let release = release(&bench.endpoints[0], "release-1")?;
        let held = release.chunks_held;
        (held > 0 && held >= release.chunks_total / 3).then_some(held)
    });
    let before = bench.endpoints[0].status().unwrap().received.origin;
    assert_eq!(bench.endpoints[0].terminate().unwrap().code(), Some(0));
    bench.restart(0);
    let kept = release(&bench.endpoints[0], "release-1").map_or(0, |found| found.chunks_held);
    assert!(kept >= held, "{kept} of {held} chunks are left");
    bench.until_staged("release-1");
    let after = bench.endpoints[0].status().unwrap().received.origin;
    let fetched = before.payload + after.payload;
    println!(
        "stopped at {held} chunks: {fetched} of {} bytes in both lives",
        index.wire_bytes()
    );
    // What arrived between the look and the stop is in neither number.
    assert!(fetched <= index.wire_bytes(), "{fetched}");
    assert!(before.payload > 0 && after.payload < index.wire_bytes());
}

/// The tour is killed in the middle of a rollout; its warden ends its nodes.
#[test]
fn no_process_is_left_when_a_harness_is_killed() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    input::tree(&tree, 5, 1_000_000);
    let temporary = folder.path().join("t");
    fs::create_dir(&temporary).unwrap();
    let mut tour = Command::new(&programs().demo)
        .args(["--sites", "1", "--nodes", "2", "--wan", "200kbit", "--new"])
        .arg(&tree)
        .env("TMPDIR", &temporary)
        .env("PATCHMESH_BIN_DIR", programs().demo.parent().unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let nodes = || processes_with(&temporary);
    until("three nodes run", Duration::from_mins(1), || {
        (nodes() >= 3).then_some(())
    });
    tour.kill().unwrap();
    tour.wait().unwrap();
    until("no node is left", Duration::from_secs(10), || {
        (nodes() == 0).then_some(())
    });
}

/// Processes that name this folder on their command line.
fn processes_with(folder: &Path) -> usize {
    let name = folder.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .filter(|line| {
            let line = String::from_utf8_lossy(line);
            line.contains(name) && line.contains("patchmeshd")
        })
        .count()
}

#[test]
fn a_full_control_socket_says_so() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 1, 1_000);
    bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    bench.until_staged("release-1");
    let path = bench.endpoints[0].socket();
    let idle: Vec<_> = (0..32)
        .map(|_| UnixStream::connect(&path).unwrap())
        .collect();
    let answer = Client::connect(&path).unwrap().ask(&Request::Status);
    let Ok(Answer::Refused(refused)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(refused.code, codes::BUSY);
    drop(idle);
    until("there is room again", Duration::from_secs(30), || {
        bench.endpoints[0].status().ok()
    });
}
