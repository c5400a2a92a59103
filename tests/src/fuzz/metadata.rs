//! Targets: signed documents, keys, and what is stored of them.

use std::str::FromStr as _;

use patchmesh_trust::annex::body::{Annex, AnnexBody};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::author::{Draft, LinePlan, RootPlan, TargetsPlan};
use patchmesh_trust::canonical::parse;
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::state::equivocation::Equivocation;
use patchmesh_trust::stop::signed::{Stop, read_file, write_file};

use crate::forge::{LINE, key};
use crate::fuzz::wire::{MESH_ID, UTC};

/// The root of the corpus, by which all documents are judged.
const ROOT: &[u8] = include_bytes!("../../corpora/root/valid");
/// The keys of the corpus.
pub const SEEDS: [u8; 3] = [1, 2, 9];

/// Roots.
pub fn root(data: &[u8]) {
    if let Ok(plan) = RootPlan::read(data) {
        let again = plan.build().expect("a plan that was read").bytes();
        assert_eq!(RootPlan::read(&again), Ok(plan));
    }
    if let Ok(verifier) = Verifier::new(data, &[LINE.to_owned()]) {
        assert!(verifier.head().root > 0);
    }
    judged(&RoleName::Root, data);
}

/// Timestamps.
pub fn timestamp(data: &[u8]) {
    judged(&RoleName::Timestamp, data);
}

/// Snapshots.
pub fn snapshot(data: &[u8]) {
    judged(&RoleName::Snapshot, data);
}

/// Top targets.
pub fn targets(data: &[u8]) {
    if let Ok(plan) = TargetsPlan::read(data)
        && let Ok(again) = plan.build()
    {
        assert_eq!(TargetsPlan::read(&again.bytes()), Ok(plan));
    }
    judged(&RoleName::Targets, data);
}

/// Statements of a release line.
pub fn line(data: &[u8]) {
    if let Ok(plan) = LinePlan::read(LINE, data)
        && let Ok(again) = plan.build()
    {
        assert_eq!(LinePlan::read(LINE, &again.bytes()), Ok(plan));
    }
    judged(&RoleName::Line(LINE.to_owned()), data);
}

/// Public keys.
pub fn public_key(data: &[u8]) {
    if let Ok(key) = PublicKey::from_json(data) {
        let again = PublicKey::from_json(&key.to_json()).expect("its own text");
        assert_eq!(again.key_id(), key.key_id());
        assert!(
            !key.verify(b"message", data),
            "no key verifies its own text"
        );
    }
}

/// JSON as documents may hold it.
pub fn json(data: &[u8]) {
    if let Ok(value) = parse(data) {
        assert_eq!(parse(&value.json()), Ok(value));
    }
}

/// Names of roles, as requests carry them.
pub fn role(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(role) = RoleName::from_str(text)
    {
        assert_eq!(role.to_string(), text);
    }
}

/// Proofs that a role was signed twice, with the root of the corpus as anchor.
pub fn proof(data: &[u8]) {
    if let Ok(proof) = Equivocation::check(ROOT, data) {
        let [first, second] = proof.digests();
        assert!(first < second, "the two differ, in order");
        assert_eq!(Equivocation::check(ROOT, proof.bytes()), Ok(proof));
    }
}

/// Annexes, under each of their names: what is read has one form (T-61).
pub fn annex(data: &[u8]) {
    for name in AnnexName::ALL {
        let Ok(body) = AnnexBody::read(name, data) else {
            continue;
        };
        let again = match &body {
            AnnexBody::Policy(policy) => policy.write(),
            AnnexBody::Keys(keys) => keys.write(),
            AnnexBody::Revocations(list) => list.write(),
        };
        assert_eq!(again.as_deref(), Ok(data), "{name}");
        assert_eq!(Annex::of(name, data).open(data), Ok(body));
    }
}

/// A repository's file of stops, judged by the keys of the corpus.
pub fn stops(data: &[u8]) {
    let Ok(stops) = read_file(data) else {
        return;
    };
    let again = write_file(&stops).expect("not longer than what was read");
    assert_eq!(read_file(&again).as_deref(), Ok(&stops[..]));
    let known = SEEDS.map(|seed| key(seed).public_key());
    for signed in &stops {
        if let Ok(stop) = signed.verify(&known, &MESH_ID) {
            assert_eq!(stop.mesh_id, MESH_ID);
        }
        if let Ok(stop) = Stop::read(&signed.payload) {
            assert_eq!(stop.payload().as_ref(), Ok(&signed.payload));
        }
    }
}

/// Stored floors of versions.
pub fn floors(data: &[u8]) {
    let mut verifier = verifier();
    let before = verifier.floors();
    if verifier.restore_floors(data).is_ok() {
        let after = verifier.floors();
        let mut other = self::verifier();
        other.restore_floors(&after).expect("its own floors");
        assert_eq!(other.floors(), after);
    } else {
        assert_eq!(verifier.floors(), before, "refused floors change nothing");
    }
}

fn verifier() -> Verifier {
    Verifier::new(ROOT, &[LINE.to_owned()]).expect("the root of the corpus")
}

/// A document as it comes, and, if it can be read, signed by everybody: so that
/// what lies behind the signatures is reached.
fn judged(role: &RoleName, data: &[u8]) {
    let verifier = verifier();
    drop(verifier.admit(role, data, UTC));
    let Ok(mut draft) = Draft::read(role, data) else {
        return;
    };
    let bytes = draft.bytes();
    assert_eq!(Draft::read(role, &bytes).as_ref(), Ok(&draft));
    for seed in SEEDS {
        let key = key(seed);
        let signature = key.sign(&draft.signing_bytes());
        // A document full of signatures takes no more.
        drop(draft.add_signature(&key.public_key().key_id(), &signature));
    }
    if let Ok(admission) = verifier.admit(role, &draft.bytes(), UTC) {
        assert_eq!(admission.role(), role);
        assert_eq!(admission.version(), draft.version());
    }
}
