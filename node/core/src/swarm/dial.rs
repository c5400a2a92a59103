//! Peers that may be dialled, and when.

use std::collections::BTreeMap;

use patchmesh_content::id::PeerId;

use crate::limits::CANDIDATES_MAX;
use crate::peer::Address;
use crate::rng::Rng;
use crate::time::{Duration, Time};

/// Shortest and longest wait between two attempts.
const BACK_OFF: (Duration, Duration) = (Duration::millis(500), Duration::secs(30));
/// An attempt that is younger may still succeed.
const UNDER_WAY: Duration = Duration::secs(5);
/// Attempts after which a candidate is forgotten, about five minutes.
const ATTEMPTS_MAX: u32 = 15;
/// How long the peer with the greater id leaves the first attempt to the other.
const COURTESY: Duration = Duration::millis(300);

#[derive(Debug)]
struct Candidate {
    addresses: Vec<Address>,
    /// Of the configuration: dialled for ever.
    bootstrap: bool,
    /// A source named it as the holder of something missing here.
    named: bool,
    attempts: u32,
    /// The first attempt since it was last connected, and the latest.
    first: Option<Time>,
    last: Option<Time>,
}

/// What a due candidate is to be done with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Dial it, and look again after the given time.
    Dial(Vec<Address>, Duration),
    /// It is no candidate any more.
    Forget,
    /// There are neighbours enough; look again after the given time.
    Later(Duration),
}

/// The candidates.
#[derive(Debug, Default)]
pub(crate) struct Dialler(BTreeMap<PeerId, Candidate>);

impl Dialler {
    /// A peer of the configuration.
    pub(crate) fn bootstrap(&mut self, peer: PeerId, addresses: Vec<Address>) {
        let candidate = Candidate {
            addresses,
            bootstrap: true,
            named: false,
            attempts: 0,
            first: None,
            last: None,
        };
        self.0.insert(peer, candidate);
    }

    /// A peer was found; returns whether that is news.
    pub(crate) fn found(&mut self, peer: PeerId, addresses: &[Address], named: bool) -> bool {
        if let Some(known) = self.0.get_mut(&peer) {
            let news =
                (named && !known.named) || (!known.bootstrap && known.addresses != addresses);
            known.named |= named;
            if !known.bootstrap && !addresses.is_empty() {
                known.addresses = addresses.to_vec();
            }
            return news && known.last.is_none();
        }
        if addresses.is_empty() || (self.0.len() >= CANDIDATES_MAX && !self.evict()) {
            return false;
        }
        let candidate = Candidate {
            addresses: addresses.to_vec(),
            bootstrap: false,
            named,
            attempts: 0,
            first: None,
            last: None,
        };
        self.0.insert(peer, candidate);
        true
    }

    /// No candidate any more, unless it is one of the configuration.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        if self.0.get(peer).is_some_and(|known| !known.bootstrap) {
            self.0.remove(peer);
        }
    }

    pub(crate) fn knows(&self, peer: &PeerId) -> bool {
        self.0.contains_key(peer)
    }

    /// Whether a peer that is not connected can't be reached: there is no
    /// address, or attempts were made at least `apart` from each other.
    pub(crate) fn has_failed(&self, peer: &PeerId, apart: Duration) -> bool {
        self.0.get(peer).is_none_or(|candidate| {
            let attempts = candidate.first.zip(candidate.last);
            attempts.is_some_and(|(first, last)| last.since(first) >= apart)
        })
    }

    /// A connection stands.
    pub(crate) fn reached(&mut self, peer: &PeerId) {
        if let Some(candidate) = self.0.get_mut(peer) {
            candidate.attempts = 0;
            candidate.first = None;
            candidate.last = None;
            candidate.named = false;
        }
    }

    /// Decides about a candidate that is due and not connected. `room` says
    /// whether more neighbours are sought: in general, and for named ones.
    pub(crate) fn turn(
        &mut self,
        peer: &PeerId,
        room: (bool, bool),
        rng: &mut Rng,
        now: Time,
    ) -> Turn {
        let Some(candidate) = self.0.get_mut(peer) else {
            return Turn::Forget;
        };
        if !candidate.bootstrap {
            if candidate.attempts >= ATTEMPTS_MAX {
                self.0.remove(peer);
                return Turn::Forget;
            }
            if !(room.0 || candidate.named && room.1) {
                return Turn::Later(spread(Duration::secs(10), rng));
            }
        }
        let doubled = BACK_OFF.0.0 << candidate.attempts.min(10);
        let wait = Duration(doubled.min(BACK_OFF.1.0));
        candidate.attempts += 1;
        candidate.first.get_or_insert(now);
        candidate.last = Some(now);
        Turn::Dial(candidate.addresses.clone(), spread(wait, rng))
    }

    /// Attempts that may still succeed, those of the configuration apart.
    pub(crate) fn under_way(&self, now: Time) -> usize {
        let young = |last: &Time| now.since(*last) < UNDER_WAY;
        self.0
            .values()
            .filter(|candidate| !candidate.bootstrap && candidate.last.as_ref().is_some_and(young))
            .count()
    }

    fn evict(&mut self) -> bool {
        let worst = self
            .0
            .iter()
            .filter(|(_, candidate)| !candidate.bootstrap)
            .max_by_key(|(id, candidate)| (candidate.attempts, **id))
            .map(|(id, _)| *id);
        worst.is_some_and(|id| self.0.remove(&id).is_some())
    }
}

/// Time before the first attempt: both sides hear of each other at the same
/// moment, and one connection is enough.
pub(crate) fn first_wait(me: &PeerId, peer: &PeerId, rng: &mut Rng) -> Duration {
    let jitter = rng.below(50_000);
    if me < peer {
        Duration(jitter)
    } else {
        Duration(COURTESY.0 + 4 * jitter)
    }
}

/// Between the given time and a quarter more.
pub(crate) fn spread(wait: Duration, rng: &mut Rng) -> Duration {
    Duration(wait.0.saturating_add(rng.below(wait.0 / 4 + 1)))
}
