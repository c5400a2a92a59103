//! The modelled network: every link carries frames one after the other at its
//! rate; a path is its links in order, and a delay.

use patchmesh_core::ids::FetchId;
use patchmesh_core::message::Want;
use patchmesh_core::time::{Duration, Time};

/// One direction of one link.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Bytes per second.
    rate: u64,
    slower: u64,
    free: Time,
    /// Bytes carried so far.
    pub carried: u64,
}

impl Link {
    /// An idle link of this many bits per second.
    pub fn new(bits_per_sec: u64) -> Self {
        Self {
            rate: (bits_per_sec / 8).max(1),
            slower: 1,
            free: Time(0),
            carried: 0,
        }
    }

    /// Carries so many times less from now on; 1 is the full rate.
    pub fn slow_down(&mut self, times: u64) {
        self.slower = times.max(1);
    }

    /// When a frame that reaches the link at `at` has left it.
    pub fn carry(&mut self, bytes: u64, at: Time) -> Time {
        let begin = self.free.max(at);
        let took = Duration(
            bytes
                .saturating_mul(1_000_000 * self.slower)
                .div_ceil(self.rate),
        );
        self.free = begin.plus(took);
        self.carried += bytes;
        self.free
    }
}

/// Links of one site, or of the origin.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// From the WAN.
    pub down: Link,
    /// To the WAN.
    pub up: Link,
    /// Cut off from the WAN before this time.
    pub cut_until: Time,
}

impl Access {
    /// An idle line of these rates in bits per second.
    pub fn new(down: u64, up: u64) -> Self {
        Self {
            down: Link::new(down),
            up: Link::new(up),
            cut_until: Time(0),
        }
    }
}

/// A connection between two nodes, the smaller number first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conn {
    /// Who let the other in.
    pub(crate) admitted: [bool; 2],
    /// Both did.
    pub(crate) up: bool,
}

/// A chunk on its way, from the request to the last byte.
#[derive(Debug, Clone)]
pub struct Serving {
    pub(crate) server: usize,
    pub(crate) client: usize,
    pub(crate) fetch: FetchId,
    pub(crate) want: Want,
    /// When the server said yes.
    pub(crate) since: Option<Time>,
}
