//! The driver of a world: carries out what the engines order.

use std::sync::Arc;

use patchmesh_content::geometry::SpanIndex;
use patchmesh_content::id::{ContentId, blake3};
use patchmesh_core::ids::{AskedId, GossipId, InstallId, ServeId};
use patchmesh_core::input::{Answered, Fetched, Input, Installed};
use patchmesh_core::message::{Announcement, DocumentRef, Message, Want};
use patchmesh_core::output::{Answer, Output, Source, Step, Verdict};
use patchmesh_core::peer::{Down, PeerId};
use patchmesh_core::time::{Duration, UtcTime};
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;

use crate::broken::Broken;
use crate::check;
use crate::host::node_at;
use crate::link::{Cargo, Flow, Limits, Serving};
use crate::world::{Event, World};

/// How long a look into the origin's folder takes.
const FOLDER: Duration = Duration::millis(1);
/// How long the stage step takes.
const STAGE: Duration = Duration::millis(200);

impl World {
    pub(crate) fn act(&mut self, node: usize, output: Output) {
        match output {
            Output::Admit { hello, verdict } => self.judged(hello, verdict.is_ok()),
            Output::Answer { asked, document } => self.answered(node, asked, document),
            Output::Ask {
                ask,
                from,
                document,
                ..
            } => self.ask(node, (ask, from), document),
            Output::Cosign { head, utc } => self.cosign(node, head, utc),
            Output::CancelFetch { fetch } => self.stall(node, fetch),
            Output::Decline { serve, decline } => self.declined(serve, *decline),
            Output::Dial { addresses, .. } => {
                let to = addresses.first().and_then(|address| node_at(address));
                if let Some(to) = to.filter(|to| *to < self.hosts.len() && *to != node) {
                    let there = self.delay(node, to);
                    self.after(there, Event::Dialled(node, to));
                }
            }
            Output::Disconnect { peer, .. } => {
                let other = self.numbers[&peer];
                self.close(node, other, Down::Local);
            }
            Output::Fetch {
                fetch,
                from,
                want,
                by,
                idle,
            } => {
                self.fetch(node, (fetch, from), *want);
                let due = by.min(self.now.plus(idle)).max(self.now);
                let limits = Limits {
                    by,
                    idle,
                    since: self.now,
                };
                let late = Event::Late(node, self.hosts[node].life, fetch, limits);
                self.at(due, late);
            }
            Output::Install { install, step } => self.install(node, install, &step),
            Output::Judge { id, verdict } => self.judge(id, verdict),
            Output::Persist(record) => self.hosts[node].store.commit(*record),
            Output::Publish { announcement } => self.spread(node, None, &announcement),
            Output::Send { to, message } => self.send(node, &to, message),
            Output::Serve { serve, want, .. } => self.serve(node, serve, *want),
            // Staging takes no virtual time that could be saved.
            Output::CancelInstall { .. }
            | Output::Notify(_)
            | Output::Reply { .. }
            | Output::Wait(_) => {}
        }
    }

    /// Signs as the daemon does, at once.
    fn cosign(&mut self, node: usize, head: LogHead, utc: UtcTime) {
        let (key, mesh_id) = (&self.hosts[node].key, self.publisher.mesh_id());
        let signed = Cosignature::sign(key, &mesh_id, head, utc);
        let cosignature = Box::new(signed.expect("the clock of a world is after 1970"));
        self.input(node, Duration(0), Input::Cosigned { cosignature });
    }

    fn ask(
        &mut self,
        node: usize,
        (ask, from): (patchmesh_core::ids::AskId, Source),
        document: Box<DocumentRef>,
    ) {
        let of = match from {
            Source::Origin => None,
            Source::Peer(peer) => self.numbers.get(&peer).copied(),
        };
        self.hosts[node].asks.insert(ask, of);
        let Some(other) = of else {
            let bytes = self.publisher.folder.get(&document).cloned();
            let outcome = bytes.map_or(Answered::Gone, Answered::Bytes);
            return self.answer(node, ask, FOLDER, outcome);
        };
        if !self.is_up(node, other) {
            return self.answer(node, ask, Duration(0), Answered::Failed);
        }
        let asked = AskedId(self.id());
        let place = (node, other, ask, document.clone());
        self.asked.insert(asked, place);
        let from = self.hosts[node].peer;
        let asked = Input::Asked {
            asked,
            from,
            document,
        };
        self.input(other, self.delay(node, other), asked);
    }

    fn answered(&mut self, node: usize, asked: AskedId, document: Option<Answer>) {
        let Some((client, _, ask, named)) = self.asked.remove(&asked) else {
            return;
        };
        let bytes = match document {
            None => None,
            Some(Answer::Bytes(bytes)) => Some(bytes),
            Some(Answer::Index(content)) => {
                let index = self.hosts[node].store.index(&content);
                index.map(|(bytes, _)| bytes.clone())
            }
        };
        let bytes = bytes.map(|bytes| self.as_sent(node, &named, bytes));
        let len = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if let (false, Some(site)) = (self.near(node, client), self.hosts[client].site) {
            self.wan_documents[site] += len;
        }
        let outcome = bytes.map_or(Answered::Gone, Answered::Bytes);
        self.load((node, client), len, Cargo::Document(ask, outcome));
    }

    /// A liar bends every third document that it gives; what operations say it forges.
    fn as_sent(&mut self, node: usize, named: &DocumentRef, bytes: Arc<[u8]>) -> Arc<[u8]> {
        if !self.plan.liars.contains(&node) || self.rng.below(3) != 0 {
            return bytes;
        }
        if let Some(forged) = self.publisher.forged(named) {
            return forged;
        }
        let mut bent = bytes.to_vec();
        let middle = bent.len() / 2;
        if let Some(byte) = bent.get_mut(middle) {
            *byte ^= 1;
        }
        bent.into()
    }

    fn fetch(
        &mut self,
        client: usize,
        (fetch, from): (patchmesh_core::ids::FetchId, Source),
        want: Want,
    ) {
        let server = match from {
            Source::Origin => None,
            Source::Peer(peer) => self.numbers.get(&peer).copied(),
        };
        self.hosts[client]
            .fetches
            .insert(fetch, server.unwrap_or(client));
        let Some(server) = server.filter(|server| self.is_up(client, *server)) else {
            return self.fetched(client, fetch, Fetched::Stalled);
        };
        let serve = ServeId(self.id());
        let serving = Serving {
            server,
            client,
            fetch,
            want,
            since: None,
            sent: false,
            given_back: false,
        };
        self.serves.insert(serve, serving);
        let requested = Input::Requested {
            serve,
            from: self.hosts[client].peer,
            want: Box::new(want),
        };
        self.input(server, self.delay(client, server), requested);
    }

    fn serve(&mut self, node: usize, serve: ServeId, want: Want) {
        let Some(serving) = self.serves.get_mut(&serve) else {
            // The client went away before the answer.
            return self.input(node, Duration(0), Input::Served { serve, bytes: 0 });
        };
        serving.since = Some(self.now);
        let client = serving.client;
        let store = &self.hosts[node].store;
        let index = store.index(&want.content);
        let entry = index
            .and_then(|(_, index)| index.chunk(want.chunk))
            .copied();
        let holds = |entry: &patchmesh_content::index::ChunkEntry| store.contains(&entry.id);
        let Some(entry) = entry.filter(|entry| node == 0 || holds(entry)) else {
            self.broken = Some(Broken::new("S4", node, "serves a chunk that it has not"));
            return;
        };
        let bytes = u64::from(entry.wire_len);
        if let (false, Some(site)) = (self.near(node, client), self.hosts[client].site)
            && let Err(broken) = check::lease(self, (node, client, site), &want)
        {
            self.broken = Some(broken);
        }
        self.load((node, client), bytes, Cargo::Chunk(serve));
    }

    /// A node whose disk is full gives its leases back while chunks are under way.
    fn give_back(&mut self, (server, client): Flow, content: &ContentId, span: SpanIndex) {
        for serving in self.serves.values_mut() {
            let of = &serving.want;
            if (serving.server, serving.client) == (server, client)
                && (&of.content, of.chunk.span()) == (content, span)
            {
                serving.given_back = true;
            }
        }
    }

    fn declined(&mut self, serve: ServeId, decline: patchmesh_core::message::Decline) {
        if let Some(serving) = self.serves.remove(&serve) {
            let outcome = Fetched::Declined(Box::new(decline));
            self.fetched(serving.client, serving.fetch, outcome);
        }
    }

    fn install(&mut self, node: usize, install: InstallId, step: &Step) {
        let release = step.release();
        if let Step::Apply { .. } = step
            && let Some(found) = check::must_not_apply(self, node, &release.content)
        {
            self.broken = Some(Broken::new("S11", node, found));
        }
        // What is applied are files: chunks that were lost since they were staged are not.
        let stages = matches!(step, Step::Stage { .. });
        if stages && !self.hosts[node].store.is_whole(&release.content) {
            self.broken = Some(Broken::new("S1", node, "stages what is not whole"));
        }
        let outcome = Installed::Passed;
        self.input(node, STAGE, Input::Installed { install, outcome });
    }

    fn send(&mut self, node: usize, to: &PeerId, message: Box<Message>) {
        let other = self.numbers[to];
        if self.is_up(node, other) {
            if let Message::Release { content, span } = &*message {
                self.give_back((other, node), content, *span);
            }
            let from = self.hosts[node].peer;
            let delay = self.delay(node, other);
            self.input(other, delay, Input::Message { from, message });
        }
    }

    fn judge(&mut self, id: GossipId, verdict: Verdict) {
        let judged = self.gossip.remove(&id);
        if let (Verdict::Accept, Some((node, from, announcement))) = (verdict, judged) {
            self.spread(node, Some(from), &announcement);
        }
    }

    /// To all neighbours that have not seen it.
    fn spread(&mut self, node: usize, but: Option<usize>, announcement: &Announcement) {
        let digest = blake3(&announcement.encode());
        self.hosts[node].seen.insert(digest);
        for other in self.neighbours(node) {
            if Some(other) == but || !self.hosts[other].seen.insert(digest) {
                continue;
            }
            if self.rng.below(100) < self.plan.gossip_lost {
                continue;
            }
            let id = GossipId(self.id());
            self.gossip.insert(id, (other, node, announcement.clone()));
            let gossip = Input::Gossip {
                id,
                from: self.hosts[node].peer,
                announcement: Box::new(announcement.clone()),
            };
            self.input(other, self.delay(node, other), gossip);
        }
    }
}
