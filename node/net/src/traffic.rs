//! Counts every byte of every connection, by path and by peer. Bytes are
//! counted at the socket: encryption, multiplexing and negotiation included,
//! headers of TCP and IP not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;

use futures::task::AtomicWaker;
use patchmesh_core::peer::{Path, PeerId};
use tokio::time::Instant;

use crate::heard::Heard;
use crate::limits::TRAFFIC_PEERS_MAX;

/// Bytes by path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathBytes {
    /// Same site, same subnet.
    pub lan: u64,
    /// Same site, through a router.
    pub site: u64,
    /// Another site, or an origin.
    pub wan: u64,
}

impl PathBytes {
    /// Bytes over all paths.
    pub fn total(&self) -> u64 {
        self.lan + self.site + self.wan
    }

    fn add(&mut self, path: Path, bytes: u64) {
        match path {
            Path::Lan => self.lan += bytes,
            Path::Site => self.site += bytes,
            Path::Wan => self.wan += bytes,
        }
    }
}

/// Bytes since the start, over all peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// From admitted peers.
    pub received: PathBytes,
    /// To admitted peers.
    pub sent: PathBytes,
    /// Wire frames of chunks among the received bytes.
    pub payload_received: PathBytes,
    /// Wire frames of chunks among the sent bytes.
    pub payload_sent: PathBytes,
    /// Both ways, on connections that are not, or were never, admitted.
    pub unadmitted: u64,
}

/// Bytes since the start, of one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PeerTraffic {
    /// From the peer.
    pub received: u64,
    /// To the peer.
    pub sent: u64,
    /// Wire frames of chunks among the received bytes.
    pub payload_received: u64,
    /// Wire frames of chunks among the sent bytes.
    pub payload_sent: u64,
}

/// Reads the counters; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct TrafficMeter(Arc<Mutex<Totals>>);

#[derive(Debug, Default)]
struct Totals {
    /// What ended connections left, and all payload.
    past: Traffic,
    /// The same by peer.
    peers: BTreeMap<PeerId, PeerTraffic>,
    /// Connections that stand, admitted or not.
    live: BTreeMap<u64, Arc<Counter>>,
    next: u64,
}

#[derive(Debug, Default)]
struct Counter {
    received: AtomicU64,
    sent: AtomicU64,
    heard: Heard,
    admitted: OnceLock<(PeerId, Path)>,
    cut: AtomicBool,
    /// The task that reads and writes.
    task: AtomicWaker,
}

/// Counts one connection until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionMeter {
    counter: Arc<Counter>,
    number: u64,
    meter: TrafficMeter,
}

impl TrafficMeter {
    /// All bytes so far.
    pub fn read(&self) -> Traffic {
        let totals = self.totals();
        let mut sum = totals.past;
        for counter in totals.live.values() {
            counter.add_to(&mut sum);
        }
        sum
    }

    /// Bytes so far of each admitted peer; of peers no longer connected, at
    /// most [`TRAFFIC_PEERS_MAX`] are remembered.
    pub fn peers(&self) -> BTreeMap<PeerId, PeerTraffic> {
        let totals = self.totals();
        let mut peers = totals.peers.clone();
        for counter in totals.live.values() {
            counter.add_to_peer(&mut peers);
        }
        peers
    }

    pub(crate) fn connection(&self) -> ConnectionMeter {
        let mut totals = self.totals();
        let number = totals.next;
        totals.next += 1;
        let counter = Arc::new(Counter::default());
        totals.live.insert(number, counter.clone());
        ConnectionMeter {
            counter,
            number,
            meter: self.clone(),
        }
    }

    /// Counts the wire frame of a chunk from a peer.
    pub(crate) fn payload_received(&self, peer: PeerId, bytes: u64) {
        let mut totals = self.totals();
        let path = totals.path(peer);
        totals.past.payload_received.add(path, bytes);
        totals.peers.entry(peer).or_default().payload_received += bytes;
    }

    /// Counts the wire frame of a chunk to a peer.
    pub(crate) fn payload_sent(&self, peer: PeerId, bytes: u64) {
        let mut totals = self.totals();
        let path = totals.path(peer);
        totals.past.payload_sent.add(path, bytes);
        totals.peers.entry(peer).or_default().payload_sent += bytes;
    }

    /// When bytes last came from a peer, over any connection.
    pub(crate) fn heard(&self, peer: PeerId) -> Option<Instant> {
        let totals = self.totals();
        let of_peer = totals.live.values().filter(|counter| {
            let admitted = counter.admitted.get();
            admitted.is_some_and(|&(of, _)| of == peer)
        });
        of_peer.filter_map(|counter| counter.heard.last()).max()
    }

    /// Breaks every connection to a peer at the socket. Closing in good order
    /// would wait for a peer that does not read.
    pub(crate) fn cut(&self, peer: PeerId) {
        for counter in self.totals().live.values() {
            if counter.admitted.get().is_some_and(|&(of, _)| of == peer) {
                counter.cut.store(true, Ordering::Release);
                counter.task.wake();
            }
        }
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        // Plain sums: valid even if another thread died while adding.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Totals {
    /// The path of a peer's connection; the dearest when none stands, so that
    /// a doubt never makes the WAN look cheaper.
    fn path(&self, peer: PeerId) -> Path {
        self.live
            .values()
            .filter_map(|counter| counter.admitted.get())
            .find(|(admitted, _)| *admitted == peer)
            .map_or(Path::Wan, |&(_, path)| path)
    }

    fn forget_departed(&mut self) {
        while self.peers.len() > TRAFFIC_PEERS_MAX {
            let live: BTreeSet<PeerId> = self
                .live
                .values()
                .filter_map(|counter| Some(counter.admitted.get()?.0))
                .collect();
            let least = self
                .peers
                .iter()
                .filter(|(peer, _)| !live.contains(*peer))
                .min_by_key(|(_, bytes)| bytes.received + bytes.sent)
                .map(|(peer, _)| *peer);
            match least {
                Some(peer) => self.peers.remove(&peer),
                None => return,
            };
        }
    }
}

impl Counter {
    fn add_to(&self, sum: &mut Traffic) {
        let received = self.received.load(Ordering::Relaxed);
        let sent = self.sent.load(Ordering::Relaxed);
        match self.admitted.get() {
            Some(&(_, path)) => {
                sum.received.add(path, received);
                sum.sent.add(path, sent);
            }
            None => sum.unadmitted += received + sent,
        }
    }

    fn add_to_peer(&self, peers: &mut BTreeMap<PeerId, PeerTraffic>) {
        if let Some(&(peer, _)) = self.admitted.get() {
            let of_peer = peers.entry(peer).or_default();
            of_peer.received += self.received.load(Ordering::Relaxed);
            of_peer.sent += self.sent.load(Ordering::Relaxed);
        }
    }
}

impl ConnectionMeter {
    /// From now on all bytes of the connection, those before included, are of
    /// this peer and path.
    pub(crate) fn admit(&self, peer: PeerId, path: Path) {
        // A connection says hello once; a second verdict would change nothing.
        let _first = self.counter.admitted.get_or_init(|| (peer, path));
    }

    /// Whether the connection was cut; if not yet, its task is woken then.
    pub(crate) fn is_cut(&self, task: &Waker) -> bool {
        self.counter.task.register(task);
        self.counter.cut.load(Ordering::Acquire)
    }

    pub(crate) fn received(&self, bytes: usize) {
        if bytes > 0 {
            self.counter.heard.note();
        }
        self.counter
            .received
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.counter.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for ConnectionMeter {
    fn drop(&mut self) {
        let mut guard = self.meter.totals();
        let totals = &mut *guard;
        if let Some(counter) = totals.live.remove(&self.number) {
            counter.add_to(&mut totals.past);
            counter.add_to_peer(&mut totals.peers);
        }
        totals.forget_departed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerId = PeerId([1; 32]);

    #[test]
    fn bytes_change_sides_when_the_connection_is_admitted_and_stay_when_it_ends() {
        let meter = TrafficMeter::default();
        let connection = meter.connection();
        connection.received(10);
        connection.sent(20);
        assert_eq!(meter.read().unadmitted, 30);
        connection.admit(PEER, Path::Site);
        connection.received(1);
        let admitted = meter.read();
        assert_eq!((admitted.received.site, admitted.sent.site), (11, 20));
        assert_eq!(admitted.unadmitted, 0);
        drop(connection);
        assert_eq!(meter.read(), admitted);
        assert_eq!(meter.peers()[&PEER].received, 11);
    }

    #[test]
    fn payload_is_counted_under_the_path_of_the_connection() {
        let meter = TrafficMeter::default();
        meter.payload_received(PEER, 5);
        let connection = meter.connection();
        connection.admit(PEER, Path::Lan);
        meter.payload_received(PEER, 7);
        meter.payload_sent(PEER, 9);
        let read = meter.read();
        assert_eq!(read.payload_received.wan, 5, "no connection: the dearest");
        assert_eq!((read.payload_received.lan, read.payload_sent.lan), (7, 9));
    }

    #[test]
    fn departed_peers_are_forgotten_beyond_the_limit_and_standing_ones_are_not() {
        let meter = TrafficMeter::default();
        let standing = meter.connection();
        standing.admit(PEER, Path::Lan);
        for number in 0..TRAFFIC_PEERS_MAX as u64 + 50 {
            let mut key = [2; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            let connection = meter.connection();
            connection.admit(PeerId(key), Path::Wan);
            connection.received(1);
        }
        let peers = meter.peers();
        assert_eq!(peers.len(), TRAFFIC_PEERS_MAX + 1);
        assert!(peers.contains_key(&PEER));
        assert_eq!(
            meter.read().received.wan,
            TRAFFIC_PEERS_MAX as u64 + 50,
            "the sum keeps what is forgotten by name"
        );
    }
}
