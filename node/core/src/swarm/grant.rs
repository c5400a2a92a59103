//! Leases at a source: safety where the members of a site don't know each
//! other yet. One member of a site gets a span; the others are told who.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::geometry::{ChunkIndex, SpanIndex};
use patchmesh_content::id::{ContentId, PeerId};

use crate::limits::{LEASE_PARTS_MAX, LEASES_PER_SITE_MAX};
use crate::message::DeclineReason;
use crate::time::{Duration, Time};

/// A lease ends after so long without a byte asked for or delivered.
const LEASE: Duration = Duration::secs(15);
/// A serve that takes longer keeps no lease alive.
const SERVE_MOST: Duration = Duration::secs(120);
/// When to ask again for a span that another member is fetching.
const RETRY_LEASED: Duration = Duration::secs(1);
/// When to ask again for a chunk that another member got.
const RETRY_HELD: Duration = Duration::secs(2);
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No; ask the holder.
    Decline {
        reason: DeclineReason,
        holder: Option<PeerId>,
        retry_after: Duration,
    },
    /// Yes; whether it is a further copy for a part of the site.
    Serve { split: bool },
}

#[derive(Debug)]
struct Holder {
    peer: PeerId,
    /// Last request or delivery.
    active: Time,
    /// Serves under way.
    serving: u32,
}

impl Holder {
    fn is_live(&self, now: Time) -> bool {
        let patience = if self.serving > 0 { SERVE_MOST } else { LEASE };
        self.active.plus(patience) > now
    }
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
    /// Being served now.
    flying: BTreeSet<(ChunkIndex, PeerId)>,
    leases: BTreeMap<SpanIndex, Lease>,
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

    /// A serve ended.
    pub(crate) fn served(&mut self, site: &SiteKey, ask: Ask, bytes: u64, now: Time) {
        if let Some(contents) = self.0.get_mut(site)
            && let Some(served) = contents.get_mut(&ask.content)
        {
            served.end(ask, bytes, now);
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
                    let live = lease.holders.iter().filter(|h| h.is_live(now)).count();
                    all.push((site.clone(), *content, *span, live, lease.split));
                }
            }
        }
        all
    }
}

impl Served {
    fn ask(&mut self, ask: Ask, leases: usize, now: Time) -> Verdict {
        let span = ask.chunk.span();
        let holder = self.holder(ask.chunk);
        if let Some(lease) = self.leases.get_mut(&span) {
            lease.holders.retain(|holder| holder.is_live(now));
        }
        let lease = self.leases.get(&span);
        let mine = lease.is_some_and(|l| l.holders.iter().any(|h| h.peer == ask.from));
        let split = lease.is_some_and(|lease| lease.split);
        let other = lease
            .and_then(|lease| lease.holders.last())
            .map(|h| h.peer)
            .filter(|_| !mine);
        let owner = holder.filter(|peer| *peer != ask.from && !(mine && split));
        if !ask.unreachable {
            if let Some(peer) = other {
                return decline(DeclineReason::Leased, Some(peer), RETRY_LEASED);
            }
            if let Some(peer) = owner {
                let flying = self.flying.contains(&(ask.chunk, peer));
                return if flying {
                    decline(DeclineReason::Leased, Some(peer), RETRY_LEASED)
                } else {
                    decline(DeclineReason::HeldBySite, Some(peer), RETRY_HELD)
                };
            }
        }
        if lease.is_none_or(|l| l.holders.is_empty()) && leases >= LEASES_PER_SITE_MAX {
            self.leases
                .retain(|_, lease| lease.holders.iter().any(|h| h.is_live(now)));
            return decline(DeclineReason::Busy, None, RETRY_BUSY);
        }
        self.grant(ask, other.is_some() || owner.is_some(), now)
    }

    fn grant(&mut self, ask: Ask, second: bool, now: Time) -> Verdict {
        let Some(slot) = self.slot(ask.from) else {
            return decline(DeclineReason::Busy, None, RETRY_BUSY);
        };
        let lease = self.leases.entry(ask.chunk.span()).or_default();
        lease.split |= second;
        if !lease.holders.iter().any(|h| h.peer == ask.from) {
            if lease.holders.len() >= LEASE_PARTS_MAX {
                return decline(DeclineReason::Busy, None, RETRY_BUSY);
            }
            lease.holders.push(Holder {
                peer: ask.from,
                active: now,
                serving: 0,
            });
        }
        for holder in lease.holders.iter_mut().filter(|h| h.peer == ask.from) {
            holder.active = now;
            holder.serving += 1;
        }
        self.chunks[ask.chunk.0 as usize] = slot;
        self.flying.insert((ask.chunk, ask.from));
        Verdict::Serve { split: second }
    }

    fn end(&mut self, ask: Ask, bytes: u64, now: Time) {
        self.flying.remove(&(ask.chunk, ask.from));
        if bytes == 0 && self.holder(ask.chunk) == Some(ask.from) {
            self.chunks[ask.chunk.0 as usize] = 0;
        }
        let span = ask.chunk.span();
        if let Some(lease) = self.leases.get_mut(&span)
            && let Some(holder) = lease.holders.iter_mut().find(|h| h.peer == ask.from)
        {
            holder.active = now;
            holder.serving = holder.serving.saturating_sub(1);
        }
        let done = span.chunks(ask.chunks).all(|chunk| {
            self.holder(chunk)
                .is_some_and(|peer| !self.flying.contains(&(chunk, peer)))
        });
        if done && self.leases.get(&span).is_some_and(|lease| !lease.split) {
            self.leases.remove(&span);
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
        self.flying.retain(|(_, holder)| holder != peer);
        self.leases.retain(|_, lease| {
            lease.holders.retain(|holder| holder.peer != *peer);
            !lease.holders.is_empty()
        });
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

fn decline(reason: DeclineReason, holder: Option<PeerId>, retry_after: Duration) -> Verdict {
    Verdict::Decline {
        reason,
        holder,
        retry_after,
    }
}
