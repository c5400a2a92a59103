//! One of two parties alone: what security signs is staged and not applied, and
//! what operations approve has to be what security signed.

use std::fs;
use std::path::{Path, PathBuf};

use patchmesh_api::releases::{ReleaseState, WaitingOn};
use patchmesh_demo::compare::fingerprint;
use patchmesh_demo::fleet::Daemon;
use patchmesh_tests::bench::{Bench, FAST, refusals, release};
use patchmesh_tests::ceremony::Ceremony;
use patchmesh_tests::forge::LINE;
use patchmesh_tests::input;
use patchmesh_tests::until::until;

use crate::support::SOON;

pub(crate) const SECURITY: [&str; 2] = ["key-1", "key-2"];
const OPERATIONS: [&str; 2] = ["operations-1", "operations-3"];

/// A network of two parties with so many nodes.
pub(crate) fn network(bench: &mut Bench, nodes: usize) -> Ceremony {
    let ceremony = Ceremony::found_with(&bench.path("authority"), &["--operations", "3"]);
    bench.forge.repository = ceremony.repository();
    bench.start_origin();
    bench.open_site(FAST);
    bench.add(0, nodes, &[]);
    ceremony
}

pub(crate) fn publish(ceremony: &Ceremony, bench: &Bench, draft: &str) {
    ceremony.publish(&[draft], Some(&bench.origin().socket()));
}

/// Operations say something; the draft is signed by two of them.
pub(crate) fn operations(ceremony: &Ceremony, bench: &Bench, words: &[&str], version: u32) {
    ceremony.draft(&[&["rollout"], words].concat());
    let draft = format!("rollout-{version}.draft");
    ceremony.sign(&draft, &OPERATIONS);
    publish(ceremony, bench, &draft);
}

/// Waits until a release is in this state and, if so asked, waits for this.
fn reaches(node: &Daemon, id: &str, state: ReleaseState, waits: &[WaitingOn]) {
    let what = format!("{id} is {} at {}", state.word(), node.name);
    until(&what, SOON, || {
        let found = release(node, id)?;
        (found.state == state && found.waiting_on == waits).then_some(())
    });
}

pub(crate) fn in_use(node: &Daemon) -> PathBuf {
    let state = node.staging().parent().map(Path::to_owned);
    state.unwrap_or_default().join("active").join(LINE)
}

/// T-26: inside the line and unapproved, 0 installations; approved, the very
/// tree that was signed; altered before it is applied, refused; and never undone
/// by a withdrawal or a restart.
#[test]
fn attack_06_stolen_line_without_operations() {
    let mut bench = Bench::new();
    let ceremony = network(&mut bench, 2);
    let tree = bench.path("tree");
    input::tree(&tree, 61, 200_000);
    let draft = ceremony.release(&tree, "desktop/D-1", &SECURITY);
    publish(&ceremony, &bench, &draft);
    for node in &bench.endpoints {
        reaches(node, "D-1", ReleaseState::Staged, &[WaitingOn::Rollout]);
        assert!(
            fs::symlink_metadata(in_use(node)).is_err(),
            "0 installations"
        );
    }
    // Operations alone start nothing that is not approved: they hold only.
    operations(
        &ceremony,
        &bench,
        &["hold", "--everything", "--reason", "audit"],
        1,
    );
    let reason = "audit".to_owned();
    let waits = [WaitingOn::Hold { reason }, WaitingOn::Approval];
    reaches(&bench.endpoints[0], "D-1", ReleaseState::Staged, &waits);
    operations(&ceremony, &bench, &["resume", "--everything"], 2);
    reaches(
        &bench.endpoints[0],
        "D-1",
        ReleaseState::Staged,
        &[WaitingOn::Approval],
    );
    assert!(fs::symlink_metadata(in_use(&bench.endpoints[0])).is_err());
    operations(&ceremony, &bench, &["approve", "D-1"], 3);
    let wanted = fingerprint(&tree).unwrap();
    for node in &bench.endpoints {
        reaches(node, "D-1", ReleaseState::Good, &[]);
        let tree = fs::canonicalize(in_use(node)).unwrap();
        assert_eq!(fingerprint(&tree).unwrap(), wanted, "{}", node.name);
    }

    // A second release: one node's staged tree is altered before it is approved.
    input::change(&tree, 62);
    let draft = ceremony.release(&tree, "desktop/D-2", &SECURITY);
    publish(&ceremony, &bench, &draft);
    for node in &bench.endpoints {
        reaches(node, "D-2", ReleaseState::Staged, &[WaitingOn::Approval]);
    }
    fs::write(bench.staged(1, "D-2").join("smuggled"), b"in").unwrap();
    operations(&ceremony, &bench, &["approve", "D-2"], 4);
    reaches(&bench.endpoints[0], "D-2", ReleaseState::Good, &[]);
    reaches(
        &bench.endpoints[0],
        "D-1",
        ReleaseState::Staged,
        &[WaitingOn::Approval],
    );
    let altered = &bench.endpoints[1];
    until("the altered tree is refused", SOON, || {
        (refusals(altered, "staged-tree", "StagedAltered") > 0).then_some(())
    });
    let failed = release(altered, "D-2").unwrap();
    assert_eq!(failed.state, ReleaseState::Failed);
    let tree = fs::canonicalize(in_use(altered)).unwrap();
    assert_eq!(fingerprint(&tree).unwrap(), wanted, "still the one before");

    // Withdrawn and restarted: what is in use stays.
    operations(&ceremony, &bench, &["withdraw", "D-2"], 5);
    bench.restart(0);
    reaches(&bench.endpoints[0], "D-2", ReleaseState::Good, &[]);
    println!("06 stolen-line: 0 installations unapproved, 1 of 2 nodes refused an altered tree");
}
