//! Contents come, change and go.

use std::sync::Arc;

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId};

use crate::message::Message;
use crate::swarm::action::Action;
use crate::swarm::content::have;
use crate::swarm::content::state::Content;
use crate::swarm::event::Elsewhere;
use crate::swarm::machine::Swarm;
use crate::swarm::site::Peer;
use crate::time::Time;

impl Swarm {
    /// A content to hold and, where wanted, complete.
    pub(crate) fn add(
        &mut self,
        id: ContentId,
        (lens, held, wanted): (Arc<[u32]>, Bitfield, bool),
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if self.contents.contains_key(&id) {
            self.want(&id, wanted, now, out);
            return;
        }
        if !self.has_content_room() {
            return;
        }
        let salt = u32::try_from(self.rng.below(1 << 32)).unwrap_or(0);
        let me = (self.me, self.weight.min(1));
        let content = Content::new(id, (lens, held), wanted, me, (salt, now));
        let held = content.chunks.held().clone();
        self.contents.insert(id, content);
        let interested: Vec<PeerId> = self
            .peers
            .connected()
            .filter(|(_, peer)| peer.interests.contains_key(&id))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in interested {
            if self.peers.get(&peer).is_some_and(Peer::is_member) {
                self.join(&id, peer, now);
            }
            for message in have::full(id, &held) {
                out.push(Action::Send { to: peer, message });
            }
        }
        self.activate(&id, out);
    }

    /// Fetches what is missing, or stops.
    pub(crate) fn want(&mut self, id: &ContentId, wanted: bool, now: Time, out: &mut Vec<Action>) {
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        if content.chunks.is_wanted() == wanted {
            return;
        }
        content.chunks.set_wanted(wanted);
        content.started = now;
        if wanted {
            self.activate(id, out);
        } else {
            self.stop(id, out);
            self.settle(id);
        }
    }

    /// Forgets a content.
    pub(crate) fn remove(&mut self, id: &ContentId, _now: Time, out: &mut Vec<Action>) {
        self.stop(id, out);
        self.contents.remove(id);
        self.active.remove(id);
        self.grants.remove(id);
    }

    /// A chunk on disk is gone: withdraw it and fetch it again.
    pub(crate) fn damaged(
        &mut self,
        id: &ContentId,
        chunk: ChunkIndex,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        if !content.chunks.lose(chunk) {
            return;
        }
        content.window.doubled(chunk, now);
        content.pending.note(chunk);
        self.flush(id, out);
        self.settle(id);
    }

    /// A chunk came into the store in another way.
    pub(crate) fn gained(
        &mut self,
        id: &ContentId,
        chunk: ChunkIndex,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        if content.chunks.gain(chunk) {
            self.cancel_chunk(id, chunk, out);
            self.announce((id, chunk), false, now, out);
            self.completed(id, out);
        }
    }

    /// Leaves chunks to other contents. What is under way goes on.
    pub(crate) fn defer(&mut self, id: &ContentId, mut to: Elsewhere, out: &mut Vec<Action>) {
        to.retain(|chunk, place| !self.is_only_here(id, *chunk, place));
        let Some(content) = self.contents.get_mut(id) else {
            return;
        };
        content.chunks.defer(to);
        content.rescan = true;
        self.drop_finished(id, out);
    }

    /// A member announced chunks: some may be fetched for this content after all.
    pub(crate) fn take_back(&mut self, id: &ContentId, chunks: &[ChunkIndex]) {
        for &chunk in chunks {
            let content = self.contents.get(id);
            let place = content.and_then(|content| content.chunks.elsewhere(chunk));
            if place.is_some_and(|place| self.is_only_here(id, chunk, &place))
                && let Some(content) = self.contents.get_mut(id)
            {
                content.chunks.take_back(chunk);
            }
        }
    }

    /// Whether members in reach hold a chunk for this content and not for the
    /// other that is to bring it: they may not know that one, and nobody else
    /// may be in reach.
    fn is_only_here(
        &self,
        id: &ContentId,
        chunk: ChunkIndex,
        (other, at): &(ContentId, ChunkIndex),
    ) -> bool {
        let holders = |id: &ContentId, chunk| {
            let content = self.contents.get(id);
            content.map_or(0, |content| content.chunks.holders(chunk))
        };
        holders(id, chunk) > 0 && holders(other, *at) == 0
    }

    /// Says so if a wanted content is complete now.
    pub(crate) fn completed(&mut self, id: &ContentId, out: &mut Vec<Action>) {
        let Some(content) = self.contents.get(id) else {
            return;
        };
        if content.chunks.is_complete() && content.chunks.is_wanted() {
            self.flush(id, out);
            self.stop(id, out);
            self.settle(id);
            out.push(Action::Complete { content: *id });
        }
    }

    /// Brings the list of active contents and the duties up to date.
    pub(crate) fn settle(&mut self, id: &ContentId) {
        if let Some(content) = self.contents.get_mut(id) {
            content.activate();
            if content.is_active() {
                self.active.insert(*id);
            } else {
                self.active.remove(id);
            }
        }
    }

    /// A content may have to be fetched: ask the peers what they hold.
    fn activate(&mut self, id: &ContentId, out: &mut Vec<Action>) {
        self.settle(id);
        let Some(content) = self.contents.get(id) else {
            return;
        };
        if !content.chunks.is_wanted() {
            return;
        }
        let peers: Vec<PeerId> = self.peers.connected().map(|(peer, _)| *peer).collect();
        for to in peers {
            let message = Message::Interest { content: *id };
            out.push(Action::Send { to, message });
        }
        self.completed(id, out);
    }

    /// Gives up all fetches and claims of a content.
    fn stop(&mut self, id: &ContentId, out: &mut Vec<Action>) {
        for fetch in self.fetches.select(|fetch| fetch.content == *id) {
            self.cancel(fetch, out);
        }
        self.release_all(id, out);
    }
}
