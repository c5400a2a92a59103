//! A repository in the making, written value by value, and a client of it.

use std::collections::BTreeMap;

use patchmesh_trust::canonical::{Object, Value};
use patchmesh_trust::key::{SecretKey, sha256};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::state::lookup::LookUp;
use patchmesh_trust::time::UtcTime;

/// The present of all tests.
pub(crate) const NOW: UtcTime = UtcTime(1_800_000_000);
/// The keys of the top roles, by the order of root, timestamp, snapshot, targets.
pub(crate) const TOP: [(&str, u8); 4] = [
    ("root", 1),
    ("timestamp", 2),
    ("snapshot", 3),
    ("targets", 4),
];

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

pub(crate) fn text(text: impl Into<String>) -> Value {
    Value::text(text)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    patchmesh_content::id::hex(bytes)
}

/// Key objects of these seeds under their ids.
pub(crate) fn key_objects(seeds: &[u8]) -> Object {
    let keys = seeds.iter().map(|&seed| {
        let key = key(seed).public_key();
        let object = patchmesh_trust::canonical::parse(&key.to_json()).unwrap();
        (key.key_id(), object)
    });
    keys.collect()
}

/// `keyids` and `threshold` of a role.
pub(crate) fn role_keys(seeds: &[u8], threshold: i64) -> Object {
    let ids = seeds
        .iter()
        .map(|&seed| text(key(seed).public_key().key_id()));
    Object::from([
        ("keyids".to_owned(), Value::List(ids.collect())),
        ("threshold".to_owned(), Value::Integer(threshold)),
    ])
}

/// A document of this type, signed by these seeds.
pub(crate) fn document(
    kind: &str,
    version: u64,
    members: &[(&str, Value)],
    seeds: &[u8],
) -> Vec<u8> {
    expiring(kind, version, NOW.plus_days(30), members, seeds)
}

pub(crate) fn expiring(
    kind: &str,
    version: u64,
    expires: UtcTime,
    members: &[(&str, Value)],
    seeds: &[u8],
) -> Vec<u8> {
    let mut signed = Object::from([
        ("_type".to_owned(), text(kind)),
        ("spec_version".to_owned(), text("1.0.34")),
        ("version".to_owned(), Value::number(version)),
        ("expires".to_owned(), text(expires.format().unwrap())),
    ]);
    for (name, value) in members {
        signed.insert((*name).to_owned(), value.clone());
    }
    let signed = Value::Object(signed);
    let message = signed.canonical();
    let signatures = seeds.iter().map(|&seed| {
        let key = key(seed);
        Value::object([
            ("keyid", text(key.public_key().key_id())),
            ("sig", text(hex(&key.sign(&message)))),
        ])
    });
    let signatures = Value::List(signatures.collect());
    Value::object([("signatures", signatures), ("signed", signed)]).json()
}

/// A root with these keys of the top roles, one each, signed by these seeds.
pub(crate) fn root(version: u64, top: &[(&str, u8)], consistent: bool, signers: &[u8]) -> Vec<u8> {
    let seeds: Vec<u8> = top.iter().map(|(_, seed)| *seed).collect();
    let roles = top.iter().map(|(name, seed)| {
        let keys = Value::Object(role_keys(&[*seed], 1));
        ((*name).to_owned(), keys)
    });
    let members = [
        ("consistent_snapshot", Value::Bool(consistent)),
        ("keys", Value::Object(key_objects(&seeds))),
        ("roles", Value::Object(roles.collect())),
    ];
    document("root", version, &members, signers)
}

/// What one delegation says beside its keys.
#[derive(Debug, Clone)]
pub(crate) struct Delegation {
    pub(crate) name: &'static str,
    pub(crate) seed: u8,
    pub(crate) terminating: bool,
    pub(crate) scope: (&'static str, Vec<String>),
}

/// A delegation of all paths of one part.
pub(crate) fn to(name: &'static str, seed: u8) -> Delegation {
    Delegation {
        name,
        seed,
        terminating: false,
        scope: ("paths", vec!["*".to_owned()]),
    }
}

impl Delegation {
    pub(crate) fn terminating(mut self) -> Self {
        self.terminating = true;
        self
    }

    pub(crate) fn paths(mut self, patterns: &[&str]) -> Self {
        let patterns = patterns.iter().map(|&pattern| pattern.to_owned());
        self.scope = ("paths", patterns.collect());
        self
    }

    pub(crate) fn prefixes(mut self, prefixes: &[String]) -> Self {
        self.scope = ("path_hash_prefixes", prefixes.to_vec());
        self
    }
}

/// The `delegations` member of a targets document.
pub(crate) fn delegations(list: &[Delegation]) -> Value {
    let seeds: Vec<u8> = list.iter().map(|one| one.seed).collect();
    let roles = list.iter().map(|one| {
        let mut role = role_keys(&[one.seed], 1);
        let (name, patterns) = &one.scope;
        let patterns = patterns.iter().map(text);
        role.insert((*name).to_owned(), Value::List(patterns.collect()));
        role.insert("name".to_owned(), text(one.name));
        role.insert("terminating".to_owned(), Value::Bool(one.terminating));
        Value::Object(role)
    });
    Value::object([
        ("keys", Value::Object(key_objects(&seeds))),
        ("roles", Value::List(roles.collect())),
    ])
}

/// A targets entry of these bytes.
pub(crate) fn target(bytes: &[u8]) -> Value {
    let hashes = Value::object([("sha256", text(hex(&sha256(bytes))))]);
    Value::object([
        ("length", Value::number(bytes.len() as u64)),
        ("hashes", hashes),
    ])
}

/// A targets document with these paths, each of which stands for its own name.
pub(crate) fn targets(paths: &[&str], below: Value, version: u64, seeds: &[u8]) -> Vec<u8> {
    let entries = paths
        .iter()
        .map(|&path| (path.to_owned(), target(path.as_bytes())));
    let members = [
        ("targets", Value::Object(entries.collect())),
        ("delegations", below),
    ];
    document("targets", version, &members, seeds)
}

/// Documents of a repository, by role name; all roles below the root.
#[derive(Debug, Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    /// Snapshot and timestamp of this version over these targets documents. The
    /// pins state versions only, as python-tuf writes them.
    pub(crate) fn publish(version: u64, documents: &[(&str, Vec<u8>)]) -> Self {
        let listed: Vec<&str> = documents.iter().map(|(name, _)| *name).collect();
        Self::listing(version, documents, &listed)
    }

    /// As [`Self::publish`], with a snapshot that lists these roles only.
    pub(crate) fn listing(version: u64, documents: &[(&str, Vec<u8>)], listed: &[&str]) -> Self {
        let mut files: BTreeMap<_, _> = documents
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.clone()))
            .collect();
        let meta = listed.iter().map(|name| {
            let version = version_of(&files[*name]);
            (format!("{name}.json"), pin(version))
        });
        let meta = Value::Object(meta.collect());
        let snapshot = document("snapshot", version, &[("meta", meta)], &[3]);
        let meta = Value::object([("snapshot.json", pin(version))]);
        let timestamp = document("timestamp", version, &[("meta", meta)], &[2]);
        files.insert("snapshot".to_owned(), snapshot);
        files.insert("timestamp".to_owned(), timestamp);
        Self(files)
    }
}

pub(crate) fn pin(version: u64) -> Value {
    Value::object([("version", Value::number(version))])
}

pub(crate) fn version_of(bytes: &[u8]) -> u64 {
    // The last member of a document; the parser would refuse giant ones.
    let text = std::str::from_utf8(bytes).unwrap();
    let (_, version) = text.rsplit_once("\"version\":").unwrap();
    version.trim_end_matches('}').parse().unwrap()
}

/// A client that trusts root 1 of the keys [`TOP`].
pub(crate) fn client() -> Verifier {
    Verifier::foreign(&root(1, &TOP, true, &[1])).unwrap()
}

pub(crate) fn give(verifier: &mut Verifier, role: &RoleName, bytes: &[u8]) -> Result<(), Refusal> {
    let admission = verifier.admit(role, bytes, NOW)?;
    verifier.apply(admission);
    Ok(())
}

/// The top-level workflow over these files.
pub(crate) fn refresh(verifier: &mut Verifier, files: &Files) -> Result<(), Refusal> {
    give(verifier, &RoleName::Timestamp, &files.0["timestamp"])?;
    while let Some(want) = verifier.wants().into_iter().next() {
        give(verifier, &want.role, &files.0[&want.role.to_string()])?;
    }
    Ok(())
}

/// Looks a path up; gives whether it was found, and the roles that were asked
/// for on the way.
pub(crate) fn find(
    verifier: &mut Verifier,
    files: &Files,
    path: &str,
) -> (Result<bool, Refusal>, Vec<String>) {
    let mut asked = Vec::new();
    loop {
        let need = match verifier.look_up(path, NOW) {
            Err(refusal) => return (Err(refusal), asked),
            Ok(LookUp::Found(target)) => {
                assert_eq!(target.path(), path);
                return (Ok(true), asked);
            }
            Ok(LookUp::Absent) => return (Ok(false), asked),
            Ok(LookUp::Needs(need)) => need,
        };
        let name = need.want.role.to_string();
        asked.push(name.clone());
        match verifier.admit_for(&need, &files.0[&name], NOW) {
            Ok(admission) => assert_eq!(verifier.apply(admission).len(), 1, "{name}"),
            Err(refusal) => return (Err(refusal), asked),
        }
    }
}

/// A client that is up to date with these files.
pub(crate) fn current(files: &Files) -> Verifier {
    let mut verifier = client();
    assert_eq!(refresh(&mut verifier, files), Ok(()));
    verifier
}
