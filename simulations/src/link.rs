//! The modelled network: every link carries frames one after the other at its
//! rate; a path is its links in order, and a delay. What is given up leaves its
//! place to those behind it.

use std::collections::VecDeque;

use patchmesh_core::ids::{AskId, FetchId, ServeId};
use patchmesh_core::input::Answered;
use patchmesh_core::message::Want;
use patchmesh_core::time::{Duration, Time};

/// A frame and the time at which it has left its link, unless it is given up.
pub type Leaves = (u64, Time);

/// One direction of one link.
#[derive(Debug, Clone)]
pub struct Link {
    /// Bytes per second.
    rate: u64,
    slower: u64,
    /// Frames and their bytes; the first is being carried.
    queue: VecDeque<(u64, u64)>,
    /// When the first began, and how long it takes.
    began: (Time, Duration),
}

impl Link {
    /// An idle link of this many bits per second.
    pub fn new(bits_per_sec: u64) -> Self {
        Self {
            rate: (bits_per_sec / 8).max(1),
            slower: 1,
            queue: VecDeque::new(),
            began: (Time(0), Duration(0)),
        }
    }

    /// Carries so many times less from the next frame on; 1 is the full rate.
    pub fn slow_down(&mut self, times: u64) {
        self.slower = times.max(1);
    }

    /// A frame reaches the link; says when it has left, where nothing is before it.
    pub fn enter(&mut self, frame: u64, bytes: u64, now: Time) -> Option<Leaves> {
        self.queue.push_back((frame, bytes));
        let alone = self.queue.len() == 1;
        alone.then(|| self.begin(now)).flatten()
    }

    /// A frame leaves, at its end or given up: the bytes of it that were carried,
    /// and when the next one has left, where that begins now.
    pub fn leave(&mut self, frame: u64, now: Time) -> (u64, Option<Leaves>) {
        let Some(place) = self.queue.iter().position(|(other, _)| *other == frame) else {
            return (0, None);
        };
        let (_, bytes) = self.queue.remove(place).unwrap_or_default();
        if place > 0 {
            return (0, None);
        }
        let (began, took) = self.began;
        let part = bytes.saturating_mul(now.since(began).0) / took.0.max(1);
        (part.min(bytes), self.begin(now))
    }

    fn begin(&mut self, now: Time) -> Option<Leaves> {
        let (frame, bytes) = *self.queue.front()?;
        let micros = bytes.saturating_mul(1_000_000 * self.slower);
        let took = Duration(micros.div_ceil(self.rate));
        self.began = (now, took);
        Some((frame, now.plus(took)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_leaves_its_place_and_counts_what_was_carried() {
        // A million bytes a second.
        let mut link = Link::new(8_000_000);
        assert_eq!(link.enter(1, 1_000, Time(0)), Some((1, Time(1_000))));
        assert_eq!(link.enter(2, 1_000, Time(100)), None);
        assert_eq!(link.enter(3, 1_000, Time(100)), None);
        assert_eq!(link.leave(2, Time(200)), (0, None));
        assert_eq!(link.leave(1, Time(250)), (250, Some((3, Time(1_250)))));
        assert_eq!(link.leave(3, Time(1_250)), (1_000, None));
        assert_eq!(link.leave(3, Time(1_250)), (0, None));
    }
}
