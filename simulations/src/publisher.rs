//! A publisher with test keys: real signed documents and small real indexes,
//! as an origin's folder gives them. Chunks are ids only; no byte exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchmesh_content::geometry::{CHUNK_LEN_MEAN, ChunkIndex};
use patchmesh_content::id::{ChunkId, PeerId, blake3};
use patchmesh_content::index::{ChunkEntry, FileEntry, FileKind, ReleaseIndex};
use patchmesh_core::message::DocumentRef;
use patchmesh_core::peer::Proof;
use patchmesh_core::time::UtcTime;
use patchmesh_trust::annex::body::Annex;
use patchmesh_trust::annex::keys::Keys;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::author::{
    AnnexPlan, Draft, LineKeys, LinePlan, ReleaseEntry, RootPlan, SnapshotPlan, TargetsPlan,
    TimestampPlan,
};
use patchmesh_trust::key::{NodeKey, SecretKey};
use patchmesh_trust::log::head::{Hash, leaf_hash};
use patchmesh_trust::log::inclusion::read_document;
use patchmesh_trust::log::tree::Tree;
use patchmesh_trust::member::{Validity, issue_certificate};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::stop::set::Mark;
use patchmesh_trust::threshold::RoleKeys;

use crate::operations::{LINE, Said, Word};

/// The wall clock at the start of a world.
pub const UTC: UtcTime = UtcTime(1_800_000_000);

const DAY: i64 = 86_400;
/// When all that is published expires, roots later.
const EXPIRES: UtcTime = UtcTime(UTC.0 + 90 * DAY);
const VALID: &str = "a plan of the world is valid";

/// Who publishes, and what lies in the folder.
#[derive(Debug)]
pub struct Publisher {
    timestamp_key: SecretKey,
    root_version: u64,
    version: u64,
    mesh_id: [u8; 32],
    /// What operations say from the next publication on; without it nobody can.
    pub word: Option<Word>,
    /// Who the witnesses are from the next publication on.
    pub keys: Option<Keys>,
    /// Of a network with operations.
    log: Tree,
    /// Roots of the log by size.
    pub heads: BTreeMap<u64, Hash>,
    /// What each publication said, the first first; of a network with operations.
    pub said: Vec<Said>,
    /// Root version 1.
    pub anchor: Arc<[u8]>,
    /// The published folder.
    pub folder: BTreeMap<DocumentRef, Arc<[u8]>>,
}

/// An index of `chunks` chunks of mean length that compress to half. Equal
/// numbers from `first` on are equal chunks.
pub fn index(id: &str, first: u32, chunks: u32) -> ReleaseIndex {
    let entry = |at: u32| ChunkEntry {
        id: ChunkId(blake3(&(first + at).to_be_bytes())),
        len: CHUNK_LEN_MEAN,
        wire_len: CHUNK_LEN_MEAN / 2,
    };
    let file = FileEntry {
        path: "release.bin".to_owned(),
        mode: 0o644,
        kind: FileKind::File {
            len: u64::from(chunks) * u64::from(CHUNK_LEN_MEAN),
            blake3: blake3(id.as_bytes()),
            sha256: blake3(id.as_bytes()),
            first: ChunkIndex(0),
            count: chunks,
            offset: 0,
        },
    };
    ReleaseIndex {
        line: LINE.to_owned(),
        id: id.to_owned(),
        severity: String::new(),
        cves: Vec::new(),
        files: vec![file],
        chunks: (0..chunks).map(entry).collect(),
        sequence: Vec::new(),
        pack: blake3(id.as_bytes()),
    }
}

/// How a metadata document is asked for.
fn document(role: &str, version: u64) -> DocumentRef {
    DocumentRef::Metadata {
        role: role.to_owned(),
        version,
    }
}

/// A statement that names one annex, and how that is asked for.
fn statement(
    role: RoleName,
    version: u64,
    (name, bytes): (AnnexName, &[u8]),
    key: u8,
) -> (Vec<u8>, DocumentRef) {
    let annex = Annex::of(name, bytes);
    let document = DocumentRef::Annex {
        name: annex.name,
        sha256: annex.sha256,
    };
    let plan = AnnexPlan {
        role,
        version,
        expires: EXPIRES,
        annexes: vec![annex],
    };
    (sign(plan.build().expect(VALID), &secret(key)), document)
}

fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

fn keys(secret: &SecretKey) -> RoleKeys {
    RoleKeys::new(&[secret.public_key()], 1).expect(VALID)
}

fn sign(draft: Draft, secret: &SecretKey) -> Vec<u8> {
    let mut draft = draft;
    let signature = secret.sign(&draft.signing_bytes());
    let id = secret.public_key().key_id();
    draft.add_signature(&id, &signature).expect(VALID);
    draft.bytes()
}

impl Default for Publisher {
    fn default() -> Self {
        Self::new()
    }
}

impl Publisher {
    /// A network without releases.
    pub fn new() -> Self {
        let mut publisher = Self {
            timestamp_key: secret(2),
            root_version: 0,
            version: 0,
            mesh_id: [0; 32],
            word: None,
            keys: None,
            log: Tree::default(),
            heads: BTreeMap::new(),
            said: Vec::new(),
            anchor: Arc::new([]),
            folder: BTreeMap::new(),
        };
        publisher.rotate(2);
        publisher.anchor = Arc::clone(&publisher.folder[&document("root", 1)]);
        let verifier = Verifier::new(&publisher.anchor, &[]).expect(VALID);
        publisher.mesh_id = verifier.mesh_id();
        publisher
    }

    /// The next root, with this key for timestamp and snapshot.
    pub fn rotate(&mut self, timestamp_key: u8) {
        self.root_version += 1;
        self.timestamp_key = secret(timestamp_key);
        let plan = RootPlan {
            version: self.root_version,
            expires: UtcTime(UTC.0 + 365 * DAY),
            root: keys(&secret(1)),
            timestamp: keys(&self.timestamp_key),
            snapshot: keys(&self.timestamp_key),
            targets: keys(&secret(1)),
        };
        let root = sign(plan.build().expect(VALID), &secret(1));
        self.folder
            .insert(document("root", self.root_version), root.into());
    }

    /// Publishes these releases as the active ones.
    pub fn publish(&mut self, releases: &[ReleaseIndex]) {
        self.version += 1;
        let releases: Vec<_> = releases.iter().map(|release| self.add(release)).collect();
        let targets = sign(self.targets().build().expect(VALID), &secret(1));
        let mut documents = vec![(RoleName::Targets, targets)];
        documents.push(self.line(releases.clone()));
        documents.extend(self.statements(&releases));
        let each = documents.iter();
        let snapshot = SnapshotPlan {
            version: self.version,
            expires: EXPIRES,
            documents: each
                .map(|(role, bytes)| (role.clone(), bytes.as_slice()))
                .collect(),
        };
        let snapshot = sign(snapshot.build().expect(VALID), &self.timestamp_key);
        documents.push((RoleName::Snapshot, snapshot.clone()));
        if self.word.is_some() {
            self.note(releases, &documents);
        }
        let timestamp = TimestampPlan {
            version: self.version,
            expires: EXPIRES,
            issued: UTC,
            snapshot: &snapshot,
            log: self.word.map(|_| self.log.head()),
        };
        let timestamp = sign(timestamp.build().expect(VALID), &self.timestamp_key);
        for (role, bytes) in documents {
            let document = document(&role.to_string(), self.version);
            self.folder.insert(document, bytes.into());
        }
        self.folder
            .insert(document("timestamp", 0), timestamp.into());
    }

    fn targets(&self) -> TargetsPlan {
        TargetsPlan {
            version: self.version,
            expires: EXPIRES,
            lines: vec![LineKeys {
                line: LINE.to_owned(),
                keys: keys(&secret(3)),
            }],
            rollout: self.word.map(|_| keys(&secret(4))),
            membership: self.keys.as_ref().map(|_| keys(&secret(5))),
        }
    }

    fn line(&self, releases: Vec<ReleaseEntry>) -> (RoleName, Vec<u8>) {
        let line = LinePlan {
            line: LINE.to_owned(),
            version: self.version,
            expires: EXPIRES,
            releases,
        };
        let line = sign(line.build().expect(VALID), &secret(3));
        (RoleName::Line(LINE.to_owned()), line)
    }

    /// What operations and membership say, where there are such.
    fn statements(&mut self, releases: &[ReleaseEntry]) -> Vec<(RoleName, Vec<u8>)> {
        let policy = self.word.map(|word| word.policy(releases));
        let policy = policy.map(|policy| policy.write().expect(VALID));
        let members = self.keys.as_ref().map(|keys| keys.write().expect(VALID));
        let annexes = [
            (RoleName::Rollout, AnnexName::Policy, policy),
            (RoleName::Membership, AnnexName::Keys, members),
        ];
        let version = self.version;
        let mut statements = Vec::new();
        for ((role, name, bytes), key) in annexes.into_iter().zip([4, 5]) {
            let Some(bytes) = bytes else {
                continue;
            };
            let (statement, annex) = statement(role.clone(), version, (name, &bytes), key);
            statements.push((role, statement));
            self.folder.insert(annex, bytes.into());
        }
        statements
    }

    /// Adds what is published to the log, and remembers what it says.
    fn note(&mut self, releases: Vec<ReleaseEntry>, documents: &[(RoleName, Vec<u8>)]) {
        for (_, bytes) in documents {
            let (entry, _, _) = read_document(bytes).expect(VALID);
            self.log.extend([leaf_hash(&entry)]);
        }
        let head = self.log.head();
        self.heads.insert(head.size, head.root);
        let leaves = self.log.level(0);
        for (at, from) in (0..head.size).enumerate() {
            let document = document(&format!("log/{from}"), head.size);
            let bytes = leaves.get(at..).unwrap_or_default().concat();
            self.folder.insert(document, bytes.into());
        }
        let word = self.word.unwrap_or(Word::Nothing);
        self.said.push(Said {
            policy: word.policy(&releases),
            keys: self.keys.clone(),
            leaves: head.size,
            releases,
        });
    }

    /// What a thief of the line's key would say in place of operations: all is approved.
    pub fn forged(&self, asked: &DocumentRef) -> Option<Arc<[u8]>> {
        let said = self.said.last()?;
        let policy = Word::All.policy(&said.releases).write().expect(VALID);
        match asked {
            DocumentRef::Annex { name, .. } if *name == AnnexName::Policy => Some(policy.into()),
            DocumentRef::Metadata { role, version } if role == "rollout" => {
                let named = (AnnexName::Policy, policy.as_slice());
                Some(statement(RoleName::Rollout, *version, named, 3).0.into())
            }
            DocumentRef::Annex { .. }
            | DocumentRef::Index { .. }
            | DocumentRef::Metadata { .. } => None,
        }
    }

    /// What a publication said, by the version of its timestamp.
    pub fn said_at(&self, version: u64) -> Option<&Said> {
        let at = usize::try_from(version.checked_sub(1)?).ok()?;
        self.said.get(at)
    }

    /// Id of the network.
    pub fn mesh_id(&self) -> [u8; 32] {
        self.mesh_id
    }

    /// Root and timestamp version that every node must reach.
    pub fn head(&self) -> [u64; 2] {
        [self.root_version, self.version]
    }

    /// A valid hello of the node with this key.
    pub fn proof(&self, key: &NodeKey, site: &str, head: [u64; 3]) -> Proof {
        let validity = Validity {
            not_before: UtcTime(UTC.0 - DAY),
            not_after: UtcTime(UTC.0 + 30 * DAY),
        };
        let origin = site.is_empty();
        let issued = issue_certificate(key, &self.mesh_id, site, origin, validity);
        let (certificate, signature) = issued.expect(VALID);
        Proof {
            peer: PeerId(key.public()),
            certificate,
            signature,
            protocol: (1, 1),
            head,
            mark: Mark::default(),
            addresses: Vec::new(),
        }
    }

    fn add(&mut self, release: &ReleaseIndex) -> ReleaseEntry {
        let bytes = release.encode();
        let (line, entry) = ReleaseEntry::of_index(&bytes).expect(VALID);
        let document = DocumentRef::Index {
            sha256: entry.sha256,
            name: format!("{line}/{}", entry.id),
        };
        self.folder.insert(document, bytes.into());
        entry
    }
}
