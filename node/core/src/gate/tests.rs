//! Every condition, dropped alone.

use std::collections::BTreeMap;

use patchmesh_trust::annex::policy::{Approval, Hold, HoldScope, Policy, Ring};

use super::*;
use crate::fixture::publisher::{Publisher, UTC, config, index};

const NODE: PeerId = PeerId([0xEE; 32]);

type Listed = BTreeMap<ContentId, Verified<Release>>;

/// Two verified releases of one line, `A` and `B`.
fn listed() -> Listed {
    let mut publisher = Publisher::new();
    publisher.publish(&[index("A", 0, 2), index("B", 2, 2)], 90);
    let lines = config(crate::config::Mode::Endpoint).lines;
    let folder = publisher.folder.iter();
    let documents = folder.filter_map(|(document, bytes)| match document {
        crate::message::DocumentRef::Metadata { role, .. } => Some((role.parse().ok()?, &**bytes)),
        crate::message::DocumentRef::Index { .. } | crate::message::DocumentRef::Annex { .. } => {
            None
        }
    });
    let mut documents: Vec<(RoleName, &[u8])> = documents.collect();
    documents.sort_by(|a, b| a.0.cmp(&b.0));
    let documents = documents.iter().map(|(role, bytes)| (role, *bytes));
    let anchor = &publisher.anchor;
    let restored =
        patchmesh_trust::state::Verifier::restore(anchor, &lines, documents, None).unwrap();
    let releases = restored.0.releases(UTC).into_iter();
    releases.map(|release| (release.content, release)).collect()
}

fn release<'a>(listed: &'a Listed, id: &str) -> &'a Verified<Release> {
    listed.values().find(|release| release.id == id).unwrap()
}

fn approval(release: &Release) -> Approval {
    Approval {
        line: release.line.clone(),
        id: release.id.clone(),
        sha256: release.sha256,
        rings: vec![],
        from: None,
        until: None,
    }
}

/// Everything that is needed to apply release `A`.
fn say(listed: &Listed) -> Say {
    Say {
        node: NODE,
        utc: UTC,
        current: true,
        frozen: vec![],
        withheld: vec![],
        not_separated: vec![],
        stopped: BTreeSet::new(),
        cosigned: Cosigned::Unasked,
        operations: Operations::Say(Policy {
            approvals: vec![approval(release(listed, "A"))],
            ..Policy::default()
        }),
    }
}

fn policy(say: &mut Say) -> &mut Policy {
    let Operations::Say(policy) = &mut say.operations else {
        panic!("operations are silent");
    };
    policy
}

/// A stopped release is no longer usable either, and says why once.
#[test]
fn a_stopped_release_waits_for_its_stop_alone() {
    let listed = listed();
    let a = release(&listed, "A").content;
    let mut say = say(&listed);
    say.stopped.extend([a]);
    let verdicts = judge(&say, &listed, &Listed::new());
    assert_eq!(verdicts.closed[&a], [WaitingOn::Stop]);
}

/// T-26: with each condition dropped alone nothing is applied, and the release
/// says which one it was.
#[test]
fn each_condition_dropped_alone_closes_and_is_named() {
    let listed = listed();
    let a = release(&listed, "A").content;
    let b = release(&listed, "B");
    let open = |say: &Say, usable: &Listed| judge(say, &listed, usable).open;
    let good = say(&listed);
    assert_eq!(open(&good, &listed), [a].into());
    let without: Listed = [(b.content, b.clone())].into();
    let verdicts = judge(&good, &listed, &without);
    assert_eq!(verdicts.closed[&a], [WaitingOn::Metadata], "(a)");
    let closed = |change: &dyn Fn(&mut Say)| {
        let mut say = good.clone();
        change(&mut say);
        let verdicts = judge(&say, &listed, &listed);
        assert!(!verdicts.open.contains(&a), "{say:?}");
        verdicts.closed[&a].clone()
    };
    let hold = |scope: HoldScope| {
        closed(&|say| {
            let (scope, reason) = (scope.clone(), "audit".to_owned());
            policy(say).holds.push(Hold { scope, reason });
        })
    };
    let waits = [WaitingOn::Hold {
        reason: "audit".to_owned(),
    }];
    let line = b.line.clone();
    let id = "A".to_owned();
    assert_eq!(hold(HoldScope::Everything), waits, "(b)");
    assert_eq!(hold(HoldScope::Line(line.clone())), waits, "(b)");
    assert_eq!(hold(HoldScope::Release { line, id }), waits, "(b)");
    let silent = closed(&|say| say.operations = Operations::Silent);
    assert_eq!(silent, [WaitingOn::Rollout], "(b)");
    let withdrawn = closed(&|say| policy(say).approvals.clear());
    assert_eq!(withdrawn, [WaitingOn::Approval], "(b)");
    let other = closed(&|say| policy(say).approvals[0].sha256 = [9; 32]);
    assert_eq!(other, [WaitingOn::OtherIndex], "(b): exactly this index");
    let early = closed(&|say| policy(say).approvals[0].from = Some(UtcTime(UTC.0 + 1)));
    assert_eq!(early, [WaitingOn::Window { from: UTC.0 + 1 }], "(b)");
    let late = closed(&|say| policy(say).approvals[0].until = Some(UTC));
    assert_eq!(late, [WaitingOn::Approval], "(b)");
    let stopped = closed(&|say| say.stopped.extend([a]));
    assert_eq!(stopped, [WaitingOn::Stop], "(c)");
    assert_eq!(
        closed(&|say| say.current = false),
        [WaitingOn::Metadata],
        "(d)"
    );
    let frozen = [
        RoleName::Line("desktop".to_owned()),
        RoleName::Rollout,
        RoleName::Timestamp,
    ];
    for role in frozen {
        let waits = closed(&|say| say.frozen.push(role.clone()));
        assert_eq!(waits, [WaitingOn::Frozen], "(e): {role}");
    }
    let withheld = closed(&|say| say.withheld.push(RoleName::Rollout));
    assert_eq!(withheld, [WaitingOn::Metadata]);
    let shared = closed(&|say| say.not_separated.push("server".to_owned()));
    let line = "server".to_owned();
    assert_eq!(shared, [WaitingOn::Separation { line }], "T-12");
    let unknown = closed(&|say| say.cosigned = Cosigned::Unknown);
    assert_eq!(unknown, [WaitingOn::Metadata], "T-78");
    let nobody = Say {
        operations: Operations::Nobody,
        ..good.clone()
    };
    assert_eq!(judge(&nobody, &listed, &listed), Verdicts::default());
}

/// T-78: as many witnesses in as many sites, for this very line.
#[test]
fn cosignatures_count_by_witness_and_by_site() {
    let listed = listed();
    let release = release(&listed, "A");
    let asked = Cosignatures { keys: 3, sites: 2 };
    let verdict = |line: &str, keys: u32, sites: u32| {
        let lines = [(line.to_owned(), Count { keys, sites })].into();
        let say = Say {
            cosigned: Cosigned::Asked { asked, lines },
            ..say(&listed)
        };
        let mut verdicts = judge(&say, &listed, &listed);
        verdicts.closed.remove(&release.content)
    };
    let lacks = |keys, sites| {
        Some(vec![WaitingOn::Cosignatures {
            keys,
            keys_asked: 3,
            sites,
            sites_asked: 2,
        }])
    };
    assert_eq!(verdict("desktop", 3, 2), None);
    assert_eq!(verdict("desktop", 4, 2), None);
    assert_eq!(verdict("desktop", 2, 2), lacks(2, 2));
    assert_eq!(verdict("desktop", 5, 1), lacks(5, 1));
    assert_eq!(verdict("server", 3, 2), lacks(0, 0));
}

/// Another line's freeze or a frozen role of nobody closes nothing here.
#[test]
fn what_is_of_another_line_closes_nothing() {
    let listed = listed();
    let mut say = say(&listed);
    let server = RoleName::Line("server".to_owned());
    say.frozen.push(server.clone());
    say.withheld.push(server);
    policy(&mut say).holds.push(Hold {
        scope: HoldScope::Line("server".to_owned()),
        reason: String::new(),
    });
    assert_eq!(judge(&say, &listed, &listed).open.len(), 1);
}

#[test]
fn of_two_approved_releases_of_a_line_the_last_approved_is_meant() {
    let listed = listed();
    let (a, b) = (release(&listed, "A"), release(&listed, "B"));
    let mut say = say(&listed);
    policy(&mut say).approvals.push(approval(b));
    let verdicts = judge(&say, &listed, &listed);
    assert_eq!(verdicts.open, [b.content].into());
    let newer = WaitingOn::Newer { id: "B".to_owned() };
    assert_eq!(verdicts.closed[&a.content], [newer]);
    // One that does not count here does not count against the other either.
    policy(&mut say).approvals[1].from = Some(UtcTime(UTC.0 + 60));
    assert_eq!(judge(&say, &listed, &listed).open, [a.content].into());
    assert_eq!(next_edge(&say.operations, UTC), Some(UtcTime(UTC.0 + 60)));
    let later = UtcTime(UTC.0 + 60);
    assert_eq!(next_edge(&say.operations, later), None);
}

#[test]
fn a_node_waits_for_its_own_ring() {
    let listed = listed();
    let a = release(&listed, "A");
    let mut good = say(&listed);
    let ring = |name: &str, share| Ring {
        name: name.to_owned(),
        share,
    };
    policy(&mut good).rings = vec![ring("first", 100), ring("rest", 900)];
    let own = policy(&mut good)
        .ring(&a.sha256, &NODE.0)
        .unwrap()
        .name
        .clone();
    let other = if own == "first" { "rest" } else { "first" };
    policy(&mut good).approvals[0].rings = vec![other.to_owned()];
    let verdicts = judge(&good, &listed, &listed);
    let waits = WaitingOn::Ring { ring: own.clone() };
    assert_eq!(verdicts.closed[&a.content], [waits]);
    let mut both = approval(a);
    both.rings = vec![own];
    policy(&mut good).approvals.insert(0, both);
    let verdicts = judge(&good, &listed, &listed);
    assert!(verdicts.open.contains(&a.content), "one of two is enough");
}
