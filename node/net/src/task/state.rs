//! What the swarm task holds, and its loop.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use futures::StreamExt as _;
use libp2p::{Multiaddr, PeerId, Swarm};
use patchmesh_core::ids::HelloId;
use patchmesh_core::peer::Path;
use prost::bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::behaviour::Behaviour;
use crate::command::Command;
use crate::config::HelloParts;
use crate::event::Event;
use crate::exchange::chunk::Chunks;
use crate::exchange::control::Outboxes;
use crate::exchange::document::Documents;
use crate::gossip::Gossip;
use crate::hello::{HelloAsk, TurnedAway};
use crate::limits::EVENTS_PENDING_MAX;
use crate::peers::Peers;
use crate::traffic::TrafficMeter;

/// Commands taken at once, so that messages sent together travel together.
const COMMANDS_AT_ONCE: usize = 64;

/// Everything the swarm task owns.
pub(crate) struct Task {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) hello: Hellos,
    pub(crate) chunks: Chunks,
    pub(crate) documents: Documents,
    pub(crate) gossip: Gossip,
    pub(crate) outboxes: Outboxes,
    pub(crate) peers: Peers,
    pub(crate) traffic: TrafficMeter,
    /// How long the answer to a ping may take.
    pub(crate) pong: Duration,
    /// Events that the driver has not made room for yet.
    pub(crate) pending: VecDeque<Event>,
}

/// The ends of the task's channels.
pub(crate) struct Channels {
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) hellos: mpsc::Receiver<HelloAsk>,
}

/// This node's own hello, and those that wait for a verdict.
pub(crate) struct Hellos {
    pub(crate) parts: HelloParts,
    pub(crate) encoded: watch::Sender<Bytes>,
    /// The addresses were set and are not replaced by those found.
    pub(crate) addresses_set: bool,
    pub(crate) listening: BTreeSet<Multiaddr>,
    pub(crate) waiting: BTreeMap<HelloId, Waiting>,
    /// Not shown yet, since the end of the peer's dead connection comes first.
    pub(crate) held: BTreeMap<PeerId, Vec<HelloAsk>>,
    pub(crate) next: u64,
    pub(crate) turned_away: TurnedAway,
}

impl Hellos {
    pub(crate) fn new(
        parts: HelloParts,
        encoded: watch::Sender<Bytes>,
        turned_away: TurnedAway,
    ) -> Self {
        Self {
            addresses_set: !parts.addresses.is_empty(),
            parts,
            encoded,
            listening: BTreeSet::new(),
            waiting: BTreeMap::new(),
            held: BTreeMap::new(),
            next: 0,
            turned_away,
        }
    }
}

/// A hello that waits for a verdict.
pub(crate) struct Waiting {
    pub(crate) peer: PeerId,
    pub(crate) answer: oneshot::Sender<Option<Path>>,
}

/// Whether the task goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    End,
    GoOn,
}

impl Task {
    /// Runs until it is told to end or the driver is gone.
    pub(crate) async fn run(mut self, mut channels: Channels) {
        let mut batch = Vec::with_capacity(COMMANDS_AT_ONCE);
        loop {
            let deadline = self.chunks.next_deadline();
            let network_may_speak = self.pending.len() < EVENTS_PENDING_MAX;
            tokio::select! {
                biased;
                room = channels.events.reserve(), if !self.pending.is_empty() => {
                    let Ok(room) = room else { return };
                    if let Some(event) = self.pending.pop_front() {
                        room.send(event);
                    }
                }
                count = channels.commands.recv_many(&mut batch, COMMANDS_AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                    for command in batch.drain(..) {
                        if self.command(command) == Next::End {
                            return;
                        }
                    }
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.pending.extend(self.chunks.expire(Instant::now()));
                }
                ask = channels.hellos.recv(), if network_may_speak => {
                    if let Some(ask) = ask {
                        self.ask_for_verdict(ask);
                    }
                }
                event = self.swarm.select_next_some(), if network_may_speak => {
                    self.report(event);
                }
            }
            self.outboxes.flush(&mut self.swarm.behaviour_mut().control);
        }
    }
}
