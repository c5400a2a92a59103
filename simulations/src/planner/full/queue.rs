//! What happens when, in one site. Equal moments keep their order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use patchmesh_core::ids::FetchId;
use patchmesh_core::input::Fetched;
use patchmesh_core::message::{Message, Want};
use patchmesh_core::time::Time;

/// Number of a node; 0 is the origin.
pub type Node = usize;
/// Which start of a node is meant.
pub type Life = u32;

/// Something that happens.
#[derive(Debug)]
pub enum Event {
    /// A fetch has its answer.
    Answer(Node, Life, FetchId, Fetched),
    /// The last byte of a transfer is there.
    Arrived(usize),
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
    /// A transfer has left its sender's port.
    Sent(usize),
    /// A message arrives.
    Receive(Node, Life, Node, Box<Message>),
    /// A request arrives: server, client, its life.
    Request(Node, Node, Life, FetchId, Want),
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

/// All that is still to happen.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

impl Queue {
    /// Lets something happen.
    pub fn push(&mut self, at: Time, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry {
            at,
            sequence: self.sequence,
            event,
        }));
    }

    /// What happens next.
    pub fn pop(&mut self) -> Option<(Time, Event)> {
        self.heap
            .pop()
            .map(|Reverse(entry)| (entry.at, entry.event))
    }
}
