//! A holder of the timestamp's key shows two sites two things.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use patchmesh_api::status::{Status, TrustState};
use patchmesh_demo::fleet::{Daemon, Role};
use patchmesh_tests::bench::{Bench, FAST, address, programs};
use patchmesh_tests::forge::{Forge, LINE, ONLINE, now, sign};
use patchmesh_tests::input;
use patchmesh_tests::until::until;
use patchmesh_trust::author::TimestampPlan;
use patchmesh_trust::layout::metadata_path;
use patchmesh_trust::role::RoleName;

use crate::support::{SOON, copy, head};

/// A copy of the published folder with another timestamp of the same version.
fn twin(bench: &Bench, name: &str) -> Forge {
    let folder = bench.path(name);
    copy(&bench.forge.repository, &folder);
    let twin = bench.forge.stolen(&folder);
    let version = twin.version;
    let snapshot = folder.join(metadata_path(&RoleName::Snapshot, version));
    let plan = TimestampPlan {
        version,
        expires: now().plus_days(7),
        issued: now(),
        snapshot: &std::fs::read(snapshot).unwrap(),
        log: None,
    };
    let timestamp = sign(plan.build().unwrap(), &[ONLINE]);
    twin.write(&metadata_path(&RoleName::Timestamp, version), &timestamp);
    twin
}

/// Starts a node of a site of its own with these bootstrap addresses.
pub(crate) fn endpoint(bench: &mut Bench, name: &str, peers: &[String]) -> Daemon {
    let role = Role::Endpoint {
        site: name.to_owned(),
        bootstrap: peers[0].clone(),
        line: LINE.to_owned(),
    };
    let peers: Vec<String> = peers.iter().map(|peer| format!("{peer:?}")).collect();
    let peers = format!("[{}]", peers.join(", "));
    let settings = [("PATCHMESH_NET__BOOTSTRAP", peers.as_str())];
    let folder = bench.path(name);
    bench.daemon(&folder, &role, &settings)
}

pub(crate) fn is_frozen(status: &Status) -> bool {
    let told = status.troubles.iter().any(|one| one.code == "Equivocation");
    status.trust.state == TrustState::Frozen && told && !status.ready
}

/// How long each node takes until it shows the alarm.
fn alarms(nodes: &[&Daemon], began: Instant) -> Vec<Duration> {
    let mut took = vec![None; nodes.len()];
    until("every node has the alarm", SOON * 3, || {
        for (node, took) in nodes.iter().zip(&mut took) {
            if took.is_none() && node.status().is_ok_and(|status| is_frozen(&status)) {
                *took = Some(began.elapsed());
            }
        }
        took.iter().all(Option::is_some).then_some(())
    });
    let mut took: Vec<_> = took.into_iter().flatten().collect();
    took.sort();
    took
}

fn verified(state: &Path, root: &Path) -> String {
    let output = Command::new(&programs().patchmesh)
        .arg("verify-proof")
        .arg(state.join("trust/proofs/timestamp.proof"))
        .arg("--root")
        .arg(root)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Two sites that nobody could tell apart meet in one node: gives the time of
/// that, and what the proof of each node says once all have one.
#[expect(clippy::print_stdout, reason = "a test prints its figure")]
pub(crate) fn meet(
    bench: &mut Bench,
    deceived: &Daemon,
    evil: &Daemon,
    name: &str,
) -> (Instant, Vec<String>) {
    let unaware = !is_frozen(&deceived.status().unwrap());
    assert!(unaware, "nobody can tell yet");
    let began = Instant::now();
    let both = [address(&bench.endpoints[0]), address(deceived)];
    let bridge = endpoint(bench, "bridge", &both);
    let nodes = [&bridge, deceived, evil, &bench.endpoints[0], bench.origin()];
    let took = alarms(&nodes, began);
    println!("{name}: alarm on {} nodes after {took:?}", took.len());
    let root = bench.forge.root_path();
    let proofs = nodes.iter().map(|node| verified(&node.state(), &root));
    (began, proofs.collect())
}

/// T-43 to T-47: the two views meet in one node; every node has a proof, and
/// nothing newer is taken until the key is rotated away.
#[test]
fn attack_12_equivocation() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 71, 100_000);
    bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    bench.until_staged("release-1");
    let thief = twin(&bench, "evil");
    let role = Role::Origin {
        repository: thief.repository.clone(),
    };
    let folder = bench.path("evil-origin");
    let evil = bench.daemon(&folder, &role, &[]);
    let deceived = endpoint(&mut bench, "deceived", &[address(&evil)]);
    let version = bench.forge.version;
    until("both sites are at one version", SOON, || {
        let there = head(&deceived) == version && head(&bench.endpoints[0]) == version;
        there.then_some(())
    });
    let (began, proofs) = meet(&mut bench, &deceived, &evil, "12 equivocation");
    for shown in proofs {
        assert!(
            shown.contains(&format!("timestamp version {version}")),
            "{shown}"
        );
        assert!(shown.contains("~ expires"), "{shown}");
    }

    // Neither a restart nor a newer timestamp ends it; a rotation does.
    bench.endpoints[0].kill().unwrap();
    bench.restart(0);
    assert!(is_frozen(&bench.endpoints[0].status().unwrap()));
    input::change(&tree, 72);
    bench.release(&tree, "release-2");
    until("the origin looked at its folder again", SOON, || {
        (began.elapsed() > Duration::from_secs(7)).then_some(())
    });
    assert_eq!(
        (head(bench.origin()), head(&bench.endpoints[0])),
        (version, version)
    );
    bench.forge.rotate([10, 10]);
    bench.refresh();
    bench.until_staged("release-2");
    let status = bench.endpoints[0].status().unwrap();
    assert_eq!(status.trust.state, TrustState::Current);
    assert_eq!(status.troubles, []);
}

/// Time to alarm over a fleet: 8 nodes here, 50 with `PATCHMESH_LONG=1`.
#[test]
fn alarm_reaches_a_whole_fleet() {
    let long = std::env::var_os("PATCHMESH_LONG").is_some_and(|value| value == "1");
    let count = if long { 50 } else { 8 };
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 73, 10_000);
    bench.release(&tree, "release-1");
    bench.add(0, count, &[]);
    let version = bench.forge.version;
    for node in &bench.endpoints {
        until("it has the timestamp", SOON * 2, || {
            (head(node) == version).then_some(())
        });
    }
    let thief = twin(&bench, "evil");
    let role = Role::Origin {
        repository: thief.repository.clone(),
    };
    let folder = bench.path("evil-origin");
    let evil = bench.daemon(&folder, &role, &[]);
    until("the thief's origin speaks", SOON, || {
        (head(&evil) == version).then_some(())
    });
    let both = [address(&bench.endpoints[count - 1]), address(&evil)];
    let began = Instant::now();
    let _bridge = endpoint(&mut bench, "bridge", &both);
    let nodes: Vec<&Daemon> = bench.endpoints.iter().collect();
    let took = alarms(&nodes, began);
    let at = |percent: usize| took[(took.len() * percent).div_ceil(100) - 1];
    let (half, most, all) = (at(50), at(99), at(100));
    println!("alarm on {count} nodes: p50 {half:?}, p99 {most:?}, max {all:?}");
    assert!(most < Duration::from_secs(30), "{most:?}");
}
