//! M-01: one key signs one message of every kind, and each of these signatures is
//! presented in the place of every other kind.

use patchmesh_content::id::PeerId;
use patchmesh_trust::annex::body::Annex;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::author::{
    AnnexPlan, Draft, LineKeys, LinePlan, RootPlan, SnapshotPlan, TargetsPlan, TimestampPlan,
};
use patchmesh_trust::canonical::{Value, parse};
use patchmesh_trust::key::domain::Domain;
use patchmesh_trust::key::{NodeKey, sha256};
use patchmesh_trust::log::checkpoint;
use patchmesh_trust::log::cosignature::{check as check_cosignature, cosign};
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::log::note;
use patchmesh_trust::member::{Validity, issue_certificate, verify_certificate};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::stop::signed::{SignedStop, Stop, Subject, key_id, signing_bytes};

use crate::kit::{NOW, edit, envelope, give, key, keys, line, member, object, release, sign};

/// The key that signs everything, and the one by which the places are prepared.
const ONE: u8 = 77;
/// Every document has this version, so that versions tell none apart.
const VERSION: u64 = 2;
const HEAD: LogHead = LogHead {
    size: 5,
    root: [3; 32],
};

/// A kind of signed message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Document(RoleName),
    Typed(Domain),
    Checkpoint,
    Cosignature,
}

/// What a signature covers.
struct Signed {
    /// What its own place is given beside the signature.
    payload: Vec<u8>,
    /// The bytes that were signed.
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// Every kind that exists. A new role or type does not compile, or is one of
/// [`Domain::ALL`] and has to be made and placed below.
fn every() -> Vec<Kind> {
    let roles = [
        RoleName::Root,
        RoleName::Timestamp,
        RoleName::Snapshot,
        RoleName::Targets,
        line("desktop"),
        RoleName::Rollout,
        RoleName::Membership,
    ];
    for role in &roles {
        match role {
            RoleName::Root
            | RoleName::Timestamp
            | RoleName::Snapshot
            | RoleName::Targets
            | RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership => {}
            RoleName::Delegated(_) => panic!("no role of a mesh"),
        }
    }
    let documents = roles.into_iter().map(Kind::Document);
    let typed = Domain::ALL.into_iter().map(Kind::Typed);
    let texts = [Kind::Checkpoint, Kind::Cosignature];
    documents.chain(typed).chain(texts).collect()
}

fn one() -> patchmesh_trust::threshold::RoleKeys {
    keys(&[ONE], 1)
}

/// Signed by the one key for every role; the first root is the anchor.
fn root(version: u64) -> Draft {
    let plan = RootPlan {
        version,
        expires: NOW.plus_days(365),
        root: one(),
        timestamp: one(),
        snapshot: one(),
        targets: one(),
    };
    plan.build().unwrap()
}

fn anchor() -> Verifier {
    let root = sign(root(1), &[ONE]);
    Verifier::new(&root, &["*".to_owned()]).unwrap()
}

fn mesh_id() -> [u8; 32] {
    anchor().mesh_id()
}

/// Targets in which the one key speaks for a line, for rollout and for
/// membership. No tool makes such (T-12), so it is written by hand.
fn targets() -> Vec<u8> {
    let plan = TargetsPlan {
        version: VERSION,
        expires: NOW.plus_days(90),
        lines: vec![LineKeys {
            line: "desktop".to_owned(),
            keys: one(),
        }],
        rollout: Some(keys(&[ONE + 1], 1)),
        membership: Some(one()),
    };
    let made = sign(plan.build().unwrap(), &[ONE]);
    let own = key(ONE).public_key().key_id();
    edit(&made, &[ONE], |signed| {
        let Value::List(roles) = member(signed, &["delegations", "roles"]) else {
            panic!("roles are a list");
        };
        for role in roles {
            let Value::Object(role) = role else { panic!() };
            role.insert("keyids".to_owned(), Value::List(vec![Value::text(&own)]));
        }
    })
}

fn document(role: &RoleName) -> Vec<u8> {
    let expires = NOW.plus_days(30);
    let draft = match role {
        RoleName::Root => root(VERSION),
        RoleName::Targets => return targets(),
        RoleName::Line(line) => {
            let plan = LinePlan {
                line: line.clone(),
                version: VERSION,
                expires,
                releases: vec![release("KB-1")],
            };
            plan.build().unwrap()
        }
        RoleName::Snapshot => snapshot(),
        RoleName::Timestamp => {
            let snapshot = document(&RoleName::Snapshot);
            let plan = TimestampPlan {
                version: VERSION,
                expires,
                issued: NOW,
                snapshot: &snapshot,
                log: None,
            };
            plan.build().unwrap()
        }
        role @ (RoleName::Rollout | RoleName::Membership | RoleName::Delegated(_)) => {
            let annexes = AnnexName::of(role).map(|name| Annex::of(name, name.path().as_bytes()));
            let plan = AnnexPlan {
                role: role.clone(),
                version: VERSION,
                expires,
                annexes: annexes.collect(),
            };
            plan.build().unwrap()
        }
    };
    sign(draft, &[ONE])
}

fn snapshot() -> Draft {
    let roles = [
        RoleName::Targets,
        line("desktop"),
        RoleName::Rollout,
        RoleName::Membership,
    ];
    let documents = roles.map(|role| (role.clone(), document(&role)));
    let listed = documents
        .iter()
        .map(|(role, bytes)| (role.clone(), &**bytes));
    let plan = SnapshotPlan {
        version: VERSION,
        expires: NOW.plus_days(7),
        documents: listed.collect(),
    };
    plan.build().unwrap()
}

fn make(kind: &Kind) -> Signed {
    let own = |message: Vec<u8>, payload: Vec<u8>| Signed {
        signature: key(ONE).sign(&message),
        payload,
        message,
    };
    match kind {
        Kind::Document(role) => {
            let signed = crate::kit::signed_part(&document(role)).canonical();
            own(signed.clone(), signed)
        }
        Kind::Typed(Domain::Certificate) => {
            let validity = Validity {
                not_before: NOW,
                not_after: NOW.plus_days(1),
            };
            let node = NodeKey::from_seed([ONE; 32]);
            let made = issue_certificate(&node, &mesh_id(), "paris", false, validity);
            let (payload, signature) = made.unwrap();
            Signed {
                message: payload.clone(),
                payload,
                signature,
            }
        }
        Kind::Typed(Domain::Stop) => {
            let stop = Stop {
                mesh_id: mesh_id(),
                id: [1; 16],
                subject: Subject::AllInstalls,
                issued: NOW,
                reason: String::new(),
            };
            let payload = stop.payload().unwrap();
            own(signing_bytes(&payload), payload)
        }
        Kind::Checkpoint => {
            let text = checkpoint::text(&checkpoint::origin(&mesh_id()), &HEAD);
            own(text.clone().into_bytes(), text.into_bytes())
        }
        Kind::Cosignature => {
            let origin = checkpoint::origin(&mesh_id());
            let node = NodeKey::from_seed([ONE; 32]);
            let signature = cosign(&node, &origin, &HEAD, NOW).unwrap()[8..].to_vec();
            let text = patchmesh_trust::log::cosignature::text(&origin, &HEAD, NOW).unwrap();
            Signed {
                payload: text.clone().into_bytes(),
                message: text.into_bytes(),
                signature,
            }
        }
    }
}

/// What becomes of a payload with this signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Refused,
    /// Taken, and nothing follows from it.
    Silent,
    Taken,
}

fn give_to(place: &Kind, payload: &[u8], signature: &[u8]) -> Verdict {
    let taken = match place {
        Kind::Document(role) => return give_document(role, payload, signature),
        Kind::Typed(Domain::Certificate) => {
            let peer = PeerId(NodeKey::from_seed([ONE; 32]).public());
            verify_certificate(payload, signature, &peer, &mesh_id(), NOW).is_ok()
        }
        Kind::Typed(Domain::Stop) => {
            let public = key(ONE).public_key();
            let stop = SignedStop {
                payload: payload.to_vec(),
                key: key_id(&public),
                signature: signature.to_vec(),
            };
            stop.verify(&[public], &mesh_id()).is_ok()
        }
        Kind::Checkpoint => {
            let origin = checkpoint::origin(&mesh_id());
            let public = key(ONE).public_key();
            let id = note::key_id(&origin, &public).unwrap();
            let line = note::line(&origin, id, signature);
            let text = [payload, b"\n", line.as_bytes()].concat();
            checkpoint::open(&text, &origin, [&public]).is_ok()
        }
        Kind::Cosignature => {
            let origin = checkpoint::origin(&mesh_id());
            let witness = NodeKey::from_seed([ONE; 32]).public();
            let line = [&NOW.0.to_be_bytes()[..], signature].concat();
            // The place has a text of its own: only the signature is foreign.
            check_cosignature(&witness, &origin, &HEAD, &line).is_ok()
        }
    };
    if taken {
        Verdict::Taken
    } else {
        Verdict::Refused
    }
}

/// The documents above name exactly these bytes, so that nothing but the
/// signature and the signed part itself can be in the way.
fn give_document(role: &RoleName, payload: &[u8], signature: &[u8]) -> Verdict {
    let Ok(signed) = parse(payload) else {
        return Verdict::Refused;
    };
    let id = key(ONE).public_key().key_id();
    let bytes = envelope(&signed, [(id, signature.to_vec())]);
    let mut verifier = anchor();
    let top = [RoleName::Root, RoleName::Timestamp];
    if !top.contains(role) {
        let snapshot = if *role == RoleName::Snapshot {
            bytes.clone()
        } else {
            pinned(&document(&RoleName::Snapshot), role, &bytes)
        };
        let timestamp = pinned(
            &document(&RoleName::Timestamp),
            &RoleName::Snapshot,
            &snapshot,
        );
        give(&mut verifier, &RoleName::Timestamp, &timestamp).unwrap();
        if *role != RoleName::Snapshot {
            give(&mut verifier, &RoleName::Snapshot, &snapshot).unwrap();
        }
        if role.is_delegated() {
            give(&mut verifier, &RoleName::Targets, &targets()).unwrap();
        }
    }
    match give(&mut verifier, role, &bytes) {
        Err(_) => Verdict::Refused,
        Ok(()) if says_something(&verifier, role) => Verdict::Taken,
        Ok(()) => Verdict::Silent,
    }
}

/// A document of TUF does not name its role: of two with one form and one key
/// either is taken in the other's place. There it says nothing: paths outside a
/// delegation do not count, and a delegated role delegates nothing (T-21).
fn says_something(verifier: &Verifier, role: &RoleName) -> bool {
    match role {
        RoleName::Targets => {
            let wants = verifier.wants();
            wants.iter().any(|want| want.role.is_delegated())
        }
        RoleName::Line(_) => !verifier.releases(NOW).is_empty(),
        RoleName::Rollout | RoleName::Membership => !verifier.annexes(NOW).is_empty(),
        RoleName::Root | RoleName::Timestamp | RoleName::Snapshot | RoleName::Delegated(_) => true,
    }
}

/// The same document, naming other bytes for a role.
fn pinned(document: &[u8], role: &RoleName, bytes: &[u8]) -> Vec<u8> {
    edit(document, &[ONE], |signed| {
        let name = format!("{role}.json");
        let entry = object(signed, &["meta", &name]);
        entry.insert("length".to_owned(), Value::number(bytes.len() as u64));
        let digest = patchmesh_content::id::hex(&sha256(bytes));
        let hashes = Value::object([("sha256", Value::text(digest))]);
        entry.insert("hashes".to_owned(), hashes);
    })
}

/// Whether its form is that of targets.
fn lists_targets(kind: &Kind) -> bool {
    let Kind::Document(role) = kind else {
        return false;
    };
    role.is_delegated() || *role == RoleName::Targets
}

#[test]
fn no_signature_says_anything_in_the_place_of_another_kind() {
    let kinds = every();
    let made: Vec<_> = kinds.iter().map(make).collect();
    let (mut refused, mut silent) = (0, 0);
    for (kind, signed) in kinds.iter().zip(&made) {
        let own = give_to(kind, &signed.payload, &signed.signature);
        assert_eq!(own, Verdict::Taken, "{kind:?}");
        for (place, of_place) in kinds.iter().zip(&made) {
            if kind == place {
                continue;
            }
            let payloads = [&of_place.payload, &signed.payload, &signed.message];
            let verdicts = payloads.map(|payload| give_to(place, payload, &signed.signature));
            assert!(
                !verdicts.contains(&Verdict::Taken),
                "{kind:?} in the place of {place:?}"
            );
            if verdicts.contains(&Verdict::Silent) {
                assert!(lists_targets(kind) && lists_targets(place), "{kind:?}");
                silent += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert_eq!(refused + silent, kinds.len() * (kinds.len() - 1));
    println!(
        "M-01: {} kinds, {refused} pairs refused, {silent} say nothing",
        kinds.len()
    );
}
