//! What members tell each other: bitfields, claims and interests.

use patchmesh_content::geometry::{ChunkIndex, HAVE_WORD_CHUNKS, SpanIndex};
use patchmesh_content::id::{ContentId, PeerId};

use crate::limits::{CONTENTS_MAX, HAVE_BATCH_MAX};
use crate::message::Message;
use crate::output::Source;
use crate::peer::Path;
use crate::swarm::action::Action;
use crate::swarm::content::claim::{Barren, Heard};
use crate::swarm::content::have;
use crate::swarm::content::state::{CLAIM_LEAST, CLAIM_MOST};
use crate::swarm::machine::Swarm;
use crate::swarm::site::Peer;
use crate::swarm::timer::Timer;
use crate::time::{Duration, Time};

/// Have deltas wait so long for company.
const BATCH: Duration = Duration::millis(250);
/// All that is held is sent to one peer at most so often.
const FULL_EVERY: Duration = Duration::secs(1);

impl Swarm {
    /// A message of an admitted peer.
    pub(crate) fn message(
        &mut self,
        from: PeerId,
        message: Message,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(peer) = self.peers.get(&from).filter(|peer| peer.connected) else {
            return;
        };
        let (holder, member) = (peer.is_holder(now), peer.is_member());
        match message {
            Message::Have {
                content,
                all,
                words,
            } => {
                if peer.path == Path::Wan && !peer.is_source() {
                    return self.hear_arrivals(&from, &content, (all, &words), now);
                }
                if member {
                    self.join(&content, from, now);
                }
                if let Some(state) = self.contents.get_mut(&content) {
                    let gained = state.hear_have(from, holder, (all, &words), now);
                    self.take_back(&content, &gained);
                }
            }
            Message::Claim {
                holder,
                content,
                span,
                duration,
            } if member => {
                let holder = holder.unwrap_or(from);
                self.hear_claim((from, holder), (&content, span, duration), now, out);
            }
            Message::Interest { content } => self.interest(from, content, now, out),
            Message::Introduce(list) => self.introduced(&from, &list, now),
            Message::Release { content, span } => self.hear_release(&from, &content, span),
            Message::Alarm { .. }
            | Message::Claim { .. }
            | Message::Digest { .. }
            | Message::Head(_)
            | Message::Cosignature(_)
            | Message::Cosigned { .. }
            | Message::Mark(_)
            | Message::Stop(_) => {}
        }
    }

    /// A member of another site says what it got here (S-17).
    fn hear_arrivals(
        &mut self,
        from: &PeerId,
        content: &ContentId,
        (all, words): (bool, &[(u32, u64)]),
        now: Time,
    ) {
        let Some(site) = self.site_key(from) else {
            return;
        };
        let has = |chunk: ChunkIndex| {
            let mut words = words.iter();
            all || words.any(|(index, bits)| {
                *index == chunk.0 / HAVE_WORD_CHUNKS
                    && bits >> (chunk.0 % HAVE_WORD_CHUNKS) & 1 == 1
            })
        };
        self.grants.arrived((&site, *from), content, has, now);
    }

    /// A chunk is held now: tell the members, at once if it came over the WAN.
    pub(crate) fn announce(
        &mut self,
        (id, chunk): (&ContentId, ChunkIndex),
        at_once: bool,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        if content.pending.note(chunk) >= HAVE_BATCH_MAX || at_once {
            self.flush(id, out);
        } else {
            self.timers.arm(Timer::Have, now.plus(BATCH));
        }
    }

    /// Sends the unsaid changes of one content.
    pub(crate) fn flush(&mut self, id: &ContentId, out: &mut Vec<Action>) {
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        if content.pending.is_empty() {
            return;
        }
        let messages = content.pending.take(*id, content.chunks.held());
        for (to, peer) in self.peers.connected() {
            if peer.interests.contains_key(id) {
                for message in messages.iter().cloned() {
                    out.push(Action::Send { to: *to, message });
                }
            }
        }
    }

    /// Sends the unsaid changes of all contents.
    pub(crate) fn flush_all(&mut self, out: &mut Vec<Action>) {
        let ids: Vec<ContentId> = self
            .contents
            .iter()
            .filter(|(_, content)| !content.pending.is_empty())
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.flush(&id, out);
        }
    }

    /// Tells the members of a content something.
    pub(crate) fn tell(&self, id: &ContentId, message: &Message, out: &mut Vec<Action>) {
        let Some(content) = self.contents.get(id) else {
            return;
        };
        for to in &content.members {
            out.push(Action::Send {
                to: *to,
                message: message.clone(),
            });
        }
    }

    /// Ends claims of others that are past.
    pub(crate) fn end_claims(&mut self, id: &ContentId, now: Time, out: &mut Vec<Action>) {
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        let patience = content.window.patience(CLAIM_LEAST, CLAIM_MOST);
        // On a line of unknown rate a chunk takes as long as many that share it.
        let times = if content.window.rate().is_some() {
            2
        } else {
            4
        };
        let barren = Barren {
            heard: Duration(times * patience.0),
            passed_on: Duration(2 * patience.0),
        };
        let expired = content.claims.expire(now, barren);
        content.rescan |= expired.any;
        if let Some(at) = content.claims.next_end(barren) {
            self.timers.arm(Timer::Claims(*id), at);
        }
        for peer in expired.unmoved {
            if let Some(state) = self.peers.get_mut(&peer) {
                state.note_unmoved(now);
            }
        }
        for peer in expired.idle {
            if let Some(state) = self.peers.get_mut(&peer) {
                state.note_barren(now);
                let code = "ClaimWithoutProgress";
                out.push(Action::Scored { peer, code });
            }
        }
    }

    /// A peer wants to know what is held of a content, now and from now on.
    fn interest(&mut self, from: PeerId, id: ContentId, now: Time, out: &mut Vec<Action>) {
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        let last = peer.interests.get(&id).copied();
        if last.is_some_and(|at| now.since(at) < FULL_EVERY) {
            return;
        }
        if last.is_none() && peer.interests.len() >= CONTENTS_MAX {
            return;
        }
        peer.interests.insert(id, now);
        let member = peer.is_member();
        if member {
            self.join(&id, from, now);
        }
        let Some(content) = self.contents.get_mut(&id) else {
            return;
        };
        for message in have::full(id, content.chunks.held()) {
            out.push(Action::Send { to: from, message });
        }
        if member {
            let duration = content.window.patience(CLAIM_LEAST, CLAIM_MOST);
            for mine in &content.claims.mine {
                let message = Message::Claim {
                    holder: None,
                    content: id,
                    span: mine.span,
                    duration,
                };
                out.push(Action::Send { to: from, message });
            }
        }
    }

    /// A member says that it, or another, fetches a span.
    fn hear_claim(
        &mut self,
        (from, holder): (PeerId, PeerId),
        (id, span, duration): (&ContentId, SpanIndex, Duration),
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let by = (holder != from).then_some(from);
        let is_heeded = |peer: &Peer| {
            peer.barren_until <= now && (by.is_none() || peer.hearsay_off_until <= now)
        };
        if holder == self.me || !self.peers.get(&from).is_some_and(is_heeded) {
            return;
        }
        let leased = self.peers.connected().any(|(_, peer)| peer.is_source());
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        // A neighbour speaks for itself.
        if by.is_some() && content.members.contains(&holder)
            || span.chunks(content.chunks.count()).next().is_none()
        {
            return;
        }
        let most = match by {
            None => CLAIM_MOST,
            Some(_) => content.window.patience(CLAIM_LEAST, CLAIM_MOST),
        };
        let until = now.plus(duration.min(most));
        let heard = content.claims.hear(span, (holder, by), until, now);
        if heard == Heard::Refused {
            return;
        }
        self.timers.arm(Timer::Claims(*id), until);
        // A Patchmesh source decides by its lease who goes on; an HTTP origin
        // would deliver twice.
        if heard == Heard::News && !leased {
            self.pass_on((from, holder), (id, span, until.since(now)), out);
        }
        self.yield_to(&holder, (id, span), leased, out);
    }

    /// Tells neighbours of a claim that its holder can't tell them itself.
    fn pass_on(
        &self,
        (from, holder): (PeerId, PeerId),
        (id, span, duration): (&ContentId, SpanIndex, Duration),
        out: &mut Vec<Action>,
    ) {
        let Some(content) = self.contents.get(id) else {
            return;
        };
        for to in content
            .members
            .iter()
            .filter(|to| **to != from && **to != holder)
        {
            let message = Message::Claim {
                holder: Some(holder),
                content: *id,
                span,
                duration,
            };
            out.push(Action::Send { to: *to, message });
        }
    }

    /// Of two members that claim one span, the one that ranks first goes on.
    fn yield_to(
        &mut self,
        holder: &PeerId,
        (id, span): (&ContentId, SpanIndex),
        leased: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        let duty = content.duty.as_ref();
        let before = duty.is_some_and(|duty| duty.precedes(span, holder));
        let Some(mine) = content.claims.own(span).filter(|_| before) else {
            return;
        };
        let unstarted = mine.flying == 0 && !mine.confirmed;
        let fetches = self.fetches.select(|fetch| {
            fetch.content == *id && fetch.chunk.span() == span && fetch.source == Source::Origin
        });
        if !leased || unstarted || !fetches.is_empty() {
            for fetch in fetches {
                self.cancel(fetch, out);
            }
            self.release(id, span, out);
        }
    }

    fn hear_release(&mut self, from: &PeerId, id: &ContentId, span: SpanIndex) {
        let wan = self.peers.get(from).is_some_and(|p| p.path == Path::Wan);
        if wan && let Some(site) = self.site_key(from) {
            self.grants.release(&site, id, span, from);
        }
        if let Some(content) = self.contents.get_mut(id)
            && content.claims.end(span, from)
        {
            content.rescan = true;
        }
    }
}
