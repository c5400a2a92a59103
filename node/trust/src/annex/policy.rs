//! `rollout/policy`: rings, approvals and holds.

use std::collections::BTreeSet;

use patchmesh_content::id::blake3;
use patchmesh_proto::{Message as _, v1};

use crate::annex::form::{FORMAT, at_most, decode_exact};
use crate::annex::name::AnnexName;
use crate::refusal::Refusal;
use crate::role::{is_line, is_release_id};
use crate::time::UtcTime;

/// Rings of a policy.
pub const RINGS_MAX: usize = 16;
/// Approvals of a policy: three releases of each of 300 lines.
pub const APPROVALS_MAX: usize = 1_024;
/// Holds of a policy.
pub const HOLDS_MAX: usize = 256;
/// Bytes of the reason of a hold.
pub const REASON_LEN_MAX: usize = 256;
/// What the shares of all rings add up to.
pub const SHARES: u32 = 1_000;
/// Says what a ring's place is a hash of.
const RING_DOMAIN: &[u8] = b"patchmesh/ring/v1";

/// When and where releases are applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Shares of the nodes, in the order in which they follow each other.
    pub rings: Vec<Ring>,
    /// What may be applied.
    pub approvals: Vec<Approval>,
    /// What may not, whatever is approved.
    pub holds: Vec<Hold>,
}

/// A share of the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// Its name: as a release line.
    pub name: String,
    /// Thousandths of the nodes.
    pub share: u32,
}

/// Permission to apply exactly one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Release line.
    pub line: String,
    /// Release id.
    pub id: String,
    /// SHA-256 of the release index.
    pub sha256: [u8; 32],
    /// Names of rings; empty for every node.
    pub rings: Vec<String>,
    /// The first second at which it counts.
    pub from: Option<UtcTime>,
    /// The first second at which it no longer counts.
    pub until: Option<UtcTime>,
}

/// Something that is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// What.
    pub scope: HoldScope,
    /// Why, for people; may be empty.
    pub reason: String,
}

/// What is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldScope {
    /// Every release of every line.
    Everything,
    /// Every release of a line.
    Line(String),
    /// One release.
    Release {
        /// Its line.
        line: String,
        /// Its id.
        id: String,
    },
}

impl HoldScope {
    /// Whether it takes in this release.
    pub fn covers(&self, line: &str, id: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Line(held) => held == line,
            Self::Release { line: held, id: of } => held == line && of == id,
        }
    }
}

impl Policy {
    /// Reads the bytes of a policy.
    ///
    /// # Errors
    /// As [`crate::annex::body::AnnexBody::read`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let wire: v1::RolloutPolicy = decode_exact(AnnexName::Policy, bytes)?;
        at_most(wire.rings.len(), RINGS_MAX)?;
        at_most(wire.approvals.len(), APPROVALS_MAX)?;
        at_most(wire.holds.len(), HOLDS_MAX)?;
        if wire.format != FORMAT {
            return Err(Refusal::Malformed);
        }
        let rings = wire.rings.into_iter().map(|ring| Ring {
            name: ring.name,
            share: ring.share,
        });
        let approvals = wire.approvals.into_iter().map(approval);
        let holds = wire.holds.into_iter().map(hold);
        let policy = Self {
            rings: rings.collect(),
            approvals: approvals.collect::<Result<_, _>>()?,
            holds: holds.collect::<Result<_, _>>()?,
        };
        policy.check()?;
        Ok(policy)
    }

    /// The bytes of a policy.
    ///
    /// # Errors
    /// `Malformed` and `TooLarge` if no node would read it.
    pub fn write(&self) -> Result<Vec<u8>, Refusal> {
        let bytes = self.to_wire().encode_to_vec();
        Self::read(&bytes)?;
        Ok(bytes)
    }

    /// The ring of a node for a release (T-63): the same on every computer, told by
    /// nobody, and another one for the next release, so that no computer is
    /// always among the first. `None` without rings.
    pub fn ring(&self, release: &[u8; 32], node: &[u8; 32]) -> Option<&Ring> {
        let hash = blake3(&[RING_DOMAIN, &release[..], &node[..]].concat());
        let first = u64::from_le_bytes(hash[..8].try_into().unwrap_or_default());
        let place = first % u64::from(SHARES);
        let mut end = 0;
        self.rings.iter().find(|ring| {
            end += u64::from(ring.share);
            place < end
        })
    }

    fn check(&self) -> Result<(), Refusal> {
        let names: BTreeSet<&str> = self.rings.iter().map(|ring| ring.name.as_str()).collect();
        let distinct = names.len() == self.rings.len() && names.iter().all(|name| is_line(name));
        let shares = self.rings.iter().map(|ring| u64::from(ring.share));
        let whole = self.rings.is_empty() || shares.sum::<u64>() == u64::from(SHARES);
        if !distinct || !whole {
            return Err(Refusal::Malformed);
        }
        let mut seen = BTreeSet::new();
        for approval in &self.approvals {
            let rings = &approval.rings;
            let different: BTreeSet<_> = rings.iter().collect();
            let known = rings.iter().all(|ring| names.contains(ring.as_str()));
            let release = is_line(&approval.line) && is_release_id(&approval.id);
            let once = seen.insert((&approval.line, &approval.id, rings));
            let ordered = match (approval.from, approval.until) {
                (Some(from), Some(until)) => from < until,
                (_, _) => true,
            };
            if !(known && release && once && ordered && different.len() == rings.len()) {
                return Err(Refusal::Malformed);
            }
        }
        Ok(())
    }

    fn to_wire(&self) -> v1::RolloutPolicy {
        let rings = self.rings.iter().map(|ring| v1::Ring {
            name: ring.name.clone(),
            share: ring.share,
        });
        let seconds = |time: Option<UtcTime>| time.map_or(0, |time| time.0.unsigned_abs());
        let approvals = self.approvals.iter().map(|one| v1::Approval {
            line: one.line.clone(),
            id: one.id.clone(),
            sha256: one.sha256.to_vec(),
            rings: one.rings.clone(),
            from: seconds(one.from),
            until: seconds(one.until),
        });
        let holds = self.holds.iter().map(|hold| {
            let (line, id) = match &hold.scope {
                HoldScope::Everything => (String::new(), String::new()),
                HoldScope::Line(line) => (line.clone(), String::new()),
                HoldScope::Release { line, id } => (line.clone(), id.clone()),
            };
            let reason = hold.reason.clone();
            v1::Hold { line, id, reason }
        });
        v1::RolloutPolicy {
            format: FORMAT,
            rings: rings.collect(),
            approvals: approvals.collect(),
            holds: holds.collect(),
        }
    }
}

fn approval(wire: v1::Approval) -> Result<Approval, Refusal> {
    let time = |seconds: u64| match i64::try_from(seconds) {
        Ok(0) => Ok(None),
        Ok(seconds) => Ok(Some(UtcTime(seconds))),
        Err(_) => Err(Refusal::Malformed),
    };
    at_most(wire.rings.len(), RINGS_MAX)?;
    Ok(Approval {
        line: wire.line,
        id: wire.id,
        sha256: wire.sha256.try_into().map_err(|_| Refusal::Malformed)?,
        rings: wire.rings,
        from: time(wire.from)?,
        until: time(wire.until)?,
    })
}

fn hold(wire: v1::Hold) -> Result<Hold, Refusal> {
    at_most(wire.reason.len(), REASON_LEN_MAX)?;
    let scope = match (wire.line.as_str(), wire.id.as_str()) {
        ("", "") => HoldScope::Everything,
        (line, "") if is_line(line) => HoldScope::Line(wire.line),
        (line, id) if is_line(line) && is_release_id(id) => HoldScope::Release {
            line: wire.line,
            id: wire.id,
        },
        (_, _) => return Err(Refusal::Malformed),
    };
    let reason = wire.reason;
    Ok(Hold { scope, reason })
}
