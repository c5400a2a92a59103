//! What the clocks say about the metadata: a wall clock that must be wrong, and a
//! timestamp that gets old.

use patchmesh_trust::state::TrustState;

use crate::catalog::clock::Skew;
use crate::catalog::machine::Catalog;
use crate::time::{Now, UtcTime};

impl Catalog {
    /// A wall clock that must be wrong, or that makes stale what would not be
    /// (T-36): ahead counts only then, since whoever renews seldom leaves the
    /// floor days behind.
    pub fn skew(&self, now: Now) -> Option<Skew> {
        let skew = self.clock.skew(now)?;
        let floor = self.clock.floor(now.mono)?;
        let is_stale = |utc| matches!(self.verifier.state(utc), TrustState::Stale { .. });
        match skew {
            Skew::Ahead(_) if is_stale(floor) || !is_stale(now.utc) => None,
            Skew::Ahead(_) | Skew::Behind(_) => Some(skew),
        }
    }

    /// When the held timestamp was issued and when it expires, once more than half
    /// of that time is over (T-37).
    pub fn ageing(&self, now: Now) -> Option<(UtcTime, UtcTime)> {
        let (issued, expires) = self.verifier.timestamp_life()?;
        let half = issued.0.midpoint(expires.0);
        (self.utc(now).0 > half).then_some((issued, expires))
    }
}
