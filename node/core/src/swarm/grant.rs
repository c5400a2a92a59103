//! Leases at a source: safety where the members of a site don't know each
//! other yet. One member of a site gets a span; the others are told who (S-17).

use std::collections::BTreeMap;

use patchmesh_content::geometry::{ChunkIndex, DUTY_SPAN_CHUNKS, SpanIndex};
use patchmesh_content::id::{ContentId, PeerId};

use crate::limits::{LEASE_PARTS_MAX, LEASES_PER_SITE_MAX, TOLD_MAX};
use crate::message::DeclineReason;
use crate::time::{Duration, Time};

/// A lease ends after so long in which nothing was asked for or arrived.
const LEASE: Duration = Duration::secs(15);
/// A chunk under way keeps its lease alive for eight times as long as chunks to
/// this site take, at most for this long: sixteen of the largest share a line of
/// 64 kbit/s for nine minutes.
pub(crate) const SERVE_MOST: Duration = Duration::secs(900);
/// When to ask again for a span that another member is fetching.
const RETRY_LEASED: Duration = Duration::secs(1);
/// When to ask again for a chunk that another member got.
const RETRY_HELD: Duration = Duration::secs(2);
/// Holders named in one decline.
const NAMED_MAX: usize = 3;
/// When to ask again where a site has too many leases.
const RETRY_BUSY: Duration = Duration::millis(500);

/// Who shares leases: a site, or a peer outside all sites by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SiteKey {
    /// A named site.
    Name(String),
    /// A peer without site.
    Peer(PeerId),
}

/// A request over the WAN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) content: ContentId,
    pub(crate) chunk: ChunkIndex,
    /// Chunks of the content; `chunk` is one of them.
    pub(crate) chunks: u32,
    pub(crate) from: PeerId,
    pub(crate) unreachable: bool,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No; ask the holders, three at most.
    Decline {
        reason: DeclineReason,
        holders: Vec<PeerId>,
        retry_after: Duration,
    },
    /// Yes; whether it is a further copy for a part of the site.
    Serve { split: bool },
}

/// Holders that an asker of a span is remembered to know: one for each chunk,
/// and those of the lease.
const TOLD_NAMES_MAX: usize = DUTY_SPAN_CHUNKS as usize + LEASE_PARTS_MAX;

#[derive(Debug)]
struct Holder {
    peer: PeerId,
    /// Last request or arrival.
    active: Time,
}

/// A lease; several holders only where a site is split.
#[derive(Debug, Default)]
struct Lease {
    holders: Vec<Holder>,
    split: bool,
}

/// What one site got of one content.
#[derive(Debug, Default)]
struct Served {
    /// Connected peers that got chunks; `None` may be used anew.
    slots: Vec<Option<PeerId>>,
    /// Slot + 1 of the last peer that got a chunk; 0 = none.
    chunks: Vec<u16>,
    /// On their way since when: until the member says that it has the chunk, since
    /// what was sent may lie in buffers for minutes.
    flying: BTreeMap<(ChunkIndex, PeerId), Time>,
    /// Smoothed time that a chunk takes in microseconds; 0 = not measured.
    pace: u64,
    leases: BTreeMap<SpanIndex, Lease>,
    /// The holders named to an asker of a span.
    told: BTreeMap<(SpanIndex, PeerId), Vec<PeerId>>,
}

/// The leases of a source.
#[derive(Debug, Default)]
pub(crate) struct Grants(BTreeMap<SiteKey, BTreeMap<ContentId, Served>>);

impl Grants {
    /// Decides about a request for a chunk that is held here.
    pub(crate) fn ask(&mut self, site: &SiteKey, ask: Ask, now: Time) -> Verdict {
        let contents = self.0.entry(site.clone()).or_default();
        let leases: usize = contents.values().map(|served| served.leases.len()).sum();
        let served = contents.entry(ask.content).or_default();
        served.chunks.resize(ask.chunks as usize, 0);
        served.ask(ask, leases, now)
    }

    /// A serve broke off.
    pub(crate) fn failed(&mut self, site: &SiteKey, ask: Ask, now: Time) {
        if let Some(served) = self.0.get_mut(site).and_then(|c| c.get_mut(&ask.content)) {
            served.lost(ask.chunk, ask.from);
            served.touch(ask.chunk.span(), &ask.from, now);
        }
    }

    /// A member says what it has: chunks that were on their way to it arrived.
    pub(crate) fn arrived(
        &mut self,
        (site, from): (&SiteKey, PeerId),
        content: &ContentId,
        has: impl Fn(ChunkIndex) -> bool,
        now: Time,
    ) {
        let Some(served) = self.0.get_mut(site).and_then(|c| c.get_mut(content)) else {
            return;
        };
        let flying = served.flying.keys();
        let there = flying.filter(|(chunk, to)| *to == from && has(*chunk));
        let there: Vec<ChunkIndex> = there.map(|(chunk, _)| *chunk).collect();
        for chunk in there {
            served.arrive(chunk, from, now);
        }
    }

    /// A holder gives a lease back.
    pub(crate) fn release(
        &mut self,
        site: &SiteKey,
        content: &ContentId,
        span: SpanIndex,
        peer: &PeerId,
    ) {
        if let Some(served) = self.0.get_mut(site).and_then(|c| c.get_mut(content)) {
            served.give_back(span, peer);
        }
    }

    /// A peer's connection is closed: its leases end, and what it got may be
    /// got by others.
    pub(crate) fn peer_down(&mut self, site: &SiteKey, peer: &PeerId) {
        let Some(contents) = self.0.get_mut(site) else {
            return;
        };
        contents.retain(|_, served| {
            served.forget(peer);
            served.slots.iter().any(Option::is_some) || !served.leases.is_empty()
        });
        if contents.is_empty() {
            self.0.remove(site);
        }
    }

    /// A content is forgotten.
    pub(crate) fn remove(&mut self, content: &ContentId) {
        for contents in self.0.values_mut() {
            contents.remove(content);
        }
    }

    /// Live leases per site, content and span with their holders; for checks.
    #[cfg(test)]
    pub(crate) fn live(&self, now: Time) -> Vec<(SiteKey, ContentId, SpanIndex, usize, bool)> {
        let mut all = Vec::new();
        for (site, contents) in &self.0 {
            for (content, served) in contents {
                for (span, lease) in &served.leases {
                    let holders = lease.holders.iter();
                    let live = holders.filter(|h| served.is_live(*span, h, now)).count();
                    all.push((site.clone(), *content, *span, live, lease.split));
                }
            }
        }
        all
    }
}

impl Served {
    fn ask(&mut self, ask: Ask, in_site: usize, now: Time) -> Verdict {
        let span = ask.chunk.span();
        self.let_lapse(span, now);
        let (leased, names) = self.others(ask);
        if !names.is_empty() {
            // Who asks as unreachable must mean all holders: a member of its
            // own part may have got a lease since it was told (S-18).
            let told = self.told.get(&(span, ask.from));
            let knows = told.is_some_and(|told| names.iter().all(|name| told.contains(name)));
            if !(ask.unreachable && knows) {
                self.tell(span, ask.from, &names);
                return if leased {
                    decline(DeclineReason::Leased, names, RETRY_LEASED)
                } else {
                    decline(DeclineReason::HeldBySite, names, RETRY_HELD)
                };
            }
        }
        let fresh = self.leases.get(&span).is_none_or(|l| l.holders.is_empty());
        if fresh && in_site >= LEASES_PER_SITE_MAX {
            let spans: Vec<SpanIndex> = self.leases.keys().copied().collect();
            for span in spans {
                self.let_lapse(span, now);
            }
            self.leases.retain(|_, lease| !lease.holders.is_empty());
            return decline(DeclineReason::Busy, Vec::new(), RETRY_BUSY);
        }
        self.grant(ask, !names.is_empty(), now)
    }

    /// Members of the site, other than the asker, that hold the lease of the
    /// span or got the chunk; and whether the chunk is still on its way.
    fn others(&self, ask: Ask) -> (bool, Vec<PeerId>) {
        let lease = self.leases.get(&ask.chunk.span());
        let holders = lease.map_or(&[][..], |lease| &lease.holders);
        let mine = holders.iter().any(|holder| holder.peer == ask.from);
        let mut names: Vec<PeerId> = Vec::new();
        if !mine {
            names.extend(holders.iter().rev().take(NAMED_MAX).map(|h| h.peer));
        }
        let owner = self.holder(ask.chunk).filter(|peer| *peer != ask.from);
        // The holder of a further lease of a split site fetches all of it.
        let split = mine && lease.is_some_and(|lease| lease.split);
        let flying = owner.is_some_and(|peer| self.flying.contains_key(&(ask.chunk, peer)));
        let leased = !names.is_empty() || flying;
        if let Some(owner) = owner.filter(|owner| !split && !names.contains(owner)) {
            names.truncate(NAMED_MAX - 1);
            names.push(owner);
        }
        (leased, names)
    }

    fn tell(&mut self, span: SpanIndex, asker: PeerId, names: &[PeerId]) {
        if self.told.len() >= TOLD_MAX {
            self.told.clear();
        }
        // Chunks of one span may have different holders: who is told of one
        // still knows the other, or would have to be told again for ever.
        let told = self.told.entry((span, asker)).or_default();
        for name in names {
            if !told.contains(name) {
                told.push(*name);
            }
        }
        let over = told.len().saturating_sub(TOLD_NAMES_MAX);
        told.drain(..over);
    }

    fn grant(&mut self, ask: Ask, second: bool, now: Time) -> Verdict {
        let Some(slot) = self.slot(ask.from) else {
            return decline(DeclineReason::Busy, Vec::new(), RETRY_BUSY);
        };
        let lease = self.leases.entry(ask.chunk.span()).or_default();
        lease.split |= second;
        if !lease.holders.iter().any(|h| h.peer == ask.from) {
            if lease.holders.len() >= LEASE_PARTS_MAX {
                return decline(DeclineReason::Busy, Vec::new(), RETRY_BUSY);
            }
            lease.holders.push(Holder {
                peer: ask.from,
                active: now,
            });
        }
        self.touch(ask.chunk.span(), &ask.from, now);
        // The first that got a chunk stays the one that is named.
        if self.holder(ask.chunk).is_none() {
            self.chunks[ask.chunk.0 as usize] = slot;
        }
        self.flying.insert((ask.chunk, ask.from), now);
        Verdict::Serve { split: second }
    }

    /// A chunk is with the member that it was sent to.
    fn arrive(&mut self, chunk: ChunkIndex, peer: PeerId, now: Time) {
        let Some(since) = self.flying.remove(&(chunk, peer)) else {
            return;
        };
        let took = now.since(since).0.max(1);
        self.pace = if self.pace == 0 {
            took
        } else {
            (self.pace * 7 + took) / 8
        };
        let span = chunk.span();
        self.touch(span, &peer, now);
        let chunks = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        let done = span.chunks(chunks).all(|chunk| {
            self.holder(chunk)
                .is_some_and(|peer| !self.flying.contains_key(&(chunk, peer)))
        });
        if done && self.leases.get(&span).is_some_and(|lease| !lease.split) {
            self.leases.remove(&span);
        }
    }

    /// A chunk will not come to the member that it was sent to.
    fn lost(&mut self, chunk: ChunkIndex, peer: PeerId) {
        self.flying.remove(&(chunk, peer));
        if self.holder(chunk) == Some(peer) {
            self.chunks[chunk.0 as usize] = 0;
        }
    }

    fn touch(&mut self, span: SpanIndex, peer: &PeerId, now: Time) {
        let holders = self.leases.get_mut(&span).map(|lease| &mut lease.holders);
        for holder in holders.into_iter().flatten().filter(|h| h.peer == *peer) {
            holder.active = now;
        }
    }

    /// Chunks of a span on their way: to whom and since when.
    fn flights(&self, span: SpanIndex) -> impl Iterator<Item = (ChunkIndex, PeerId, Time)> {
        let first = ChunkIndex(span.0.saturating_mul(DUTY_SPAN_CHUNKS));
        let flights = self.flying.range((first, PeerId([0; 32]))..);
        flights
            .take_while(move |((chunk, _), _)| chunk.span() == span)
            .map(|((chunk, peer), since)| (*chunk, *peer, *since))
    }

    fn is_live(&self, span: SpanIndex, holder: &Holder, now: Time) -> bool {
        let flies = self.flights(span).any(|(_, peer, _)| peer == holder.peer);
        let patience = if flies { self.patience() } else { LEASE };
        holder.active.plus(patience) > now
    }

    /// Ends what nothing was heard of for too long.
    fn let_lapse(&mut self, span: SpanIndex, now: Time) {
        let patience = self.patience();
        let late = self
            .flights(span)
            .filter(|(_, _, since)| since.plus(patience) <= now);
        let late: Vec<_> = late.map(|(chunk, peer, _)| (chunk, peer)).collect();
        for (chunk, peer) in late {
            self.lost(chunk, peer);
        }
        if let Some(mut lease) = self.leases.remove(&span) {
            lease
                .holders
                .retain(|holder| self.is_live(span, holder, now));
            self.leases.insert(span, lease);
        }
    }

    fn give_back(&mut self, span: SpanIndex, peer: &PeerId) {
        if let Some(lease) = self.leases.get_mut(&span) {
            lease.holders.retain(|holder| holder.peer != *peer);
            if lease.holders.is_empty() {
                self.leases.remove(&span);
            }
        }
    }

    fn forget(&mut self, peer: &PeerId) {
        let slot = self.slots.iter().position(|slot| *slot == Some(*peer));
        if let Some(index) = slot {
            self.slots[index] = None;
            let number = u16::try_from(index + 1).expect("slots are counted in 16 bits");
            for chunk in &mut self.chunks {
                if *chunk == number {
                    *chunk = 0;
                }
            }
        }
        self.flying.retain(|(_, holder), _| holder != peer);
        self.told.retain(|(_, asker), _| asker != peer);
        self.leases.retain(|_, lease| {
            lease.holders.retain(|holder| holder.peer != *peer);
            !lease.holders.is_empty()
        });
    }

    /// How long a serve under way may take.
    fn patience(&self) -> Duration {
        match self.pace {
            0 => SERVE_MOST,
            pace => Duration(pace.saturating_mul(8).clamp(LEASE.0, SERVE_MOST.0)),
        }
    }

    /// The connected peer that last got this chunk.
    fn holder(&self, chunk: ChunkIndex) -> Option<PeerId> {
        let slot = self.chunks.get(chunk.0 as usize)?.checked_sub(1)?;
        self.slots.get(usize::from(slot)).copied().flatten()
    }

    /// The slot number of a peer, from 1.
    fn slot(&mut self, peer: PeerId) -> Option<u16> {
        let known = self.slots.iter().position(|slot| *slot == Some(peer));
        let index = known
            .or_else(|| self.slots.iter().position(Option::is_none))
            .unwrap_or(self.slots.len());
        let number = u16::try_from(index + 1).ok()?;
        if index == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[index] = Some(peer);
        Some(number)
    }
}

fn decline(reason: DeclineReason, holders: Vec<PeerId>, retry_after: Duration) -> Verdict {
    Verdict::Decline {
        reason,
        holders,
        retry_after,
    }
}

#[cfg(test)]
mod tests;
