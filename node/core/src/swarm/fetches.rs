//! Fetches and serves under way, each until its answer.

use std::collections::BTreeMap;

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId};

use crate::ids::FetchId;
use crate::limits::{
    FETCHES_MAX, NEAR_BYTES_MAX, NEAR_BYTES_MIN, NEAR_BYTES_START, NEAR_FETCHES_MAX, NEAR_SECS,
};
use crate::message::Want;
use crate::output::Source;
use crate::swarm::grant::SiteKey;
use crate::time::{Duration, Time};

/// A rate is judged over at least this long.
const SAMPLE: Duration = Duration::secs(1);
/// A fetch is slow after this long at least.
const SLOW_LEAST: Duration = Duration::secs(2);
/// And if it takes so many times as long as others.
const SLOW_TIMES: u64 = 4;

/// One fetch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetch {
    pub(crate) content: ContentId,
    pub(crate) chunk: ChunkIndex,
    pub(crate) source: Source,
    /// From a member of the site, not over the WAN.
    pub(crate) near: bool,
    pub(crate) bytes: u32,
    pub(crate) started: Time,
    /// Bytes in flight over the WAN when it left, its own included.
    pub(crate) ahead: u64,
    /// Counts; a fetch that was given up only waits for its answer.
    pub(crate) live: bool,
}

impl Fetch {
    pub(crate) fn peer(&self) -> Option<PeerId> {
        match self.source {
            Source::Origin => None,
            Source::Peer(peer) => Some(peer),
        }
    }
}

/// One serve under way.
#[derive(Debug)]
pub(crate) struct Serve {
    pub(crate) to: PeerId,
    pub(crate) want: Want,
    /// Over the WAN, with a lease of this site.
    pub(crate) site: Option<SiteKey>,
}

/// The fetches.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    pub(crate) all: BTreeMap<FetchId, Fetch>,
    next: u64,
    near: usize,
    near_bytes: u64,
    pace: Pace,
}

/// How fast members of the site deliver (S-25).
#[derive(Debug, Default)]
struct Pace {
    /// Bytes per second; 0 = not measured.
    rate: u64,
    sample_from: Time,
    sample_bytes: u64,
    /// Smoothed time that a fetch takes in microseconds; 0 = not measured.
    trip: u64,
}

impl Pace {
    fn delivered(&mut self, fetch: &Fetch, now: Time) {
        let took = now.since(fetch.started).0.max(1);
        self.trip = if self.trip == 0 {
            took
        } else {
            (self.trip * 7 + took) / 8
        };
        self.sample_bytes += u64::from(fetch.bytes);
        let span = now.since(self.sample_from);
        if span >= SAMPLE {
            let rate = self.sample_bytes.saturating_mul(1_000_000) / span.0;
            self.rate = if self.rate == 0 {
                rate.max(1)
            } else {
                u64::midpoint(self.rate, rate).max(1)
            };
            self.sample_from = now;
            self.sample_bytes = 0;
        }
    }

    fn bytes_most(&self) -> u64 {
        if self.rate == 0 {
            return NEAR_BYTES_START;
        }
        let bytes = self.rate.saturating_mul(NEAR_SECS);
        bytes.clamp(NEAR_BYTES_MIN, NEAR_BYTES_MAX)
    }
}

impl Fetches {
    /// Whether one more may leave to a member of the site.
    pub(crate) fn near_room(&self) -> bool {
        self.all.len() < FETCHES_MAX
            && self.near < NEAR_FETCHES_MAX
            && self.near_bytes < self.pace.bytes_most()
    }

    /// A member delivered.
    pub(crate) fn near_delivered(&mut self, fetch: &Fetch, now: Time) {
        self.pace.delivered(fetch, now);
    }

    /// Smoothed time that fetches from members take, in microseconds.
    pub(crate) fn trip(&self) -> u64 {
        self.pace.trip
    }

    /// After how long a fetch from a member is slow.
    pub(crate) fn slow(&self) -> Duration {
        Duration(self.pace.trip.saturating_mul(SLOW_TIMES).max(SLOW_LEAST.0))
    }

    /// Whether one more may leave over the WAN.
    pub(crate) fn wan_room(&self) -> bool {
        self.all.len() < FETCHES_MAX
    }

    pub(crate) fn has_near(&self) -> bool {
        self.near > 0
    }

    pub(crate) fn add(&mut self, fetch: Fetch) -> FetchId {
        let id = FetchId(self.next);
        self.next += 1;
        if fetch.near {
            if self.near == 0 {
                // Idle time says nothing about how fast they are.
                self.pace.sample_from = fetch.started;
                self.pace.sample_bytes = 0;
            }
            self.near += 1;
            self.near_bytes += u64::from(fetch.bytes);
        }
        self.all.insert(id, fetch);
        id
    }

    /// Ends the counting of a fetch; `None` if it did not count.
    pub(crate) fn retire(&mut self, id: FetchId) -> Option<Fetch> {
        let fetch = self.all.get_mut(&id).filter(|fetch| fetch.live)?;
        fetch.live = false;
        if fetch.near {
            self.near -= 1;
            self.near_bytes -= u64::from(fetch.bytes);
        }
        Some(*fetch)
    }

    /// Live fetches that match.
    pub(crate) fn select(&self, test: impl Fn(&Fetch) -> bool) -> Vec<FetchId> {
        self.all
            .iter()
            .filter(|(_, fetch)| fetch.live && test(fetch))
            .map(|(id, _)| *id)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use patchmesh_content::geometry::CHUNK_LEN_MEAN;

    use super::*;

    fn at(millis: u64) -> Time {
        Time(millis * 1_000)
    }

    fn near(started: Time) -> Fetch {
        Fetch {
            content: ContentId([1; 32]),
            chunk: ChunkIndex(0),
            source: Source::Peer(PeerId([2; 32])),
            near: true,
            bytes: CHUNK_LEN_MEAN,
            started,
            ahead: 0,
            live: true,
        }
    }

    /// Asks for chunks as far as there is room; returns how many.
    fn fill(fetches: &mut Fetches, now: Time) -> usize {
        let before = fetches.all.len();
        while fetches.near_room() {
            fetches.add(near(now));
        }
        fetches.all.len() - before
    }

    /// One chunk comes every so many milliseconds for 40 s; returns how many are asked
    /// for in the end.
    fn asked(every: u64) -> usize {
        let mut fetches = Fetches::default();
        for now in (0..40_000).step_by(usize::try_from(every).unwrap()) {
            fill(&mut fetches, at(now));
            let (&id, &fetch) = fetches.all.first_key_value().unwrap();
            fetches.retire(id);
            fetches.all.remove(&id);
            fetches.near_delivered(&fetch, at(now + every));
        }
        fetches.all.len()
    }

    /// S-25.
    #[test]
    fn no_more_is_asked_for_than_comes_in_a_second() {
        assert_eq!(fill(&mut Fetches::default(), at(0)), 16);
        assert_eq!(asked(1), NEAR_FETCHES_MAX - 1);
        assert!((9..=11).contains(&asked(100)), "{}", asked(100));
        assert_eq!(asked(900), 1);
    }

    /// Of sixteen that wait in one medium each takes sixteen times as long as one.
    #[test]
    fn what_takes_as_long_as_all_others_is_not_slow() {
        let mut fetches = Fetches::default();
        assert_eq!(fetches.slow(), Duration::secs(2));
        for now in 0..40 {
            fetches.near_delivered(&near(at(now)), at(now + 3_000));
        }
        assert_eq!(fetches.slow(), Duration::secs(12));
    }
}
