//! Looking for a target in a foreign repository: which role speaks for a path,
//! and which document is needed to know it.

use sha2::{Digest as _, Sha256, Sha512};

use crate::delegate::{Edge, Reach, resolve};
use crate::document::{Target, Targets};
use crate::limits::Profile;
use crate::refusal::Refusal;
use crate::role::RoleName;
use crate::state::admit::Source;
use crate::state::chain::still_signed;
use crate::state::{Admission, TrustState, Verifier, Want};
use crate::threshold::RoleKeys;
use crate::time::UtcTime;
use crate::verified::Verified;

/// How far a look-up came.
#[derive(Debug, Clone)]
pub enum LookUp {
    /// A role that may speak for the path lists it.
    Found(Verified<TargetFile>),
    /// No role that may speak for the path lists it.
    Absent,
    /// The document of a delegated role comes first. Admit it with
    /// [`Verifier::admit_for`] and look up again.
    Needs(Box<Need>),
}

/// A document that a look-up needs, and the keys with which it must speak there:
/// two delegators may name one role with different keys (T-20).
#[derive(Debug, Clone)]
pub struct Need {
    /// What to fetch.
    pub want: Want,
    keys: RoleKeys,
    against: [u8; 32],
}

/// A target of a foreign repository: what a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFile {
    path: String,
    target: Target,
}

impl TargetFile {
    /// The path as the repository names it; not a path of this computer.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.target.len
    }

    /// Whether the file has no bytes.
    pub fn is_empty(&self) -> bool {
        self.target.len == 0
    }

    /// The hash that stands before the file's name where names carry hashes;
    /// `None` if the repository states none that is known here, and then the
    /// file cannot be had.
    pub fn file_prefix(&self) -> Option<String> {
        self.target.hashes.file_prefix()
    }

    /// Begins to check bytes against it.
    pub fn check(&self) -> TargetCheck {
        TargetCheck {
            target: self.target.clone(),
            left: self.target.len,
            sha256: Sha256::new(),
            sha512: self.target.hashes.sha512.map(|_| Sha512::new()),
        }
    }
}

/// Bytes of a target on their way in (T-23).
#[derive(Debug, Clone)]
pub struct TargetCheck {
    target: Target,
    left: u64,
    sha256: Sha256,
    sha512: Option<Sha512>,
}

impl TargetCheck {
    /// Takes more bytes.
    ///
    /// # Errors
    /// `TooLarge` at the first byte beyond the signed length.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or(Refusal::TooLarge)?;
        self.sha256.update(bytes);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(bytes);
        }
        Ok(())
    }

    /// Whether what came is the target, whole.
    ///
    /// # Errors
    /// `HashMismatch` for other or fewer bytes, and where no stated hash is of
    /// a kind that is known here.
    pub fn finish(self) -> Result<(), Refusal> {
        let sha256 = self.sha256.finalize().into();
        let sha512 = self.sha512.map(|sha512| sha512.finalize().into());
        if self.left == 0 && self.target.hashes.fit_both(&sha256, sha512.as_ref()) {
            Ok(())
        } else {
            Err(Refusal::HashMismatch)
        }
    }
}

impl Verifier {
    /// Whether the trusted root says that file names carry versions and hashes.
    pub fn consistent_snapshot(&self) -> bool {
        self.chain.root.body.consistent_snapshot
    }

    /// Roots that one walk takes at most; the next walk continues.
    pub fn roots_per_walk(&self) -> u64 {
        self.chain.profile.limits().roots
    }

    /// Looks a path up in a foreign repository at this time: the top targets,
    /// then delegated roles in pre-order (T-21). Every role on the way is
    /// checked against the keys of the one that led to it, each time.
    ///
    /// # Errors
    /// `Pending` before root, timestamp, snapshot and targets are complete;
    /// `Expired` if one of them is no longer good; `NotDelegated` if the
    /// snapshot does not list a role on the way, and always in a mesh, where no
    /// statement may delegate further.
    pub fn look_up(&self, path: &str, utc: UtcTime) -> Result<LookUp, Refusal> {
        if self.chain.profile == Profile::Mesh {
            return Err(Refusal::NotDelegated);
        }
        let top = self.chain.current_targets().ok_or(Refusal::Pending)?;
        match self.state(utc) {
            TrustState::Current => {}
            TrustState::Stale { .. } => return Err(Refusal::Expired),
            TrustState::Bootstrapped => return Err(Refusal::Pending),
        }
        let found = |target: &Target| {
            LookUp::Found(Verified::new(TargetFile {
                path: path.to_owned(),
                target: target.clone(),
            }))
        };
        if let Some(target) = top.body.targets.get(path) {
            return Ok(found(target));
        }
        let reach = Reach::of(Profile::Foreign);
        match resolve(path, &top.body, reach, |edge| self.visit(edge, utc)) {
            Ok(Some((_, target))) => Ok(found(target)),
            Ok(None) => Ok(LookUp::Absent),
            Err(Stop::Refused(refusal)) => Err(refusal),
            Err(Stop::Needs(need)) => Ok(LookUp::Needs(need)),
        }
    }

    /// What a role says that was reached in this way.
    fn visit<'a>(&'a self, edge: &Edge<'a>, utc: UtcTime) -> Result<&'a Targets, Stop> {
        let chain = &self.chain;
        let role = RoleName::Delegated(edge.role.clone().into_owned());
        let pin = chain.pin(&role);
        let pin = pin.ok_or(Stop::Refused(Refusal::NotDelegated))?;
        let held = chain.delegated.get(&*edge.role).filter(|held| {
            pin.fits(held)
                && !held.is_expired(utc)
                && (chain.vouched.get(&*edge.role) == Some(edge.keys)
                    || still_signed(chain.profile, &role, held, edge.keys))
        });
        held.map(|held| &held.body).ok_or_else(|| {
            Stop::Needs(Box::new(Need {
                want: self.want(role, pin),
                keys: edge.keys.clone(),
                against: self.state_id,
            }))
        })
    }

    /// Checks the document that a look-up needs; changes nothing.
    ///
    /// # Errors
    /// As [`Verifier::admit`]; `Pending` also if the verifier has changed since
    /// the look-up: look up again.
    pub fn admit_for(&self, need: &Need, bytes: &[u8], utc: UtcTime) -> Result<Admission, Refusal> {
        if need.against != self.state_id {
            return Err(Refusal::Pending);
        }
        let role = &need.want.role;
        let source = Source::Foreign(utc);
        let step = self
            .chain
            .admit_delegated(role, &need.keys, bytes, source)?;
        Ok(self.admission(role, step))
    }
}

/// Why a look-up ends on the way.
enum Stop {
    Refused(Refusal),
    Needs(Box<Need>),
}
