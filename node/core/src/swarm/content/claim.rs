//! Claims in the site: who said that it fetches which span over the WAN (S-15).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use patchmesh_content::geometry::SpanIndex;
use patchmesh_content::id::PeerId;

use crate::limits::{
    CLAIMS_MAX, CLAIMS_PASSED_ON_MAX, CLAIMS_PER_HOLDER_MAX, NEIGHBOURS_NAMED_MAX,
};
use crate::time::{Duration, Time};

/// A span this node fetches.
#[derive(Debug)]
pub(crate) struct Mine {
    pub(crate) span: SpanIndex,
    /// Whether the source served a chunk of it, so that it is really ours.
    pub(crate) confirmed: bool,
    /// No fetch before: lets a claim of higher rank arrive first.
    pub(crate) start: Time,
    /// Fetches in flight.
    pub(crate) flying: u32,
}

/// How long a claim that is renewed may make no progress.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Barren {
    /// Of a neighbour.
    pub(crate) heard: Duration,
    /// Of a member that others speak for, which need not even exist.
    pub(crate) passed_on: Duration,
}

/// Claims that are passed on may be renewed so often.
const PASS_ON_EVERY: Duration = Duration::secs(10);

/// Members remembered that passed on one claim: as many as neighbours, or an
/// inventor would hide behind those who believed it.
const BY_MAX: usize = NEIGHBOURS_NAMED_MAX;

/// A span another member fetches.
#[derive(Debug)]
struct Other {
    until: Time,
    /// Until when those that it was passed on to believe in it.
    passed_on: Time,
    /// Members that passed it on to here, the first first; none if it was
    /// heard from the holder.
    by: Vec<PeerId>,
    /// Whether a chunk of the span was seen since.
    moved: bool,
    /// Last time its holder announced a chunk of it.
    progress: Time,
}

impl Other {
    fn idle_at(&self, barren: Barren) -> Time {
        let heard = self.by.is_empty();
        let after = if heard {
            barren.heard
        } else {
            barren.passed_on
        };
        self.progress.plus(after)
    }

    /// One more member passed it on; or, with none, the holder itself said so,
    /// and answers for it from now on. Returns who passed it on first, if that
    /// counts no longer.
    fn hear_by(&mut self, by: Option<PeerId>) -> Option<PeerId> {
        match by {
            None => std::mem::take(&mut self.by).first().copied(),
            Some(by) => {
                let known = self.by.is_empty() || self.by.contains(&by);
                if !known && self.by.len() < BY_MAX {
                    self.by.push(by);
                }
                None
            }
        }
    }
}

/// What ended.
#[derive(Debug, Default)]
pub(crate) struct Expired {
    /// Whether there was anything.
    pub(crate) any: bool,
    /// Members that claimed, renewed, and fetched nothing.
    pub(crate) idle: BTreeSet<PeerId>,
    /// Members that passed on claims of which nothing came.
    pub(crate) unmoved: BTreeSet<PeerId>,
}

/// What a claim was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// One too many.
    Refused,
    /// Known.
    Known,
    /// One that others may want to hear.
    News,
}

/// The claims of one content.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) mine: Vec<Mine>,
    others: BTreeMap<(SpanIndex, PeerId), Other>,
    holders: BTreeMap<PeerId, BTreeSet<SpanIndex>>,
    /// Claims of others that each member passed on.
    passed_on: BTreeMap<PeerId, usize>,
}

impl Claims {
    pub(crate) fn own(&mut self, span: SpanIndex) -> Option<&mut Mine> {
        self.mine.iter_mut().find(|mine| mine.span == span)
    }

    /// Gives an own claim up; returns whether there was one.
    pub(crate) fn drop_own(&mut self, span: SpanIndex) -> bool {
        let before = self.mine.len();
        self.mine.retain(|mine| mine.span != span);
        self.mine.len() < before
    }

    /// Members that fetch over the WAN now, this node included.
    pub(crate) fn claimants(&self) -> usize {
        self.holders.len() + 1
    }

    /// Hears a claim, new or renewed; `by` passed it on, if not the holder.
    pub(crate) fn hear(
        &mut self,
        span: SpanIndex,
        (holder, by): (PeerId, Option<PeerId>),
        until: Time,
        now: Time,
    ) -> Heard {
        if let Some(other) = self.others.get_mut(&(span, holder)) {
            other.until = other.until.max(until);
            let first = other.hear_by(by);
            let is_news = until >= other.passed_on.plus(PASS_ON_EVERY);
            if is_news {
                other.passed_on = until;
            }
            self.one_less(first);
            return if is_news { Heard::News } else { Heard::Known };
        }
        let theirs = self.holders.get(&holder).map_or(0, BTreeSet::len);
        if self.others.len() >= CLAIMS_MAX || theirs >= CLAIMS_PER_HOLDER_MAX {
            return Heard::Refused;
        }
        if let Some(by) = by {
            let count = self.passed_on.entry(by).or_default();
            if *count >= CLAIMS_PASSED_ON_MAX {
                return Heard::Refused;
            }
            *count += 1;
        }
        let other = Other {
            until,
            passed_on: until,
            by: by.into_iter().collect(),
            moved: false,
            progress: now,
        };
        self.others.insert((span, holder), other);
        self.holders.entry(holder).or_default().insert(span);
        Heard::News
    }

    /// The holder announced a chunk of the span: that renews its claim.
    pub(crate) fn progress(&mut self, span: SpanIndex, holder: &PeerId, until: Time, now: Time) {
        if let Some(other) = self.others.get_mut(&(span, *holder)) {
            other.until = other.until.max(until);
            other.progress = now;
            other.moved = true;
        }
    }

    /// A chunk of the span reached a member: that renews the claims of those
    /// that `unheard` says can't announce it here themselves.
    pub(crate) fn progress_of(
        &mut self,
        span: SpanIndex,
        until: Time,
        now: Time,
        unheard: impl Fn(&PeerId) -> bool,
    ) {
        let others = self.others.range_mut(of(span));
        for (_, other) in others.filter(|((_, peer), _)| unheard(peer)) {
            other.until = other.until.max(until);
            other.progress = now;
            other.moved = true;
        }
    }

    /// The holder gave it back, or is done; returns whether there was a claim.
    pub(crate) fn end(&mut self, span: SpanIndex, holder: &PeerId) -> bool {
        if !self.remove(span, holder) {
            return false;
        }
        if let Some(spans) = self.holders.get_mut(holder) {
            spans.remove(&span);
            if spans.is_empty() {
                self.holders.remove(holder);
            }
        }
        true
    }

    /// The holder is gone; returns whether it had claims.
    pub(crate) fn end_all(&mut self, holder: &PeerId) -> bool {
        let Some(spans) = self.holders.remove(holder) else {
            return false;
        };
        for span in spans {
            self.remove(span, holder);
        }
        true
    }

    fn remove(&mut self, span: SpanIndex, holder: &PeerId) -> bool {
        let Some(other) = self.others.remove(&(span, *holder)) else {
            return false;
        };
        self.one_less(other.by.first().copied());
        true
    }

    /// One claim less that this member passed on first.
    fn one_less(&mut self, by: Option<PeerId>) {
        if let Some(by) = by
            && let Some(count) = self.passed_on.get_mut(&by)
        {
            *count -= 1;
            if *count == 0 {
                self.passed_on.remove(&by);
            }
        }
    }

    /// Ends what is past, and what made no progress for too long although it was
    /// renewed.
    pub(crate) fn expire(&mut self, now: Time, barren: Barren) -> Expired {
        let mut expired = Expired::default();
        let is_past = |other: &Other| other.until <= now || other.idle_at(barren) <= now;
        let past = self.others.iter().filter(|(_, other)| is_past(other));
        let past: Vec<(SpanIndex, PeerId)> = past.map(|(key, _)| *key).collect();
        for (span, peer) in past {
            let other = &self.others[&(span, peer)];
            if other.by.is_empty() && other.idle_at(barren) <= now {
                expired.idle.insert(peer);
            }
            // Who passes a claim on can't know whether it is true; but one that
            // never moved must not be followed by the next of the same kind.
            if !other.moved {
                expired.unmoved.extend(&other.by);
            }
            expired.any |= self.end(span, &peer);
        }
        expired
    }

    /// When `expire` may have something to do.
    pub(crate) fn next_end(&self, barren: Barren) -> Option<Time> {
        self.others
            .values()
            .map(|other| other.until.min(other.idle_at(barren)))
            .min()
    }

    /// Whether another member claims the span.
    pub(crate) fn is_claimed(&self, span: SpanIndex) -> bool {
        self.others.range(of(span)).next().is_some()
    }
}

/// The keys of one span.
fn of(span: SpanIndex) -> RangeInclusive<(SpanIndex, PeerId)> {
    (span, PeerId([0; 32]))..=(span, PeerId([255; 32]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u8) -> PeerId {
        PeerId([n; 32])
    }

    fn at(secs: u64) -> Time {
        Time(secs * 1_000_000)
    }

    const BARREN: Barren = Barren {
        heard: Duration::secs(30),
        passed_on: Duration::secs(30),
    };

    /// S-15.
    #[test]
    fn who_passed_on_a_claim_of_which_nothing_came_is_named_with_all_others_who_did() {
        let mut claims = Claims::default();
        let (span, holder) = (SpanIndex(1), peer(9));
        let hear = |claims: &mut Claims, by, until| claims.hear(span, (holder, by), until, at(0));
        assert_eq!(hear(&mut claims, Some(peer(1)), at(15)), Heard::News);
        assert_eq!(hear(&mut claims, Some(peer(2)), at(15)), Heard::Known);
        // Renewed by enough to be worth telling others.
        assert_eq!(hear(&mut claims, Some(peer(1)), at(25)), Heard::News);
        let expired = claims.expire(at(25), BARREN);
        assert!(expired.any && expired.idle.is_empty());
        assert_eq!(expired.unmoved, BTreeSet::from([peer(1), peer(2)]));
        assert!(claims.passed_on.is_empty() && claims.holders.is_empty());
    }

    #[test]
    fn a_holder_that_becomes_a_neighbour_answers_for_its_claim_itself() {
        let mut claims = Claims::default();
        let (span, holder) = (SpanIndex(1), peer(9));
        claims.hear(span, (holder, Some(peer(1))), at(15), at(0));
        claims.hear(span, (holder, None), at(60), at(1));
        assert!(claims.passed_on.is_empty());
        // What others pass on afterwards is not theirs to answer for.
        claims.hear(span, (holder, Some(peer(2))), at(60), at(2));
        let expired = claims.expire(at(30), BARREN);
        assert_eq!(expired.idle, BTreeSet::from([holder]));
        assert!(expired.unmoved.is_empty());
    }

    #[test]
    fn one_member_passes_on_so_many_claims_and_no_more() {
        let mut claims = Claims::default();
        let told = |claims: &mut Claims, n: usize| {
            let span = SpanIndex(u32::try_from(n).unwrap());
            let holder = PeerId([u8::try_from(n / 8).unwrap(); 32]);
            claims.hear(span, (holder, Some(peer(200))), at(15), at(0))
        };
        for n in 0..CLAIMS_PASSED_ON_MAX {
            assert_eq!(told(&mut claims, n), Heard::News);
        }
        assert_eq!(told(&mut claims, CLAIMS_PASSED_ON_MAX), Heard::Refused);
        // What ends makes room.
        claims.expire(at(15), BARREN);
        assert_eq!(told(&mut claims, 0), Heard::News);
    }
}
