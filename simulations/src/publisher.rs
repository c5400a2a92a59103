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
use patchmesh_trust::author::{
    Draft, LineKeys, LinePlan, ReleaseEntry, RootPlan, SnapshotPlan, TargetsPlan, TimestampPlan,
};
use patchmesh_trust::key::{NodeKey, SecretKey};
use patchmesh_trust::member::{Validity, issue_certificate};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::stop::set::Mark;
use patchmesh_trust::threshold::RoleKeys;

/// The one release line of a world.
pub const LINE: &str = "desktop";
/// The wall clock at the start of a world.
pub const UTC: UtcTime = UtcTime(1_800_000_000);

const DAY: i64 = 86_400;
const VALID: &str = "a plan of the world is valid";

/// Who publishes, and what lies in the folder.
#[derive(Debug)]
pub struct Publisher {
    timestamp_key: SecretKey,
    root_version: u64,
    version: u64,
    mesh_id: [u8; 32],
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
fn named(role: &str, version: u64) -> DocumentRef {
    DocumentRef::Metadata {
        role: role.to_owned(),
        version,
    }
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
            anchor: Arc::new([]),
            folder: BTreeMap::new(),
        };
        publisher.rotate(2);
        publisher.anchor = Arc::clone(&publisher.folder[&named("root", 1)]);
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
            .insert(named("root", self.root_version), root.into());
    }

    /// Publishes these releases as the active ones.
    pub fn publish(&mut self, releases: &[ReleaseIndex]) {
        self.version += 1;
        let (version, expires) = (self.version, UtcTime(UTC.0 + 90 * DAY));
        let releases = releases.iter().map(|release| self.add(release)).collect();
        let line = LinePlan {
            line: LINE.to_owned(),
            version,
            expires,
            releases,
        };
        let line = sign(line.build().expect(VALID), &secret(3));
        let targets = TargetsPlan {
            version,
            expires,
            lines: vec![LineKeys {
                line: LINE.to_owned(),
                keys: keys(&secret(3)),
            }],
            rollout: None,
            membership: None,
        };
        let targets = sign(targets.build().expect(VALID), &secret(1));
        let role = RoleName::Line(LINE.to_owned());
        let snapshot = SnapshotPlan {
            version,
            expires,
            documents: vec![(RoleName::Targets, &targets), (role.clone(), &line)],
        };
        let snapshot = sign(snapshot.build().expect(VALID), &self.timestamp_key);
        let timestamp = TimestampPlan {
            version,
            expires,
            issued: UTC,
            snapshot: &snapshot,
            log: None,
        };
        let timestamp = sign(timestamp.build().expect(VALID), &self.timestamp_key);
        let documents = [
            (named(&role.to_string(), version), line),
            (named("targets", version), targets),
            (named("snapshot", version), snapshot),
            (named("timestamp", 0), timestamp),
        ];
        for (document, bytes) in documents {
            self.folder.insert(document, bytes.into());
        }
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
