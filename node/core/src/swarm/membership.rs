//! Peers come and go, are introduced to each other and dialled.

use patchmesh_content::id::{ContentId, PeerId};

use crate::config::Mode;
use crate::limits::{INTRODUCED_MAX, INTRODUCED_NEAR_MAX, NEIGHBOURS_MAX, NEIGHBOURS_NAMED_MAX};
use crate::message::Message;
use crate::peer::{Address, Member, Path};
use crate::swarm::action::Action;
use crate::swarm::content::state::UNREACHABLE;
use crate::swarm::dial::{Turn, first_wait, spread};
use crate::swarm::machine::Swarm;
use crate::swarm::meeting::Meeting;
use crate::swarm::timer::Timer;
use crate::time::{Duration, Time};

/// Members that are reached have so long to say what they hold.
const HEAR: Duration = Duration::secs(2);
/// So many members are enough to begin with.
const ENOUGH: usize = 2;

impl Swarm {
    /// The first connection to an admitted peer stands.
    pub(crate) fn peer_up(
        &mut self,
        member: &Member,
        path: Path,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let peer = member.peer;
        if peer == self.me || !self.peers.up(member.clone(), path, now) {
            return;
        }
        if path != Path::Wan && !member.origin {
            self.dialler.found(peer, &member.addresses, false);
        }
        self.dialler.reached(&peer);
        self.timers.disarm(Timer::Dial(peer));
        for content in self.contents.values_mut() {
            content
                .denied
                .retain(|_, denied| !denied.holders.contains(&peer));
            content.rescan = true;
            if content.chunks.is_wanted() {
                let message = Message::Interest {
                    content: content.id,
                };
                out.push(Action::Send { to: peer, message });
            }
        }
        if path != Path::Wan {
            self.changed = now;
        }
        self.introduce(member, path, out);
    }

    /// The last connection to a peer ended.
    pub(crate) fn peer_down(&mut self, peer: &PeerId, now: Time, out: &mut Vec<Action>) {
        if !self.peers.down(peer) {
            return;
        }
        for fetch in self.fetches.select(|fetch| fetch.peer() == Some(*peer)) {
            // The connection is gone, and with it the fetch: nothing to cancel.
            self.retire(fetch);
        }
        for content in self.contents.values_mut() {
            content.leave(peer);
        }
        let ids: Vec<ContentId> = self.active.iter().copied().collect();
        for id in ids {
            self.drop_finished(&id, out);
        }
        if let Some(site) = self.site_key(peer) {
            self.grants.peer_down(&site, peer);
        }
        if self.peers.get(peer).is_some_and(|p| p.path != Path::Wan) {
            self.changed = now;
        }
        if self.dialler.knows(peer) && !self.refuses(peer, now) {
            let wait = spread(Duration::millis(100), &mut self.rng);
            self.timers.arm(Timer::Dial(*peer), now.plus(wait));
        }
    }

    /// A member works with a content.
    pub(crate) fn join(&mut self, id: &ContentId, peer: PeerId, now: Time) {
        if let Some(content) = self.contents.get_mut(id)
            && content.join(peer)
        {
            self.changed = now;
        }
    }

    /// A peer that may be dialled was found.
    pub(crate) fn candidate(
        &mut self,
        peer: PeerId,
        addresses: &[Address],
        named: bool,
        now: Time,
    ) {
        let connected = self.peers.get(&peer).is_some_and(|p| p.connected);
        if peer == self.me || self.refuses(&peer, now) {
            return;
        }
        let news = self.dialler.found(peer, addresses, named);
        if news && !connected {
            let wait = first_wait(&self.me, &peer, &mut self.rng);
            self.timers.arm(Timer::Dial(peer), now.plus(wait));
        }
    }

    /// A candidate is due.
    pub(crate) fn dial(&mut self, peer: &PeerId, now: Time, out: &mut Vec<Action>) {
        let connected = self.peers.get(peer).is_some_and(|p| p.connected);
        if connected || self.refuses(peer, now) {
            return;
        }
        let mut sought = self.peers.neighbours();
        // Attempts are counted only where they could matter: it takes a look at
        // every candidate.
        if sought < NEIGHBOURS_NAMED_MAX {
            sought += self.dialler.under_way(now);
        }
        let room = (sought < NEIGHBOURS_MAX, sought < NEIGHBOURS_NAMED_MAX);
        match self.dialler.turn(peer, room, &mut self.rng, now) {
            Turn::Dial(addresses, wait) => {
                out.push(Action::Dial {
                    peer: *peer,
                    addresses,
                });
                self.timers.arm(Timer::Dial(*peer), now.plus(wait));
                self.doubt_reach(peer);
            }
            Turn::Forget => {}
            Turn::Later(wait) => self.timers.arm(Timer::Dial(*peer), now.plus(wait)),
        }
    }

    /// Nobody waits for what a member fetches that was dialled in vain.
    fn doubt_reach(&mut self, peer: &PeerId) {
        if self.dialler.has_failed(peer, UNREACHABLE) {
            for content in self.contents.values_mut() {
                content.rescan |= content.claims.end_all(peer);
            }
        }
    }

    /// Members that were told of by an admitted peer.
    pub(crate) fn introduced(&mut self, by: &PeerId, list: &[(PeerId, Vec<Address>)], now: Time) {
        let source = self.peers.get_mut(by);
        if let Some(meeting) = source.and_then(|peer| peer.meeting.as_mut()) {
            meeting.hear(list);
        }
        for (peer, addresses) in list {
            self.candidate(*peer, addresses, false, now);
        }
    }

    /// Until when a source is not to be asked for chunks of a content, if it
    /// isn't: members of the site are about to be met, or to say what they hold.
    pub(crate) fn meets_until(&self, id: &ContentId, source: &PeerId, now: Time) -> Option<Time> {
        let content = self.contents.get(id)?;
        let meeting = self.peers.get(source)?.meeting.as_ref();
        let met_by = meeting.map_or(Time(0), Meeting::until);
        let mut since: Vec<Time> = Vec::new();
        let mut heard = 0;
        let named = meeting.and_then(Meeting::named);
        for (peer, state) in self.peers.connected().filter(|(_, peer)| peer.is_member()) {
            since.push(state.since);
            heard += usize::from(content.views.0.contains_key(peer));
            if heard >= ENOUGH && (met_by <= now || named.is_some()) {
                return None;
            }
        }
        if met_by > now {
            let Some(named) = named else {
                return Some(met_by);
            };
            if since.len() < named.min(ENOUGH) {
                return Some(met_by);
            }
        }
        let need = since.len().min(ENOUGH);
        if heard >= need {
            return None;
        }
        // Only the oldest connections count: one that comes and goes must not
        // put the source off again and again.
        since.sort_unstable();
        let until = since[need - 1].max(content.started).plus(HEAR);
        (until > now).then_some(until)
    }

    /// A distrusted peer is believed again.
    pub(crate) fn trust_again(&mut self, peer: &PeerId, now: Time) {
        let Some(state) = self.peers.get(peer) else {
            return;
        };
        if state.distrusted_until > now {
            let at = state.distrusted_until;
            self.timers.arm(Timer::Trust(*peer), at);
            return;
        }
        if state.is_near() {
            for content in self.contents.values_mut() {
                content.count(peer, true);
            }
        }
    }

    /// Tells a new peer of connected members of its site, and them of it (M-22).
    fn introduce(&mut self, member: &Member, path: Path, out: &mut Vec<Action>) {
        if member.origin {
            return;
        }
        let mut others: Vec<(PeerId, Vec<Address>)> = self
            .peers
            .connected()
            .filter(|(id, peer)| {
                **id != member.peer
                    && !peer.member.origin
                    && !member.site.is_empty()
                    && peer.member.site == member.site
            })
            .map(|(id, peer)| (*id, peer.member.addresses.clone()))
            .collect();
        let most = if path == Path::Wan {
            INTRODUCED_MAX
        } else {
            INTRODUCED_NEAR_MAX
        };
        while others.len() > most {
            let index = self.rng.below(others.len() as u64);
            others.swap_remove(usize::try_from(index).unwrap_or(0));
        }
        // A member waits for a source's word, and "nobody" is one.
        if others.is_empty() && !(self.mode == Mode::Origin && path == Path::Wan) {
            return;
        }
        for (to, _) in &others {
            let one = vec![(member.peer, member.addresses.clone())];
            out.push(Action::Send {
                to: *to,
                message: Message::Introduce(one),
            });
        }
        out.push(Action::Send {
            to: member.peer,
            message: Message::Introduce(others),
        });
    }
}
