//! The pure part: from policy and facts to steps, and to what each release
//! waits on.

use patchmesh_content::id::ContentId;

use crate::reason::WaitingOn;
use crate::record::ReleaseState;

/// What is wanted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Releases are fetched without a command.
    pub automatic: bool,
    /// This node holds everything from the start and stages nothing.
    pub origin: bool,
}

/// What is known of one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts; the tests go through all their combinations"
)]
pub struct Facts {
    /// Name of the content.
    pub content: ContentId,
    /// State on this host.
    pub state: ReleaseState,
    /// Verified metadata may still list it.
    pub listed: bool,
    /// Statements that hold now list it.
    pub usable: bool,
    /// A stop names it.
    pub stopped: bool,
    /// Its index is at hand.
    pub indexed: bool,
    /// Every chunk is held.
    pub complete: bool,
    /// A user asked for it.
    pub commanded: bool,
    /// A user gave it up.
    pub given_up: bool,
    /// The swarm was told to fetch it.
    pub pursued: bool,
    /// A stage or apply step is under way.
    pub staging: bool,
    /// Both parties approve it here and now, and nothing stands against it.
    pub open: bool,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Start fetching, or go on after a restart.
    Fetch(ContentId),
    /// A stop names it: fetch no more, keep what is held.
    Halt(ContentId),
    /// It is no longer listed: let go of it.
    Forget(ContentId),
    /// Assemble its files.
    Stage(ContentId),
    /// Put it into use.
    Apply(ContentId),
}

/// What the swarm knows of one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Chunks held.
    pub held: u32,
    /// Chunks of the release.
    pub total: u32,
    /// Nobody in reach has what is missing.
    pub lacks_source: bool,
    /// The store has no room.
    pub no_room: bool,
    /// A stop ends every installation.
    pub installs_stopped: bool,
}

/// The steps that follow from the facts. Doing a step changes the facts so that
/// it does not follow again.
pub fn plan(policy: Policy, facts: impl IntoIterator<Item = Facts>) -> Vec<Step> {
    facts
        .into_iter()
        .filter_map(|facts| step(policy, &facts))
        .collect()
}

fn step(policy: Policy, facts: &Facts) -> Option<Step> {
    if !facts.listed && !facts.staging {
        return Some(Step::Forget(facts.content));
    }
    if policy.origin || !facts.indexed {
        return None;
    }
    if facts.stopped {
        return facts.pursued.then_some(Step::Halt(facts.content));
    }
    let wanted = match facts.state {
        ReleaseState::Known => !facts.given_up && (policy.automatic || facts.commanded),
        // A failed or staged release is kept whole, for the site.
        ReleaseState::Failed
        | ReleaseState::Fetching
        | ReleaseState::Staged
        | ReleaseState::Applying
        | ReleaseState::Good => true,
    };
    if wanted && !facts.pursued {
        return Some(Step::Fetch(facts.content));
    }
    let whole = facts.state == ReleaseState::Fetching && facts.complete && facts.pursued;
    if facts.staging || !facts.usable {
        return None;
    }
    if whole {
        return Some(Step::Stage(facts.content));
    }
    let ready = facts.state == ReleaseState::Staged && facts.open;
    ready.then_some(Step::Apply(facts.content))
}

/// What a release waits on until it is staged: never nothing before, unless this
/// is an origin, which has nothing to wait for.
pub fn waiting(policy: Policy, facts: &Facts, progress: &Progress) -> Vec<WaitingOn> {
    let stopped = facts.stopped || progress.installs_stopped;
    if facts.state == ReleaseState::Applying {
        return vec![WaitingOn::Applying];
    }
    let is_staged = matches!(facts.state, ReleaseState::Staged | ReleaseState::Good);
    if is_staged || policy.origin && facts.indexed {
        return Vec::new();
    }
    let mut waiting = Vec::new();
    if stopped {
        waiting.push(WaitingOn::Stop);
    } else if !facts.usable {
        waiting.push(WaitingOn::Metadata);
    }
    let asked_for = policy.automatic || facts.commanded;
    let idle = facts.state == ReleaseState::Known && (facts.given_up || !asked_for);
    // A failed release is tried again by a fetch command only.
    if !policy.origin && (idle || facts.state == ReleaseState::Failed) {
        waiting.push(WaitingOn::Policy);
        return waiting;
    }
    if !facts.indexed {
        waiting.push(WaitingOn::Index);
    } else if facts.staging {
        waiting.push(WaitingOn::Staging);
    } else if !facts.complete {
        waiting.push(WaitingOn::Chunks {
            held: progress.held,
            total: progress.total,
        });
        if progress.no_room {
            waiting.push(WaitingOn::Disk);
        }
        if progress.lacks_source {
            waiting.push(WaitingOn::Source);
        }
    }
    if waiting.is_empty() {
        waiting.push(WaitingOn::Staging);
    }
    waiting
}

#[cfg(test)]
mod tests;
