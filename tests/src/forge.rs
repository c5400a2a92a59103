//! A publisher in this process: known keys, real signed documents, real packs,
//! and every liberty that an attacker with some of the keys would have.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_content::index::ReleaseIndex;
use patchmesh_pack::compress::compress;
use patchmesh_pack::pack::PackWriter;
use patchmesh_pack::plan::{NewChunk, Planner, ReleaseFacts};
use patchmesh_trust::annex::body::Annex;
use patchmesh_trust::annex::keys::{Cosignatures, Keys, Witness};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::policy::{Approval, Policy};
use patchmesh_trust::author::{
    AnnexPlan, Draft, LineKeys, LinePlan, ReleaseEntry, RootPlan, SnapshotPlan, TargetsPlan,
    TimestampPlan,
};
use patchmesh_trust::key::{PublicKey, SecretKey, sha256};
use patchmesh_trust::layout::{annex_path, index_path, metadata_path, pack_path};
use patchmesh_trust::log::head::leaf_hash;
use patchmesh_trust::log::inclusion::read_document;
use patchmesh_trust::log::tile::Tile;
use patchmesh_trust::log::tree::Tree;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::stop::signed::{SignedStop, Stop, Subject, key_id, signing_bytes};
use patchmesh_trust::threshold::RoleKeys;
use patchmesh_trust::time::UtcTime;

/// The release line.
pub const LINE: &str = "desktop";
/// How long documents hold, in days.
pub const DAYS: i64 = 30;
/// A level at which packing costs no time.
pub const LEVEL: i32 = 1;
/// Seeds of the keys of two people of whom both must sign, and the online key.
pub const PEOPLE: [u8; 2] = [1, 2];
/// Seeds of the keys of two people of whom both must sign for membership.
pub const MEMBERS: [u8; 2] = [21, 22];
/// Seeds of the keys of two people of whom both must sign for rollout.
pub const OPERATIONS: [u8; 2] = [25, 26];
/// Seed of the key that signs timestamps and snapshots at first.
pub const ONLINE: u8 = 9;

/// The publisher.
#[derive(Debug, Clone)]
pub struct Forge {
    /// The repository folder.
    pub repository: PathBuf,
    /// The first root document.
    pub root: Vec<u8>,
    /// Version of the newest root document.
    pub root_version: u64,
    /// Seeds of the keys of timestamp and snapshot, by the newest root.
    pub online: [u8; 2],
    /// Version of the newest documents below the root.
    pub version: u64,
    /// Active releases.
    pub releases: Vec<ReleaseEntry>,
    /// Compression level of the next release, [`LEVEL`] at first.
    pub level: i32,
    /// The log, once there is one.
    pub log: Option<Tree>,
    /// A thief may leave the statement of the line out of the log.
    pub unlogged: bool,
    /// Annexes of membership; without any the role does not exist.
    pub membership: Vec<(AnnexName, Vec<u8>)>,
    /// Seeds of the keys that sign for membership in the next publication.
    pub members: Vec<u8>,
    /// What operations say; without anything the role does not exist.
    pub policy: Option<Policy>,
    /// Seeds of the keys that sign for rollout in the next publication.
    pub operations: Vec<u8>,
}

/// The documents of one publication.
#[derive(Debug, Clone)]
pub struct Documents {
    /// The statement of the line.
    pub line: Vec<u8>,
    /// The top targets.
    pub targets: Vec<u8>,
    /// The snapshot.
    pub snapshot: Vec<u8>,
    /// The timestamp.
    pub timestamp: Vec<u8>,
    /// The statement of membership, where there is one.
    pub membership: Option<Vec<u8>>,
    /// The statement of rollout, where there is one.
    pub rollout: Option<Vec<u8>>,
}

/// The present.
///
/// # Panics
/// Before 1970.
pub fn now() -> UtcTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.expect("the clock is after 1970").as_secs();
    UtcTime(i64::try_from(seconds).expect("the clock is before the year 2^63"))
}

/// The key of a seed.
pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

/// A list of keys and a threshold.
///
/// # Panics
/// If the threshold cannot be met.
pub fn keys(seeds: &[u8], threshold: u32) -> RoleKeys {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed).public_key()).collect();
    RoleKeys::new(&keys, threshold).expect("a threshold that can be met")
}

/// Signs a draft with the keys of these seeds.
///
/// # Panics
/// With more signatures than a document takes.
pub fn sign(mut draft: Draft, seeds: &[u8]) -> Vec<u8> {
    for seed in seeds {
        let key = key(*seed);
        let signature = key.sign(&draft.signing_bytes());
        let id = key.public_key().key_id();
        draft
            .add_signature(&id, &signature)
            .expect("few signatures");
    }
    draft.bytes()
}

/// The plan of a root of these people, with these keys of timestamp and
/// snapshot.
pub fn root_plan(version: u64, days: i64, [timestamp, snapshot]: [u8; 2]) -> RootPlan {
    RootPlan {
        version,
        expires: now().plus_days(days),
        root: keys(&PEOPLE, 2),
        timestamp: keys(&[timestamp], 1),
        snapshot: keys(&[snapshot], 1),
        targets: keys(&PEOPLE, 2),
    }
}

fn root(version: u64, days: i64, online: [u8; 2]) -> Vec<u8> {
    let plan = root_plan(version, days, online);
    sign(plan.build().expect("a plan"), &PEOPLE)
}

impl Forge {
    /// Makes the first documents, without a release.
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn found(repository: &Path) -> Self {
        let online = [ONLINE; 2];
        let root = root(1, DAYS, online);
        let mut forge = Self {
            repository: repository.to_owned(),
            root,
            root_version: 1,
            online,
            version: 0,
            releases: Vec::new(),
            level: LEVEL,
            log: None,
            unlogged: false,
            membership: Vec::new(),
            members: MEMBERS.to_vec(),
            policy: None,
            operations: OPERATIONS.to_vec(),
        };
        forge.write(&metadata_path(&RoleName::Root, 1), &forge.root);
        fs::write(forge.root_path(), &forge.root).expect("the root beside the repository");
        forge.publish();
        forge
    }

    /// A root of the same people that is the first of another network.
    ///
    /// # Panics
    /// Never: the plan is a good one.
    pub fn foreign_root() -> Vec<u8> {
        root(1, DAYS + 1, [ONLINE; 2])
    }

    /// Publishes a root with other keys of timestamp and snapshot, and after it
    /// the next documents, by those keys.
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn rotate(&mut self, online: [u8; 2]) {
        self.root_version += 1;
        self.online = online;
        let root = root(self.root_version, DAYS, online);
        self.write(&metadata_path(&RoleName::Root, self.root_version), &root);
        self.publish();
    }

    /// Publishes to another folder from now on, as a thief of keys would.
    #[must_use]
    pub fn stolen(&self, folder: &Path) -> Self {
        Self {
            repository: folder.to_owned(),
            ..self.clone()
        }
    }

    /// A copy of the root for nodes to start from.
    pub fn root_path(&self) -> PathBuf {
        self.repository.with_extension("root.json")
    }

    /// The id of the network.
    ///
    /// # Panics
    /// Never: the root is of this publisher.
    pub fn mesh_id(&self) -> [u8; 32] {
        Verifier::new(&self.root, &[])
            .expect("the root verifies")
            .mesh_id()
    }

    /// Builds, signs and publishes a release of a tree beside the active ones.
    ///
    /// # Panics
    /// If the tree cannot be released.
    pub fn release(&mut self, tree: &Path, id: &str) -> ReleaseIndex {
        let index = self.build(tree, id);
        let bytes = index.encode();
        self.release_bytes(&bytes, id);
        index
    }

    /// Signs and publishes these bytes as the index of a release, whatever
    /// they are.
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn release_bytes(&mut self, bytes: &[u8], id: &str) {
        let hash = sha256(bytes);
        self.write(&index_path(LINE, id, &hash), bytes);
        self.releases.push(ReleaseEntry {
            id: id.to_owned(),
            len: bytes.len() as u64,
            sha256: hash,
            content: ReleaseIndex::content_id(bytes),
            severity: "critical".to_owned(),
        });
        self.publish();
    }

    /// Packs a tree and gives its index; nothing is signed.
    ///
    /// # Panics
    /// If the tree cannot be packed.
    pub fn build(&self, tree: &Path, id: &str) -> ReleaseIndex {
        let mut pack = PackWriter::new(Vec::new());
        let mut sink = |chunk: NewChunk| {
            let frame = compress(&chunk.plain, self.level).map_err(std::io::Error::other)?;
            pack.append(&frame)
        };
        let mut planner = Planner::new(ReleaseFacts {
            line: LINE.to_owned(),
            id: id.to_owned(),
            severity: "critical".to_owned(),
            cves: Vec::new(),
        });
        for path in entries(tree) {
            let found = fs::symlink_metadata(tree.join(&path)).expect("an entry of the tree");
            let mode = found.permissions().mode() & 0o777;
            if found.is_dir() {
                planner.directory(&path, mode).expect("a folder");
            } else if found.is_symlink() {
                let target = fs::read_link(tree.join(&path)).expect("a link");
                let target = target.to_str().expect("a target in UTF-8");
                planner.link(&path, mode, target).expect("a link");
            } else {
                let file = fs::File::open(tree.join(&path)).expect("a file");
                planner.file(&path, mode, file, &mut sink).expect("a file");
            }
        }
        let plan = planner.finish(&mut sink).expect("the last chunk");
        let (bytes, pack) = pack.finish().expect("memory takes it");
        self.write(&pack_path(&pack.hash), &bytes);
        plan.index(pack).expect("one frame a chunk")
    }

    /// Makes the next documents over the active releases and publishes them.
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn publish(&mut self) -> Documents {
        self.version += 1;
        let documents = self.documents_by(self.version, &PEOPLE, self.online);
        if self.log.is_some() {
            let others = documents.membership.iter().chain(&documents.rollout);
            let others: Vec<&[u8]> = others.map(Vec::as_slice).collect();
            let below = [&documents.line, &documents.targets, &documents.snapshot];
            self.log = self.log_with(below.map(Vec::as_slice), &others);
            self.place_log();
        }
        self.place(&documents, self.version);
        documents
    }

    /// From the next publication on there is a log, and the timestamp names it.
    pub fn keep_log(&mut self) {
        self.log = Some(Tree::default());
    }

    /// The log after a publication of statement, targets and snapshot, and of
    /// other statements; the root and the timestamp before are added too. `None`
    /// where there is no log.
    fn log_with(&self, [line, targets, snapshot]: [&[u8]; 3], others: &[&[u8]]) -> Option<Tree> {
        let mut log = self.log.clone()?;
        let role = RoleName::Timestamp;
        let before = fs::read(self.repository.join(metadata_path(&role, 0))).ok();
        let root = metadata_path(&RoleName::Root, self.root_version);
        let root = fs::read(self.repository.join(root)).ok();
        let line = (!self.unlogged).then(|| line.to_vec());
        let below = [targets, snapshot].map(|bytes| Some(bytes.to_vec()));
        let others = others.iter().map(|bytes| Some(bytes.to_vec()));
        let documents = [before, root, line].into_iter().chain(others).chain(below);
        for document in documents.flatten() {
            let (entry, _, _) = read_document(&document).expect("an own document");
            let leaf = leaf_hash(&entry);
            if log.position(&leaf).is_none() {
                log.extend([leaf]);
            }
        }
        Some(log)
    }

    /// Writes the lowest tiles, from which nodes read leaves.
    fn place_log(&self) {
        let log = self.log.as_ref().expect("a log");
        let tiles = Tile::between(0, log.size()).into_iter();
        for tile in tiles.filter(|tile| tile.level == 0) {
            self.write(&tile.path(), &tile.bytes(log).expect("a tile of it"));
        }
    }

    /// Signed documents of a version over the active releases: the line and the
    /// targets by these people, the rest by this online key.
    ///
    /// # Panics
    /// If the releases do not fit in a statement.
    pub fn documents(&self, version: u64, people: &[u8], online: u8) -> Documents {
        self.documents_by(version, people, [online; 2])
    }

    /// The same with a key for the timestamp and another for the snapshot.
    ///
    /// # Panics
    /// If the releases do not fit in a statement.
    pub fn documents_by(&self, version: u64, people: &[u8], online: [u8; 2]) -> Documents {
        let [online, snapshot_key] = online;
        let expires = now().plus_days(DAYS);
        let line = LinePlan {
            line: LINE.to_owned(),
            version,
            expires,
            releases: self.releases.clone(),
        };
        let line = sign(line.build().expect("a statement"), people);
        let targets = TargetsPlan {
            version,
            expires,
            lines: vec![LineKeys {
                line: LINE.to_owned(),
                keys: keys(&PEOPLE, 2),
            }],
            rollout: self.policy.as_ref().map(|_| keys(&OPERATIONS, 2)),
            membership: (!self.membership.is_empty()).then(|| keys(&MEMBERS, 2)),
        };
        let targets = sign(targets.build().expect("targets"), people);
        let membership = self.statement(RoleName::Membership, version, expires);
        let rollout = self.statement(RoleName::Rollout, version, expires);
        let mut documents = vec![
            (RoleName::Targets, &targets[..]),
            (RoleName::Line(LINE.to_owned()), &line),
        ];
        let others = [
            (RoleName::Membership, membership.as_deref()),
            (RoleName::Rollout, rollout.as_deref()),
        ];
        documents.extend(
            others
                .into_iter()
                .filter_map(|(role, bytes)| Some((role, bytes?))),
        );
        let snapshot = SnapshotPlan {
            version,
            expires,
            documents,
        };
        let snapshot = sign(snapshot.build().expect("a snapshot"), &[snapshot_key]);
        let said = membership.iter().chain(&rollout);
        let said: Vec<&[u8]> = said.map(Vec::as_slice).collect();
        let log = self.log_with([&line, &targets, &snapshot], &said);
        let timestamp = TimestampPlan {
            version,
            expires,
            issued: now(),
            snapshot: &snapshot,
            log: log.map(|log| log.head()),
        };
        let timestamp = sign(timestamp.build().expect("a timestamp"), &[online]);
        Documents {
            line,
            targets,
            snapshot,
            timestamp,
            membership,
            rollout,
        }
    }

    /// Annexes of all roles, as they lie in the repository.
    fn annexes(&self) -> Vec<(AnnexName, Vec<u8>)> {
        let policy = self.policy.iter();
        let policy = policy.map(|policy| policy.write().expect("a small policy"));
        let policy = policy.map(|bytes| (AnnexName::Policy, bytes));
        policy.chain(self.membership.clone()).collect()
    }

    fn statement(&self, role: RoleName, version: u64, expires: UtcTime) -> Option<Vec<u8>> {
        let annexes = self.annexes().into_iter();
        let own = annexes.filter(|(name, _)| name.role() == role);
        let signers = if role == RoleName::Rollout {
            &self.operations
        } else {
            &self.members
        };
        let plan = AnnexPlan {
            annexes: own.map(|(name, bytes)| Annex::of(name, &bytes)).collect(),
            role,
            version,
            expires,
        };
        let there = !plan.annexes.is_empty();
        there.then(|| sign(plan.build().expect("a statement"), signers))
    }

    /// Operations approve this release beside what they approved before.
    ///
    /// # Panics
    /// If it was not published here.
    pub fn approve(&mut self, id: &str) {
        let release = self.releases.iter().find(|release| release.id == id);
        let release = release.expect("a published release");
        let approval = Approval {
            line: LINE.to_owned(),
            id: id.to_owned(),
            sha256: release.sha256,
            rings: Vec::new(),
            from: None,
            until: None,
        };
        let policy = self.policy.get_or_insert_default();
        policy.approvals.push(approval);
    }

    /// Lets keys of these seeds stop, each alone.
    ///
    /// # Panics
    /// If there are more than may be.
    pub fn let_stop(&mut self, seeds: &[u8]) {
        let revocation = seeds.iter().map(|seed| key(*seed).public_key()).collect();
        let keys = Keys {
            revocation,
            ..Keys::default()
        };
        self.annex(AnnexName::Keys, keys.write().expect("few keys"));
    }

    /// Makes nodes witnesses, each with its site, and asks for that many of them in
    /// that many sites before anything is applied.
    ///
    /// # Panics
    /// If there are fewer than are asked for.
    pub fn let_witness(&mut self, nodes: &[(PeerId, String)], [keys, sites]: [u32; 2]) {
        let witnesses = nodes.iter().map(|(node, site)| Witness {
            key: PublicKey::ed25519(&node.0).expect("a node has a key"),
            site: site.clone(),
        });
        let keys = Keys {
            witnesses: witnesses.collect(),
            cosignatures: Some(Cosignatures { keys, sites }),
            ..Keys::default()
        };
        self.annex(AnnexName::Keys, keys.write().expect("enough witnesses"));
    }

    /// Puts an annex in the place of the one before; the next publication names it.
    pub fn annex(&mut self, name: AnnexName, bytes: Vec<u8>) {
        self.membership.retain(|(other, _)| *other != name);
        self.membership.push((name, bytes));
        self.membership.sort_by_key(|(name, _)| *name);
    }

    /// A signed stop of this network.
    ///
    /// # Panics
    /// If no node would read it.
    pub fn stop(&self, number: u8, subject: Subject, seed: u8) -> SignedStop {
        let stop = Stop {
            mesh_id: self.mesh_id(),
            id: [number; 16],
            subject,
            issued: now(),
            reason: "it deletes files".to_owned(),
        };
        let payload = stop.payload().expect("a small stop");
        SignedStop {
            signature: key(seed).sign(&signing_bytes(&payload)),
            key: key_id(&key(seed).public_key()),
            payload,
        }
    }

    /// The newest published documents, byte for byte.
    ///
    /// # Panics
    /// If the folder was changed.
    pub fn placed(&self) -> Documents {
        let read = |role: &RoleName| {
            let path = self.repository.join(metadata_path(role, self.version));
            fs::read(path).expect("a published document")
        };
        Documents {
            line: read(&RoleName::Line(LINE.to_owned())),
            targets: read(&RoleName::Targets),
            snapshot: read(&RoleName::Snapshot),
            timestamp: read(&RoleName::Timestamp),
            membership: (!self.membership.is_empty()).then(|| read(&RoleName::Membership)),
            rollout: self.policy.as_ref().map(|_| read(&RoleName::Rollout)),
        }
    }

    /// Writes documents of a version into the repository, the timestamp last.
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn place(&self, documents: &Documents, version: u64) {
        let line = RoleName::Line(LINE.to_owned());
        for (name, bytes) in self.annexes() {
            self.write(&annex_path(name, &sha256(&bytes)), &bytes);
        }
        let others = [
            (RoleName::Membership, &documents.membership),
            (RoleName::Rollout, &documents.rollout),
        ];
        for (role, bytes) in others {
            if let Some(bytes) = bytes {
                self.write(&metadata_path(&role, version), bytes);
            }
        }
        self.write(&metadata_path(&line, version), &documents.line);
        self.write(
            &metadata_path(&RoleName::Targets, version),
            &documents.targets,
        );
        self.write(
            &metadata_path(&RoleName::Snapshot, version),
            &documents.snapshot,
        );
        let timestamp = metadata_path(&RoleName::Timestamp, version);
        self.write(&timestamp, &documents.timestamp);
    }

    /// Writes one file of the repository, whole or not at all.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.repository.join(path);
        let folder = path.parent().expect("a path has a folder");
        fs::create_dir_all(folder).expect("a folder of the repository");
        let scratch = folder.join(".new");
        fs::write(&scratch, bytes).expect("a file of the repository");
        fs::rename(scratch, path).expect("a file of the repository");
    }

    /// The content of the newest release.
    ///
    /// # Panics
    /// Without a release.
    pub fn newest(&self) -> ContentId {
        self.releases.last().expect("a release").content
    }
}

/// Paths of a tree, in ascending byte order, with `/` between parts.
fn entries(tree: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree") {
            let path = entry.expect("an entry of the tree").path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path.clone());
            }
            let name = path.strip_prefix(tree).expect("below the tree");
            found.push(name.to_str().expect("a name in UTF-8").to_owned());
        }
    }
    found.sort();
    found
}
