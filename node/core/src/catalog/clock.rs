//! The time that expiry is judged by: never before a moment that is known to
//! have passed (T-35).

use crate::time::{Now, Time, UtcTime};

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

    fn floor(&self, mono: Time) -> Option<UtcTime> {
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
}
