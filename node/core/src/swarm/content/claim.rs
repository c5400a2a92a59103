//! Claims in the site: who said that it fetches which span over the WAN (S-15).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use patchmesh_content::geometry::SpanIndex;
use patchmesh_content::id::PeerId;

use crate::limits::{CLAIMS_MAX, CLAIMS_PER_HOLDER_MAX};
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

/// A span another member fetches.
#[derive(Debug)]
struct Other {
    until: Time,
    /// Last time its holder announced a chunk of it.
    progress: Time,
}

/// The claims of one content.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) mine: Vec<Mine>,
    others: BTreeMap<(SpanIndex, PeerId), Other>,
    holders: BTreeMap<PeerId, BTreeSet<SpanIndex>>,
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

    /// Hears a claim, new or renewed; returns whether it counts.
    pub(crate) fn hear(&mut self, span: SpanIndex, holder: PeerId, until: Time, now: Time) -> bool {
        if let Some(other) = self.others.get_mut(&(span, holder)) {
            other.until = other.until.max(until);
            return true;
        }
        let theirs = self.holders.get(&holder).map_or(0, BTreeSet::len);
        if self.others.len() >= CLAIMS_MAX || theirs >= CLAIMS_PER_HOLDER_MAX {
            return false;
        }
        let progress = now;
        self.others
            .insert((span, holder), Other { until, progress });
        self.holders.entry(holder).or_default().insert(span);
        true
    }

    /// The holder announced a chunk of the span: that renews its claim.
    pub(crate) fn progress(&mut self, span: SpanIndex, holder: &PeerId, until: Time, now: Time) {
        if let Some(other) = self.others.get_mut(&(span, *holder)) {
            other.until = other.until.max(until);
            other.progress = now;
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
        }
    }

    /// The holder gave it back, or is done; returns whether there was a claim.
    pub(crate) fn end(&mut self, span: SpanIndex, holder: &PeerId) -> bool {
        if self.others.remove(&(span, *holder)).is_none() {
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
            self.others.remove(&(span, *holder));
        }
        true
    }

    /// Ends what is past; returns members whose claims made no progress for
    /// `barren` although renewed, and whether anything ended.
    pub(crate) fn expire(&mut self, now: Time, barren: Duration) -> (Vec<PeerId>, bool) {
        let past: Vec<(SpanIndex, PeerId, bool)> = self
            .others
            .iter()
            .map(|(&(span, peer), other)| {
                let idle = other.progress.plus(barren) <= now;
                (span, peer, idle, other.until <= now)
            })
            .filter(|&(_, _, idle, ended)| idle || ended)
            .map(|(span, peer, idle, _)| (span, peer, idle))
            .collect();
        for (span, peer, _) in &past {
            self.end(*span, peer);
        }
        let any = !past.is_empty();
        let mut idle: Vec<PeerId> = past.iter().filter(|p| p.2).map(|p| p.1).collect();
        idle.dedup();
        (idle, any)
    }

    /// When `expire` may have something to do.
    pub(crate) fn next_end(&self, barren: Duration) -> Option<Time> {
        self.others
            .values()
            .map(|other| other.until.min(other.progress.plus(barren)))
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
