//! What a driver reads of an engine between two inputs; none of it changes it.

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::id::ContentId;

use crate::catalog::clock::Skew;
use crate::engine::drive::Engine;
use crate::engine::report::{self, Machines};
use crate::swarm;
use crate::time::{Now, UtcTime};
use crate::view::View;

impl Engine {
    /// The state for people, at this moment.
    pub fn view(&self, now: Now) -> View {
        let machines = Machines {
            catalog: &self.catalog,
            swarm: &self.swarm,
            rollout: &self.rollout,
            room: self.room,
        };
        report::view(machines, now)
    }

    /// The time that expiry is judged by (T-35).
    pub fn utc(&self, now: Now) -> UtcTime {
        self.catalog.utc(now)
    }

    /// A wall clock that must be wrong (T-36).
    pub fn skew(&self, now: Now) -> Option<Skew> {
        self.catalog.skew(now)
    }

    /// When the held timestamp was issued and when it expires, once more than half
    /// of that time is over (T-37).
    pub fn ageing(&self, now: Now) -> Option<(UtcTime, UtcTime)> {
        self.catalog.ageing(now)
    }

    /// Verified wire bytes by where they came from, since the start.
    pub fn counters(&self) -> swarm::Counters {
        self.swarm.counters()
    }

    /// Release lines that the verified targets delegate; `None` without those.
    pub fn delegated_lines(&self) -> Option<Vec<String>> {
        self.catalog.delegated_lines()
    }

    /// Held chunks of a content; `None` for an unknown content.
    pub fn held(&self, content: &ContentId) -> Option<&Bitfield> {
        self.swarm.held(content)
    }
}
