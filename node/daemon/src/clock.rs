//! The only place that reads the clocks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use patchmesh_core::time::{Now, Time, UtcTime};

/// Both clocks of this process.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// What the monotonic clock said last, in microseconds: a system whose
    /// monotonic clock goes back, as some have, must not end the node.
    last: AtomicU64,
}

impl Clock {
    /// Starts the monotonic clock at 0.
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// Both clocks now.
    pub(crate) fn now(&self) -> Now {
        let mono = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let last = self.last.fetch_max(mono, Ordering::Relaxed);
        Now {
            mono: Time(mono.max(last)),
            utc: utc(),
        }
    }

    /// A moment of the engine as the runtime counts it.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        let after = std::time::Duration::from_micros(time.0);
        self.start.checked_add(after).unwrap_or(self.start)
    }

    /// Seconds since the start.
    pub(crate) fn uptime_secs(&self) -> u64 {
        self.start.elapsed().as_secs()
    }
}

/// The wall clock, in seconds; a clock before 1970 counts as 1970.
pub(crate) fn utc() -> UtcTime {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UtcTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
