//! Hostile sizes: wide trees, deep and long documents.

use patchmesh_trust::canonical::Value;
use patchmesh_trust::limits::{DELEGATIONS_MAX, Profile};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;

use crate::kit::{
    Files, client, current, delegations, document, find, give, pin, refresh, target, targets, to,
};

/// Names that live as long as the test program.
fn names(count: usize) -> Vec<&'static str> {
    let names = (0..count).map(|number| &*format!("r{number}").leak());
    names.collect()
}

#[test]
fn attack_delegation_cycle_wide_tree_is_visited_to_the_bound_only() {
    let visited_max = Profile::Foreign.limits().visited;
    let names = names(DELEGATIONS_MAX);
    let below = delegations(&names.iter().map(|name| to(name, 10)).collect::<Vec<_>>());
    // Each of the first roles delegates to all of them again: 1,024 wide, and a
    // cycle at every step.
    let again = targets(&[], below.clone(), 1, &[10]);
    let mut documents = vec![("targets", targets(&[], below, 1, &[4]))];
    documents.extend(names.iter().map(|name| (*name, again.clone())));
    let files = Files::publish(1, &documents);
    let (found, asked) = find(&mut current(&files), &files, "missing");
    assert_eq!(found, Ok(false));
    assert_eq!(asked.len(), visited_max);
    let first: Vec<_> = names[..visited_max].to_vec();
    assert_eq!(asked, first);
}

#[test]
fn attack_delegation_cycle_ten_thousand_wide_is_refused() {
    let names = names(10_000);
    let below = delegations(&names.iter().map(|name| to(name, 10)).collect::<Vec<_>>());
    let files = Files::publish(1, &[("targets", targets(&[], below, 1, &[4]))]);
    assert_eq!(refresh(&mut client(), &files), Err(Refusal::TooLarge));
}

#[test]
fn foreign_bounds_are_those_of_the_reference_client() {
    let role = |name: &str| RoleName::Delegated(name.to_owned());
    for (role, len_max) in [
        (RoleName::Root, 512_000),
        (RoleName::Timestamp, 16_384),
        (RoleName::Snapshot, 2_000_000),
        (RoleName::Targets, 5_000_000),
        (role("A"), 5_000_000),
    ] {
        assert_eq!(Profile::Foreign.document_len_max(&role), len_max, "{role}");
    }
    // The size is looked at before anything is parsed (T-13).
    let long = vec![b'['; 16_385];
    let refused = give(&mut client(), &RoleName::Timestamp, &long);
    assert_eq!(refused, Err(Refusal::TooLarge));
    let refused = give(&mut client(), &RoleName::Timestamp, &long[..16_384]);
    assert_eq!(refused, Err(Refusal::Malformed), "T-08: nested too deep");
}

#[test]
fn ten_thousand_targets_and_bins_of_a_large_repository_verify() {
    let entries = (0..10_000).map(|number| (format!("files/{number}"), target(b"x")));
    let members = [("targets", Value::Object(entries.collect()))];
    let top = document("targets", 1, &members, &[4]);
    assert!(top.len() > Profile::Mesh.limits().targets_len);
    let mut files = Files::publish(1, &[("targets", top)]);
    let mut meta: patchmesh_trust::canonical::Object = (0..16_384)
        .map(|number| (format!("bin-{number:04x}.json"), pin(1)))
        .collect();
    meta.insert("targets.json".to_owned(), pin(1));
    let snapshot = document("snapshot", 1, &[("meta", Value::Object(meta))], &[3]);
    files.0.insert("snapshot".to_owned(), snapshot);
    let mut verifier = current(&files);
    assert_eq!(find(&mut verifier, &files, "files/9999").0, Ok(true));
    let floors = verifier.floors();
    let mut after = client();
    assert_eq!(after.take_stored([], Some(&floors)), Ok(vec![]));
}

#[test]
fn more_signatures_than_the_profile_allows_are_refused() {
    let files = Files::publish(1, &[("targets", targets(&[], delegations(&[]), 1, &[4]))]);
    let timestamp = String::from_utf8(files.0["timestamp"].clone()).unwrap();
    let with = |count: usize| {
        let more: String = (0..count).fold(String::new(), |all, number| {
            all + &format!(r#"{{"keyid":"{number}","sig":""}},"#)
        });
        let bytes = timestamp.replace(r#""signatures":["#, &format!(r#""signatures":[{more}"#));
        give(&mut client(), &RoleName::Timestamp, bytes.as_bytes())
    };
    assert_eq!(with(255), Ok(()));
    assert_eq!(with(256), Err(Refusal::TooLarge));
}
