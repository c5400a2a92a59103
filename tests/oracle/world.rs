//! One repository, honest, and two verifiers that hold its second version.

use jiff::Timestamp;
use patchmesh_content::id::hex;
use patchmesh_trust::canonical::{Object, Value, parse};
use patchmesh_trust::key::{SecretKey, sha256};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::state::lookup::LookUp;
use patchmesh_trust::time::UtcTime;
use sigstore_tuf::{Error, TrustedMetadataSet};

/// The present.
pub(crate) const NOW: UtcTime = UtcTime(1_800_000_000);
/// A path for which the delegated role speaks.
pub(crate) const PATH: &str = "a/file";
/// The delegated role.
const DELEGATED: &str = "team/a";

/// Documents in the order of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    Timestamp,
    Snapshot,
    Targets,
    Delegated,
}

pub(crate) const ORDER: [Kind; 5] = [
    Kind::Root,
    Kind::Timestamp,
    Kind::Snapshot,
    Kind::Targets,
    Kind::Delegated,
];

/// A signed part, and who signs it.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) signed: Value,
    pub(crate) signers: Vec<u8>,
}

impl Part {
    fn new(kind: &str, version: u64, members: &[(&str, Value)], signers: &[u8]) -> Self {
        let expires = NOW.plus_days(30).format().unwrap();
        let mut signed: Object = [
            ("_type".to_owned(), Value::text(kind)),
            ("spec_version".to_owned(), Value::text("1.0.34")),
            ("version".to_owned(), Value::number(version)),
            ("expires".to_owned(), Value::text(expires)),
        ]
        .into();
        for (name, value) in members {
            signed.insert((*name).to_owned(), value.clone());
        }
        Self {
            signed: Value::Object(signed),
            signers: signers.to_vec(),
        }
    }

    /// The document.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let message = self.signed.canonical();
        let signatures = self.signers.iter().map(|&seed| {
            let key = key(seed);
            Value::object([
                ("keyid", Value::text(key.public_key().key_id())),
                ("sig", Value::text(hex(&key.sign(&message)))),
            ])
        });
        let signatures = Value::List(signatures.collect());
        Value::object([("signatures", signatures), ("signed", self.signed.clone())]).json()
    }
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn keys(seeds: &[u8]) -> Value {
    let keys = seeds.iter().map(|&seed| {
        let key = key(seed).public_key();
        (key.key_id(), parse(&key.to_json()).unwrap())
    });
    Value::Object(keys.collect())
}

fn role(seeds: &[u8], threshold: i64) -> Object {
    let ids = seeds
        .iter()
        .map(|&seed| Value::text(key(seed).public_key().key_id()));
    [
        ("keyids".to_owned(), Value::List(ids.collect())),
        ("threshold".to_owned(), Value::Integer(threshold)),
    ]
    .into()
}

fn root(version: u64) -> Part {
    let roles = [
        ("root", role(&[1, 2, 3], 2)),
        ("timestamp", role(&[4], 1)),
        ("snapshot", role(&[5], 1)),
        ("targets", role(&[6, 7], 2)),
    ];
    let roles = roles.map(|(name, role)| (name, Value::Object(role)));
    let members = [
        ("consistent_snapshot", Value::Bool(true)),
        ("keys", keys(&[1, 2, 3, 4, 5, 6, 7])),
        ("roles", Value::object(roles)),
        ("x-note", Value::text("a note")),
    ];
    Part::new("root", version, &members, &[1, 3])
}

fn target(text: &str) -> Value {
    Value::object([
        ("length", Value::number(text.len() as u64)),
        (
            "hashes",
            Value::object([("sha256", Value::text(hex(&sha256(text.as_bytes()))))]),
        ),
        (
            "custom",
            Value::object([("any", Value::List(vec![Value::Integer(-7), Value::Null]))]),
        ),
    ])
}

fn targets(version: u64) -> Part {
    let mut by_path = role(&[8, 9], 1);
    by_path.insert("name".to_owned(), Value::text(DELEGATED));
    by_path.insert("terminating".to_owned(), Value::Bool(false));
    let patterns = ["a/*", "b?/*"].map(Value::text).to_vec();
    by_path.insert("paths".to_owned(), Value::List(patterns));
    let mut by_hash = role(&[9], 1);
    by_hash.insert("name".to_owned(), Value::text("bin"));
    by_hash.insert("terminating".to_owned(), Value::Bool(true));
    let prefixes = ["0", "f3"].map(Value::text).to_vec();
    by_hash.insert("path_hash_prefixes".to_owned(), Value::List(prefixes));
    let roles = vec![Value::Object(by_path), Value::Object(by_hash)];
    let delegations = Value::object([("keys", keys(&[8, 9])), ("roles", Value::List(roles))]);
    let members = [
        ("delegations", delegations),
        ("targets", Value::object([("top", target("top"))])),
    ];
    Part::new("targets", version, &members, &[6, 7])
}

fn delegated(version: u64) -> Part {
    let members = [("targets", Value::object([(PATH, target("file"))]))];
    Part::new("targets", version, &members, &[8])
}

/// How much a pin states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pins {
    Version,
    Bytes,
}

fn pin(version: u64, bytes: &[u8], pins: Pins) -> Value {
    let version = ("version", Value::number(version));
    match pins {
        Pins::Version => Value::object([version]),
        Pins::Bytes => Value::object([
            version,
            ("length", Value::number(bytes.len() as u64)),
            (
                "hashes",
                Value::object([("sha256", Value::text(hex(&sha256(bytes))))]),
            ),
        ]),
    }
}

/// One version of everything, in the order of [`ORDER`].
#[derive(Debug, Clone)]
pub(crate) struct Publication(pub(crate) [Part; 5]);

impl Publication {
    /// This version of all but the root.
    pub(crate) fn new(version: u64, root_version: u64, pins: Pins) -> Self {
        let (targets, delegated) = (targets(version), delegated(version));
        let team = format!("{DELEGATED}.json");
        let meta = Value::object([
            ("targets.json", pin(version, &targets.bytes(), pins)),
            (&team, pin(version, &delegated.bytes(), pins)),
        ]);
        let snapshot = Part::new("snapshot", version, &[("meta", meta)], &[5]);
        let meta = Value::object([("snapshot.json", pin(version, &snapshot.bytes(), pins))]);
        let timestamp = Part::new("timestamp", version, &[("meta", meta)], &[4]);
        Self([root(root_version), timestamp, snapshot, targets, delegated])
    }
}

/// Ours and theirs, side by side.
#[derive(Clone)]
pub(crate) struct Both {
    ours: Verifier,
    theirs: TrustedMetadataSet,
}

/// The present, as theirs takes it.
fn now() -> Timestamp {
    Timestamp::from_second(NOW.0).unwrap()
}

/// What each said; the text of a refusal is for people.
pub(crate) type Verdicts = [Result<(), String>; 2];

impl Both {
    /// Both hold root 1 and version 2 of everything else.
    pub(crate) fn holding(pins: Pins) -> Self {
        let publication = Publication::new(2, 1, pins);
        let anchor = publication.0[0].bytes();
        let mut both = Self {
            ours: Verifier::foreign(&anchor).unwrap(),
            theirs: TrustedMetadataSet::from_root(&anchor).unwrap(),
        };
        for (kind, part) in ORDER.into_iter().zip(&publication.0).skip(1) {
            let verdicts = both.give(kind, &part.bytes());
            assert_eq!(verdicts, [Ok(()), Ok(())], "{kind:?}");
        }
        both
    }

    /// Gives both the same bytes. The delegated document is given only where a
    /// look-up would ask for it.
    pub(crate) fn give(&mut self, kind: Kind, bytes: &[u8]) -> Verdicts {
        if kind == Kind::Delegated {
            let asked = match self.ours.look_up(PATH, NOW) {
                Ok(LookUp::Needs(need)) => need.want.role.to_string() == DELEGATED,
                Ok(LookUp::Found(_) | LookUp::Absent) => false,
                Err(_) => true,
            };
            if !asked {
                return [Ok(()), Ok(())];
            }
        }
        let ours = self.give_ours(kind, bytes);
        [ours, self.give_theirs(kind, bytes)]
    }

    fn give_ours(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), String> {
        let verifier = &mut self.ours;
        let admission = match kind {
            Kind::Root => verifier.admit(&RoleName::Root, bytes, NOW),
            Kind::Timestamp => verifier.admit(&RoleName::Timestamp, bytes, NOW),
            Kind::Snapshot => verifier.admit(&RoleName::Snapshot, bytes, NOW),
            Kind::Targets => verifier.admit(&RoleName::Targets, bytes, NOW),
            Kind::Delegated => match verifier.look_up(PATH, NOW) {
                Ok(LookUp::Needs(need)) => verifier.admit_for(&need, bytes, NOW),
                Ok(LookUp::Found(_) | LookUp::Absent) => return Err("not asked for".to_owned()),
                Err(refusal) => Err(refusal),
            },
        };
        let admission = admission.map_err(|refusal| refusal.to_string())?;
        let is_new = admission.is_new();
        verifier.apply(admission);
        // What is held already does no harm and is not what was asked for, except
        // for a timestamp.
        if is_new || kind == Kind::Timestamp {
            Ok(())
        } else {
            Err("held already".to_owned())
        }
    }

    fn give_theirs(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), String> {
        let now = now();
        let set = &mut self.theirs;
        let given = match kind {
            Kind::Root => set.update_root(bytes),
            Kind::Timestamp => {
                let fresh = set.check_root_expired(now);
                fresh.and_then(|()| set.update_timestamp(bytes, now))
            }
            Kind::Snapshot => set.update_snapshot(bytes, now),
            Kind::Targets => set.update_targets(bytes, now).map(|_| ()),
            Kind::Delegated => {
                let given = set.update_delegated_targets(bytes, DELEGATED, "targets", now);
                given.map(|_| ())
            }
        };
        match given {
            // The same version again: what is held is kept, which is no failure.
            Ok(()) | Err(Error::EqualVersion { .. }) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}
