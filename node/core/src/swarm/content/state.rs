//! Everything known of one content, and the changes that touch several parts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::{ChunkIndex, SpanIndex, spans};
use patchmesh_content::id::{ContentId, PeerId};

use crate::limits::{CLAIMS_OPEN_MAX, CLAIMS_OWN_MAX, UNCONFIRMED_FETCHES_MAX};
use crate::swarm::content::chunks::Chunks;
use crate::swarm::content::claim::Claims;
use crate::swarm::content::duty::Duty;
use crate::swarm::content::have::{Pending, View, Views, all_words};
use crate::swarm::content::window::Window;
use crate::swarm::event::Elsewhere;
use crate::time::{Duration, Time};

/// A claim lives at least this long without a sign of progress.
pub(crate) const CLAIM_LEAST: Duration = Duration::secs(15);
/// And at most this long.
pub(crate) const CLAIM_MOST: Duration = Duration::secs(120);
/// A holder that was tried in vain over this time counts as unreachable.
pub(crate) const UNREACHABLE: Duration = Duration::secs(5);
/// Idle spans of others that are looked at for one to take over.
const STEAL_LOOK_MAX: usize = 64;

/// A span that a source declined because of another member.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) first: Time,
    pub(crate) last: Time,
    pub(crate) holders: Vec<PeerId>,
}

/// One content.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) id: ContentId,
    pub(crate) chunks: Chunks,
    pub(crate) views: Views,
    /// Connected members of the site that work with it.
    pub(crate) members: BTreeSet<PeerId>,
    /// Present while something is missing.
    pub(crate) duty: Option<Duty>,
    pub(crate) claims: Claims,
    pub(crate) window: Window,
    pub(crate) pending: Pending,
    /// When it was wanted first.
    pub(crate) started: Time,
    /// Whether a look for a span to claim may find one.
    pub(crate) rescan: bool,
    /// Not to be asked for before.
    pub(crate) span_off: BTreeMap<SpanIndex, Time>,
    pub(crate) chunk_off: BTreeMap<ChunkIndex, Time>,
    pub(crate) denied: BTreeMap<SpanIndex, Denied>,
    me: (PeerId, u32),
}

impl Content {
    /// `me` is this node and its weight.
    pub(crate) fn new(
        id: ContentId,
        (lens, held): (Arc<[u32]>, Bitfield),
        wanted: bool,
        me: (PeerId, u32),
        (salt, now): (u32, Time),
    ) -> Self {
        let mut content = Self {
            id,
            chunks: Chunks::new(lens, held, wanted, salt),
            views: Views::default(),
            members: BTreeSet::new(),
            duty: None,
            claims: Claims::default(),
            window: Window::default(),
            pending: Pending::default(),
            started: now,
            rescan: true,
            span_off: BTreeMap::new(),
            chunk_off: BTreeMap::new(),
            denied: BTreeMap::new(),
            me,
        };
        content.activate();
        content
    }

    /// Whether something is missing and wanted.
    pub(crate) fn is_active(&self) -> bool {
        self.chunks.is_wanted() && !self.chunks.is_complete()
    }

    /// Computes the duties while they matter, and forgets them after.
    pub(crate) fn activate(&mut self) {
        self.rescan = true;
        if !self.is_active() {
            self.duty = None;
            self.span_off.clear();
            self.chunk_off.clear();
            self.denied.clear();
            self.chunks.defer(Elsewhere::new());
            self.window.alone();
        } else if self.duty.is_none() {
            let (me, weight) = self.me;
            let mut duty = Duty::new(self.id, spans(self.chunks.count()), me, weight);
            for peer in &self.members {
                duty.join(*peer, 1);
            }
            self.duty = Some(duty);
        }
    }

    /// Members beside this node that share the work.
    pub(crate) fn others(&self) -> usize {
        self.members.len()
    }

    /// A member works with this content; returns whether that is new.
    pub(crate) fn join(&mut self, peer: PeerId) -> bool {
        if !self.members.insert(peer) {
            return false;
        }
        if let Some(duty) = &mut self.duty {
            duty.join(peer, 1);
        }
        self.rescan = true;
        true
    }

    /// A peer is gone: its bitfield, claims and duty too. Returns whether it
    /// was a member.
    pub(crate) fn leave(&mut self, peer: &PeerId) -> bool {
        self.count(peer, false);
        self.views.0.remove(peer);
        self.claims.end_all(peer);
        if let Some(duty) = &mut self.duty {
            duty.leave(peer);
        }
        let was = self.members.remove(peer);
        if self.members.is_empty() {
            self.window.alone();
        }
        self.rescan = true;
        was
    }

    /// Counts a peer as a holder in reach, or no longer.
    pub(crate) fn count(&mut self, peer: &PeerId, counted: bool) {
        let Some(view) = self.views.0.get_mut(peer) else {
            return;
        };
        if view.counted == counted {
            return;
        }
        view.counted = counted;
        for chunk in view.bits.iter() {
            if counted {
                self.chunks.holder_added(chunk);
            } else {
                self.chunks.holder_removed(chunk);
            }
        }
        self.rescan = true;
    }

    /// Takes a peer's Have; returns which chunks it counts as a holder of now.
    pub(crate) fn hear_have(
        &mut self,
        peer: PeerId,
        counted: bool,
        (all, words): (bool, &[(u32, u64)]),
        now: Time,
    ) -> Vec<ChunkIndex> {
        let fresh = View {
            bits: Bitfield::empty(self.chunks.count()),
            counted,
        };
        let change = if all {
            let words = all_words(&fresh.bits);
            self.views.update(peer, fresh, &words)
        } else {
            self.views.update(peer, fresh, words)
        };
        if !self.views.0.get(&peer).is_some_and(|view| view.counted) {
            return Vec::new();
        }
        for &chunk in &change.lost {
            self.chunks.holder_removed(chunk);
            self.rescan = true;
        }
        let until = now.plus(CLAIM_LEAST);
        for &chunk in &change.gained {
            self.chunks.holder_added(chunk);
            self.window.doubled(chunk, now);
            self.claims.progress(chunk.span(), &peer, until, now);
            self.claims.progress_of(chunk.span(), until, now, |holder| {
                !self.members.contains(holder)
            });
            self.denied.remove(&chunk.span());
        }
        change.gained
    }

    /// A peer turned out not to hold a chunk it announced.
    pub(crate) fn unhold(&mut self, peer: &PeerId, chunk: ChunkIndex) {
        if let Some(view) = self.views.0.get_mut(peer)
            && view.bits.remove(chunk)
            && view.counted
        {
            self.chunks.holder_removed(chunk);
            self.rescan = true;
        }
    }

    /// The next chunk to fetch over the WAN in an own claim.
    pub(crate) fn next_own(&self, now: Time) -> Option<(SpanIndex, ChunkIndex)> {
        self.claims
            .mine
            .iter()
            .filter(|mine| mine.start <= now)
            .filter(|mine| mine.confirmed || mine.flying < UNCONFIRMED_FETCHES_MAX)
            .filter(|mine| self.chunks.open_in(mine.span) > 0)
            .find_map(|mine| Some((mine.span, self.next_in(mine.span, now)?)))
    }

    /// Whether one more claim is within the bounds.
    pub(crate) fn may_claim(&self) -> bool {
        let open = self.claims.mine.iter().filter(|m| !m.confirmed).count();
        self.rescan && self.claims.mine.len() < CLAIMS_OWN_MAX && open < CLAIMS_OPEN_MAX
    }

    /// A span to claim: an own one, or one that its member has not begun; and
    /// how many members rank before this node for it.
    pub(crate) fn next_claim(&self, now: Time) -> Option<(SpanIndex, usize)> {
        let duty = self.duty.as_ref()?;
        if let Some(span) = duty.mine().find(|span| self.is_free(*span, now)) {
            return Some((span, 0));
        }
        // The member that ranks first begins with the spans it ranks highest
        // for: help at the other end, where it is about to come last.
        let idle = (0..spans(self.chunks.count())).map(SpanIndex);
        idle.filter(|span| self.is_free(*span, now))
            .take(STEAL_LOOK_MAX)
            .map(|span| (duty.position(span), duty.first(span), span))
            .min()
            .map(|(position, _, span)| (span, position))
    }

    /// When something put off may be asked for again, after `now`.
    pub(crate) fn next_off(&self, now: Time) -> Option<Time> {
        let starts = self.claims.mine.iter().map(|mine| mine.start);
        let spans = self.span_off.values().copied();
        let chunks = self.chunk_off.values().copied();
        // A claim that has started must not hide a delay that is still to end.
        let ends = starts.chain(spans).chain(chunks);
        ends.filter(|at| *at > now).min()
    }

    /// Forgets delays that are over.
    pub(crate) fn end_delays(&mut self, now: Time) {
        self.span_off.retain(|_, at| *at > now);
        self.chunk_off.retain(|_, at| *at > now);
        self.rescan = true;
    }

    /// A source named these holders; `first` is when they count as tried from.
    pub(crate) fn deny(&mut self, span: SpanIndex, holders: Vec<PeerId>, first: Time, now: Time) {
        let known = self.denied.get_mut(&span);
        if let Some(denied) =
            known.filter(|denied| holders.iter().all(|h| denied.holders.contains(h)))
        {
            denied.last = now;
        } else {
            let last = now;
            let denied = Denied {
                first,
                last,
                holders,
            };
            self.denied.insert(span, denied);
        }
    }

    fn is_free(&self, span: SpanIndex, now: Time) -> bool {
        self.chunks.open_in(span) > 0
            && self.span_off.get(&span).is_none_or(|at| *at <= now)
            && !self.claims.mine.iter().any(|mine| mine.span == span)
            && !self.claims.is_claimed(span)
            && self.next_in(span, now).is_some()
    }

    fn next_in(&self, span: SpanIndex, now: Time) -> Option<ChunkIndex> {
        span.chunks(self.chunks.count()).find(|chunk| {
            self.chunks.is_open(*chunk) && self.chunk_off.get(chunk).is_none_or(|at| *at <= now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::content::claim::Mine;

    /// Hidden by it, the only span that is left would never be asked for again.
    #[test]
    fn a_claim_that_has_started_does_not_hide_a_delay_that_is_to_end() {
        let lens: Arc<[u32]> = vec![1; 32].into();
        let me = (PeerId([1; 32]), 1);
        let held = (lens, Bitfield::empty(32));
        let mut content = Content::new(ContentId([2; 32]), held, true, me, (0, Time(0)));
        content.claims.mine.push(Mine {
            span: SpanIndex(0),
            confirmed: false,
            start: Time(5),
            flying: 0,
        });
        content.span_off.insert(SpanIndex(1), Time(20));
        assert_eq!(content.next_off(Time(0)), Some(Time(5)));
        assert_eq!(content.next_off(Time(5)), Some(Time(20)));
        assert_eq!(content.next_off(Time(20)), None);
    }
}
