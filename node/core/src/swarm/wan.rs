//! Fetching over the WAN: what to claim, from which source, and how much at
//! one time.

use patchmesh_content::geometry::{CHUNK_LEN_MEAN, SpanIndex};
use patchmesh_content::id::{ContentId, PeerId, rendezvous};

use crate::config::Mode;
use crate::limits::{WAN_HTTP_MAX, WAN_HTTP_SECS};
use crate::message::{Message, Want};
use crate::output::Source;
use crate::swarm::action::Action;
use crate::swarm::content::claim::Mine;
use crate::swarm::content::state::{CLAIM_LEAST, CLAIM_MOST};
use crate::swarm::machine::Swarm;
use crate::swarm::timer::Timer;
use crate::time::{Duration, Time};

/// Own claims are said again so often.
const RENEW: Duration = Duration::secs(5);
/// With a plain HTTP origin: quiet time after the site's membership changed,
/// and the most that is waited in all.
const SETTLE: (Duration, Duration) = (Duration::secs(2), Duration::secs(5));
/// Head start of each member that ranks before this node, where no source
/// decides between them.
const RANK_STEP: Duration = Duration::millis(100);

/// A site of fewer other members is surely one in which all are neighbours.
const LARGE_SITE: usize = 8;
/// Time in which a claim that is passed on reaches the members of a large site.
const HEARD_BY_ALL: Duration = Duration::millis(300);

/// Where a span may come from now.
enum Choice {
    From(Source),
    /// There is one, but not before this moment.
    Later(Time),
    Nowhere,
}

impl Swarm {
    /// Fetches what no member holds, as far as the window allows.
    pub(crate) fn fetch_wan(&mut self, id: &ContentId, now: Time, out: &mut Vec<Action>) {
        loop {
            let Some(content) = self.contents.get(id) else {
                return;
            };
            let others = content.others();
            if content.chunks.open_all() == 0
                || !self.fetches.wan_room()
                || (self.weight == 0 && others > 0)
                || !content
                    .window
                    .is_open(others, content.claims.claimants(), now)
            {
                return;
            }
            let next = content.next_own(now);
            let span = next.map_or(SpanIndex(0), |(span, _)| span);
            let source = match self.source(id, span, now) {
                Choice::From(source) => source,
                Choice::Later(at) => {
                    self.timers.arm(Timer::Pump(*id), at);
                    return;
                }
                Choice::Nowhere => {
                    self.release_all(id, out);
                    return;
                }
            };
            let http = source == Source::Origin;
            if http && self.contents[id].window.flying() >= self.http_most(id) {
                return;
            }
            match next {
                Some((span, chunk)) => {
                    let unreachable = !http && self.is_cut_off(&self.contents[id], span, now);
                    let want = Want {
                        content: *id,
                        chunk,
                        unreachable,
                    };
                    self.fetch(want, source, now, out);
                }
                None if self.claim(id, http, now, out) => {}
                None => return,
            }
        }
    }

    /// Chunks that may be under way from an HTTP origin: as many as come in a few
    /// seconds, and one on a line of unknown rate. All that are under way share the
    /// line, and the others take a claim for dead of which nothing comes.
    fn http_most(&self, id: &ContentId) -> u32 {
        let rate = self.contents.get(id).and_then(|c| c.window.rate());
        let bytes = rate.unwrap_or(0).saturating_mul(WAN_HTTP_SECS);
        let chunks = u32::try_from(bytes / u64::from(CHUNK_LEN_MEAN)).unwrap_or(u32::MAX);
        chunks.clamp(1, WAN_HTTP_MAX)
    }

    /// Claims one more span; returns whether there was one.
    fn claim(&mut self, id: &ContentId, http: bool, now: Time, out: &mut Vec<Action>) -> bool {
        let Some(content) = self.contents.get_mut(id) else {
            return false;
        };
        if !content.may_claim() {
            return false;
        }
        let Some((span, position)) = content.next_claim(now) else {
            content.rescan = false;
            return false;
        };
        let wait = if http {
            let ranked = RANK_STEP.0.saturating_mul(position as u64);
            let large = content.others() >= LARGE_SITE;
            let heard = if large { HEARD_BY_ALL.0 } else { 0 };
            Duration(ranked.max(heard))
        } else {
            Duration(0)
        };
        let start = now.plus(wait);
        content.claims.mine.push(Mine {
            span,
            // An HTTP origin confirms nothing: the claim is all there is.
            confirmed: http,
            start,
            flying: 0,
        });
        let duration = content.window.patience(CLAIM_LEAST, CLAIM_MOST);
        if start > now {
            self.timers.arm(Timer::Pump(*id), start);
        }
        self.timers.arm(Timer::Renew(*id), now.plus(RENEW));
        self.flush(id, out);
        let message = Message::Claim {
            holder: None,
            content: *id,
            span,
            duration,
        };
        self.tell(id, &message, out);
        true
    }

    /// Says own claims again.
    pub(crate) fn renew_claims(&mut self, id: &ContentId, now: Time, out: &mut Vec<Action>) {
        let Some(content) = self.contents.get(id) else {
            return;
        };
        if content.claims.mine.is_empty() {
            return;
        }
        let duration = content.window.patience(CLAIM_LEAST, CLAIM_MOST);
        for mine in &content.claims.mine {
            let message = Message::Claim {
                holder: None,
                content: *id,
                span: mine.span,
                duration,
            };
            self.tell(id, &message, out);
        }
        self.timers.arm(Timer::Renew(*id), now.plus(RENEW));
    }

    /// Gives an own claim back, in the site and at the sources.
    pub(crate) fn release(&mut self, id: &ContentId, span: SpanIndex, out: &mut Vec<Action>) {
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        if !content.claims.drop_own(span) {
            return;
        }
        content.rescan = true;
        let message = Message::Release { content: *id, span };
        self.tell(id, &message, out);
        for (to, peer) in self.peers.connected() {
            if peer.is_source() {
                out.push(Action::Send {
                    to: *to,
                    message: message.clone(),
                });
            }
        }
    }

    /// Gives all own claims of a content back.
    pub(crate) fn release_all(&mut self, id: &ContentId, out: &mut Vec<Action>) {
        let spans: Vec<SpanIndex> = self
            .contents
            .get(id)
            .map(|c| c.claims.mine.iter().map(|mine| mine.span).collect())
            .unwrap_or_default();
        for span in spans {
            self.release(id, span, out);
        }
    }

    /// Gives back claims in which nothing is left to do.
    pub(crate) fn drop_finished(&mut self, id: &ContentId, out: &mut Vec<Action>) {
        let spans: Vec<SpanIndex> = self
            .contents
            .get(id)
            .map(|content| {
                let done =
                    |mine: &&Mine| mine.flying == 0 && content.chunks.open_in(mine.span) == 0;
                let mine = content.claims.mine.iter();
                mine.filter(done).map(|mine| mine.span).collect()
            })
            .unwrap_or_default();
        for span in spans {
            self.release(id, span, out);
        }
    }

    /// Something put off may go on.
    pub(crate) fn end_delays(&mut self, id: &ContentId, now: Time) {
        if let Some(content) = self.contents.get_mut(id) {
            content.end_delays(now);
            if let Some(at) = content.next_off(now) {
                self.timers.arm(Timer::Pump(*id), at);
            }
        }
    }

    /// The source of a span: all members of a site choose the same one.
    fn source(&self, id: &ContentId, span: SpanIndex, now: Time) -> Choice {
        let rank = |peer: &PeerId| rendezvous(id, span.0, peer, 1);
        let mut best: Option<PeerId> = None;
        let mut later: Option<Time> = None;
        for (peer, state) in self.peers.connected().filter(|(_, peer)| peer.is_source()) {
            if state.busy_until > now {
                later = Some(later.map_or(state.busy_until, |at: Time| at.min(state.busy_until)));
                continue;
            }
            // Ranks are hashes: asked for at each event, they are worked out
            // only where there is a choice.
            if best.is_none_or(|best| rank(&best) < rank(peer)) {
                best = Some(*peer);
            }
        }
        if let Some(peer) = best {
            let meets = self.meets_until(id, &peer, now);
            return meets.map_or(Choice::From(Source::Peer(peer)), Choice::Later);
        }
        if self.mode == Mode::EndpointWithHttp {
            let at = self.http.1.max(self.settled(id));
            if at <= now {
                return Choice::From(Source::Origin);
            }
            later = Some(later.map_or(at, |other| other.min(at)));
        }
        later.map_or(Choice::Nowhere, Choice::Later)
    }

    /// When the members of the site are thought to know each other.
    fn settled(&self, id: &ContentId) -> Time {
        let started = self.contents.get(id).map_or(Time(0), |c| c.started);
        let quiet = self.changed.max(started).plus(SETTLE.0);
        quiet.min(started.plus(SETTLE.1))
    }

    /// A source failed; it is asked again after 1, 2, 4 … 60 s. Of requests that
    /// were in flight together, an HTTP origin's first failure counts for all.
    pub(crate) fn back_off(&mut self, source: Source, now: Time) {
        let wait = |failures: u32, jitter: u64| {
            let secs = 1u64 << failures.saturating_sub(1).min(6);
            let base = Duration::secs(secs.min(60)).0;
            Duration(base + jitter % (base / 4))
        };
        let jitter = self.rng.below(1 << 32);
        match source {
            Source::Origin if now < self.http.1 => {}
            Source::Origin => {
                self.http.0 += 1;
                self.http.1 = now.plus(wait(self.http.0, jitter));
            }
            Source::Peer(peer) => {
                if let Some(state) = self.peers.get_mut(&peer) {
                    state.failures += 1;
                    state.busy_until = now.plus(wait(state.failures, jitter));
                }
            }
        }
    }
}
