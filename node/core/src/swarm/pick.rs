//! Pulling chunks from members of the site: the rarest first, from the member
//! that is least busy.

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId};

use crate::ids::FetchId;
use crate::limits::{NEAR_BYTES_PER_PEER_MAX, NEAR_FETCHES_PER_PEER_MAX};
use crate::message::Want;
use crate::output::Source;
use crate::swarm::action::Action;
use crate::swarm::fetches::Fetch;
use crate::swarm::machine::Swarm;
use crate::swarm::timer::Timer;
use crate::time::{Duration, Time};

/// Chunks looked at for one whose holder has room.
const LOOK_MAX: usize = 64;
/// S-24: a member from which nothing comes for so long stalls.
const NEAR_IDLE: Duration = Duration::secs(4);
/// A member that has not delivered after so long stalls, whatever comes.
const NEAR_BY: Duration = Duration::secs(30);
/// A source from which nothing comes for so long stalls. A thin line that all
/// members share gives each its part all the time.
const WAN_IDLE: Duration = Duration::secs(30);
/// Fetches that take long are looked for so often.
const SLOW: Duration = Duration::secs(2);
/// Fetches of one chunk at one time.
const PER_CHUNK_MAX: usize = 2;

impl Swarm {
    /// Asks members for what they hold.
    pub(crate) fn pull_near(&mut self, id: &ContentId, now: Time, out: &mut Vec<Action>) {
        if !self.fetches.near_room() {
            return;
        }
        let Some(content) = self.contents.get(id).filter(|c| c.chunks.has_ready()) else {
            return;
        };
        let chunks: Vec<ChunkIndex> = content.chunks.ready().take(LOOK_MAX).collect();
        for chunk in chunks {
            if !self.fetches.near_room() {
                return;
            }
            if let Some(holder) = self.holder(id, chunk, now) {
                self.fetch(near(*id, chunk), Source::Peer(holder), now, out);
            }
        }
    }

    /// The least busy holder with room, other than those already asked.
    fn holder(&mut self, id: &ContentId, chunk: ChunkIndex, now: Time) -> Option<PeerId> {
        let content = self.contents.get(id)?;
        let bytes = u64::from(content.chunks.len(chunk));
        let usual = self.fetches.trip();
        let asked = content.chunks.fetches(chunk);
        let is_asked = |peer: &PeerId| {
            asked
                .iter()
                .any(|fetch| self.fetches.all.get(fetch).and_then(Fetch::peer) == Some(*peer))
        };
        let mut best: Option<(u64, u8, PeerId)> = None;
        let mut later: Option<Time> = None;
        for (peer, view) in &content.views.0 {
            if !view.counted || !view.bits.contains(chunk) || is_asked(peer) {
                continue;
            }
            let Some(state) = self.peers.get(peer) else {
                continue;
            };
            if state.busy_until > now {
                later = Some(later.map_or(state.busy_until, |at| at.min(state.busy_until)));
                continue;
            }
            if state.requests >= NEAR_FETCHES_PER_PEER_MAX
                || state.bytes + bytes > NEAR_BYTES_PER_PEER_MAX
            {
                continue;
            }
            // Ties go round by chunk, so that no member serves all.
            let tie = peer.0[usize::try_from(chunk.0 % 32).unwrap_or(0)];
            let key = (state.wait_for(bytes, usual), tie, *peer);
            if best.is_none_or(|best| key < best) {
                best = Some(key);
            }
        }
        if best.is_none()
            && let Some(at) = later
        {
            self.timers.arm(Timer::Pump(*id), at);
        }
        best.map(|(_, _, peer)| peer)
    }

    /// Orders one fetch.
    pub(crate) fn fetch(&mut self, want: Want, source: Source, now: Time, out: &mut Vec<Action>) {
        let Want {
            content: id, chunk, ..
        } = want;
        let near = self.is_near(source);
        let Some(content) = self.contents.get_mut(&id) else {
            return;
        };
        let bytes = content.chunks.len(chunk);
        let mut ahead = 0;
        let (by, idle) = if near {
            (now.plus(NEAR_BY), NEAR_IDLE)
        } else {
            ahead = content.window.start(bytes, now);
            if let Some(mine) = content.claims.own(chunk.span()) {
                mine.flying += 1;
            }
            (now.plus(content.window.wan_by()), WAN_IDLE)
        };
        let fetch = self.fetches.add(Fetch {
            content: id,
            chunk,
            source,
            near,
            bytes,
            started: now,
            ahead,
            live: true,
        });
        content.chunks.start(chunk, fetch);
        if let Source::Peer(peer) = source
            && let Some(state) = self.peers.get_mut(&peer)
        {
            state.requests += 1;
            state.bytes += u64::from(bytes);
        }
        if near {
            self.timers.arm(Timer::Slow, now.plus(SLOW));
        }
        out.push(Action::Fetch {
            fetch,
            from: source,
            want,
            by,
            idle,
        });
    }

    /// Gives chunks of slow members a second holder, and the window back what
    /// no member takes.
    pub(crate) fn look_for_slow(&mut self, now: Time, out: &mut Vec<Action>) {
        let long = self.fetches.slow();
        let slow = self
            .fetches
            .select(|fetch| fetch.near && now.since(fetch.started) >= long);
        for id in slow {
            let Some(fetch) = self.fetches.all.get(&id).copied() else {
                continue;
            };
            let asked = self
                .contents
                .get(&fetch.content)
                .map_or(PER_CHUNK_MAX, |c| c.chunks.fetches(fetch.chunk).len());
            if asked < PER_CHUNK_MAX
                && self.fetches.near_room()
                && let Some(holder) = self.holder(&fetch.content, fetch.chunk, now)
            {
                let source = Source::Peer(holder);
                self.fetch(near(fetch.content, fetch.chunk), source, now, out);
            }
        }
        let mut again = self.fetches.has_near();
        for id in &self.active {
            if let Some(content) = self.contents.get_mut(id) {
                content.window.give_up_untaken(now);
                again |= content.window.has_single();
            }
        }
        if again {
            self.timers.arm(Timer::Slow, now.plus(SLOW));
        }
    }

    /// Ends the counting of a fetch, answered or not.
    pub(crate) fn retire(&mut self, id: FetchId) -> Option<Fetch> {
        let fetch = self.fetches.retire(id)?;
        if let Some(peer) = fetch.peer()
            && let Some(state) = self.peers.get_mut(&peer)
        {
            state.requests -= 1;
            state.bytes -= u64::from(fetch.bytes);
        }
        if let Some(content) = self.contents.get_mut(&fetch.content) {
            content.chunks.end(fetch.chunk, id);
            content.rescan = true;
            if !fetch.near {
                content.window.end(fetch.bytes);
                if let Some(mine) = content.claims.own(fetch.chunk.span()) {
                    mine.flying = mine.flying.saturating_sub(1);
                }
            }
        }
        Some(fetch)
    }

    /// Gives a fetch up; its answer is still awaited.
    pub(crate) fn cancel(&mut self, id: FetchId, out: &mut Vec<Action>) {
        if self.retire(id).is_some() {
            out.push(Action::CancelFetch { fetch: id });
        }
    }

    /// Gives up all fetches of one chunk.
    pub(crate) fn cancel_chunk(
        &mut self,
        id: &ContentId,
        chunk: ChunkIndex,
        out: &mut Vec<Action>,
    ) {
        let fetches = self
            .contents
            .get(id)
            .map(|content| content.chunks.fetches(chunk).to_vec());
        for fetch in fetches.unwrap_or_default() {
            self.cancel(fetch, out);
        }
    }
}

fn near(content: ContentId, chunk: ChunkIndex) -> Want {
    Want {
        content,
        chunk,
        unreachable: false,
    }
}
