//! What happens when, in one site. Equal moments keep their order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_core::ids::FetchId;
use patchmesh_core::input::Fetched;
use patchmesh_core::message::Message;
use patchmesh_core::time::Time;

/// Number of a node; 0 is the origin.
pub type Node = u32;
/// Which start of a node is meant.
pub type Life = u32;

/// A chunk that is asked for, and whether the holders that the source named
/// cannot be reached.
pub type Ask = (ChunkIndex, bool);

/// Something that happens.
#[derive(Debug)]
pub enum Event {
    /// The medium has carried what it was carrying.
    Air(u64),
    /// A fetch has its answer.
    Answer(Node, Life, FetchId, Fetched),
    /// The last byte of a transfer is there.
    Arrived(u32),
    /// A dial gets through, or not.
    Connect(Node, Node),
    /// A fetch is out of time.
    Late(Node, Life, FetchId),
    /// A node finds another by multicast.
    Found(Node, Node),
    /// A node is switched off.
    Off(Node),
    /// A node is switched on.
    On(Node),
    /// A transfer comes to the medium.
    OnAir(u32),
    /// A transfer has left its sender's port.
    Sent(u32),
    /// A message arrives.
    Receive(Node, Life, Node, Box<Message>),
    /// A request arrives: server, client, its life.
    Request(Node, Node, Life, FetchId, Ask),
    /// A node asked to be woken.
    Tick(Node, Life),
    /// The line has carried what it was carrying.
    Wan(u64),
}

#[derive(Debug)]
struct Entry {
    at: Time,
    sequence: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// All that is still to happen. Ends of patience are kept apart: nearly all of
/// them mean nothing any more when they come, and are far ahead, so that they
/// would make every other event wait for a deeper heap.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    late: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

impl Queue {
    /// Lets something happen.
    pub fn push(&mut self, at: Time, event: Event) {
        self.sequence += 1;
        let late = matches!(event, Event::Late(..));
        let entry = Reverse(Entry {
            at,
            sequence: self.sequence,
            event,
        });
        if late {
            self.late.push(entry);
        } else {
            self.heap.push(entry);
        }
    }

    /// What happens next.
    pub fn pop(&mut self) -> Option<(Time, Event)> {
        let sooner = match (self.heap.peek(), self.late.peek()) {
            (Some(one), Some(late)) => one > late,
            (one, _) => one.is_some(),
        };
        let heap = if sooner {
            &mut self.heap
        } else {
            &mut self.late
        };
        heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_order_and_equals_as_they_were_said() {
        let mut queue = Queue::default();
        queue.push(Time(5), Event::Late(1, 1, FetchId(1)));
        queue.push(Time(5), Event::Off(2));
        queue.push(Time(3), Event::Off(3));
        queue.push(Time(5), Event::Late(4, 1, FetchId(1)));
        queue.push(Time(7), Event::Off(5));
        let order = std::iter::from_fn(|| queue.pop()).filter_map(|(at, event)| {
            if let Event::Late(node, ..) | Event::Off(node) = event {
                Some((at.0, node))
            } else {
                None
            }
        });
        let order: Vec<(u64, Node)> = order.collect();
        assert_eq!(order, [(3, 3), (5, 1), (5, 2), (5, 4), (7, 5)]);
    }

    /// Most of the time of a large site goes into moving them.
    #[test]
    fn an_event_is_small() {
        assert!(size_of::<Entry>() <= 56, "{}", size_of::<Entry>());
    }
}
