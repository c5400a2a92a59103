//! A disk that is full, and has room again: a small file system of its own for
//! the state folder of a node.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use patchmesh_api::releases::{ReleaseState, WaitingOn};
use patchmesh_api::trouble::Trouble;
use patchmesh_demo::compare::fingerprint;
use patchmesh_demo::fleet::{Daemon, Role};
use patchmesh_tests::bench::{Bench, FAST, address, programs, release, site_name};
use patchmesh_tests::forge::LINE;
use patchmesh_tests::input;
use patchmesh_tests::told::{patchmesh, said};
use patchmesh_tests::until::until;

const SOON: Duration = Duration::from_secs(40);
/// Size of the file system of the node.
const SIZE: u64 = 32 << 20;

#[test]
fn a_full_disk_is_said_at_once_and_the_node_goes_on_with_room() {
    let Some(namespace) = namespace() else {
        eprintln!("skipped: this machine gives no mount namespace");
        return;
    };
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 61, 6_000_000);
    start(&mut bench, &namespace);
    let filler = filler(&bench.endpoints[0]);
    fill(&filler, 0);

    // Not even a document fits: the engine waits, the control socket answers.
    bench.release(&tree, "release-1");
    let node = &bench.endpoints[0];
    let trouble = until("it says so", SOON, || room_trouble(node));
    assert!(trouble.detail.contains("0.0 MiB free"), "{trouble:?}");
    assert!(trouble.detail.contains("more needed"), "{trouble:?}");
    let state = node.state();
    assert!(
        trouble.detail.contains(state.to_str().unwrap()),
        "{trouble:?}"
    );
    let asked = Instant::now();
    assert!(said(&patchmesh(node, &["status"])).contains("! DiskFull: "));
    refused(&patchmesh(node, &["fetch", "release-1"]));
    assert!(asked.elapsed() < Duration::from_secs(4), "answers are late");

    // Documents fit, the chunks do not.
    fill(&filler, 3 << 20);
    let waits = |found: &patchmesh_api::releases::Release| {
        found.waiting_on.contains(&WaitingOn::Disk) && room_trouble(node).is_some()
    };
    until("it waits for the disk", SOON, || {
        release(node, "release-1").filter(waits)
    });
    let why = said(&patchmesh(node, &["why", "release-1"]));
    assert!(why.contains("free space in the store"), "{why}");
    assert!(why.contains("! DiskFull: "), "{why}");
    refused(&patchmesh(node, &["fetch", "release-1", "--wait"]));
    let log = node.log();
    assert!(log.matches("DiskFull").count() <= 3, "{log}");
    assert!(log.lines().count() < 60, "{log}");

    fs::remove_file(&filler).unwrap();
    bench.until_staged("release-1");
    assert_eq!(
        fingerprint(
            &inside(&bench.endpoints[0], "staging")
                .join(LINE)
                .join("release-1")
        )
        .unwrap(),
        fingerprint(&tree).unwrap()
    );
    let node = &bench.endpoints[0];
    until("it is over", SOON, || {
        node.status().unwrap().troubles.is_empty().then_some(())
    });
    assert!(node.log().contains("a trouble is over"));
}

#[test]
fn a_disk_without_room_for_the_files_is_said_and_a_stop_is_clean() {
    let Some(namespace) = namespace() else {
        eprintln!("skipped: this machine gives no mount namespace");
        return;
    };
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 62, 6_000_000);
    start(&mut bench, &namespace);
    let filler = filler(&bench.endpoints[0]);
    // All chunks fit, the files that are built of them do not.
    fill(&filler, 11 << 20);
    bench.release(&tree, "release-1");
    let node = &bench.endpoints[0];
    until("staging finds no room", SOON, || {
        let found = release(node, "release-1")?;
        let whole = found.chunks_total > 0 && found.chunks_held == found.chunks_total;
        (whole && room_trouble(node).is_some()).then_some(())
    });
    let found = release(node, "release-1").unwrap();
    assert_ne!(found.state, ReleaseState::Failed);
    refused(&patchmesh(node, &["fetch", "release-1", "--wait"]));
    fs::remove_file(&filler).unwrap();
    bench.until_staged("release-1");

    // A node that waits for its disk ends when it is told to.
    fill(&filler, 0);
    bench.release(&tree, "release-2");
    let node = &mut bench.endpoints[0];
    until("it waits", SOON, || room_trouble(node));
    let ended = node.terminate().unwrap();
    assert!(ended.code().is_some(), "{ended}");
}

/// The words that start a program in a mount namespace of its own.
fn namespace() -> Option<String> {
    let works = |flags: &&str| {
        let tried = Command::new("unshare").arg(flags).arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let flags = ["-rm", "-m"].into_iter().find(works)?;
    Some(format!("unshare {flags}"))
}

/// Starts an endpoint whose state folder is a small file system.
fn start(bench: &mut Bench, namespace: &str) {
    let folder = bench.path("node-1");
    let state = folder.join("state");
    fs::create_dir_all(&state).unwrap();
    let program = bench.path("small");
    let script = format!(
        "#!/bin/sh\nexec {namespace} sh -c 'mount -t tmpfs -o size={SIZE},mode=700 pm {} && \
         exec {} \"$@\"' sh \"$@\"\n",
        state.display(),
        programs().patchmeshd.display(),
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let role = Role::Endpoint {
        site: site_name(0),
        bootstrap: address(bench.origin()),
        line: LINE.to_owned(),
    };
    let root = bench.forge.root_path();
    let mut node = Daemon::prepare(&program, &folder, &root, &role).unwrap();
    node.restart(&mut bench.warden).unwrap();
    node.wait_until_up().unwrap();
    bench.endpoints.push(node);
}

/// A path in the state folder as the node sees it.
fn inside(node: &Daemon, name: &str) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", node.pid().unwrap()));
    let state = node.state();
    root.join(state.strip_prefix("/").unwrap()).join(name)
}

fn filler(node: &Daemon) -> PathBuf {
    inside(node, "filler")
}

/// Fills the file system until no more than this is free.
fn fill(filler: &Path, left: u64) {
    drop(fs::remove_file(filler));
    let mut file = File::create(filler).unwrap();
    let page = [0x5a; 4096];
    while file.write_all(&page).is_ok() {}
    let len = file.metadata().unwrap().len();
    file.set_len(len - left.min(len)).unwrap();
}

fn room_trouble(node: &Daemon) -> Option<Trouble> {
    let troubles = node.status().unwrap().troubles;
    troubles.into_iter().find(|one| one.code == "DiskFull")
}

fn refused(output: &Output) {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("[E_DISK_FULL]"), "{told}");
    assert!(told.contains("is full: "), "{told}");
    assert!(told.contains("hint: free space on that disk"), "{told}");
}
