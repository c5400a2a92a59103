//! The peers that were let in, from their hello to the end of their last
//! connection.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::id::PeerId;
use patchmesh_trust::stop::set::Mark;

use crate::limits::PEERS_MAX;
use crate::peer::{Address, Member, Path, Proof};

/// One admitted peer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What its certificate says.
    pub member: Member,
    /// How it is reached.
    pub path: Path,
    /// What its hello said of what it knows.
    pub greeting: Greeting,
    admitted: u64,
    /// Number of the admission that was the last when it came up.
    up: Option<u64>,
}

/// What a hello says of what the peer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Greeting {
    /// Versions of root, timestamp and snapshot.
    pub head: [u64; 3],
    /// Its stops.
    pub mark: Mark,
}

impl From<&Proof> for Greeting {
    fn from(proof: &Proof) -> Self {
        Self {
            head: proof.head,
            mark: proof.mark,
        }
    }
}

/// What became of a peer that asks to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It has a place.
    Place,
    /// It has the place of this peer, which is to be disconnected.
    InsteadOf(PeerId),
    /// There is none.
    Full,
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
    /// gives its place away, and then one of a site that has more places.
    pub fn admit(&mut self, member: Member, path: Path, greeting: Greeting) -> Admission {
        let peer = member.peer;
        let known = self.entries.get(&peer);
        let up = known.and_then(|entry| entry.up);
        let mut admission = Admission::Place;
        if known.is_none() && !self.has_place(&peer) && !self.evict() {
            let Some(other) = self.crowding(&member, path) else {
                return Admission::Full;
            };
            self.entries.remove(&other);
            admission = Admission::InsteadOf(other);
        }
        self.count += 1;
        let entry = Entry {
            member,
            path,
            greeting,
            admitted: self.count,
            up,
        };
        self.entries.insert(peer, entry);
        admission
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

    /// A peer that was let in.
    pub fn entry(&self, peer: &PeerId) -> Option<&Entry> {
        self.entries.get(peer)
    }

    /// Takes its place from a peer; whether it had one.
    pub fn remove(&mut self, peer: &PeerId) -> bool {
        self.entries.remove(peer).is_some()
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

    /// The peer that came last of the site with the most places, where a peer
    /// of this site, over the WAN too, may have its place and still has fewer
    /// mates here (M-23). A peer without a site is a site of its own.
    fn crowding(&self, member: &Member, path: Path) -> Option<PeerId> {
        if path != Path::Wan || member.origin {
            return None;
        }
        let ordinary = |(peer, entry): &(&PeerId, &Entry)| {
            entry.path == Path::Wan && !entry.member.origin && !self.bootstrap.contains(*peer)
        };
        let mut sites: BTreeMap<&str, (usize, u64, PeerId)> = BTreeMap::new();
        for (peer, entry) in self.entries.iter().filter(ordinary) {
            if entry.member.site.is_empty() {
                continue;
            }
            let site = sites.entry(&entry.member.site).or_insert((0, 0, *peer));
            site.0 += 1;
            if entry.admitted > site.1 {
                (site.1, site.2) = (entry.admitted, *peer);
            }
        }
        let mates = sites.get(member.site.as_str()).map_or(0, |site| site.0);
        let (most, _, last) = sites.into_values().max()?;
        (most >= mates + 2).then_some(last)
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

    fn admit(roster: &mut Roster, member: Member) -> Admission {
        roster.admit(member, Path::Wan, Greeting::default())
    }

    /// M-23.
    #[test]
    fn a_full_node_shares_its_places_among_sites() {
        let mut roster = Roster::new(&[]);
        let places = u32::try_from(PEERS_MAX).unwrap() - 1;
        for number in 0..places {
            assert_eq!(admit(&mut roster, member(number)), Admission::Place);
            roster.up(&member(number).peer);
        }
        let other = |number, site: &str| Member {
            site: site.to_owned(),
            ..member(number)
        };
        // The last that came leaves, not one that may be working.
        let last = member(places - 1).peer;
        let first = admit(&mut roster, other(places, "b"));
        assert_eq!(first, Admission::InsteadOf(last));
        assert!(!roster.is_up(&last));
        roster.up(&member(places).peer);
        // It comes again: its site has places enough.
        assert_eq!(admit(&mut roster, member(places - 1)), Admission::Full);
        // Until both have the same number, up to one.
        let mut given = 1;
        for number in places + 1..2 * places {
            given += match admit(&mut roster, other(number, "b")) {
                Admission::InsteadOf(_) => 1,
                Admission::Place | Admission::Full => 0,
            };
            roster.up(&member(number).peer);
        }
        assert_eq!(given, places / 2);
        let near = roster.admit(other(9_999, "c"), Path::Lan, Greeting::default());
        assert_eq!(near, Admission::Full);
    }

    /// T-49.
    #[test]
    fn the_last_place_is_for_bootstrap_peers_and_idle_hellos_give_way() {
        let bootstrap = member(9_999);
        let mut roster = Roster::new(&[(bootstrap.peer, vec![])]);
        let places = u32::try_from(PEERS_MAX).unwrap() - 1;
        for number in 0..places {
            assert_eq!(admit(&mut roster, member(number)), Admission::Place);
            assert!(roster.up(&member(number).peer).is_some());
        }
        assert_eq!(admit(&mut roster, member(places)), Admission::Full);
        assert_eq!(admit(&mut roster, bootstrap.clone()), Admission::Place);
        assert!(roster.up(&bootstrap.peer).is_some());
        assert!(roster.down(&member(0).peer));
        assert_eq!(admit(&mut roster, member(places)), Admission::Place);
        // It never came up, so the next one takes its place.
        assert_eq!(admit(&mut roster, member(places + 1)), Admission::Place);
        assert!(roster.up(&member(places).peer).is_none());
    }
}
