//! The modelled network: every link shares its rate fairly among the connections
//! that have something for it, as TCP does; the frames of one connection follow
//! each other. A path is its links in order, and a delay. What is given up leaves
//! its place to those behind it.

use std::collections::{BTreeMap, VecDeque};

use patchmesh_core::ids::{AskId, FetchId, ServeId};
use patchmesh_core::input::Answered;
use patchmesh_core::message::Want;
use patchmesh_core::time::{Duration, Time};

/// A frame and the time at which it has left its link, unless it is given up or
/// others come.
pub type Leaves = (u64, Time);

/// A connection in one direction: from whom to whom.
pub type Flow = (usize, usize);

/// Parts of a byte that links count in.
const PARTS: u64 = 1_000_000;

/// One direction of one link.
#[derive(Debug, Clone)]
pub struct Link {
    /// Bytes per second.
    rate: u64,
    slower: u64,
    /// What each connection has for the link; the first frame is being carried.
    flows: BTreeMap<Flow, VecDeque<Waiting>>,
    /// Until when the parts that are left are worked out.
    at: Time,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    frame: u64,
    bytes: u64,
    left: u64,
}

impl Link {
    /// An idle link of this many bits per second.
    pub fn new(bits_per_sec: u64) -> Self {
        Self {
            rate: (bits_per_sec / 8).max(1),
            slower: 1,
            flows: BTreeMap::new(),
            at: Time(0),
        }
    }

    /// Carries so many times less from now on; 1 is the full rate. Says which frame
    /// leaves first.
    pub fn slow_down(&mut self, times: u64, now: Time) -> Option<Leaves> {
        self.advance(now);
        self.slower = times.max(1);
        self.first()
    }

    /// A frame reaches the link. Says which frame leaves first.
    pub fn enter(&mut self, flow: Flow, frame: u64, bytes: u64, now: Time) -> Option<Leaves> {
        self.advance(now);
        let left = bytes.saturating_mul(PARTS);
        let waiting = Waiting { frame, bytes, left };
        self.flows.entry(flow).or_default().push_back(waiting);
        self.first()
    }

    /// Whether a frame is through; less than a byte may be left by rounding.
    pub fn is_through(&mut self, flow: Flow, frame: u64, now: Time) -> bool {
        self.advance(now);
        let first = self.flows.get(&flow).and_then(VecDeque::front);
        first.is_some_and(|first| first.frame == frame && first.left < PARTS)
    }

    /// A frame leaves, at its end or given up: the bytes of it that were carried,
    /// and which frame leaves first now.
    pub fn leave(&mut self, flow: Flow, frame: u64, now: Time) -> (u64, Option<Leaves>) {
        self.advance(now);
        let mut carried = 0;
        if let Some(frames) = self.flows.get_mut(&flow) {
            let place = frames.iter().position(|waiting| waiting.frame == frame);
            if let Some(gone) = place.and_then(|place| frames.remove(place)) {
                carried = gone.bytes - gone.left / PARTS;
            }
            if frames.is_empty() {
                self.flows.remove(&flow);
            }
        }
        (carried, self.first())
    }

    /// Time that one connection's share takes for `left` parts.
    fn takes(&self, left: u64) -> Duration {
        let sharers = self.flows.len().max(1) as u64;
        let times = u128::from(left) * u128::from(sharers * self.slower);
        Duration(u64::try_from(times.div_ceil(u128::from(self.rate))).unwrap_or(u64::MAX))
    }

    fn first(&self) -> Option<Leaves> {
        let firsts = self.flows.values().filter_map(VecDeque::front);
        let first = firsts.min_by_key(|waiting| (waiting.left, waiting.frame))?;
        Some((first.frame, self.at.plus(self.takes(first.left))))
    }

    fn advance(&mut self, now: Time) {
        let sharers = self.flows.len().max(1) as u64;
        let parts = self.rate.saturating_mul(now.since(self.at).0) / (sharers * self.slower);
        for first in self.flows.values_mut().filter_map(VecDeque::front_mut) {
            first.left = first.left.saturating_sub(parts);
        }
        self.at = now;
    }
}

/// Links of one site, or of the origin.
#[derive(Debug, Clone)]
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
    /// All of it has left the server, which knows no more of it.
    pub(crate) sent: bool,
    /// The client gave the lease of the span back since.
    pub(crate) given_back: bool,
}

/// How long a fetch may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until when, whatever comes.
    pub(crate) by: Time,
    /// How long nothing may come.
    pub(crate) idle: Duration,
    /// When it began.
    pub(crate) since: Time,
}

/// A link of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The port of a node, in.
    PortIn(usize),
    /// The port of a node, out.
    PortOut(usize),
    /// The line of a node's site, or the origin's, from the WAN.
    Down(usize),
    /// The same, to the WAN.
    Up(usize),
}

/// What a frame brings.
#[derive(Debug)]
pub(crate) enum Cargo {
    /// A chunk.
    Chunk(ServeId),
    /// The answer to a question.
    Document(AskId, Answered),
}

/// A frame on its way.
#[derive(Debug)]
pub(crate) struct Freight {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) bytes: u64,
    pub(crate) cargo: Cargo,
    /// The link that it waits for or is carried by.
    pub(crate) at: Option<Place>,
}

impl Freight {
    /// Its connection.
    pub(crate) fn flow(&self) -> Flow {
        (self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_share_a_link_and_what_is_given_up_leaves_its_place() {
        // A million bytes a second.
        let mut link = Link::new(8_000_000);
        let (one, two) = ((0, 1), (0, 2));
        assert_eq!(link.enter(one, 1, 1_000, Time(0)), Some((1, Time(1_000))));
        assert_eq!(link.enter(one, 2, 1_000, Time(100)), Some((1, Time(1_000))));
        // From here on each has half.
        assert_eq!(link.enter(two, 3, 1_000, Time(200)), Some((1, Time(1_800))));
        assert!(!link.is_through(one, 1, Time(1_000)));
        assert_eq!(link.leave(one, 2, Time(1_000)), (0, Some((1, Time(1_800)))));
        assert_eq!(
            link.leave(one, 1, Time(1_200)),
            (700, Some((3, Time(1_700))))
        );
        assert!(link.is_through(two, 3, Time(1_700)));
        assert_eq!(link.leave(two, 3, Time(1_700)), (1_000, None));
        assert_eq!(link.leave(two, 3, Time(1_700)), (0, None));
    }

    #[test]
    fn a_link_that_slows_down_says_when_its_frame_leaves_now() {
        let mut link = Link::new(8_000_000);
        link.enter((0, 1), 1, 1_000, Time(0));
        assert_eq!(link.slow_down(10, Time(500)), Some((1, Time(5_500))));
        assert_eq!(link.slow_down(1, Time(1_500)), Some((1, Time(1_900))));
    }
}
