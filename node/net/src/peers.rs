//! Which admitted peers are connected, and since when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use patchmesh_core::peer::{Down, PeerId as Key};
use tokio::time::Instant;

/// The connected peers.
#[derive(Debug)]
pub(crate) struct Peers {
    of: BTreeMap<PeerId, Peer>,
    both_dialled: Duration,
}

#[derive(Debug)]
struct Peer {
    key: Key,
    connections: BTreeSet<ConnectionId>,
    since: Instant,
    why: Option<Down>,
}

impl Peers {
    pub(crate) fn new(both_dialled: Duration) -> Self {
        Self {
            of: BTreeMap::new(),
            both_dialled,
        }
    }

    /// A connection stands; whether it is the first to the peer.
    pub(crate) fn established(&mut self, peer: PeerId, key: Key, connection: ConnectionId) -> bool {
        let entry = self.of.entry(peer).or_insert_with(|| Peer {
            key,
            connections: BTreeSet::new(),
            since: Instant::now(),
            why: None,
        });
        entry.connections.insert(connection);
        entry.connections.len() == 1
    }

    /// A connection ended; the peer and the reason if it was the last.
    pub(crate) fn closed(
        &mut self,
        peer: &PeerId,
        connection: ConnectionId,
    ) -> Option<(Key, Down)> {
        let entry = self.of.get_mut(peer)?;
        entry.connections.remove(&connection);
        if !entry.connections.is_empty() {
            return None;
        }
        let entry = self.of.remove(peer)?;
        Some((entry.key, entry.why.unwrap_or(Down::Closed)))
    }

    /// Notes why the connections are about to end; the first reason stays.
    pub(crate) fn closing(&mut self, peer: &PeerId, why: Down) {
        if let Some(entry) = self.of.get_mut(peer) {
            entry.why.get_or_insert(why);
        }
    }

    /// The peer's key, if it is connected.
    pub(crate) fn key(&self, peer: &PeerId) -> Option<Key> {
        self.of.get(peer).map(|entry| entry.key)
    }

    /// Whether a new connection from this peer means that the standing one is
    /// dead.
    pub(crate) fn is_stale(&self, peer: &PeerId) -> bool {
        let entry = self.of.get(peer);
        entry.is_some_and(|entry| entry.since.elapsed() > self.both_dialled)
    }
}
