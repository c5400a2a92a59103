//! The known peers: who is near, who is a source, and how each behaved.

use std::collections::BTreeMap;

use patchmesh_content::id::{ContentId, PeerId};

use crate::limits::PEERS_MAX;
use crate::peer::{Member, Path};
use crate::swarm::meeting::Meeting;
use crate::time::{Duration, Time};
use crate::view::PeerView;

/// A peer that sent wrong bytes is turned away for so long.
const REFUSE: Duration = Duration::secs(3600);
/// What a peer says is not believed for so long.
const DISTRUST: Duration = Duration::secs(600);
/// Of members that deliver within this time none is preferred for it.
const QUICK: Duration = Duration::millis(20);
/// Broken promises before that.
const STRIKES_MAX: u32 = 3;

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) member: Member,
    pub(crate) path: Path,
    pub(crate) connected: bool,
    /// Since when, if it is.
    pub(crate) since: Time,
    /// A source's word on the own site.
    pub(crate) meeting: Option<Meeting>,
    /// Contents it wants have deltas of, and when it last asked for all.
    pub(crate) interests: BTreeMap<ContentId, Time>,
    /// Fetches in flight from it, and their bytes.
    pub(crate) requests: u32,
    pub(crate) bytes: u64,
    /// Chunks being served to it.
    pub(crate) serving: u32,
    /// Not to be asked before.
    pub(crate) busy_until: Time,
    /// When it delivered last.
    pub(crate) delivered: Time,
    /// Smoothed time in which it delivers, in microseconds; 0 = not measured.
    trip: u64,
    /// Failures in a row of a source.
    pub(crate) failures: u32,
    corrupt: u32,
    stalled: u32,
    strikes: u32,
    pub(crate) distrusted_until: Time,
    refused_until: Time,
    /// Its claims are not heeded before.
    pub(crate) barren_until: Time,
    pub(crate) hearsay_off_until: Time,
}

impl Peer {
    /// Reached without the WAN.
    pub(crate) fn is_near(&self) -> bool {
        self.connected && self.path != Path::Wan
    }

    /// Shares duties with this node.
    pub(crate) fn is_member(&self) -> bool {
        self.is_near() && !self.member.origin
    }

    /// Serves chunks over the WAN.
    pub(crate) fn is_source(&self) -> bool {
        self.connected && self.path == Path::Wan && self.member.origin
    }

    /// Its bitfield counts.
    pub(crate) fn is_holder(&self, now: Time) -> bool {
        self.is_near() && self.distrusted_until <= now
    }

    pub(crate) fn is_refused(&self, now: Time) -> bool {
        self.refused_until > now
    }

    /// It sent bytes that were not what was signed.
    pub(crate) fn refuse(&mut self, now: Time) {
        self.corrupt += 1;
        self.refused_until = now.plus(REFUSE);
    }

    /// The same of a source, which is only asked later.
    pub(crate) fn note_corrupt(&mut self) {
        self.corrupt += 1;
    }

    pub(crate) fn note_stall(&mut self) {
        self.stalled += 1;
    }

    /// It did not keep what it announced; returns whether it is distrusted now.
    pub(crate) fn strike(&mut self, now: Time) -> bool {
        self.strikes += 1;
        if self.strikes < STRIKES_MAX {
            return false;
        }
        self.strikes = 0;
        self.distrusted_until = now.plus(DISTRUST);
        true
    }

    /// It delivered.
    pub(crate) fn praise(&mut self, started: Time, now: Time) {
        self.delivered = now;
        let took = now.since(started).0.max(1);
        self.trip = match self.trip {
            0 => took,
            trip => (trip * 7 + took) / 8,
        };
        self.strikes = self.strikes.saturating_sub(1);
        self.failures = 0;
    }

    /// A measure of how long so many more bytes from it would take; `usual` is what
    /// fetches take from others, for one that has delivered nothing yet.
    pub(crate) fn wait_for(&self, bytes: u64, usual: u64) -> u64 {
        let trip = if self.trip == 0 { usual } else { self.trip };
        (self.bytes + bytes).saturating_mul(trip.max(QUICK.0))
    }

    /// It passed on claims of which nothing came: no more of those for a while.
    pub(crate) fn note_unmoved(&mut self, now: Time) {
        self.hearsay_off_until = now.plus(DISTRUST);
    }

    /// Claims without progress: they are not heeded for a while.
    pub(crate) fn note_barren(&mut self, now: Time) {
        self.barren_until = now.plus(DISTRUST);
    }
}

/// The known peers.
#[derive(Debug, Default)]
pub(crate) struct Peers(BTreeMap<PeerId, Peer>);

impl Peers {
    pub(crate) fn get(&self, peer: &PeerId) -> Option<&Peer> {
        self.0.get(peer)
    }

    pub(crate) fn get_mut(&mut self, peer: &PeerId) -> Option<&mut Peer> {
        self.0.get_mut(peer)
    }

    /// Connected peers in ascending order.
    pub(crate) fn connected(&self) -> impl Iterator<Item = (&PeerId, &Peer)> {
        self.0.iter().filter(|(_, peer)| peer.connected)
    }

    /// Members of the site with a connection.
    pub(crate) fn neighbours(&self) -> usize {
        self.0.values().filter(|peer| peer.is_member()).count()
    }

    /// A connection stands; returns `false` if it was known to stand, or if
    /// there is no room.
    pub(crate) fn up(&mut self, member: Member, path: Path, now: Time) -> bool {
        if let Some(peer) = self.0.get_mut(&member.peer) {
            if peer.connected {
                return false;
            }
            peer.connected = true;
            peer.since = now;
            peer.path = path;
            peer.member = member;
            peer.meeting = peer.is_source().then(|| Meeting::new(now));
            peer.busy_until = now;
            peer.failures = 0;
            return true;
        }
        if self.0.len() >= PEERS_MAX && !self.evict(now) {
            return false;
        }
        let mut peer = Peer {
            path,
            connected: true,
            since: now,
            meeting: None,
            interests: BTreeMap::new(),
            requests: 0,
            bytes: 0,
            serving: 0,
            busy_until: now,
            delivered: Time(0),
            trip: 0,
            failures: 0,
            corrupt: 0,
            stalled: 0,
            strikes: 0,
            distrusted_until: Time(0),
            refused_until: Time(0),
            barren_until: Time(0),
            hearsay_off_until: Time(0),
            member,
        };
        peer.meeting = peer.is_source().then(|| Meeting::new(now));
        self.0.insert(peer.member.peer, peer);
        true
    }

    /// The last connection ended; returns whether one stood.
    pub(crate) fn down(&mut self, peer: &PeerId) -> bool {
        let Some(peer) = self.0.get_mut(peer) else {
            return false;
        };
        peer.interests.clear();
        std::mem::replace(&mut peer.connected, false)
    }

    /// For people, in ascending order.
    pub(crate) fn view(&self, now: Time) -> Vec<PeerView> {
        let one = |(id, peer): (&PeerId, &Peer)| PeerView {
            peer: *id,
            site: peer.member.site.clone(),
            origin: peer.member.origin,
            path: peer.path,
            connected: peer.connected,
            corrupt_chunks: peer.corrupt,
            stalled: peer.stalled,
            refused: peer.is_refused(now),
        };
        self.0.iter().map(one).collect()
    }

    /// Forgets a peer without connection, one with a record last.
    fn evict(&mut self, now: Time) -> bool {
        let gone = self
            .0
            .iter()
            .filter(|(_, peer)| !peer.connected && peer.requests == 0 && peer.serving == 0)
            .min_by_key(|(id, peer)| (peer.is_refused(now), peer.distrusted_until, **id))
            .map(|(id, _)| *id);
        gone.is_some_and(|id| self.0.remove(&id).is_some())
    }
}
