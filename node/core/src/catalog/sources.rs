//! Whom to ask for a document: the site first, and over the WAN only the member
//! whose turn it is, so that metadata crosses the WAN about once per site.

use std::cmp::Reverse;

use patchmesh_content::id::{ContentId, PeerId, blake3, rendezvous};
use patchmesh_trust::state::Head;

use crate::catalog::alarms::{asked_proof, asked_twin};
use crate::catalog::log::follow::asked_leaves;
use crate::catalog::needs::{Key, Need};
use crate::catalog::peers::{Peer, Peers};
use crate::config::Mode;
use crate::message::DocumentRef;
use crate::output::Source;
use crate::time::{Duration, Time};

/// How long each member of the site waits for the one before it.
const TURN: Duration = Duration::millis(400);
/// How much longer for each byte: a line of 4 Mbit/s carries it meanwhile.
const TURN_PER_BYTE: Duration = Duration(2);
/// Most turns that are waited for: the first of them deliver, or a crowd that
/// says it is of the site keeps the news from it (T-49).
const TURNS_MAX: u64 = 8;
/// Members of the site that are asked at once for what somebody has to fetch first:
/// those whose turn it is. Each further one waits for a turn, since it most likely
/// has as little as the asker: a site of twenty that started asked each other two
/// hundred times a node in vain.
const NEAR_AT_ONCE: usize = 2;
/// How long a member that said it came by a newer snapshot is taken to have nothing
/// more until it says so.
const BEGINNING: Duration = Duration::secs(2);
/// When a question to the site counts as lost, before the time for its bytes.
const NEAR_TIMEOUT: Duration = Duration::secs(3);
/// When a question over the WAN counts as lost, likewise.
const FAR_TIMEOUT: Duration = Duration::secs(10);

/// This node among its peers.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// This node.
    pub me: PeerId,
    /// Its weight in duties; 0 is last in turn.
    pub weight: u32,
    /// What it is.
    pub mode: Mode,
    /// Connected peers.
    pub peers: &'a Peers,
    /// Own versions.
    pub head: Head,
}

/// What to do about a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Ask this source, and give up on it at this time.
    Ask(Source, Time),
    /// Nobody may be asked before this time; `None`: before something happens.
    Later(Option<Time>),
}

/// Chooses the source for a need that is not asked for now.
pub fn choose(site: Site<'_>, key: &Key, need: &Need, now: Time) -> Choice {
    let far_from = site.far_from(key, need);
    let mut later: Option<Time> = None;
    let mut asked_before = 0;
    for candidate in site.candidates(key) {
        let source = candidate.source;
        let mut from = candidate.from.max(need.not_before(source));
        if candidate.near && is_fetched(&key.document) {
            let begins = site.begins(source, now) && !need.told_of(source);
            let turns = asked_before / NEAR_AT_ONCE + usize::from(begins);
            from = from.max(turn(need, turns));
            asked_before += 1;
        }
        let from = if candidate.in_turn {
            from.max(far_from)
        } else {
            from
        };
        if from <= now {
            return Choice::Ask(source, now.plus(timeout(candidate.near, need.len_max)));
        }
        later = Some(later.map_or(from, |later| later.min(from)));
    }
    Choice::Later(later)
}

/// A source that may be asked.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    source: Source,
    /// In the site, or on this host.
    near: bool,
    /// Only when it is this node's turn.
    in_turn: bool,
    from: Time,
}

fn timeout(near: bool, len: usize) -> Duration {
    let len = len as u64;
    if near {
        Duration(NEAR_TIMEOUT.0.saturating_add(len / 10))
    } else {
        Duration(FAR_TIMEOUT.0.saturating_add(TURN_PER_BYTE.0 * len))
    }
}

impl Site<'_> {
    /// Whether a peer has only just come by the snapshot, so that it hardly has
    /// more than that.
    fn begins(&self, source: Source, now: Time) -> bool {
        let Source::Peer(peer) = source else {
            return false;
        };
        let peer = self.peers.get(&peer);
        peer.is_some_and(|peer| now.since(peer.current_from) < BEGINNING)
    }

    /// Sources in the order of asking.
    fn candidates(&self, key: &Key) -> Vec<Candidate> {
        if let Some(candidates) = self.offering(key) {
            return candidates;
        }
        let origin = Candidate {
            source: Source::Origin,
            near: self.mode == Mode::Origin,
            in_turn: !key.polled && self.mode != Mode::Origin,
            from: Time(0),
        };
        if key.polled || self.mode == Mode::Origin {
            return vec![origin];
        }
        let duty = duty(&key.document);
        let peers = self.peers.iter();
        let holds = |claim| holds(claim, &key.document, &self.head);
        let mut peers: Vec<_> = peers.filter(|(_, peer)| holds(&peer.claim)).collect();
        peers.sort_by_key(|(id, peer)| {
            let far_member = !peer.near() && !peer.origin;
            let rank = rendezvous(&duty, 0, id, 1);
            (!peer.near(), far_member, Reverse(rank))
        });
        let candidate = |(id, peer): (&PeerId, &Peer)| Candidate {
            source: Source::Peer(*id),
            near: peer.near(),
            in_turn: !peer.near(),
            from: trusted_from(peer, &key.document),
        };
        let mut candidates: Vec<_> = peers.into_iter().map(candidate).collect();
        if self.mode == Mode::EndpointWithHttp && !is_open(&key.document) {
            let first_far = candidates.partition_point(|candidate| candidate.near);
            candidates.insert(first_far, origin);
        }
        candidates
    }

    /// What only those have who say so: a proof, or another timestamp of the own
    /// version. Nobody waits for a turn with these.
    fn offering(&self, key: &Key) -> Option<Vec<Candidate>> {
        let (proof, twin) = (asked_proof(&key.document), asked_twin(&key.document));
        if key.polled || (proof.is_none() && twin.is_none()) {
            return None;
        }
        let offers = |peer: &Peer| match proof {
            Some((role, version)) => peer.alarms.get(role) == Some(&version),
            None => peer.twin == twin,
        };
        let peers = self.peers.iter().filter(|(_, peer)| offers(peer));
        let candidate = |(id, peer): (&PeerId, &Peer)| Candidate {
            source: Source::Peer(*id),
            near: peer.near(),
            in_turn: false,
            from: Time::default(),
        };
        Some(peers.map(candidate).collect())
    }

    /// When it is this node's turn to ask over the WAN.
    fn far_from(&self, key: &Key, need: &Need) -> Time {
        let duty = duty(&key.document);
        let own = rendezvous(&duty, 0, &self.me, 1);
        let near = self.peers.iter().filter(|(_, peer)| peer.near());
        let before = near.filter(|(id, _)| self.weight == 0 || rendezvous(&duty, 0, id, 1) > own);
        turn(need, before.count())
    }
}

/// When it is the turn of who comes after so many others.
fn turn(need: &Need, others: usize) -> Time {
    let turn = TURN.0.saturating_add(TURN_PER_BYTE.0 * need.len_max as u64);
    let turns = (others as u64).min(TURNS_MAX);
    need.since.plus(Duration(turn.saturating_mul(turns)))
}

/// Whether heads do not say who has it: all that the snapshot leads to.
fn is_fetched(document: &DocumentRef) -> bool {
    match document {
        DocumentRef::Metadata { role, .. } => {
            !matches!(role.as_str(), "root" | "timestamp" | "snapshot")
        }
        DocumentRef::Index { .. } | DocumentRef::Annex { .. } => true,
    }
}

/// Claims of newer roots and timestamps count only while they are kept.
fn trusted_from(peer: &Peer, document: &DocumentRef) -> Time {
    if is_open(document) {
        peer.trusted_from
    } else {
        Time::default()
    }
}

/// Whether no signed document says yet which bytes these must be.
fn is_open(document: &DocumentRef) -> bool {
    match document {
        DocumentRef::Metadata { role, .. } => role == "root" || role == "timestamp",
        DocumentRef::Index { .. } | DocumentRef::Annex { .. } => false,
    }
}

/// Whether a peer with this claim is worth asking.
fn holds(claim: &[u64; 3], document: &DocumentRef, head: &Head) -> bool {
    match document {
        DocumentRef::Metadata { role, version } => match role.as_str() {
            "root" => claim[0] >= *version,
            "timestamp" => claim[1] > head.timestamp,
            "snapshot" => claim[2] >= *version,
            _ if asked_leaves(document).is_some() => claim[1] > 0 && claim[1] >= head.timestamp,
            _ => claim[2] > 0 && claim[2] >= head.snapshot,
        },
        DocumentRef::Index { .. } | DocumentRef::Annex { .. } => {
            claim[2] > 0 && claim[2] >= head.snapshot
        }
    }
}

fn duty(document: &DocumentRef) -> ContentId {
    ContentId(blake3(&document.encode()))
}
