//! The time that expiry is judged by: never before a moment that is known to
//! have passed (T-35); and how wrong the wall clock shows to be (T-36).

use crate::time::{Now, Time, UtcTime};

/// Clocks of an office differ by less, and so does who signs from who verifies.
pub const BEHIND_MIN_SECS: i64 = 60;
/// A wall clock this far above what is known to have passed may be wrong, or
/// nothing new was heard for so long.
pub const AHEAD_MIN_SECS: i64 = 24 * 3600;

/// A wall clock that contradicts what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skew {
    /// It shows this many seconds more than are known to have passed, at least
    /// [`AHEAD_MIN_SECS`].
    Ahead(i64),
    /// It shows a moment before one that has passed, by this many seconds, at
    /// least [`BEHIND_MIN_SECS`].
    Behind(i64),
}

/// A lower bound of the present, which grows with the monotonic clock. A wall
/// clock that jumps ahead does not raise it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    floor: Option<(Time, UtcTime)>,
}

impl Clock {
    /// Learns that this moment has passed.
    pub fn seen(&mut self, issued: UtcTime, mono: Time) {
        if self.floor(mono).is_none_or(|floor| floor < issued) {
            self.floor = Some((mono, issued));
        }
    }

    /// The time for expiry checks.
    pub fn utc(&self, now: Now) -> UtcTime {
        self.floor(now.mono)
            .map_or(now.utc, |floor| floor.max(now.utc))
    }

    /// How far the wall clock is off what is known; `None` while it may be right.
    pub fn skew(&self, now: Now) -> Option<Skew> {
        let ahead = now.utc.0.saturating_sub(self.floor(now.mono)?.0);
        if ahead >= AHEAD_MIN_SECS {
            Some(Skew::Ahead(ahead))
        } else if -ahead >= BEHIND_MIN_SECS {
            Some(Skew::Behind(-ahead))
        } else {
            None
        }
    }

    /// What is known to have passed; `None` before anything signed said so.
    pub fn floor(&self, mono: Time) -> Option<UtcTime> {
        let (at, floor) = self.floor?;
        let secs = mono.since(at).as_millis() / 1000;
        Some(UtcTime(
            floor
                .0
                .saturating_add(i64::try_from(secs).unwrap_or(i64::MAX)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_falls_below_a_signed_moment() {
        let mut clock = Clock::default();
        let at = |mono, utc| Now {
            mono: Time(mono),
            utc: UtcTime(utc),
        };
        assert_eq!(clock.utc(at(0, 50)), UtcTime(50));
        clock.seen(UtcTime(100), Time(0));
        assert_eq!(clock.utc(at(0, 50)), UtcTime(100));
        assert_eq!(clock.utc(at(7_000_000, 50)), UtcTime(107));
        clock.seen(UtcTime(90), Time(7_000_000));
        assert_eq!(clock.utc(at(7_000_000, 50)), UtcTime(107));
        assert_eq!(clock.utc(at(7_000_000, 500)), UtcTime(500));
    }

    #[test]
    fn a_wall_clock_that_contradicts_what_was_signed_is_told() {
        let mut clock = Clock::default();
        let day = 24 * 3600;
        let signed = 1_000 * day;
        let at = |secs: i64, wall| Now {
            mono: Time(secs.unsigned_abs() * 1_000_000),
            utc: UtcTime(wall),
        };
        assert_eq!(clock.skew(at(0, 0)), None, "nothing is known");
        clock.seen(UtcTime(signed), Time(0));
        for uptime in [0, 3_600, 30 * day] {
            let right = signed + uptime;
            let skew = |off: i64| clock.skew(at(uptime, right + off));
            assert_eq!(skew(0), None);
            assert_eq!(skew(-400 * day), Some(Skew::Behind(400 * day)));
            assert_eq!(skew(-3_600), Some(Skew::Behind(3_600)));
            assert_eq!(skew(-BEHIND_MIN_SECS), Some(Skew::Behind(BEHIND_MIN_SECS)));
            assert_eq!(skew(1 - BEHIND_MIN_SECS), None);
            assert_eq!(skew(3_600), None);
            assert_eq!(skew(AHEAD_MIN_SECS - 1), None);
            assert_eq!(skew(400 * day), Some(Skew::Ahead(400 * day)));
        }
    }
}
