//! Whether a release may be applied here and now: both parties' verified
//! statements must cover it, and nothing may stand against it (T-26). Pure: all
//! that is known is in [`Say`], put together anew for each look.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_trust::annex::keys::Cosignatures;
use patchmesh_trust::annex::policy::{Approval, Policy};
use patchmesh_trust::log::witnesses::Count;
use patchmesh_trust::release::Release;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::time::UtcTime;
use patchmesh_trust::verified::Verified;

use crate::reason::WaitingOn;

/// What is said at one moment, and what stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// This node, whose key decides its ring.
    pub node: PeerId,
    /// The time by which everything is judged.
    pub utc: UtcTime,
    /// The trusted metadata is complete and unexpired.
    pub current: bool,
    /// Roles that are frozen: a proof shows that they were signed twice.
    pub frozen: Vec<RoleName>,
    /// Roles of which a named document has been missing for too long.
    pub withheld: Vec<RoleName>,
    /// Lines that share a key with `rollout` (T-12).
    pub not_separated: Vec<String>,
    /// Releases that a stop covers.
    pub stopped: BTreeSet<ContentId>,
    /// What witnesses have signed of it.
    pub cosigned: Cosigned,
    /// What operations say.
    pub operations: Operations,
}

/// What witnesses have signed of what an apply rests on (T-78).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cosigned {
    /// Membership asks for no cosignatures.
    Unasked,
    /// Whether it does is not known: what it says last is not here.
    Unknown,
    /// It does.
    Asked {
        /// How many.
        asked: Cosignatures,
        /// How many there are, by release line.
        lines: BTreeMap<String, Count>,
    },
}

/// What operations say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operations {
    /// The targets name nobody who could say it: nothing is applied at all.
    Nobody,
    /// There is no unexpired statement, or its policy is not here.
    Silent,
    /// This, verified and unexpired.
    Say(Policy),
}

/// Releases that may be applied now, and what the others wait on. A release is
/// in neither where nobody could approve it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdicts {
    /// Every condition holds.
    pub open: BTreeSet<ContentId>,
    /// What is missing, by release; never empty.
    pub closed: BTreeMap<ContentId, Vec<WaitingOn>>,
}

/// Judges these releases. `usable` are those that security's statements cover
/// now; of the others nothing is applied, whatever operations say.
pub fn judge(
    say: &Say,
    listed: &BTreeMap<ContentId, Verified<Release>>,
    usable: &BTreeMap<ContentId, Verified<Release>>,
) -> Verdicts {
    let mut verdicts = Verdicts::default();
    if say.operations == Operations::Nobody {
        return verdicts;
    }
    for (content, release) in listed {
        let covered = usable.contains_key(content);
        let mut closed = say.against(release, covered);
        if let Operations::Say(policy) = &say.operations {
            closed.extend(approval(say, policy, release, listed.values()));
        }
        if closed.is_empty() {
            verdicts.open.insert(*content);
        } else {
            verdicts.closed.insert(*content, closed);
        }
    }
    verdicts
}

/// The next time at which an approval begins or ends.
pub fn next_edge(operations: &Operations, utc: UtcTime) -> Option<UtcTime> {
    let Operations::Say(policy) = operations else {
        return None;
    };
    let approvals = policy.approvals.iter();
    let edges = approvals.flat_map(|approval| [approval.from, approval.until]);
    edges.flatten().filter(|edge| *edge > utc).min()
}

impl Cosigned {
    /// What is missing for releases of this line.
    fn lacking(&self, line: &str) -> Option<WaitingOn> {
        let Self::Asked { asked, lines } = self else {
            return None;
        };
        let have = lines.get(line).copied().unwrap_or_default();
        (!have.is_enough(*asked)).then_some(WaitingOn::Cosignatures {
            keys: have.keys,
            keys_asked: asked.keys,
            sites: have.sites,
            sites_asked: asked.sites,
        })
    }
}

impl Say {
    /// Everything but the approval.
    fn against(&self, release: &Release, covered: bool) -> Vec<WaitingOn> {
        let mut closed = Vec::new();
        let ours = |role: &RoleName| match role {
            RoleName::Line(line) => *line == release.line,
            RoleName::Delegated(_) => false,
            RoleName::Root
            | RoleName::Timestamp
            | RoleName::Snapshot
            | RoleName::Targets
            | RoleName::Rollout
            | RoleName::Membership => true,
        };
        let stopped = self.stopped.contains(&release.content);
        // A stopped release is not usable, whatever its metadata.
        let unusable = !covered && !stopped;
        if self.frozen.iter().any(ours) {
            closed.push(WaitingOn::Frozen);
        } else if !self.current
            || unusable
            || self.cosigned == Cosigned::Unknown
            || self.withheld.iter().any(ours)
        {
            closed.push(WaitingOn::Metadata);
        }
        closed.extend(self.cosigned.lacking(&release.line));
        if let Some(line) = self.not_separated.first() {
            closed.push(WaitingOn::Separation { line: line.clone() });
        }
        if stopped {
            closed.push(WaitingOn::Stop);
        }
        match &self.operations {
            Operations::Nobody | Operations::Silent => closed.push(WaitingOn::Rollout),
            Operations::Say(policy) => {
                let mut holds = policy.holds.iter();
                let held = holds.find(|hold| hold.scope.covers(&release.line, &release.id));
                closed.extend(held.map(|hold| WaitingOn::Hold {
                    reason: hold.reason.clone(),
                }));
            }
        }
        closed
    }
}

/// What is missing of an approval; `None` if this release, and no other of its
/// line, is approved here and now.
fn approval<'a>(
    say: &Say,
    policy: &Policy,
    release: &Release,
    listed: impl Iterator<Item = &'a Verified<Release>>,
) -> Option<WaitingOn> {
    let place = match newest(say, policy, release) {
        Ok(place) => place,
        Err(missing) => return Some(missing),
    };
    // Of several approved releases of a line the one that was approved last is
    // meant, since only one of them can be in use. Where its approval goes, an
    // earlier one that stands is meant again: the tool says so to who drafts it.
    let mut others = listed.filter(|other| other.line == release.line);
    let newer = others.find(|other| newest(say, policy, other).is_ok_and(|at| at > place));
    newer.map(|other| WaitingOn::Newer {
        id: other.id.clone(),
    })
}

/// The place of the last approval of a release that counts here and now.
fn newest(say: &Say, policy: &Policy, release: &Release) -> Result<usize, WaitingOn> {
    let ring = policy.ring(&release.sha256, &say.node.0);
    let ring = ring.map(|ring| ring.name.as_str());
    let mut missing = WaitingOn::Approval;
    let approvals = policy.approvals.iter().enumerate().rev();
    let named = approvals
        .filter(|(_, approval)| approval.line == release.line && approval.id == release.id);
    for (place, approval) in named {
        match one(say, approval, release, ring) {
            None => return Ok(place),
            Some(reason) => missing = reason,
        }
    }
    Err(missing)
}

fn one(say: &Say, approval: &Approval, release: &Release, ring: Option<&str>) -> Option<WaitingOn> {
    if approval.sha256 != release.sha256 {
        return Some(WaitingOn::OtherIndex);
    }
    let in_ring = |own: &str| approval.rings.iter().any(|name| name == own);
    if !approval.rings.is_empty() && !ring.is_some_and(in_ring) {
        let ring = ring.unwrap_or_default().to_owned();
        return Some(WaitingOn::Ring { ring });
    }
    if let Some(from) = approval.from.filter(|from| say.utc < *from) {
        return Some(WaitingOn::Window { from: from.0 });
    }
    let is_over = approval.until.is_some_and(|until| until <= say.utc);
    is_over.then_some(WaitingOn::Approval)
}

#[cfg(test)]
mod tests;
