//! The two clocks of a node, as plain numbers that can be stored and replayed.

use serde::{Deserialize, Serialize};

pub use patchmesh_trust::time::UtcTime;

/// Microseconds on a clock that never goes back.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct Time(pub u64);

/// A length of time in microseconds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct Duration(pub u64);

impl Duration {
    /// From milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// From seconds.
    pub const fn secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// In whole milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1000
    }
}

impl Time {
    /// Later by a duration; stays at the end of time.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }

    /// Time since an earlier moment; 0 if that is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

/// Both clocks, read once per input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Now {
    /// Since some moment before the process started; never decreases.
    pub mono: Time,
    /// The wall clock; may jump.
    pub utc: UtcTime,
}

impl Now {
    /// Whether the wall clock was set since an earlier reading: it moved otherwise
    /// than the monotonic one by 2 s, of which rounding is one.
    pub fn is_set_since(self, earlier: Self) -> bool {
        let passed = self.mono.since(earlier.mono).as_millis() / 1_000;
        let due = earlier.utc.0.saturating_add_unsigned(passed);
        self.utc.0.abs_diff(due) >= 2
    }
}
