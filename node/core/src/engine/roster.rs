//! The peers that were let in, from their hello to the end of their last
//! connection.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::id::PeerId;

use crate::limits::PEERS_MAX;
use crate::peer::{Address, Member, Path};

/// One admitted peer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What its certificate says.
    pub member: Member,
    /// How it is reached.
    pub path: Path,
    /// Versions that its hello claimed.
    pub head: [u64; 3],
    admitted: u64,
    /// Number of the admission that was the last when it came up.
    up: Option<u64>,
}

/// Admitted peers, at most [`PEERS_MAX`].
#[derive(Debug)]
pub struct Roster {
    entries: BTreeMap<PeerId, Entry>,
    bootstrap: BTreeSet<PeerId>,
    count: u64,
}

impl Roster {
    /// An empty one; the last place is kept for bootstrap peers (T-49).
    pub fn new(bootstrap: &[(PeerId, Vec<Address>)]) -> Self {
        Self {
            entries: BTreeMap::new(),
            bootstrap: bootstrap.iter().map(|(peer, _)| *peer).collect(),
            count: 0,
        }
    }

    /// Lets a peer in, if there is room. One that was let in and never came up
    /// gives its place away.
    pub fn admit(&mut self, member: Member, path: Path, head: [u64; 3]) -> bool {
        let peer = member.peer;
        let known = self.entries.get(&peer);
        let up = known.and_then(|entry| entry.up);
        if known.is_none() && !self.has_place(&peer) && !self.evict() {
            return false;
        }
        self.count += 1;
        let entry = Entry {
            member,
            path,
            head,
            admitted: self.count,
            up,
        };
        self.entries.insert(peer, entry);
        true
    }

    /// The first connection stands; `None` if the peer was not let in, or is
    /// up already.
    pub fn up(&mut self, peer: &PeerId) -> Option<&Entry> {
        let entry = self
            .entries
            .get_mut(peer)
            .filter(|entry| entry.up.is_none())?;
        entry.up = Some(entry.admitted);
        Some(entry)
    }

    /// The last connection ended; returns whether the peer was up. One that
    /// said hello again meanwhile is about to come up anew.
    pub fn down(&mut self, peer: &PeerId) -> bool {
        let Some(entry) = self.entries.get_mut(peer) else {
            return false;
        };
        let Some(up) = entry.up.take() else {
            return false;
        };
        if up == entry.admitted {
            self.entries.remove(peer);
        }
        true
    }

    /// Whether the peer is let in and connected.
    pub fn is_up(&self, peer: &PeerId) -> bool {
        self.entries
            .get(peer)
            .is_some_and(|entry| entry.up.is_some())
    }

    fn has_place(&self, peer: &PeerId) -> bool {
        let ordinary = |peer: &&PeerId| !self.bootstrap.contains(*peer);
        let room = self.entries.len() < PEERS_MAX;
        let taken = self.entries.keys().filter(ordinary).count();
        room && (!ordinary(&peer) || taken < PEERS_MAX - 1)
    }

    fn evict(&mut self) -> bool {
        let waiting = self.entries.iter().filter(|(_, entry)| entry.up.is_none());
        let oldest = waiting.min_by_key(|(_, entry)| entry.admitted);
        let Some(peer) = oldest.map(|(peer, _)| *peer) else {
            return false;
        };
        self.entries.remove(&peer);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(number: u32) -> Member {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        Member {
            peer: PeerId(id),
            site: "a".to_owned(),
            origin: false,
            addresses: vec![],
        }
    }

    /// T-49.
    #[test]
    fn the_last_place_is_for_bootstrap_peers_and_idle_hellos_give_way() {
        let bootstrap = member(9_999);
        let mut roster = Roster::new(&[(bootstrap.peer, vec![])]);
        let places = u32::try_from(PEERS_MAX).unwrap() - 1;
        for number in 0..places {
            assert!(roster.admit(member(number), Path::Wan, [0; 3]));
            assert!(roster.up(&member(number).peer).is_some());
        }
        assert!(!roster.admit(member(places), Path::Wan, [0; 3]));
        assert!(roster.admit(bootstrap.clone(), Path::Wan, [0; 3]));
        assert!(roster.up(&bootstrap.peer).is_some());
        assert!(roster.down(&member(0).peer));
        assert!(roster.admit(member(places), Path::Wan, [0; 3]));
        // It never came up, so the next one takes its place.
        assert!(roster.admit(member(places + 1), Path::Wan, [0; 3]));
        assert!(roster.up(&member(places).peer).is_none());
    }
}
