//! The command line beside a real node.

use std::process::{Command, Stdio};

use patchmesh_tests::bench::{Bench, FAST, programs};
use patchmesh_tests::input;
use serde_json::Value;

#[test]
fn every_verb_of_a_node_answers_in_json() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 8, 1_000_000);
    let index = bench.release(&tree, "release-1");
    bench.add(0, 1, &[("PATCHMESH_RELEASES__AUTOMATIC", "false")]);
    let ask = |words: &[&str]| json(&bench, words);

    // The node has just been started and may not know the release yet.
    let fetched = ask(&["fetch", "release-1", "--wait"]);
    let last = fetched.last().unwrap();
    assert_eq!(last["schema"], "patchmesh.fetch/1");
    assert_eq!(last["message_type"], "summary");
    assert_eq!(last["state"], "staged");
    assert_eq!(last["bytes_done"], index.wire_bytes());

    let status = ask(&["status"]).pop().unwrap();
    assert_eq!(status["schema"], "patchmesh.status/1");
    assert_eq!(status["mode"], "endpoint");
    assert_eq!(status["site"], "site-1");
    assert_eq!(status["trust"]["state"], "current");
    assert_eq!(status["received"]["origin"]["payload"], index.wire_bytes());

    let peers = ask(&["peers"]).pop().unwrap();
    assert_eq!(peers["schema"], "patchmesh.peers/1");
    assert_eq!(peers["peers"][0]["origin"], true);
    assert_eq!(peers["peers"][0]["connected"], true);

    let releases = ask(&["releases"]).pop().unwrap();
    assert_eq!(releases["schema"], "patchmesh.releases/1");
    assert_eq!(releases["releases"][0]["state"], "staged");

    let why = ask(&["why", "release-1"]).pop().unwrap();
    assert_eq!(why["schema"], "patchmesh.why/1");
    assert!(
        why["sentence"]
            .as_str()
            .unwrap()
            .contains("waits for nothing")
    );

    let again = Command::new(&programs().patchmesh)
        .args(["fetch", "release-1", "--wait", "--socket"])
        .arg(bench.endpoints[0].socket())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(
        said.contains("desktop/release-1 was staged before"),
        "{said}"
    );

    let unknown = run(&bench, &["why", "no-such-release"]);
    assert_eq!(unknown.status.code(), Some(1));
    let said = String::from_utf8_lossy(&unknown.stderr);
    assert!(said.contains("E_UNKNOWN_RELEASE"), "{said}");
}

fn run(bench: &Bench, words: &[&str]) -> std::process::Output {
    Command::new(&programs().patchmesh)
        .args(words)
        .arg("--json")
        .arg("--socket")
        .arg(bench.endpoints[0].socket())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The lines that a verb prints.
fn json(bench: &Bench, words: &[&str]) -> Vec<Value> {
    let output = run(bench, words);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
