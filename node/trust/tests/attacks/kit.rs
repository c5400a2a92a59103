//! A publisher with known keys, for honest and for hostile documents.

use patchmesh_content::id::ContentId;
use patchmesh_trust::author::{
    Draft, LineKeys, LinePlan, ReleaseEntry, RootPlan, SnapshotPlan, TargetsPlan, TimestampPlan,
};
use patchmesh_trust::canonical::{Object, Value, parse};
use patchmesh_trust::key::{PublicKey, SecretKey};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;
use patchmesh_trust::time::UtcTime;

/// The present of all tests.
pub(crate) const NOW: UtcTime = UtcTime(1_800_000_000);

pub(crate) const ROOT: &[u8] = &[1, 2, 3];
pub(crate) const TIMESTAMP: &[u8] = &[10];
pub(crate) const SNAPSHOT: &[u8] = &[11];
pub(crate) const TARGETS: &[u8] = &[20, 21];
pub(crate) const DESKTOP: &[u8] = &[30, 31];
pub(crate) const SERVER: &[u8] = &[40, 41];

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

pub(crate) fn public(seeds: &[u8]) -> Vec<PublicKey> {
    seeds.iter().map(|&seed| key(seed).public_key()).collect()
}

pub(crate) fn keys(seeds: &[u8], threshold: u32) -> RoleKeys {
    RoleKeys::new(&public(seeds), threshold).unwrap()
}

/// Signs a draft with these keys.
pub(crate) fn sign(mut draft: Draft, seeds: &[u8]) -> Vec<u8> {
    for &seed in seeds {
        let key = key(seed);
        let signature = key.sign(&draft.signing_bytes());
        let key_id = key.public_key().key_id();
        draft.add_signature(&key_id, &signature).unwrap();
    }
    draft.bytes()
}

/// Changes the signed part of a document and signs it again.
pub(crate) fn edit(bytes: &[u8], seeds: &[u8], change: impl FnOnce(&mut Object)) -> Vec<u8> {
    let Value::Object(outer) = parse(bytes).unwrap() else {
        panic!("a document is an object");
    };
    let Value::Object(mut signed) = outer["signed"].clone() else {
        panic!("the signed part is an object");
    };
    change(&mut signed);
    let signed = Value::Object(signed);
    let message = signed.canonical();
    let signatures = seeds.iter().map(|&seed| {
        let key = key(seed);
        (key.public_key().key_id(), key.sign(&message))
    });
    envelope(&signed, signatures)
}

/// A wrapper with exactly these signatures.
pub(crate) fn envelope(
    signed: &Value,
    signatures: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Vec<u8> {
    let signatures = signatures.into_iter().map(|(key_id, bytes)| {
        let sig = bytes.iter().map(|byte| format!("{byte:02x}"));
        Value::object([
            ("keyid", Value::text(key_id)),
            ("sig", Value::text(sig.collect::<String>())),
        ])
    });
    let signatures = Value::List(signatures.collect());
    Value::object([("signatures", signatures), ("signed", signed.clone())]).json()
}

pub(crate) fn signed_part(bytes: &[u8]) -> Value {
    parse(bytes).unwrap().as_object().unwrap()["signed"].clone()
}

/// Goes down a path of keys.
pub(crate) fn member<'a>(object: &'a mut Object, path: &[&str]) -> &'a mut Value {
    let (first, rest) = path.split_first().unwrap();
    let mut value = object.get_mut(first).unwrap();
    for name in rest {
        let Value::Object(inner) = value else {
            panic!("{name} is below something else");
        };
        value = inner.get_mut(name).unwrap();
    }
    value
}

pub(crate) fn object<'a>(object: &'a mut Object, path: &[&str]) -> &'a mut Object {
    let Value::Object(object) = member(object, path) else {
        panic!("not an object");
    };
    object
}

pub(crate) fn root_plan(version: u64) -> RootPlan {
    RootPlan {
        version,
        expires: NOW.plus_days(365),
        root: keys(ROOT, 2),
        timestamp: keys(TIMESTAMP, 1),
        snapshot: keys(SNAPSHOT, 1),
        targets: keys(TARGETS, 2),
    }
}

pub(crate) fn root(version: u64) -> Vec<u8> {
    sign(root_plan(version).build().unwrap(), ROOT)
}

pub(crate) fn targets_plan(version: u64) -> TargetsPlan {
    let line = |line: &str, seeds| LineKeys {
        line: line.to_owned(),
        keys: keys(seeds, 2),
    };
    TargetsPlan {
        version,
        expires: NOW.plus_days(180),
        lines: vec![line("desktop", DESKTOP), line("server", SERVER)],
        rollout: None,
        membership: None,
    }
}

pub(crate) fn release(id: &str) -> ReleaseEntry {
    ReleaseEntry {
        id: id.to_owned(),
        len: 1000,
        sha256: [5; 32],
        content: ContentId([6; 32]),
        severity: "critical".to_owned(),
    }
}

pub(crate) fn statement(line: &str, version: u64, ids: &[&str]) -> Draft {
    LinePlan {
        line: line.to_owned(),
        version,
        expires: NOW.plus_days(90),
        releases: ids.iter().map(|id| release(id)).collect(),
    }
    .build()
    .unwrap()
}

pub(crate) fn line(name: &str) -> RoleName {
    RoleName::Line(name.to_owned())
}

/// One publication: everything that the timestamp leads to.
#[derive(Debug, Clone)]
pub(crate) struct Publication {
    pub(crate) timestamp: Vec<u8>,
    pub(crate) snapshot: Vec<u8>,
    pub(crate) targets: Vec<u8>,
    pub(crate) desktop: Vec<u8>,
    pub(crate) server: Vec<u8>,
}

impl Publication {
    /// Everything at this version; desktop lists the release `KB-<version>`.
    pub(crate) fn new(version: u64) -> Self {
        let id = format!("KB-{version}");
        Self::of(
            version,
            sign(targets_plan(version).build().unwrap(), TARGETS),
            sign(statement("desktop", version, &[&id]), DESKTOP),
            sign(statement("server", version, &["S-1"]), SERVER),
        )
    }

    /// A snapshot and a timestamp over these documents.
    pub(crate) fn of(version: u64, targets: Vec<u8>, desktop: Vec<u8>, server: Vec<u8>) -> Self {
        let snapshot = SnapshotPlan {
            version,
            expires: NOW.plus_days(7),
            documents: vec![
                (RoleName::Targets, &targets),
                (line("desktop"), &desktop),
                (line("server"), &server),
            ],
        };
        let snapshot = sign(snapshot.build().unwrap(), SNAPSHOT);
        Self {
            timestamp: timestamp(version, &snapshot),
            snapshot,
            targets,
            desktop,
            server,
        }
    }

    /// The same documents under another snapshot, with its own timestamp.
    pub(crate) fn with_snapshot(mut self, version: u64, snapshot: Vec<u8>) -> Self {
        self.timestamp = timestamp(version, &snapshot);
        self.snapshot = snapshot;
        self
    }

    pub(crate) fn documents(&self) -> Vec<(RoleName, Vec<u8>)> {
        vec![
            (RoleName::Timestamp, self.timestamp.clone()),
            (RoleName::Snapshot, self.snapshot.clone()),
            (RoleName::Targets, self.targets.clone()),
            (line("desktop"), self.desktop.clone()),
            (line("server"), self.server.clone()),
        ]
    }
}

pub(crate) fn timestamp(version: u64, snapshot: &[u8]) -> Vec<u8> {
    let plan = TimestampPlan {
        version,
        expires: NOW.plus_days(3),
        issued: NOW,
        snapshot,
        log: None,
    };
    sign(plan.build().unwrap(), TIMESTAMP)
}

pub(crate) fn all_lines() -> Vec<String> {
    vec!["*".to_owned()]
}

/// A verifier that trusts root 1 and loads every line.
pub(crate) fn verifier() -> Verifier {
    Verifier::new(&root(1), &all_lines()).unwrap()
}

/// Admits and applies one document.
pub(crate) fn give(verifier: &mut Verifier, role: &RoleName, bytes: &[u8]) -> Result<(), Refusal> {
    let admission = verifier.admit(role, bytes, NOW)?;
    let is_new = admission.is_new();
    let changes = verifier.apply(admission);
    assert_eq!(changes.len(), usize::from(is_new));
    Ok(())
}

/// Gives a whole publication; every document must be taken.
pub(crate) fn give_all(verifier: &mut Verifier, publication: &Publication) {
    for (role, bytes) in publication.documents() {
        assert_eq!(give(verifier, &role, &bytes), Ok(()), "{role}");
    }
}

/// A verifier that holds this publication.
pub(crate) fn holding(publication: &Publication) -> Verifier {
    let mut verifier = verifier();
    give_all(&mut verifier, publication);
    verifier
}

/// `<line>/<id>` of each release.
pub(crate) fn listed(verifier: &Verifier) -> Vec<String> {
    listed_at(verifier, NOW)
}

pub(crate) fn listed_at(verifier: &Verifier, utc: UtcTime) -> Vec<String> {
    let releases = verifier.releases(utc);
    let names = releases.iter();
    names.map(|r| format!("{}/{}", r.line, r.id)).collect()
}

/// What the store would give back: documents in order, and the floors.
pub(crate) fn stored(verifier: &Verifier) -> (Vec<(RoleName, Vec<u8>)>, Vec<u8>) {
    let mut documents = Vec::new();
    for version in 1..=verifier.head().root {
        let root = verifier.document(&RoleName::Root, Some(version));
        documents.push((RoleName::Root, root.unwrap().to_vec()));
    }
    let roles = [
        RoleName::Timestamp,
        RoleName::Snapshot,
        RoleName::Targets,
        line("desktop"),
        line("server"),
    ];
    for role in roles {
        if let Some(bytes) = verifier.document(&role, None) {
            documents.push((role, bytes.to_vec()));
        }
    }
    (documents, verifier.floors())
}

pub(crate) fn restart(documents: &[(RoleName, Vec<u8>)], floors: Option<&[u8]>) -> Verifier {
    let documents = documents
        .iter()
        .map(|(role, bytes)| (role, bytes.as_slice()));
    let restored = Verifier::restore(&root(1), &all_lines(), documents, floors);
    let (verifier, refused) = restored.unwrap();
    assert_eq!(refused, []);
    verifier
}
