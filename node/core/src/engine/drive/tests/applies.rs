//! Two parties: what security signed is staged, and applied once operations
//! cover it.

use patchmesh_trust::annex::policy::{Approval, Hold, HoldScope, Policy};
use patchmesh_trust::author::ReleaseEntry;

use super::*;
use crate::output::Step;

fn approval(release: &ReleaseIndex) -> Approval {
    let (line, entry) = ReleaseEntry::of_index(&release.encode()).unwrap();
    Approval {
        line,
        id: entry.id,
        sha256: entry.sha256,
        rings: vec![],
        from: None,
        until: None,
    }
}

fn approving(releases: &[&ReleaseIndex]) -> Policy {
    Policy {
        approvals: releases.iter().map(|release| approval(release)).collect(),
        ..Policy::default()
    }
}

fn say(publisher: &mut Publisher, policy: &Policy, releases: &[ReleaseIndex], days: i64) {
    publisher.policy = Some(policy.write().unwrap());
    publisher.publish(releases, days);
}

fn state(host: &Host, id: &str) -> Option<ReleaseState> {
    let releases = host.engine.view(host.now).releases;
    releases
        .iter()
        .find(|one| one.id == id)
        .map(|one| one.state)
}

fn waits(host: &Host, id: &str) -> Vec<WaitingOn> {
    let releases = host.engine.view(host.now).releases;
    let found = releases.into_iter().find(|one| one.id == id);
    found.map_or_else(Vec::new, |one| one.waiting_on)
}

/// Until the engine has this version of everything.
fn caught_up(host: &mut Host, publisher: &Publisher, version: u64) {
    assert!(host.run(&publisher.folder, |host| {
        host.engine.catalog.is_complete() && host.engine.view(host.now).head.timestamp == version
    }));
    let end = Time(host.now.mono.0 + 40_000_000);
    assert!(host.run(&publisher.folder, |host| host.now.mono >= end));
}

#[test]
fn a_staged_release_is_applied_once_operations_cover_it_and_is_not_undone() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    let releases = [index("KB-1", 0, 5), index("KB-2", 5, 5)];
    say(&mut publisher, &Policy::default(), &releases[..1], 90);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    caught_up(&mut host, &publisher, 1);
    assert_eq!(state(&host, "KB-1"), Some(ReleaseState::Staged));
    assert_eq!(waits(&host, "KB-1"), [WaitingOn::Approval]);

    say(
        &mut publisher,
        &approving(&[&releases[0]]),
        &releases[..1],
        90,
    );
    let good = |host: &Host| state(host, "KB-1") == Some(ReleaseState::Good);
    assert!(host.run(&publisher.folder, good));
    assert_eq!(host.applied, ["KB-1"]);
    assert_eq!(waits(&host, "KB-1"), []);

    // Withdrawn: what is in use stays, and nothing more happens.
    say(&mut publisher, &Policy::default(), &releases, 90);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-2")));
    caught_up(&mut host, &publisher, 3);
    assert_eq!(state(&host, "KB-1"), Some(ReleaseState::Good));
    assert_eq!(state(&host, "KB-2"), Some(ReleaseState::Staged));

    say(
        &mut publisher,
        &approving(&[&releases[0], &releases[1]]),
        &releases,
        90,
    );
    let good = |host: &Host| state(host, "KB-2") == Some(ReleaseState::Good);
    assert!(host.run(&publisher.folder, good));
    assert_eq!(state(&host, "KB-1"), Some(ReleaseState::Staged));
    assert_eq!(host.applied, ["KB-1", "KB-2"]);
}

#[test]
fn an_approval_counts_from_its_first_second_and_not_beyond_its_statement() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    let releases = [index("KB-1", 0, 5)];
    let mut policy = approving(&[&releases[0]]);
    policy.approvals[0].from = Some(UtcTime(UTC.0 + 7_200));
    say(&mut publisher, &policy, &releases, 90);
    assert!(host.run(&publisher.folder, |host| host.is_staged("KB-1")));
    let from = UTC.0 + 7_200;
    assert_eq!(waits(&host, "KB-1"), [WaitingOn::Window { from }]);
    host.walk = true;
    let good = |host: &Host| state(host, "KB-1") == Some(ReleaseState::Good);
    assert!(host.run(&publisher.folder, good));
    let late = host.engine.catalog.utc(host.now).0 - from;
    assert!((0..=1).contains(&late), "{late} s after it began");

    // Another one is approved, and the statement runs out before it is staged.
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    let releases = [index("KB-1", 0, 20)];
    say(&mut publisher, &approving(&[&releases[0]]), &releases, 1);
    let held = |host: &Host, count: u32| {
        let releases = host.engine.view(host.now).releases;
        releases.iter().any(|release| release.chunks_held >= count)
    };
    assert!(host.run(&publisher.folder, |host| held(host, 2)));
    host.now.utc = UtcTime(UTC.0 + 86_400);
    assert!(host.run(&publisher.folder, |host| held(host, 20)));
    assert_eq!(host.applied, [""; 0]);
    assert!(waits(&host, "KB-1").contains(&WaitingOn::Metadata));
}

/// T-62: a policy that is named and does not come approves nothing, whatever the
/// one before said.
#[test]
fn a_policy_that_is_withheld_approves_nothing() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    let releases = [index("KB-1", 0, 5)];
    say(&mut publisher, &approving(&[&releases[0]]), &[], 90);
    caught_up(&mut host, &publisher, 1);
    let held = Policy {
        holds: vec![Hold {
            scope: HoldScope::Everything,
            reason: "audit".to_owned(),
        }],
        ..approving(&[&releases[0]])
    };
    say(&mut publisher, &held, &releases, 90);
    let mut without = publisher.folder.clone();
    let bytes = held.write().unwrap();
    without.retain(|_, document| **document != *bytes);
    assert!(host.run(&without, |host| host.is_staged("KB-1")));
    assert_eq!(waits(&host, "KB-1"), [WaitingOn::Rollout]);
    let reason = "audit".to_owned();
    let waits_on_it = [WaitingOn::Hold { reason }];
    assert!(host.run(&publisher.folder, |host| waits(host, "KB-1") == waits_on_it));
    assert_eq!(host.applied, [""; 0]);
}

/// The state is durable before the step, and a crash in it does it again.
#[test]
fn a_crash_while_applying_applies_again() {
    let (mut publisher, mut host) = started(Mode::EndpointWithHttp);
    let releases = [index("KB-1", 0, 5)];
    say(&mut publisher, &approving(&[&releases[0]]), &releases, 90);
    let content = ReleaseIndex::content_id(&releases[0].encode());
    let applying = |host: &Host| host.store.releases.get(&content) == Some(&ReleaseState::Applying);
    assert!(host.run(&publisher.folder, applying));
    assert_eq!(host.applied, ["KB-1"]);
    let store = host.store.clone();
    let settings = config(Mode::EndpointWithHttp);
    let mut host = Host::start(settings, &publisher.anchor, store, Host::at(0));
    let good = |host: &Host| state(host, "KB-1") == Some(ReleaseState::Good);
    assert!(host.run(&publisher.folder, good));
    assert_eq!(host.applied, ["KB-1"]);
    let step = host.others.iter().any(|output| match output {
        Output::Install { step, .. } => matches!(step, Step::Apply { .. }),
        _ => false,
    });
    assert!(!step, "each step is answered");
}
