//! Two documents of one role and version with different signed parts, or two
//! timestamps whose logs cannot both be true (T-73), both signed by the threshold
//! of one delegator (T-43): proof that holders of these
//! keys said two things, to whoever has the root and nothing else.

use std::collections::BTreeSet;

use patchmesh_proto::Message as _;
use patchmesh_proto::frame::{FrameRefusal, decode};
use patchmesh_proto::limits::{PROOF_LEN_MAX, PROOF_ROOTS_MAX};
use patchmesh_proto::v1;

use crate::document::{Body, Held, Root, Targets, Timestamp};
use crate::envelope::Envelope;
use crate::key::Material;
use crate::limits::Profile;
use crate::log::head::{Hash, LogHead};
use crate::log::proof::{PATH_LEN_MAX, roots_of_bridge};
use crate::refusal::Refusal;
use crate::role::RoleName;
use crate::threshold::RoleKeys;

/// A checked proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equivocation {
    role: RoleName,
    version: u64,
    root_version: u64,
    digests: [[u8; 32]; 2],
    signers: [BTreeSet<Material>; 2],
    documents: [Vec<u8>; 2],
    split: Option<[LogHead; 2]>,
    bytes: Vec<u8>,
}

/// The parts of a proof that is not checked yet.
struct Parts {
    role: RoleName,
    version: u64,
    roots: Vec<Vec<u8>>,
    delegator: Vec<u8>,
    documents: [Vec<u8>; 2],
    /// Where the documents are timestamps of two versions: leads to the roots of
    /// both logs.
    bridge: Vec<Hash>,
}

/// One of the two documents, after its signatures were checked.
struct Signed {
    version: u64,
    digest: [u8; 32],
    signers: BTreeSet<Material>,
    log: Option<LogHead>,
}

impl Equivocation {
    /// Checks a proof with a root document that the caller trusts; its own
    /// roots, where they are newer, must follow from it. Expiry plays no part:
    /// a proof stays one.
    ///
    /// # Errors
    /// `TooLarge` and `Malformed` for bytes that are no proof; the refusal of a
    /// root, of the delegator or of a document; `Malformed` too if both say the
    /// same or are of another version than the proof says.
    pub fn check(anchor: &[u8], bytes: &[u8]) -> Result<Self, Refusal> {
        let parts = Parts::decode(bytes)?;
        let root = walk(anchor, &parts.roots)?;
        parts.check(root, bytes)
    }

    /// Puts a proof together that the log was split; `None` if it was not.
    pub(crate) fn of_split(
        authority: &Authority<'_>,
        mut documents: [&[u8]; 2],
        bridge: &[Hash],
    ) -> Option<Self> {
        let role = RoleName::Timestamp;
        let version = |bytes: &[u8]| {
            let envelope = Envelope::open_any(Profile::Mesh, &role, bytes);
            envelope.map_or(0, |envelope| envelope.version())
        };
        documents.sort_by_key(|bytes| version(bytes));
        let [first, second] = documents;
        let bytes = v1::Proof {
            role: role.to_string(),
            version: version(second),
            roots: authority.roots.iter().map(|root| root.to_vec()).collect(),
            delegator: Vec::new(),
            first: first.to_vec(),
            second: second.to_vec(),
            log: bridge.iter().map(|hash| hash.to_vec()).collect(),
        };
        Self::check(authority.roots.first()?, &bytes.encode_to_vec()).ok()
    }

    /// Puts a proof together; `None` if the documents are none.
    pub(crate) fn of(
        role: &RoleName,
        version: u64,
        authority: &Authority<'_>,
        documents: [&[u8]; 2],
    ) -> Option<Self> {
        let mut documents = documents.map(<[u8]>::to_vec);
        let digest = |bytes: &Vec<u8>| {
            let envelope = Envelope::open_any(Profile::Mesh, role, bytes);
            envelope.map_or([0; 32], |envelope| envelope.digest())
        };
        documents.sort_by_key(digest);
        let [first, second] = documents;
        let bytes = v1::Proof {
            role: role.to_string(),
            version,
            roots: authority.roots.iter().map(|root| root.to_vec()).collect(),
            delegator: authority.delegator.to_vec(),
            first,
            second,
            log: Vec::new(),
        };
        Self::check(authority.roots.first()?, &bytes.encode_to_vec()).ok()
    }

    /// The role that was signed twice.
    pub fn role(&self) -> &RoleName {
        &self.role
    }

    /// Heads of the two logs, if the proof is that the log was split.
    pub fn split(&self) -> Option<[LogHead; 2]> {
        self.split
    }

    /// The version of both documents; of a split log, that of the newer one.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Version of the root by which the documents were judged.
    pub fn root_version(&self) -> u64 {
        self.root_version
    }

    /// SHA-256 of the signed parts, in ascending order.
    pub fn digests(&self) -> [[u8; 32]; 2] {
        self.digests
    }

    /// The two documents, byte for byte.
    pub fn documents(&self) -> [&[u8]; 2] {
        [&self.documents[0], &self.documents[1]]
    }

    /// The proof as it travels and as its file holds it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether both documents would still count by these keys (T-45).
    pub(crate) fn stands(&self, keys: &RoleKeys) -> bool {
        self.signers.iter().all(|signers| keys.met_by(signers))
    }
}

/// What says whose signatures count.
pub(crate) struct Authority<'a> {
    /// Roots in ascending version, up to the one that decides.
    pub(crate) roots: Vec<&'a [u8]>,
    /// The top targets, for a role that they delegate; else empty.
    pub(crate) delegator: &'a [u8],
}

impl Parts {
    fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let wire: v1::Proof = decode(bytes, PROOF_LEN_MAX).map_err(|refusal| match refusal {
            FrameRefusal::Malformed => Refusal::Malformed,
            FrameRefusal::TooLarge | FrameRefusal::TooManyElements => Refusal::TooLarge,
        })?;
        if wire.roots.len() > PROOF_ROOTS_MAX {
            return Err(Refusal::TooLarge);
        }
        let role: RoleName = wire.role.parse()?;
        if wire.log.len() > PATH_LEN_MAX {
            return Err(Refusal::TooLarge);
        }
        let bridge = wire.log.iter().map(|hash| hash.as_slice().try_into());
        let bridge: Result<Vec<Hash>, _> = bridge.collect();
        if wire.delegator.is_empty() == role.is_delegated() {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            role,
            version: wire.version,
            roots: wire.roots,
            delegator: wire.delegator,
            documents: [wire.first, wire.second],
            bridge: bridge.map_err(|_| Refusal::Malformed)?,
        })
    }

    fn check(self, root: Held<Root>, bytes: &[u8]) -> Result<Equivocation, Refusal> {
        let keys = match &self.role {
            // A root is signed by the root before it.
            RoleName::Root if self.version != root.version.saturating_add(1) => {
                return Err(Refusal::Pending);
            }
            RoleName::Root => root.body.root,
            RoleName::Timestamp => root.body.timestamp,
            RoleName::Snapshot => root.body.snapshot,
            RoleName::Targets => root.body.targets,
            RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership
            | RoleName::Delegated(_) => {
                let role = &RoleName::Targets;
                let envelope = Envelope::open_any(Profile::Mesh, role, &self.delegator)?;
                root.body.targets.check(&envelope)?;
                let targets: Held<Targets> = open(role, &self.delegator)?;
                let delegation = targets.body.delegation(&self.role.to_string());
                delegation.ok_or(Refusal::NotDelegated)?.keys.clone()
            }
        };
        let first = self.signed(&self.documents[0], &keys)?;
        let second = self.signed(&self.documents[1], &keys)?;
        if second.version != self.version {
            return Err(Refusal::Malformed);
        }
        let split = if first.version == second.version {
            let twice = first.digest < second.digest && self.bridge.is_empty();
            twice.then_some(None)
        } else {
            self.split(&first, &second).map(Some)
        };
        Ok(Equivocation {
            split: split.ok_or(Refusal::Malformed)?,
            role: self.role,
            version: self.version,
            root_version: root.version,
            digests: [first.digest, second.digest],
            signers: [first.signers, second.signers],
            documents: self.documents,
            bytes: bytes.to_vec(),
        })
    }

    /// T-73. The heads of two timestamps, if no log has both: the hashes lead to
    /// the root of the larger one, and to another root at the size of the
    /// smaller one than that names.
    fn split(&self, first: &Signed, second: &Signed) -> Option<[LogHead; 2]> {
        let (one, two) = (first.log?, second.log?);
        if self.role != RoleName::Timestamp || first.version >= second.version {
            return None;
        }
        let (small, large) = if one.size < two.size {
            (one, two)
        } else {
            (two, one)
        };
        let other = if small.size == large.size {
            self.bridge.is_empty().then_some(large.root)
        } else {
            let roots = roots_of_bridge(small.size, large.size, &self.bridge);
            let of_large = roots.filter(|(_, root)| *root == large.root);
            of_large.map(|(root, _)| root)
        };
        other.filter(|root| *root != small.root).map(|_| [one, two])
    }

    /// One document: digest of its signed part, who signed it, what it names.
    fn signed(&self, document: &[u8], keys: &RoleKeys) -> Result<Signed, Refusal> {
        let envelope = Envelope::open_any(Profile::Mesh, &self.role, document)?;
        let signers = keys.check(&envelope)?;
        if self.role == RoleName::Root {
            let own: Held<Root> = open(&self.role, document)?;
            own.body.root.check(&envelope)?;
        }
        let log = if self.role == RoleName::Timestamp {
            let held: Result<Held<Timestamp>, _> = open(&self.role, document);
            held.ok().and_then(|held| held.body.log)
        } else {
            None
        };
        Ok(Signed {
            version: envelope.version(),
            digest: envelope.digest(),
            signers,
            log,
        })
    }
}

/// From the anchor along those of the roots that follow it (T-17).
fn walk(anchor: &[u8], roots: &[Vec<u8>]) -> Result<Held<Root>, Refusal> {
    let role = RoleName::Root;
    let envelope = Envelope::open_any(Profile::Mesh, &role, anchor)?;
    let mut held: Held<Root> = open(&role, anchor)?;
    held.body.root.check(&envelope)?;
    for root in roots {
        let envelope = Envelope::open_any(Profile::Mesh, &role, root)?;
        if envelope.version() <= held.version {
            continue;
        }
        if envelope.version() != held.version + 1 {
            return Err(Refusal::Pending);
        }
        let next = Held::<Root>::verify(&envelope, root, &held.body.root)?;
        next.body.root.check(&envelope)?;
        held = next;
    }
    Ok(held)
}

fn open<T: Body>(role: &RoleName, bytes: &[u8]) -> Result<Held<T>, Refusal> {
    let envelope = Envelope::open_any(Profile::Mesh, role, bytes)?;
    Held::read(&envelope, bytes, [].into())
}
