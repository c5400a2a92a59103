//! 21 `lying-index`, the part of the verifier: an index is bound to length,
//! SHA-256, BLAKE3, line, id and severity. T-05, T-23.

use patchmesh_content::id::ContentId;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_trust::author::{LinePlan, ReleaseEntry};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::release::Release;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::verified::Verified;

use crate::kit::{
    DESKTOP, NOW, Publication, SERVER, TARGETS, holding, sign, statement, targets_plan,
};

fn index(line: &str, id: &str, severity: &str) -> Vec<u8> {
    let index = ReleaseIndex {
        line: line.to_owned(),
        id: id.to_owned(),
        sequence: Vec::new(),
        severity: severity.to_owned(),
        cves: Vec::new(),
        files: Vec::new(),
        chunks: Vec::new(),
        pack: [0; 32],
    };
    index.encode()
}

/// A verified release of the desktop line that states this entry.
fn released(entry: ReleaseEntry) -> Verified<Release> {
    let plan = LinePlan {
        line: "desktop".to_owned(),
        version: 1,
        expires: NOW.plus_days(90),
        releases: vec![entry],
    };
    let verifier = holding(&Publication::of(
        1,
        sign(targets_plan(1).build().unwrap(), TARGETS),
        sign(plan.build().unwrap(), DESKTOP),
        sign(statement("server", 1, &[]), SERVER),
    ));
    verifier.releases(NOW).remove(0)
}

fn entry(bytes: &[u8]) -> ReleaseEntry {
    ReleaseEntry::of_index(bytes).unwrap().1
}

fn verdict(entry: ReleaseEntry, bytes: &[u8]) -> Option<Refusal> {
    Verifier::open_index(&released(entry), bytes).err()
}

#[test]
fn the_signed_index_opens() {
    let bytes = index("desktop", "KB-1", "critical");
    let (line, entry) = ReleaseEntry::of_index(&bytes).unwrap();
    assert_eq!(line, "desktop");
    let opened = Verifier::open_index(&released(entry), &bytes).unwrap();
    assert_eq!(opened.id, "KB-1");
}

#[test]
fn attack_lying_index() {
    let bytes = index("desktop", "KB-1", "critical");
    let good = entry(&bytes);
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(verdict(good.clone(), &longer), Some(Refusal::TooLarge));
    let shorter = &bytes[..bytes.len() - 1];
    assert_eq!(verdict(good.clone(), shorter), Some(Refusal::HashMismatch));
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(verdict(good.clone(), &flipped), Some(Refusal::HashMismatch));
    let mut other_content = good.clone();
    other_content.content = ContentId([1; 32]);
    assert_eq!(verdict(other_content, &bytes), Some(Refusal::Contradiction));
    let mut other_severity = good.clone();
    other_severity.severity = "low".to_owned();
    assert_eq!(
        verdict(other_severity, &bytes),
        Some(Refusal::Contradiction)
    );
    let mut unstated = good;
    unstated.severity = String::new();
    assert_eq!(verdict(unstated, &bytes), None);
    for foreign in [index("server", "KB-1", ""), index("desktop", "KB-2", "")] {
        let mut signed = entry(&foreign);
        signed.id = "KB-1".to_owned();
        assert_eq!(verdict(signed, &foreign), Some(Refusal::Contradiction));
    }
}
