//! What becomes of a fetch.

use patchmesh_content::geometry::{HAVE_WORD_CHUNKS, SpanIndex};
use patchmesh_content::id::PeerId;

use crate::ids::FetchId;
use crate::input::Fetched;
use crate::message::{Decline, DeclineReason, Message};
use crate::output::Source;
use crate::peer::PeerRefusal;
use crate::swarm::action::Action;
use crate::swarm::content::claim::Heard;
use crate::swarm::content::state::{CLAIM_LEAST, Content, UNREACHABLE};
use crate::swarm::dial::spread;
use crate::swarm::fetches::Fetch;
use crate::swarm::grant::SERVE_MOST;
use crate::swarm::machine::Swarm;
use crate::swarm::site::Peer;
use crate::swarm::timer::Timer;
use crate::time::{Duration, Time};

/// A chunk that a source can't give is not asked for again before.
const CHUNK_OFF: Duration = Duration::secs(30);
/// A peer that does not serve this node is not asked again before.
const REFUSED_OFF: Duration = Duration::secs(600);
/// Bounds of what a decline may ask for.
const RETRY: (Duration, Duration) = (Duration::millis(50), Duration::secs(60));

impl Swarm {
    /// The answer to a fetch.
    pub(crate) fn fetched(
        &mut self,
        id: FetchId,
        outcome: Fetched,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let counted = self.retire(id).is_some();
        let Some(fetch) = self.fetches.all.remove(&id) else {
            return;
        };
        match outcome {
            Fetched::Held => self.arrived(fetch, counted, now, out),
            Fetched::NoRoom => self.set_room(false, out),
            Fetched::Corrupt => self.corrupt(fetch, now, out),
            Fetched::Declined(decline) if counted => self.declined(fetch, &decline, now, out),
            Fetched::Stalled if counted => self.stalled(fetch, now, out),
            Fetched::Declined(_) | Fetched::Stalled => {}
        }
        self.drop_finished(&fetch.content, out);
    }

    /// Whether the store has room; without, others are to fetch.
    pub(crate) fn set_room(&mut self, room: bool, out: &mut Vec<Action>) {
        self.room = room;
        if !room {
            let active: Vec<_> = self.active.iter().copied().collect();
            for id in active {
                self.release_all(&id, out);
            }
        }
    }

    fn arrived(&mut self, fetch: Fetch, counted: bool, now: Time, out: &mut Vec<Action>) {
        let Fetch { content, chunk, .. } = fetch;
        self.count_bytes(&fetch);
        if fetch.near {
            self.fetches.near_delivered(&fetch, now);
        }
        if let Some(peer) = fetch.peer().and_then(|peer| self.peers.get_mut(&peer)) {
            peer.praise(fetch.started, now);
        } else {
            self.http.0 = 0;
        }
        let Some(state) = self.contents.get_mut(&content) else {
            return;
        };
        if !fetch.near && counted {
            let window = &mut state.window;
            window.delivered(fetch.bytes, fetch.started, fetch.ahead, now);
            if let Some(mine) = state.claims.own(chunk.span()) {
                mine.confirmed = true;
            }
        }
        let new = state.chunks.gain(chunk);
        if let (false, Some(to)) = (fetch.near, fetch.peer()) {
            // The source keeps the lease as long as chunks are under way (S-17).
            let index = chunk.0 / HAVE_WORD_CHUNKS;
            let message = Message::Have {
                content,
                all: false,
                words: vec![(index, state.chunks.held().word(index))],
            };
            out.push(Action::Send { to, message });
        }
        if !new {
            return;
        }
        let alone = state.members.is_empty();
        let shared = state
            .views
            .0
            .values()
            .any(|view| view.counted && view.bits.contains(chunk));
        if !fetch.near && !alone && !shared {
            state.window.single(chunk, now);
            self.timers.arm(Timer::Slow, now.plus(Duration::secs(2)));
        }
        self.cancel_chunk(&content, chunk, out);
        self.announce((&content, chunk), !fetch.near, now, out);
        self.completed(&content, out);
    }

    fn count_bytes(&mut self, fetch: &Fetch) {
        let bytes = u64::from(fetch.bytes);
        let counter = match fetch.source {
            Source::Origin => &mut self.counters.origin_bytes,
            Source::Peer(_) if fetch.near => &mut self.counters.lan_bytes,
            Source::Peer(_) => &mut self.counters.wan_bytes,
        };
        *counter += bytes;
    }

    fn corrupt(&mut self, fetch: Fetch, now: Time, out: &mut Vec<Action>) {
        let code = "CorruptChunk";
        if let Some(peer) = fetch.peer() {
            out.push(Action::Scored { peer, code });
        }
        match (fetch.near, fetch.peer()) {
            (true, Some(peer)) => self.expel(&peer, PeerRefusal::Corrupt, now, out),
            (_, peer) => {
                if let Some(state) = peer.and_then(|peer| self.peers.get_mut(&peer)) {
                    state.note_corrupt();
                }
                self.back_off(fetch.source, now);
                self.put_off_chunk(&fetch, now);
            }
        }
    }

    /// Closes the connection to a peer and turns it away from now on (S-20).
    pub(crate) fn expel(
        &mut self,
        peer: &PeerId,
        why: PeerRefusal,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.refuse(now);
        }
        self.dialler.forget(peer);
        for fetch in self.fetches.select(|fetch| fetch.peer() == Some(*peer)) {
            self.cancel(fetch, out);
        }
        out.push(Action::Disconnect { peer: *peer, why });
        self.peer_down(peer, now, out);
    }

    fn stalled(&mut self, fetch: Fetch, now: Time, out: &mut Vec<Action>) {
        let Some(peer) = fetch.peer() else {
            self.back_off(fetch.source, now);
            return;
        };
        if let Some(state) = self.peers.get_mut(&peer) {
            state.note_stall();
        }
        let delivers = |peer: &Peer| peer.delivered > fetch.started;
        let delivers = self.peers.get(&peer).is_some_and(delivers);
        if !fetch.near {
            self.back_off(fetch.source, now);
        } else if !delivers {
            // Where others of its chunks came meanwhile it is slow, and keeps its word.
            self.strike(&peer, now, out);
        }
    }

    /// A member broke its word; after a few times it is not believed.
    fn strike(&mut self, peer: &PeerId, now: Time, out: &mut Vec<Action>) {
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        if !state.strike(now) {
            return;
        }
        self.timers.arm(Timer::Trust(*peer), state.distrusted_until);
        for content in self.contents.values_mut() {
            content.count(peer, false);
        }
        let code = "AnnouncedNotDelivered";
        out.push(Action::Scored { peer: *peer, code });
    }

    fn declined(&mut self, fetch: Fetch, decline: &Decline, now: Time, out: &mut Vec<Action>) {
        let Some(peer) = fetch.peer() else {
            self.back_off(fetch.source, now);
            self.put_off_chunk(&fetch, now);
            return;
        };
        let retry = Duration(decline.retry_after.0.clamp(RETRY.0.0, RETRY.1.0));
        let again = now.plus(spread(retry, &mut self.rng));
        match decline.reason {
            DeclineReason::Busy => self.busy(&peer, again, &fetch),
            DeclineReason::Refused => self.busy(&peer, now.plus(REFUSED_OFF), &fetch),
            DeclineReason::Leased | DeclineReason::HeldBySite if !fetch.near => {
                self.taken(fetch, (decline, again), now, out);
            }
            DeclineReason::Gone | DeclineReason::HeldBySite | DeclineReason::Leased => {
                if let Some(content) = self.contents.get_mut(&fetch.content) {
                    content.unhold(&peer, fetch.chunk);
                }
                if fetch.near {
                    self.strike(&peer, now, out);
                } else {
                    self.put_off_chunk(&fetch, now);
                }
            }
        }
    }

    fn busy(&mut self, peer: &PeerId, until: Time, fetch: &Fetch) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.busy_until = state.busy_until.max(until);
        }
        self.timers.arm(Timer::Pump(fetch.content), until);
    }

    /// Another member of the site has the chunk, or is fetching its span.
    fn taken(
        &mut self,
        fetch: Fetch,
        (decline, again): (&Decline, Time),
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let span = fetch.chunk.span();
        for (holder, addresses) in &decline.holders {
            self.candidate(*holder, addresses, true, now);
        }
        let holders: Vec<PeerId> = decline.holders.iter().map(|(peer, _)| *peer).collect();
        let near = holders.iter().find(|peer| self.is_believed(peer, now));
        // What a member fetches that is no neighbour comes by way of others.
        let expected = near.or_else(|| holders.iter().find(|peer| self.is_sought(peer, now)));
        // A holder that is not believed any more need not be tried.
        let hopeless = near.is_none() && holders.iter().all(|peer| self.is_doubted(peer, now));
        let leased = decline.reason == DeclineReason::Leased;
        let Some(content) = self.contents.get_mut(&fetch.content) else {
            return;
        };
        content.rescan = true;
        let confirmed = content.claims.own(span).is_some_and(|m| m.confirmed);
        if near.is_none() || !leased {
            let first = if hopeless { Time(0) } else { now };
            content.deny(span, holders.clone(), first, now);
        }
        let until = now.plus(CLAIM_LEAST);
        match expected {
            // It may not have said so yet: take its claim as heard.
            Some(peer)
                if leased
                    && content.claims.hear(span, (*peer, None), until, now) != Heard::Refused =>
            {
                self.timers.arm(Timer::Claims(fetch.content), until);
            }
            _ => {
                if confirmed && !leased {
                    content.chunk_off.insert(fetch.chunk, again);
                } else {
                    content.span_off.insert(span, again);
                }
                self.timers.arm(Timer::Pump(fetch.content), again);
            }
        }
        if leased || !confirmed {
            self.release(&fetch.content, span, out);
        }
    }

    fn is_believed(&self, peer: &PeerId, now: Time) -> bool {
        self.peers.get(peer).is_some_and(|p| p.is_holder(now))
    }

    fn is_doubted(&self, peer: &PeerId, now: Time) -> bool {
        self.peers
            .get(peer)
            .is_some_and(|p| p.is_refused(now) || p.distrusted_until > now)
    }

    /// Whether a member is to be dialled, and was not yet tried in vain.
    fn is_sought(&self, peer: &PeerId, now: Time) -> bool {
        let connected = self.peers.get(peer).is_some_and(|p| p.connected);
        !connected && !self.is_doubted(peer, now) && !self.dialler.has_failed(peer, UNREACHABLE)
    }

    /// Whether to tell the source that the holders it names can't be reached
    /// (S-18).
    pub(crate) fn is_cut_off(&self, content: &Content, span: SpanIndex, now: Time) -> bool {
        let Some(denied) = content.denied.get(&span) else {
            return false;
        };
        let waited = now.since(denied.first);
        let is_lost = |peer: &PeerId| {
            if self.is_sought(peer, now) {
                // There was no room to try it: a serve lasts no longer at a source.
                waited >= SERVE_MOST
            } else if self.peers.get(peer).is_some_and(|p| p.connected) {
                // In touch, and named again without having announced anything.
                self.is_doubted(peer, now) || denied.last.since(denied.first) >= UNREACHABLE
            } else {
                true
            }
        };
        waited >= UNREACHABLE && denied.holders.iter().all(is_lost)
    }

    fn put_off_chunk(&mut self, fetch: &Fetch, now: Time) {
        if let Some(content) = self.contents.get_mut(&fetch.content) {
            let at = now.plus(CHUNK_OFF);
            content.chunk_off.insert(fetch.chunk, at);
            self.timers.arm(Timer::Pump(fetch.content), at);
        }
    }
}
