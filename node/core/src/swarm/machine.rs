//! The machine: one event in, orders out.

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::id::{ContentId, PeerId};

use crate::config::Config;
use crate::reason::WakeReason;
use crate::rng::Rng;
use crate::swarm::action::Action;
use crate::swarm::event::Event;
use crate::time::Time;
use crate::view::PeerView;

/// Decides who fetches what, from whom, and who is served.
#[derive(Debug)]
pub struct Swarm {
    counters: Counters,
}

/// Verified wire bytes by where they came from, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// From members of the site.
    pub lan_bytes: u64,
    /// From peers over the WAN.
    pub wan_bytes: u64,
    /// From the HTTP origin.
    pub origin_bytes: u64,
    /// Served to peers of the site.
    pub served_lan_bytes: u64,
    /// Served over the WAN.
    pub served_wan_bytes: u64,
    /// Chunks served a second time to a site that could not share them.
    pub split_chunks: u64,
}

impl Swarm {
    /// A machine that knows no peer but those of the configuration and holds
    /// no content. It acts from the first event on.
    pub fn new(_config: &Config, _rng: Rng) -> Self {
        Self {
            counters: Counters::default(),
        }
    }

    /// Takes one event; orders are appended to `out` and run in that order.
    /// `now` never decreases.
    pub fn handle(&mut self, _event: Event, _now: Time, _out: &mut Vec<Action>) {}

    /// When and why `Event::Tick` is due at the latest.
    pub fn wake(&self) -> Option<(Time, WakeReason)> {
        None
    }

    /// Whether a peer is to be turned away at its hello for what it did.
    pub fn refuses(&self, _peer: &PeerId, _now: Time) -> bool {
        false
    }

    /// The known peers, in ascending order of their ids.
    pub fn peers(&self, _now: Time) -> Vec<PeerView> {
        Vec::new()
    }

    /// Held chunks of a content; `None` for an unknown content.
    pub fn held(&self, _content: &ContentId) -> Option<&Bitfield> {
        None
    }

    /// Whether a wanted content lacks chunks that nobody in reach has now.
    pub fn lacks_source(&self, _content: &ContentId, _now: Time) -> bool {
        false
    }

    /// Verified bytes so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
