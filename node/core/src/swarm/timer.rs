//! Moments at which something is due; each kind at most once.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::id::{ContentId, PeerId};

use crate::reason::WakeReason;
use crate::time::Time;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Claims of other members may have ended.
    Claims(ContentId),
    /// Dial a candidate.
    Dial(PeerId),
    /// Send batched have deltas.
    Have,
    /// Something that was put off may be fetched now.
    Pump(ContentId),
    /// Renew own claims.
    Renew(ContentId),
    /// Look for slow fetches and for chunks that no other member takes.
    Slow,
    /// A peer may be trusted again.
    Trust(PeerId),
}

impl Timer {
    fn reason(self) -> WakeReason {
        match self {
            Self::Claims(_) | Self::Renew(_) => WakeReason::Claim,
            Self::Dial(_) => WakeReason::Dial,
            Self::Have => WakeReason::Have,
            Self::Pump(_) | Self::Slow | Self::Trust(_) => WakeReason::FetchDue,
        }
    }
}

/// The armed timers.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Time, Timer)>,
    at: BTreeMap<Timer, Time>,
}

impl Timers {
    /// Due at `at`, or earlier if it is armed for earlier.
    pub(crate) fn arm(&mut self, timer: Timer, at: Time) {
        match self.at.get(&timer) {
            Some(&armed) if armed <= at => return,
            Some(&armed) => {
                self.due.remove(&(armed, timer));
            }
            None => {}
        }
        self.at.insert(timer, at);
        self.due.insert((at, timer));
    }

    /// Never due.
    pub(crate) fn disarm(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.due.remove(&(at, timer));
        }
    }

    /// Takes one that is due.
    pub(crate) fn pop(&mut self, now: Time) -> Option<Timer> {
        let &(at, timer) = self.due.first()?;
        if at > now {
            return None;
        }
        self.disarm(timer);
        Some(timer)
    }

    /// The next one.
    pub(crate) fn next(&self) -> Option<(Time, WakeReason)> {
        self.due.first().map(|&(at, timer)| (at, timer.reason()))
    }
}
