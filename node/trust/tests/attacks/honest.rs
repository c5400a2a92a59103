//! What an honest publisher and an honest node see.

use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{Head, TrustState, Verifier};
use patchmesh_trust::time::UtcTime;

use crate::kit::{
    NOW, Publication, give, give_all, holding, line, listed, listed_at, root, verifier,
};

#[test]
fn a_new_node_asks_in_order_and_ends_with_the_releases() {
    let publication = Publication::new(1);
    let mut verifier = verifier();
    assert_eq!(verifier.state(NOW), TrustState::Bootstrapped);
    assert_eq!(verifier.wants(), []);
    for (role, bytes) in publication.documents() {
        if role != RoleName::Timestamp {
            let want = verifier.wants().remove(0);
            assert_eq!(want.role, role);
            assert_eq!(want.version, Some(1));
            assert_eq!(want.len_max, bytes.len());
            assert!(want.sha256.is_some());
        }
        let changes = verifier.apply(verifier.admit(&role, &bytes, NOW).unwrap());
        assert_eq!(changes[0].role, role);
        assert_eq!(changes[0].version, 1);
        assert_eq!(*changes[0].bytes, *bytes);
        assert_eq!(verifier.document(&role, None).as_deref(), Some(&*bytes));
    }
    assert_eq!(verifier.wants(), []);
    assert_eq!(verifier.state(NOW), TrustState::Current);
    let head = Head {
        root: 1,
        timestamp: 1,
        snapshot: 1,
    };
    assert_eq!(verifier.head(), head);
    assert_eq!(listed(&verifier), ["desktop/KB-1", "server/S-1"]);
    let release = &verifier.releases(NOW)[0];
    assert_eq!(release.severity, "critical");
    assert_eq!(release.len, 1000);
    assert_eq!(release.statement_version, 1);
    assert_eq!(verifier.issued(), Some(NOW));
}

#[test]
fn a_newer_publication_replaces_and_the_same_bytes_change_nothing() {
    let mut verifier = holding(&Publication::new(1));
    let floors = verifier.floors();
    give_all(&mut verifier, &Publication::new(1));
    assert_eq!(verifier.floors(), floors);
    give_all(&mut verifier, &Publication::new(2));
    assert_eq!(listed(&verifier), ["desktop/KB-2", "server/S-1"]);
}

/// T-24: cost does not grow with the number of lines.
#[test]
fn only_wanted_lines_are_loaded() {
    let publication = Publication::new(1);
    let mut verifier = Verifier::new(&root(1), &["desktop".to_owned()]).unwrap();
    for (role, bytes) in &publication.documents()[..4] {
        assert_eq!(give(&mut verifier, role, bytes), Ok(()));
    }
    assert_eq!(verifier.wants(), []);
    assert_eq!(listed(&verifier), ["desktop/KB-1"]);
    let server = give(&mut verifier, &line("server"), &publication.server);
    assert_eq!(server, Err(Refusal::NotDelegated));
}

/// T-22: the last complete set stays usable while a newer one is fetched.
#[test]
fn releases_stay_listed_while_a_newer_set_is_on_its_way() {
    let mut verifier = holding(&Publication::new(1));
    let newer = Publication::new(2);
    for (role, bytes) in newer.documents() {
        assert!(
            listed(&verifier).contains(&"desktop/KB-1".to_owned()),
            "{role}"
        );
        give(&mut verifier, &role, &bytes).unwrap();
        if role == line("desktop") {
            break;
        }
    }
    assert!(listed(&verifier).contains(&"desktop/KB-2".to_owned()));
}

#[test]
fn stale_at_the_second_of_expiry() {
    let verifier = holding(&Publication::new(1));
    let expiry = NOW.plus_days(3);
    let before = UtcTime(expiry.0 - 1);
    assert_eq!(verifier.state(before), TrustState::Current);
    assert_eq!(verifier.expires(NOW), Some((RoleName::Timestamp, expiry)));
    assert!(!listed_at(&verifier, before).is_empty());
    let stale = TrustState::Stale { since: expiry };
    assert_eq!(verifier.state(expiry), stale);
    assert_eq!(listed_at(&verifier, expiry), Vec::<String>::new());
}

/// An expired statement silences its own line only.
#[test]
fn an_expired_line_lists_nothing_and_leaves_others_alone() {
    use crate::kit::{DESKTOP, SERVER, TARGETS, sign, statement, targets_plan};
    use patchmesh_trust::author::LinePlan;
    let short = LinePlan {
        line: "desktop".to_owned(),
        version: 1,
        expires: NOW.plus_days(1),
        releases: vec![crate::kit::release("KB-1")],
    };
    let verifier = holding(&Publication::of(
        1,
        sign(targets_plan(1).build().unwrap(), TARGETS),
        sign(short.build().unwrap(), DESKTOP),
        sign(statement("server", 1, &["S-1"]), SERVER),
    ));
    assert_eq!(listed(&verifier), ["desktop/KB-1", "server/S-1"]);
    assert_eq!(listed_at(&verifier, NOW.plus_days(2)), ["server/S-1"]);
    assert_eq!(verifier.state(NOW.plus_days(2)), TrustState::Current);
}

/// An admission fits only the state that it was judged against.
#[test]
fn an_admission_of_another_state_changes_nothing() {
    let (one, two) = (Publication::new(1), Publication::new(2));
    let mut verifier = verifier();
    let early = verifier
        .admit(&RoleName::Timestamp, &one.timestamp, NOW)
        .unwrap();
    give(&mut verifier, &RoleName::Timestamp, &two.timestamp).unwrap();
    assert_eq!(verifier.apply(early), []);
    assert_eq!(verifier.head().timestamp, 2);
}

#[test]
fn a_document_in_another_role_is_refused() {
    let publication = Publication::new(1);
    let verifier = holding(&publication);
    for (role, bytes) in publication.documents() {
        for other in [RoleName::Root, RoleName::Timestamp, RoleName::Snapshot] {
            if other != role {
                assert!(
                    verifier.admit(&other, &bytes, NOW).is_err(),
                    "{role} as {other}"
                );
            }
        }
    }
    // Another line's statement, shorter than the pinned one, and longer.
    for (role, bytes, expected) in [
        (line("desktop"), &publication.server, Refusal::UnknownKey),
        (RoleName::Targets, &publication.server, Refusal::UnknownKey),
        (line("server"), &publication.desktop, Refusal::TooLarge),
    ] {
        let verdict = verifier.admit(&role, bytes, NOW);
        assert_eq!(verdict.unwrap_err(), expected, "{role}");
    }
}
