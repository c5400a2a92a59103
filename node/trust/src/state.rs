//! The verifier: admits documents, and says what it needs next.
//!
//! Bytes go in, verdicts come out; time is an argument. `admit` changes
//! nothing and may be called with anything; `apply` takes over what was
//! admitted and cannot fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchmesh_content::id::blake3;
use patchmesh_content::index::ReleaseIndex;

use crate::annex::body::Annex;
use crate::annex::name::AnnexName;
use crate::delegate::{Edge, Reach, resolve};
use crate::document::{Held, Pin, Root, Targets};
use crate::envelope::Envelope;
use crate::key::sha256;
use crate::limits::Profile;
use crate::log::head::LogHead;
use crate::log::tree::Tree;
use crate::refusal::Refusal;
use crate::release::Release;
use crate::role::RoleName;
use crate::state::admit::{Source, len_max};
use crate::state::chain::{Chain, Load, Step};
use crate::state::equivocation::{Authority, Equivocation};
use crate::state::floor::Floors;
use crate::time::UtcTime;
use crate::verified::Verified;

pub(crate) mod admit;
pub(crate) mod chain;
pub mod equivocation;
pub(crate) mod floor;
pub mod logged;
pub mod lookup;

/// The versions held; 0 where none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Version of the trusted root.
    pub root: u64,
    /// Version of the timestamp.
    pub timestamp: u64,
    /// Version of the snapshot.
    pub snapshot: u64,
}

/// A document that the verifier needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Role of the document.
    pub role: RoleName,
    /// Version; `None` asks for the newest (timestamp).
    pub version: Option<u64>,
    /// SHA-256 of the bytes, where something signed pins it.
    pub sha256: Option<[u8; 32]>,
    /// Longest acceptable document in bytes.
    pub len_max: usize,
}

/// A document that passed every check and was not yet taken over.
#[derive(Debug, Clone)]
pub struct Admission {
    role: RoleName,
    version: u64,
    step: Step,
    against: [u8; 32],
}

impl Admission {
    /// Role of the document.
    pub fn role(&self) -> &RoleName {
        &self.role
    }

    /// Version of the document.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether taking it over changes anything; `false` if the same statement
    /// is held already.
    pub fn is_new(&self) -> bool {
        !matches!(self.step, Step::Same)
    }
}

/// What taking over a document changed. The caller makes it durable before
/// anything that depends on it becomes visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Role of the document.
    pub role: RoleName,
    /// Its version.
    pub version: u64,
    /// The bytes as they were received (T-09).
    pub bytes: Arc<[u8]>,
}

/// How fresh the trusted metadata is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustState {
    /// A root is trusted; timestamp, snapshot or targets are not known yet.
    Bootstrapped,
    /// Root, timestamp, snapshot and targets are verified and unexpired. While
    /// a newer set is being fetched, the last complete one counts. Statements
    /// of lines expire on their own: an expired one lists no release.
    Current,
    /// Something has expired at this time; serve and seed, start no install.
    Stale {
        /// When the first needed document expired.
        since: UtcTime,
    },
}

/// Verifier of one network.
#[derive(Debug, Clone)]
pub struct Verifier {
    chain: Chain,
    mesh_id: [u8; 32],
    /// Changes with every document taken over, so that an admission fits only
    /// the very state it was judged against.
    state_id: [u8; 32],
}

impl Verifier {
    /// Adopts a root document as the anchor: it must be signed by its own
    /// threshold and may have expired. `lines` are the release lines that this
    /// node loads; `*` among them loads every line.
    pub fn new(root: &[u8], lines: &[String]) -> Result<Self, Refusal> {
        Self::anchored(Profile::Mesh, root, lines)
    }

    /// As [`Self::new`], for a repository of another tool: any delegations, and
    /// every rule of the specification's client workflow. Ask it for a target
    /// with [`Self::look_up`].
    pub fn foreign(root: &[u8]) -> Result<Self, Refusal> {
        Self::anchored(Profile::Foreign, root, &[])
    }

    fn anchored(profile: Profile, root: &[u8], lines: &[String]) -> Result<Self, Refusal> {
        let envelope = Envelope::open_any(profile, &RoleName::Root, root)?;
        let mut held = Held::<Root>::read(&envelope, root, [].into())?;
        held.signers = held.body.root.check(&envelope)?;
        let mut floors = Floors::default();
        floors.raise("root", held.version, Some(held.digest));
        let mesh_id = held.digest;
        let chain = Chain {
            profile,
            roots: [(held.version, Arc::clone(&held.bytes))].into(),
            root: held,
            timestamp: None,
            snapshot: None,
            targets: None,
            delegated: BTreeMap::new(),
            vouched: BTreeMap::new(),
            floors,
            tree: Tree::default(),
            load: Load::new(lines),
        };
        Ok(Self {
            chain,
            mesh_id,
            state_id: mesh_id,
        })
    }

    /// Builds the verifier again from the anchor and what the own store gives
    /// back: documents with roots in ascending version, then timestamp,
    /// snapshot, targets, lines, and the floors. Also gives the stored
    /// documents that no longer stand, which is no error: a newer root may
    /// have replaced their signers (T-34).
    pub fn restore<'a>(
        root: &[u8],
        lines: &[String],
        documents: impl IntoIterator<Item = (&'a RoleName, &'a [u8])>,
        floors: Option<&[u8]>,
    ) -> Result<(Self, Vec<(RoleName, Refusal)>), Refusal> {
        let mut verifier = Self::new(root, lines)?;
        let refused = verifier.take_stored(documents, floors)?;
        Ok((verifier, refused))
    }

    /// Takes in what the own store gives back, as [`Self::restore`] does.
    pub fn take_stored<'a>(
        &mut self,
        documents: impl IntoIterator<Item = (&'a RoleName, &'a [u8])>,
        floors: Option<&[u8]>,
    ) -> Result<Vec<(RoleName, Refusal)>, Refusal> {
        let mut refused = Vec::new();
        for (role, bytes) in documents {
            match self.admit_stored(role, bytes) {
                Ok(admission) => drop(self.apply(admission)),
                Err(refusal) => refused.push((role.clone(), refusal)),
            }
        }
        if let Some(floors) = floors {
            self.restore_floors(floors)?;
        }
        Ok(refused)
    }

    /// SHA-256 of the canonical signed part of the anchor: the id of the
    /// network if the anchor is root version 1.
    pub fn mesh_id(&self) -> [u8; 32] {
        self.mesh_id
    }

    /// The root document that this verifier began with.
    pub fn anchor(&self) -> Arc<[u8]> {
        let first = self.chain.roots.values().next();
        Arc::clone(first.unwrap_or(&self.chain.root.bytes))
    }

    /// Checks a document against the current state; changes nothing (T-14).
    ///
    /// # Errors
    /// `Pending` says that something must come first: a root N + 1 before N + 2,
    /// a timestamp before its snapshot, and so on. All other refusals are final
    /// for these bytes in this state.
    pub fn admit(&self, role: &RoleName, bytes: &[u8], utc: UtcTime) -> Result<Admission, Refusal> {
        self.admit_from(role, bytes, Source::Foreign(utc))
    }

    /// As [`Self::admit`], for bytes that this node itself verified and stored:
    /// signatures and order are checked again, but a document may have expired
    /// and may be older than the one that is named now (T-22). Never for bytes
    /// from anywhere else.
    pub fn admit_stored(&self, role: &RoleName, bytes: &[u8]) -> Result<Admission, Refusal> {
        self.admit_from(role, bytes, Source::Store)
    }

    fn admit_from(
        &self,
        role: &RoleName,
        bytes: &[u8],
        source: Source,
    ) -> Result<Admission, Refusal> {
        let step = self.chain.admit(role, bytes, source)?;
        Ok(self.admission(role, step))
    }

    fn admission(&self, role: &RoleName, step: Step) -> Admission {
        let version = match &step {
            Step::Same => self.version(role),
            Step::Root(held) => held.version,
            Step::Timestamp(held, _) => held.version,
            Step::Snapshot(held) => held.version,
            Step::Targets(held) | Step::Delegated(_, held, _) => held.version,
        };
        Admission {
            role: role.clone(),
            version,
            step,
            against: self.state_id,
        }
    }

    /// Takes an admitted document over. Gives nothing if it is held already,
    /// or if the verifier has changed since it was admitted: admit it again.
    pub fn apply(&mut self, admission: Admission) -> Vec<Change> {
        let Admission {
            role,
            version,
            step,
            against,
        } = admission;
        if against != self.state_id {
            return Vec::new();
        }
        let (bytes, sha256_of) = match &step {
            Step::Same => return Vec::new(),
            Step::Root(held) => (Arc::clone(&held.bytes), held.sha256),
            Step::Timestamp(held, _) => (Arc::clone(&held.bytes), held.sha256),
            Step::Snapshot(held) => (Arc::clone(&held.bytes), held.sha256),
            Step::Targets(held) | Step::Delegated(_, held, _) => {
                (Arc::clone(&held.bytes), held.sha256)
            }
        };
        self.chain.take(step);
        self.move_state_id(&sha256_of);
        vec![Change {
            role,
            version,
            bytes,
        }]
    }

    fn move_state_id(&mut self, by: &[u8; 32]) {
        self.state_id = sha256(&[&self.state_id[..], &by[..]].concat());
    }

    /// What is needed next, in order: newer snapshot, targets, statements. The
    /// timestamp and the next root are asked for by whoever hears of them.
    pub fn wants(&self) -> Vec<Want> {
        let chain = &self.chain;
        let Some(pin) = chain.snapshot_pin() else {
            return Vec::new();
        };
        if chain.current_snapshot().is_none() {
            return vec![self.want(RoleName::Snapshot, pin)];
        }
        if chain.current_targets().is_none() {
            let pin = chain.pin(&RoleName::Targets);
            return pin
                .map(|pin| self.want(RoleName::Targets, pin))
                .into_iter()
                .collect();
        }
        let mut wants = Vec::new();
        for role in chain.loaded_roles() {
            let held = chain.delegated.get(&role.to_string());
            let Some(pin) = chain.pin(&role) else {
                continue;
            };
            if !held.is_some_and(|held| pin.fits(held)) {
                wants.push(self.want(role, pin));
            }
        }
        wants
    }

    fn want(&self, role: RoleName, pin: &Pin) -> Want {
        let foreign = Source::Foreign(UtcTime(0));
        Want {
            len_max: len_max(self.chain.profile, &role, pin, foreign),
            version: Some(pin.version),
            sha256: pin.hashes.and_then(|hashes| hashes.sha256),
            role,
        }
    }

    /// The versions held.
    pub fn head(&self) -> Head {
        Head {
            root: self.version(&RoleName::Root),
            timestamp: self.version(&RoleName::Timestamp),
            snapshot: self.version(&RoleName::Snapshot),
        }
    }

    /// Version of a held document; 0 if none is held.
    pub fn version(&self, role: &RoleName) -> u64 {
        fn of<T>(held: Option<&Held<T>>) -> u64 {
            held.map_or(0, |held| held.version)
        }
        match role {
            RoleName::Root => self.chain.root.version,
            RoleName::Timestamp => of(self.chain.timestamp.as_ref()),
            RoleName::Snapshot => of(self.chain.snapshot.as_ref()),
            RoleName::Targets => of(self.chain.targets.as_ref()),
            RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_) => of(self.chain.delegated.get(&role.to_string())),
        }
    }

    /// Freshness at this time.
    pub fn state(&self, utc: UtcTime) -> TrustState {
        let chain = &self.chain;
        let (Some(timestamp), Some(snapshot), Some(targets)) =
            (&chain.timestamp, &chain.snapshot, &chain.targets)
        else {
            return TrustState::Bootstrapped;
        };
        let first = chain
            .root
            .expires
            .min(timestamp.expires)
            .min(snapshot.expires)
            .min(targets.expires);
        if first <= utc {
            TrustState::Stale { since: first }
        } else {
            TrustState::Current
        }
    }

    /// When each held document expires, root first, lines last.
    pub fn expiries(&self) -> Vec<(RoleName, UtcTime)> {
        let chain = &self.chain;
        let mut expiries = vec![(RoleName::Root, chain.root.expires)];
        if let Some(held) = &chain.timestamp {
            expiries.push((RoleName::Timestamp, held.expires));
        }
        if let Some(held) = &chain.snapshot {
            expiries.push((RoleName::Snapshot, held.expires));
        }
        if let Some(held) = &chain.targets {
            expiries.push((RoleName::Targets, held.expires));
        }
        for (name, held) in &chain.delegated {
            expiries.push((chain.role_of(name), held.expires));
        }
        expiries
    }

    /// When the held timestamp was issued and when it expires; `None` where there
    /// is none, or it does not say.
    pub fn timestamp_life(&self) -> Option<(UtcTime, UtcTime)> {
        let held = self.chain.timestamp.as_ref()?;
        Some((held.body.issued?, held.expires))
    }

    /// The next expiry after this time, and whose it is.
    pub fn expires(&self, utc: UtcTime) -> Option<(RoleName, UtcTime)> {
        let later = self.expiries().into_iter().filter(|(_, at)| *at > utc);
        later.min_by_key(|(_, at)| *at)
    }

    /// Latest time at which a verified timestamp says it was issued: a lower
    /// bound of the present, and always before the expiry of the trusted root.
    /// `None` again once a root took the word from the timestamp's signer:
    /// what was learned from it is void as well (T-35).
    pub fn issued(&self) -> Option<UtcTime> {
        let last = UtcTime(self.chain.root.expires.0.saturating_sub(1));
        self.chain.floors.issued().map(|issued| issued.min(last))
    }

    /// Active releases of the loaded lines, from verified, unexpired
    /// statements, in the order of their lines and ids. A path outside the
    /// line's delegation, or one that states no usable release, is left out.
    pub fn releases(&self, utc: UtcTime) -> Vec<Verified<Release>> {
        let chain = &self.chain;
        let Some(targets) = &chain.targets else {
            return Vec::new();
        };
        if self.state(utc) != TrustState::Current || !self.is_named(&RoleName::Targets) {
            return Vec::new();
        }
        let statement = |edge: &Edge<'_>| -> Result<&Targets, Refusal> {
            let held = chain.delegated.get(&*edge.role);
            let held = held.ok_or(Refusal::Pending)?;
            let usable = !held.is_expired(utc) && self.is_named(&edge.role.parse()?);
            usable.then_some(&held.body).ok_or(Refusal::Pending)
        };
        let reach = Reach::of(Profile::Mesh);
        let mut releases = Vec::new();
        for (name, held) in &chain.delegated {
            let Some(line) = name.strip_prefix("release/") else {
                continue;
            };
            for path in held.body.targets.keys() {
                let resolved = resolve(path, &targets.body, reach, statement);
                let Ok(Some((role, target))) = resolved else {
                    continue;
                };
                let release = Release::read(line, path, target, held.version);
                if let (Some(release), true) = (release, role == *name) {
                    releases.push(Verified::new(release));
                }
            }
        }
        releases
    }

    /// The annexes that the verified, unexpired statements of rollout and
    /// membership name, each by the role that speaks for it.
    pub fn annexes(&self, utc: UtcTime) -> Vec<Verified<Annex>> {
        let chain = &self.chain;
        let Some(targets) = &chain.targets else {
            return Vec::new();
        };
        if self.state(utc) != TrustState::Current || !self.is_named(&RoleName::Targets) {
            return Vec::new();
        }
        let reach = Reach::of(Profile::Mesh);
        let named = AnnexName::ALL.into_iter().filter_map(|name| {
            let role = name.role();
            let held = chain.delegated.get(&role.to_string())?;
            let usable = !held.is_expired(utc) && self.is_named(&role);
            // Another role's statement has nothing to say here, and is not read.
            let statement = |edge: &Edge<'_>| {
                let own = *edge.role == role.to_string();
                own.then_some(&held.body).ok_or(())
            };
            let resolved = resolve(name.path(), &targets.body, reach, statement);
            let (_, target) = resolved.ok()??;
            let annex = Annex::read(name, target)?;
            usable.then(|| Verified::new(annex))
        });
        named.collect()
    }

    /// Whether the top targets delegate a role; `None` without top targets.
    pub fn delegates(&self, role: &RoleName) -> Option<bool> {
        let targets = self.chain.targets.as_ref()?;
        Some(targets.body.delegation(&role.to_string()).is_some())
    }

    /// Release lines that share a key with `rollout`: one side alone could
    /// install there (T-12).
    pub fn lines_not_separated(&self) -> Vec<String> {
        let targets = self.chain.targets.as_ref();
        targets.map_or_else(Vec::new, |targets| targets.body.lines_not_separated())
    }

    /// Whether a held document is the named one or a predecessor of it.
    fn is_named(&self, role: &RoleName) -> bool {
        let version = self.version(role);
        let pin = self.chain.pin(role);
        pin.is_some_and(|pin| version > 0 && version <= pin.version)
    }

    /// A held document, byte for byte; `None` for the newest version. Roots are
    /// held in every version since the anchor, others in the newest only.
    pub fn document(&self, role: &RoleName, version: Option<u64>) -> Option<Arc<[u8]>> {
        let chain = &self.chain;
        if *role == RoleName::Root {
            let version = version.unwrap_or(chain.root.version);
            return chain.roots.get(&version).cloned();
        }
        if version.is_some_and(|version| version != self.version(role)) {
            return None;
        }
        match role {
            RoleName::Root => None,
            RoleName::Timestamp => chain.timestamp.as_ref().map(|held| Arc::clone(&held.bytes)),
            RoleName::Snapshot => chain.snapshot.as_ref().map(|held| Arc::clone(&held.bytes)),
            RoleName::Targets => chain.targets.as_ref().map(|held| Arc::clone(&held.bytes)),
            RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_) => {
                let held = chain.delegated.get(&role.to_string());
                held.map(|held| Arc::clone(&held.bytes))
            }
        }
    }

    /// Head of the log that the held timestamp names.
    pub fn log_head(&self) -> Option<LogHead> {
        self.chain.timestamp.as_ref()?.body.log
    }

    /// Digest of the signed part of the timestamp.
    pub fn timestamp_digest(&self) -> Option<[u8; 32]> {
        self.chain.timestamp.as_ref().map(|held| held.digest)
    }

    /// What proves that the role of a document was signed twice, if this
    /// document and the held one of its version do (T-43). Documents that were
    /// signed by different key lists prove nothing.
    pub fn prove(&self, role: &RoleName, other: &[u8]) -> Option<Equivocation> {
        let version = self.version(role);
        let held = self.document(role, None)?;
        let root_max = match role {
            RoleName::Root => version.saturating_sub(1),
            RoleName::Timestamp
            | RoleName::Snapshot
            | RoleName::Targets
            | RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_) => self.chain.root.version,
        };
        let roots = self.chain.roots.range(..=root_max);
        let targets = self.chain.targets.as_ref();
        let authority = Authority {
            roots: roots.map(|(_, root)| &**root).collect(),
            delegator: match (role, targets) {
                (role, Some(targets)) if role.is_delegated() => &targets.bytes,
                _ => &[],
            },
        };
        Equivocation::of(role, version, &authority, [&held, other])
    }

    /// Whether a proof keeps its role frozen: both documents would still count
    /// by the keys that the role has now (T-45). Where those are not known, it
    /// does.
    pub fn is_frozen_by(&self, proof: &Equivocation) -> bool {
        let keys = &self.chain.root.body;
        let keys = match proof.role() {
            RoleName::Root => &keys.root,
            RoleName::Timestamp => &keys.timestamp,
            RoleName::Snapshot => &keys.snapshot,
            RoleName::Targets => &keys.targets,
            role @ (RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_)) => {
                let Some(targets) = &self.chain.targets else {
                    return true;
                };
                let delegation = targets.body.delegation(&role.to_string());
                return delegation.is_some_and(|role| proof.stands(&role.keys));
            }
        };
        proof.stands(keys)
    }

    /// Release lines that the targets document delegates; `None` without one.
    pub fn delegated_lines(&self) -> Option<Vec<String>> {
        let targets = self.chain.targets.as_ref()?;
        let names = targets.body.delegations.iter();
        let lines = names.filter_map(|role| role.name.strip_prefix("release/"));
        Some(lines.map(str::to_owned).collect())
    }

    /// The floors, to be stored beside the documents.
    pub fn floors(&self) -> Vec<u8> {
        self.chain.floors.write()
    }

    /// The stored floors are gone although documents or releases are there: higher
    /// versions than these may have been seen before (T-33).
    pub fn floors_lost(&mut self) {
        self.chain.floors.lost = true;
    }

    /// Enough others have said what is newest.
    pub fn floors_regained(&mut self) {
        self.chain.floors.lost = false;
    }

    /// Whether the floors were lost and are not regained, also before a restart.
    pub fn has_lost_floors(&self) -> bool {
        self.chain.floors.lost
    }

    /// Raises the floors to stored ones (restart). A held document below its
    /// floor is let go of.
    pub fn restore_floors(&mut self, floors: &[u8]) -> Result<(), Refusal> {
        self.chain
            .restore_floors(&Floors::read(self.chain.profile, floors)?);
        self.move_state_id(&sha256(floors));
        Ok(())
    }

    /// Checks index bytes against a release: length, SHA-256, BLAKE3, form,
    /// and that line, id and severity agree (T-05, T-23).
    pub fn open_index(
        release: &Verified<Release>,
        bytes: &[u8],
    ) -> Result<Verified<ReleaseIndex>, Refusal> {
        let len = bytes.len() as u64;
        if len > release.len {
            return Err(Refusal::TooLarge);
        }
        if len < release.len || sha256(bytes) != release.sha256 {
            return Err(Refusal::HashMismatch);
        }
        if blake3(bytes) != release.content.0 {
            return Err(Refusal::Contradiction);
        }
        let index = ReleaseIndex::decode(bytes).map_err(|_| Refusal::Malformed)?;
        let stated = &release.severity;
        let severity_ok = stated.is_empty() || *stated == index.severity;
        if index.line != release.line || index.id != release.id || !severity_ok {
            return Err(Refusal::Contradiction);
        }
        Ok(Verified::new(index))
    }
}
