//! Policies of operations that were genuine once, or never: a withdrawn
//! approval does not come back without the threshold of operations.

use std::fs;
use std::path::PathBuf;

use patchmesh_api::releases::{ReleaseState, WaitingOn};
use patchmesh_tests::bench::{Bench, FAST, release};
use patchmesh_tests::forge::{Documents, Forge, LINE, OPERATIONS, now, sign};
use patchmesh_tests::input;
use patchmesh_tests::until::until;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::policy::{Hold, HoldScope, Policy};
use patchmesh_trust::author::SnapshotPlan;
use patchmesh_trust::key::sha256;
use patchmesh_trust::layout::{annex_path, metadata_path};
use patchmesh_trust::role::RoleName;

use crate::support::{SOON, claiming, copy, head, offer};

fn in_use(bench: &Bench) -> PathBuf {
    bench.endpoints[0].state().join("active").join(LINE)
}

/// Nothing is in use, and the release is staged and waits for an approval.
fn unapproved(bench: &Bench, when: &str) {
    let found = release(&bench.endpoints[0], "release-1").unwrap();
    assert_eq!(found.state, ReleaseState::Staged, "{when}");
    assert!(!found.waiting_on.is_empty(), "{when}");
    assert!(fs::symlink_metadata(in_use(bench)).is_err(), "{when}");
}

/// A thief of the online key publishes these next documents in a folder of its own.
fn thief(bench: &Bench, name: &str) -> Forge {
    let folder = bench.path(name);
    copy(&bench.forge.repository, &folder);
    let mut thief = bench.forge.stolen(&folder);
    thief.version += 1;
    thief
}

/// The next documents with the older statement of rollout in the place of the new.
fn with_older(thief: &Forge, old: &Documents, old_version: u64) -> Documents {
    let documents = thief.documents(thief.version, &[1, 2], 9);
    let line = RoleName::Line(LINE.to_owned());
    let rollout = old.rollout.clone().unwrap();
    let snapshot = SnapshotPlan {
        version: thief.version,
        expires: now().plus_days(7),
        documents: vec![
            (RoleName::Targets, &documents.targets),
            (line, &documents.line),
            (RoleName::Rollout, &rollout),
        ],
    };
    let snapshot = sign(snapshot.build().unwrap(), &[9]);
    let version = i64::try_from(thief.version).unwrap();
    let timestamp = patchmesh_tests::text::timestamp(version, (version, &snapshot), 9);
    thief.write(&metadata_path(&RoleName::Rollout, old_version), &rollout);
    Documents {
        snapshot,
        timestamp,
        ..documents
    }
}

/// The next documents with a genuine policy, in whose place these bytes lie.
fn with_other_bytes(mut thief: Forge, served: &[u8]) -> Forge {
    let policy = Policy {
        holds: vec![Hold {
            scope: HoldScope::Everything,
            // Longer than what is served: no answer above the named length is read.
            reason: "audit ".repeat(20),
        }],
        ..Policy::default()
    };
    let named = policy.write().unwrap();
    thief.policy = Some(policy);
    thief.place(&thief.documents(thief.version, &[1, 2], 9), thief.version);
    thief.write(&annex_path(AnnexName::Policy, &sha256(&named)), served);
    thief
}

/// T-19, T-26, T-61, T-62.
#[test]
fn attack_older_policy() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 95, 100_000);
    bench.forge.policy = Some(Policy::default());
    bench.forge.release(&tree, "release-1");
    bench.forge.approve("release-1");
    bench.forge.publish();
    let (old, old_version) = (bench.forge.placed(), bench.forge.version);
    let approving = bench.forge.policy.clone().unwrap().write().unwrap();
    // It is withdrawn before the node comes.
    bench.forge.policy = Some(Policy::default());
    bench.forge.publish();
    bench.refresh();
    bench.add(0, 1, &[]);
    until("the release is staged and unapproved", SOON, || {
        let found = release(&bench.endpoints[0], "release-1")?;
        (found.waiting_on == [WaitingOn::Approval]).then_some(())
    });
    unapproved(&bench, "at first");
    let mut said = Vec::new();
    let mut offered = |bench: &Bench, seed: u8, thief: &Forge, what: &str, code: &str| {
        let guise = claiming(bench, seed, thief.version);
        let offered = offer(&bench.endpoints[0], &guise, &thief.repository, what);
        assert_eq!(offered.code, code, "{what}");
        unapproved(bench, what);
        said.push(format!("{what} {code} after {:?}", offered.took));
    };

    // The older statement, under a newer snapshot of a stolen online key.
    let evil = thief(&bench, "evil-1");
    evil.place(&with_older(&evil, &old, old_version), evil.version);
    offered(&bench, 230, &evil, "snapshot", "Rollback");
    bench.forge.version = evil.version;

    // A newer statement that names the older policy: one of two signs it.
    let mut evil = thief(&bench, "evil-2");
    evil.policy = Some(Policy::read(&approving).unwrap());
    evil.operations = vec![OPERATIONS[0]];
    evil.place(&evil.documents(evil.version, &[1, 2], 9), evil.version);
    offered(&bench, 231, &evil, "rollout", "BelowThreshold");
    bench.forge.version = evil.version;
    bench.forge.publish();
    bench.refresh();
    until("the node goes on", SOON * 2, || {
        (head(&bench.endpoints[0]) == bench.forge.version).then_some(())
    });

    // The genuine statement, and other bytes than it names.
    let evil = with_other_bytes(thief(&bench, "evil-3"), &approving);
    offered(&bench, 232, &evil, "rollout/policy", "HashMismatch");

    // Operations approve it again: this time it is applied.
    bench.forge.version = evil.version;
    bench.forge.approve("release-1");
    bench.forge.publish();
    bench.refresh();
    until("what operations say is done", SOON * 2, || {
        let found = release(&bench.endpoints[0], "release-1")?;
        (found.state == ReleaseState::Good).then_some(())
    });
    assert!(in_use(&bench).exists());

    // Security takes it off the line: what is in use stays, and is shown.
    assert!(bench.endpoints[0].status().unwrap().unlisted.is_empty());
    bench.forge.releases.clear();
    bench.forge.publish();
    bench.refresh();
    let unlisted = until("what is in use and unlisted is shown", SOON, || {
        let status = bench.endpoints[0].status().unwrap();
        (!status.unlisted.is_empty()).then_some(status.unlisted)
    });
    assert_eq!(unlisted, [format!("{LINE}/release-1")]);
    println!("older-policy: 0 installations; {}", said.join(", "));
}
