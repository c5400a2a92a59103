//! How many chunks this node may have that no other member has: what a crash
//! can cost, and what keeps the WAN busy (S-19).

use std::collections::BTreeMap;

use patchmesh_content::geometry::{CHUNK_LEN_MEAN, ChunkIndex};

use crate::limits::{WAN_ALONE_MAX, WINDOW_MAX, WINDOW_MIN, WINDOW_START};
use crate::time::{Duration, Time};

/// A rate is judged over at least this long.
const SAMPLE: Duration = Duration::secs(1);
/// A chunk that no member took for so long shows that none takes chunks.
const UNTAKEN: Duration = Duration::secs(5);
/// How long the window is off then.
const OFF: Duration = Duration::secs(30);

/// The window of one content, this node's share of it.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// WAN fetches in flight and their bytes.
    flying: u32,
    flying_bytes: u64,
    /// Chunks fetched over the WAN that no other member is known to hold.
    single: BTreeMap<ChunkIndex, Time>,
    /// Bytes per second of this node's WAN fetches; 0 = not measured.
    rate: u64,
    sample_from: Time,
    sample_bytes: u64,
    /// Smoothed round trip, and time to the second holder, in microseconds.
    round_trip: u64,
    doubling: u64,
    off_until: Time,
}

impl Window {
    pub(crate) fn flying(&self) -> u32 {
        self.flying
    }

    /// Bytes per second, where measured.
    pub(crate) fn rate(&self) -> Option<u64> {
        (self.rate > 0).then_some(self.rate)
    }

    /// Whether one more WAN fetch may leave. `others` members work with the
    /// content, `claimants` fetch over the WAN, this node included.
    pub(crate) fn is_open(&self, others: usize, claimants: usize, now: Time) -> bool {
        if others == 0 || now < self.off_until {
            return self.flying < WAN_ALONE_MAX;
        }
        let single = u32::try_from(self.single.len()).unwrap_or(u32::MAX);
        self.flying.saturating_add(single) < self.share(claimants)
    }

    /// Chunks that a crash would lose.
    #[cfg(test)]
    pub(crate) fn exposed(&self) -> u32 {
        self.flying + u32::try_from(self.single.len()).expect("few chunks")
    }

    /// This node's share of the site's window.
    pub(crate) fn share(&self, claimants: usize) -> u32 {
        let members = u64::try_from(claimants.max(1)).unwrap_or(u64::MAX);
        let at_most = |chunks: u32| (u64::from(chunks) / members).max(2);
        let share = if self.rate == 0 {
            at_most(WINDOW_START)
        } else {
            let delay = self.round_trip + self.doubling;
            let need = (2 * self.rate).saturating_mul(delay) / 1_000_000;
            need.div_ceil(u64::from(CHUNK_LEN_MEAN))
                .clamp(at_most(WINDOW_MIN), at_most(WINDOW_MAX))
        };
        u32::try_from(share).unwrap_or(u32::MAX)
    }

    /// A WAN fetch leaves; returns the bytes in flight with it.
    pub(crate) fn start(&mut self, bytes: u32, now: Time) -> u64 {
        if self.flying == 0 {
            self.sample_from = now;
            self.sample_bytes = 0;
        }
        self.flying += 1;
        self.flying_bytes += u64::from(bytes);
        self.flying_bytes
    }

    /// A WAN fetch is over, in whatever way.
    pub(crate) fn end(&mut self, bytes: u32) {
        self.flying -= 1;
        self.flying_bytes -= u64::from(bytes);
    }

    /// A WAN fetch delivered `bytes`; it left at `started` as the last of
    /// `ahead` bytes in flight.
    pub(crate) fn delivered(&mut self, bytes: u32, started: Time, ahead: u64, now: Time) {
        self.sample_bytes += u64::from(bytes);
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
        // What is left of the waiting time once the bytes before it in the same
        // pipe are taken out.
        if let Some(queue) = ahead.saturating_mul(1_000_000).checked_div(self.rate) {
            let trip = now.since(started).0.saturating_sub(queue);
            smooth(&mut self.round_trip, trip.min(1_000_000));
        }
    }

    /// This node alone has a chunk.
    pub(crate) fn single(&mut self, chunk: ChunkIndex, now: Time) {
        self.single.insert(chunk, now);
    }

    /// Another member has it too, or this node no longer; returns whether it counted.
    pub(crate) fn doubled(&mut self, chunk: ChunkIndex, now: Time) -> bool {
        let Some(at) = self.single.remove(&chunk) else {
            return false;
        };
        smooth(&mut self.doubling, now.since(at).0.min(1_000_000));
        self.off_until = Time(0);
        true
    }

    /// Forgets chunks that nobody takes: without this, a member that fetches
    /// nothing would stop all others. Returns whether there were any.
    pub(crate) fn give_up_untaken(&mut self, now: Time) -> bool {
        let before = self.single.len();
        self.single.retain(|_, at| now.since(*at) < UNTAKEN);
        let any = self.single.len() < before;
        if any {
            self.off_until = now.plus(OFF);
        }
        any
    }

    pub(crate) fn has_single(&self) -> bool {
        !self.single.is_empty()
    }

    /// No other member is left to wait for.
    pub(crate) fn alone(&mut self) {
        self.single.clear();
    }

    /// How long a WAN fetch that leaves now may take while bytes come: eight times
    /// what the measured rate says, at least a minute. What was carried is lost
    /// when it is given up, so that a thin line which many members share would
    /// never bring anything if this were short: 64 members with two chunks each
    /// at 256 kbit/s take nine minutes.
    pub(crate) fn wan_by(&self) -> Duration {
        const LEAST: Duration = Duration::secs(60);
        const MOST: Duration = Duration::secs(900);
        match self.rate() {
            Some(rate) => {
                let expected = self.flying_bytes.saturating_mul(1_000_000) / rate;
                Duration(expected.saturating_mul(8).clamp(LEAST.0, MOST.0))
            }
            None => MOST,
        }
    }

    /// How long `bytes` in flight may take before their claim is in doubt:
    /// four times what the measured rate says, within the given bounds.
    pub(crate) fn patience(&self, least: Duration, most: Duration) -> Duration {
        match self.rate() {
            Some(rate) => {
                let bytes = self.flying_bytes.max(u64::from(CHUNK_LEN_MEAN));
                let expected = bytes.saturating_mul(1_000_000) / rate;
                Duration(expected.saturating_mul(4).clamp(least.0, most.0))
            }
            None => Duration((least.0 * 2).min(most.0)),
        }
    }
}

fn smooth(value: &mut u64, sample: u64) {
    *value = (*value * 7 + sample) / 8;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S-19.
    #[test]
    fn the_share_follows_rate_and_delay_within_its_bounds() {
        let mut window = Window::default();
        assert_eq!(window.share(1), 16);
        assert_eq!(window.share(5), 3);
        assert_eq!(window.share(50), 2);
        window.rate = 12_500_000;
        window.round_trip = 20_000;
        window.doubling = 50_000;
        assert_eq!(window.share(1), 16); // 1.75 MB are 14 chunks: below the least.
        window.rate *= 2;
        assert_eq!(window.share(1), 27);
        window.rate *= 100;
        assert_eq!(window.share(1), 64);
        assert_eq!(window.share(4), 16);
    }

    #[test]
    fn chunks_that_nobody_takes_open_the_window_again() {
        let mut window = Window::default();
        for chunk in 0..16 {
            window.single(ChunkIndex(chunk), Time(0));
        }
        assert!(!window.is_open(1, 1, Time(0)));
        assert!(window.is_open(0, 1, Time(0)));
        assert!(!window.give_up_untaken(Time(4_999_999)));
        assert!(window.give_up_untaken(Time(5_000_000)));
        assert!(window.is_open(1, 1, Time(5_000_000)));
    }
}
