//! Which admitted peers are connected, and since when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use patchmesh_core::peer::{Down, PeerId as Key};
use tokio::time::Instant;

/// Longer than any hello takes.
const MOMENTS_KEPT: Duration = Duration::from_mins(2);

/// The connected peers.
#[derive(Debug)]
pub(crate) struct Peers {
    of: BTreeMap<PeerId, Peer>,
    /// When a peer was last let in, and when its session was last ended here.
    admitted: BTreeMap<PeerId, Instant>,
    ended: BTreeMap<PeerId, Instant>,
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
            admitted: BTreeMap::new(),
            ended: BTreeMap::new(),
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

    /// The driver lets a connection of this peer in.
    pub(crate) fn admitted(&mut self, peer: PeerId) {
        note(&mut self.admitted, peer);
    }

    /// The session ends for this reason; the first reason stays.
    pub(crate) fn ending(&mut self, peer: &PeerId, why: Down) {
        if let Some(entry) = self.of.get_mut(peer) {
            entry.why.get_or_insert(why);
            note(&mut self.ended, *peer);
        }
    }

    /// Whether a connection that now stands was let in before the session was
    /// ended, and must end with it.
    pub(crate) fn is_late(&self, peer: &PeerId) -> bool {
        let admitted = self.admitted.get(peer);
        let ended = self.ended.get(peer);
        ended.is_some_and(|ended| admitted.is_none_or(|admitted| admitted <= ended))
    }

    /// The peer's key, if it is connected.
    pub(crate) fn key(&self, peer: &PeerId) -> Option<Key> {
        self.of.get(peer).map(|entry| entry.key)
    }

    /// Whether the session is about to end.
    pub(crate) fn is_ending(&self, peer: &PeerId) -> bool {
        self.of.get(peer).is_some_and(|entry| entry.why.is_some())
    }

    /// Whether a new connection from this peer means that the standing one is
    /// dead.
    pub(crate) fn is_stale(&self, peer: &PeerId) -> bool {
        let entry = self.of.get(peer);
        entry.is_some_and(|entry| entry.since.elapsed() > self.both_dialled)
    }
}

/// Notes this moment, and forgets those that no pending hello can be of.
fn note(moments: &mut BTreeMap<PeerId, Instant>, peer: PeerId) {
    moments.retain(|_, moment| moment.elapsed() < MOMENTS_KEPT);
    moments.insert(peer, Instant::now());
}
