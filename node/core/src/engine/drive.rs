//! Translates inputs into events of the machines and
//! their actions into outputs. See the crate's contract.

use std::collections::{BTreeMap, VecDeque};

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_proto::frame::FrameRefusal;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::stop::signed::SignedStop;

use crate::catalog::{self, Catalog};
use crate::config::{Config, Mode};
use crate::engine::admission;
use crate::engine::inventory::{Inventory, Place};
use crate::engine::roster::{Admission, Roster};
use crate::gate::{self, Say};
use crate::ids::{CommandId, FetchId, HelloId};
use crate::input::{Command, Fetched, HostChange, Input};
use crate::message::{Decline, DeclineReason, Message, Want};
use crate::output::{Notice, Output, Reply};
use crate::peer::{PeerRefusal, Proof};
use crate::reason::WakeReason;
use crate::record::Restored;
use crate::rng::{Rng, Seed};
use crate::rollout::{self, Rollout};
use crate::swarm::{self, Swarm};
use crate::time::{Duration, Now, Time};

/// Longest time until the next look at what may be applied: a day, so that a
/// clock that was set back delays nothing for long.
const LOOK_SECS_MAX: u64 = 86_400;
/// How long the stops of a peer that knows others are waited for before it may
/// do anything else: more than a round trip, less than people notice.
const MEETING: Duration = Duration::secs(2);

/// Why an engine did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The anchor is not a root document that verifies by its own keys, or the
    /// stored floors are damaged.
    #[error("failed to adopt the anchor root and the stored floors: {0}")]
    Anchor(Refusal),
}

/// One node's decisions.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    catalog: Catalog,
    swarm: Swarm,
    rollout: Rollout,
    roster: Roster,
    /// Peers that are up and were sent other stops than theirs; until when their
    /// own are waited for.
    meetings: BTreeMap<PeerId, Time>,
    inventory: Inventory,
    fetches: BTreeMap<FetchId, Want>,
    room: bool,
    /// When to look again at what may be applied.
    look_at: Option<Time>,
    outputs: VecDeque<Output>,
    drained: bool,
    now: Now,
}

impl Engine {
    /// A node with its settings, the root document that it trusts first, and
    /// what its store kept. Drain the outputs before the first `handle`.
    pub fn new(
        config: Config,
        anchor: &[u8],
        mut restored: Restored,
        seed: Seed,
        now: Now,
    ) -> Result<Self, StartError> {
        let mut rng = Rng::new(seed);
        let forked = rng.fork("catalog");
        let catalog = Catalog::new(&config, anchor, &mut restored, forked, now);
        let mut engine = Self {
            catalog: catalog.map_err(StartError::Anchor)?,
            swarm: Swarm::new(&config, rng.fork("swarm")),
            rollout: Rollout::new(&config, restored.releases),
            roster: Roster::new(&config.bootstrap),
            meetings: BTreeMap::new(),
            inventory: Inventory::new(restored.chunks),
            fetches: BTreeMap::new(),
            room: true,
            look_at: None,
            outputs: VecDeque::new(),
            drained: false,
            config,
            now,
        };
        if engine.catalog.is_recovering() {
            let lost = Box::new(Notice::FloorsLost(true));
            engine.outputs.push_back(Output::Notify(lost));
        }
        engine.tick();
        Ok(engine)
    }

    /// Takes one event. Panics if the outputs of the one before were not
    /// drained, or if the monotonic clock went back: bugs of the driver.
    pub fn handle(&mut self, input: Input, now: Now) {
        assert!(self.drained, "poll until Wait before the next handle");
        assert!(now.mono >= self.now.mono, "the monotonic clock went back");
        self.drained = false;
        // What had expired by a clock that is set has not, or the other way.
        if now.is_set_since(self.now) {
            self.look_at = Some(now.mono);
        }
        self.now = now;
        self.translate(input);
    }

    /// The next order; `Output::Wait` ends a drain, and comes again if asked again.
    pub fn poll(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        self.drained = true;
        Output::Wait(self.wake())
    }

    fn wake(&self) -> Option<(Time, WakeReason)> {
        let meeting = self.meetings.values().min().copied();
        let meeting = meeting.map(|until| (until, WakeReason::Sync));
        let look = self.look_at.map(|at| (at, WakeReason::Rollout));
        let machines = [self.catalog.wake(), self.swarm.wake(), look, meeting];
        machines.into_iter().flatten().min()
    }

    fn tick(&mut self) {
        let over = self.meetings.iter();
        let over = over.filter(|(_, until)| **until <= self.now.mono);
        let over: Vec<PeerId> = over.map(|(peer, _)| *peer).collect();
        for peer in over {
            self.met(&peer);
        }
        if self.look_at.is_some_and(|at| at <= self.now.mono) {
            self.look_at = None;
            self.list();
        }
        self.tell_catalog(catalog::Event::Tick);
        self.tell_swarm(swarm::Event::Tick);
    }

    fn translate(&mut self, input: Input) {
        match input {
            Input::Answered { ask, outcome } => {
                self.tell_catalog(catalog::Event::Answered { ask, outcome });
            }
            Input::Asked {
                asked,
                from,
                document,
            } => {
                self.met(&from);
                if self.roster.is_up(&from) {
                    self.tell_catalog(catalog::Event::Asked { asked, document });
                } else {
                    let document = None;
                    self.outputs.push_back(Output::Answer { asked, document });
                }
            }
            Input::Command { id, command } => self.command(id, &command),
            Input::Cosigned { cosignature } => {
                let from = None;
                self.tell_catalog(catalog::Event::Cosignature { from, cosignature });
            }
            Input::Damaged { content, chunk } => self.damaged((content, chunk)),
            Input::Discovered { peer, addresses } => {
                self.tell_swarm(swarm::Event::Discovered { peer, addresses });
            }
            Input::Fetched { fetch, outcome } => self.fetched(fetch, outcome),
            Input::Gossip {
                id,
                from,
                announcement,
            } => self.tell_catalog(catalog::Event::Gossip {
                id,
                from,
                announcement,
            }),
            Input::Hello { hello, proof } => self.hello(hello, &proof),
            Input::Host(HostChange::Room(room)) => {
                self.room = room;
                self.tell_swarm(swarm::Event::Room(room));
            }
            Input::Installed { install, outcome } => {
                // What held when the step began may have ended since.
                self.list();
                self.tell_rollout(rollout::Event::Installed { install, outcome });
            }
            Input::Message { from, message } => self.message(from, message),
            Input::PeerDown { peer, why: _ } => self.peer_down(peer),
            Input::PeerUp { peer } => self.peer_up(peer),
            Input::Refused { from, refusal } => self.refused(from, refusal),
            Input::Requested { serve, from, want } => {
                self.met(&from);
                if self.roster.is_up(&from) {
                    let want = *want;
                    self.tell_swarm(swarm::Event::Requested { serve, from, want });
                } else {
                    let decline = Box::new(Decline {
                        reason: DeclineReason::Refused,
                        retry_after: Duration::secs(60),
                        holders: Vec::new(),
                    });
                    self.outputs.push_back(Output::Decline { serve, decline });
                }
            }
            Input::Served { serve, bytes } => {
                self.tell_swarm(swarm::Event::Served { serve, bytes });
            }
            Input::Tick => self.tick(),
        }
    }

    fn hello(&mut self, hello: HelloId, proof: &Proof) {
        let mesh_id = self.catalog.mesh_id();
        let utc = self.catalog.utc(self.now);
        let refused = self.swarm.refuses(&proof.peer, self.now.mono);
        let mut verdict = if self.catalog.stopped().nodes().contains(&proof.peer) {
            Err(PeerRefusal::Revoked)
        } else if refused {
            Err(PeerRefusal::Refused)
        } else {
            admission::judge(proof, &self.config, &mesh_id, utc)
        };
        if let Ok((member, path)) = &verdict {
            match self.roster.admit(member.clone(), *path, proof.into()) {
                Admission::Place => {}
                Admission::InsteadOf(peer) => self.turn_out(peer),
                Admission::Full => verdict = Err(PeerRefusal::TooManyPeers),
            }
        }
        if let Err(refusal) = &verdict {
            self.outputs
                .push_back(Output::Notify(Box::new(Notice::Refused {
                    what: "hello".to_owned(),
                    code: refusal.code(),
                    from: Some(proof.peer),
                })));
        }
        let verdict = verdict.map(Box::new);
        self.outputs.push_back(Output::Admit { hello, verdict });
    }

    /// A peer that was let in has lost its place: it counts as gone at once,
    /// or the one that takes it would find no room.
    fn turn_out(&mut self, peer: PeerId) {
        self.tell_swarm(swarm::Event::PeerDown { peer });
        self.tell_catalog(catalog::Event::PeerDown { peer });
        self.meetings.remove(&peer);
        self.outputs.push_back(Output::Disconnect {
            peer,
            why: PeerRefusal::TooManyPeers,
        });
    }

    /// Who is stopped leaves; hellos are refused from now on (M-15).
    fn expel(&mut self) {
        let stopped = self.catalog.stopped().nodes().into_iter();
        let known: Vec<PeerId> = stopped.filter(|peer| self.roster.remove(peer)).collect();
        for peer in known {
            if self.meetings.remove(&peer).is_none() {
                self.tell_swarm(swarm::Event::PeerDown { peer });
                self.tell_catalog(catalog::Event::PeerDown { peer });
            }
            let why = PeerRefusal::Revoked;
            self.outputs.push_back(Output::Disconnect { peer, why });
        }
    }

    fn peer_up(&mut self, peer: PeerId) {
        let Some(entry) = self.roster.up(&peer) else {
            return;
        };
        if entry.greeting.mark == self.catalog.stopped().mark() {
            return self.come_up(&peer);
        }
        // Stops first, in both directions; then everything else (M-14).
        self.meetings.insert(peer, self.now.mono.plus(MEETING));
        self.tell_catalog(catalog::Event::Meet { peer });
    }

    /// A peer that was met said all its stops, or something else, or nothing in
    /// time.
    fn met(&mut self, peer: &PeerId) {
        if self.meetings.remove(peer).is_some() {
            self.come_up(peer);
        }
    }

    fn come_up(&mut self, peer: &PeerId) {
        let Some(entry) = self.roster.entry(peer) else {
            return;
        };
        let peer = *peer;
        let (member, path, head) = (entry.member.clone(), entry.path, entry.greeting.head);
        let origin = member.origin;
        // The swarm first: it knows the peer before documents lead to fetches.
        let member = Box::new(member);
        self.tell_swarm(swarm::Event::PeerUp { member, path });
        self.tell_catalog(catalog::Event::PeerUp {
            peer,
            path,
            origin,
            head,
        });
    }

    fn peer_down(&mut self, peer: PeerId) {
        let met = self.meetings.remove(&peer).is_none();
        if self.roster.down(&peer) && met {
            self.tell_swarm(swarm::Event::PeerDown { peer });
            self.tell_catalog(catalog::Event::PeerDown { peer });
        }
    }

    fn message(&mut self, from: PeerId, message: Box<Message>) {
        if !self.roster.is_up(&from) {
            return;
        }
        if !matches!(*message, Message::Stop(_) | Message::Mark(_)) {
            self.met(&from);
        }
        match *message {
            Message::Mark(mark) => {
                self.met(&from);
                self.tell_catalog(catalog::Event::Mark { from, mark });
            }
            Message::Stop(stop) => {
                let (from, stop) = (Some(from), Box::new(stop));
                self.tell_catalog(catalog::Event::Stop { from, stop });
            }
            Message::Alarm { role, version } => self.tell_catalog(catalog::Event::Alarm {
                from,
                role,
                version,
            }),
            Message::Cosignature(cosignature) => {
                let (from, cosignature) = (Some(from), Box::new(cosignature));
                self.tell_catalog(catalog::Event::Cosignature { from, cosignature });
            }
            Message::Cosigned { digest, asks } => {
                self.tell_catalog(catalog::Event::Cosigned { from, digest, asks });
            }
            Message::Digest {
                version,
                digest,
                log,
            } => self.tell_catalog(catalog::Event::Digest {
                from,
                version,
                digest,
                log,
            }),
            Message::Head(head) => self.tell_catalog(catalog::Event::Head { from, head }),
            Message::Have { .. }
            | Message::Claim { .. }
            | Message::Interest { .. }
            | Message::Introduce(_)
            | Message::Release { .. } => self.tell_swarm(swarm::Event::Message { from, message }),
        }
    }

    fn refused(&mut self, from: PeerId, refusal: FrameRefusal) {
        self.met(&from);
        self.tell_catalog(catalog::Event::Refused { from, refusal });
    }

    fn command(&mut self, id: CommandId, command: &Command) {
        let answer = match command {
            Command::Fetch { release } => {
                self.on_release(release, |content| rollout::Event::Fetch { content })
            }
            Command::Forget { release } => {
                self.on_release(release, |content| rollout::Event::Forget { content })
            }
            Command::Stop { bytes } => self.stop(bytes),
            Command::Refresh if self.config.mode == Mode::Endpoint => Reply::NoSource,
            Command::Refresh => {
                self.tell_catalog(catalog::Event::Refresh);
                Reply::Done
            }
        };
        self.outputs.push_back(Output::Reply { id, answer });
    }

    /// A person gives a stop: it is judged like any input.
    fn stop(&mut self, bytes: &[u8]) -> Reply {
        let read = SignedStop::decode(bytes);
        let judged = read.and_then(|stop| {
            self.catalog.stopped().admit(&stop)?;
            Ok(stop)
        });
        match judged {
            Ok(stop) => {
                let (from, stop) = (None, Box::new(stop));
                self.tell_catalog(catalog::Event::Stop { from, stop });
                Reply::Done
            }
            Err(refusal) => Reply::Refused(refusal),
        }
    }

    /// Finds a release by `<id>` or `<line>/<id>`.
    fn on_release(&mut self, name: &str, event: impl FnOnce(ContentId) -> rollout::Event) -> Reply {
        let mut listed = self.catalog.listed().values();
        let found = listed.find(|release| {
            release.id == name || name.split_once('/') == Some((&release.line, &release.id))
        });
        let Some(content) = found.map(|release| release.content) else {
            return Reply::UnknownRelease;
        };
        self.tell_rollout(event(content));
        Reply::Done
    }

    fn fetched(&mut self, fetch: FetchId, outcome: Fetched) {
        let want = self.fetches.remove(&fetch);
        let held = outcome == Fetched::Held;
        self.tell_swarm(swarm::Event::Fetched { fetch, outcome });
        if let (true, Some(want)) = (held, want) {
            for (content, chunk) in self.inventory.gained((want.content, want.chunk)) {
                self.tell_swarm(swarm::Event::Gained { content, chunk });
            }
        }
    }

    fn damaged(&mut self, place: Place) {
        let others = self.inventory.lost(place);
        for (content, chunk) in std::iter::once(place).chain(others) {
            // Rollout first: the repair that the swarm begins completes later.
            self.tell_rollout(rollout::Event::Damaged { content });
            self.tell_swarm(swarm::Event::Damaged { content, chunk });
        }
    }

    fn tell_catalog(&mut self, event: catalog::Event) {
        let mut actions = Vec::new();
        self.catalog.handle(event, self.now, &mut actions);
        for action in actions {
            self.on_catalog(action);
        }
    }

    fn on_catalog(&mut self, action: catalog::Action) {
        use catalog::Action;
        let output = match action {
            Action::Answer { asked, document } => Output::Answer { asked, document },
            Action::Ask {
                ask,
                from,
                document,
                len_max,
            } => Output::Ask {
                ask,
                from,
                document: Box::new(document),
                len_max,
            },
            Action::Cosign { head, utc } => Output::Cosign { head, utc },
            Action::Indexed { content, index } => return self.indexed(content, &index),
            Action::Judge { id, verdict } => Output::Judge { id, verdict },
            Action::Listed => return self.list(),
            Action::Notify(notice) => Output::Notify(Box::new(notice)),
            Action::Persist(record) => Output::Persist(Box::new(record)),
            Action::Publish(announcement) => Output::Publish {
                announcement: Box::new(announcement),
            },
            Action::SendAlarm { to, role, version } => send(
                to,
                Message::Alarm {
                    role: role.to_string(),
                    version,
                },
            ),
            Action::SendCosignature { to, cosignature } => {
                send(to, Message::Cosignature(cosignature))
            }
            Action::SendCosigned { to, digest, asks } => {
                send(to, Message::Cosigned { digest, asks })
            }
            Action::SendDigest {
                to,
                version,
                digest,
                log,
            } => send(
                to,
                Message::Digest {
                    version,
                    digest,
                    log,
                },
            ),
            Action::SendMark { to, mark } => send(to, Message::Mark(mark)),
            Action::SendStop { to, stop } => send(to, Message::Stop(stop)),
            Action::Stopped => return self.expel(),
            Action::SendHead { to, head } => send(to, Message::Head(head)),
            Action::TurnAway { peer } => {
                return self.tell_swarm(swarm::Event::Flooded { peer });
            }
        };
        self.outputs.push_back(output);
    }

    fn list(&mut self) {
        let say = self.catalog.say(self.now);
        let releases = self.catalog.listed().clone();
        let usable = self.catalog.usable(self.now);
        let open = gate::judge(&say, &releases, &usable).open;
        self.look_at = self.next_look(&say);
        self.tell_rollout(rollout::Event::Listed {
            releases,
            usable,
            open,
            stopped: self.catalog.stopped_releases(),
            installs_stopped: self.catalog.stopped().all_installs().is_some(),
            complete: self.catalog.is_complete(),
        });
    }

    /// When something may be applied, or may not any more, that neither a
    /// document nor a message tells of.
    fn next_look(&self, say: &Say) -> Option<Time> {
        let edge = gate::next_edge(&say.operations, say.utc);
        let expiry = self.catalog.next_expiry(say.utc);
        let next = edge.into_iter().chain(expiry).min()?;
        let secs = u64::try_from(next.0.saturating_sub(say.utc.0)).ok()?;
        let days = secs.min(LOOK_SECS_MAX);
        Some(self.now.mono.plus(Duration::secs(days)))
    }

    fn indexed(&mut self, content: ContentId, index: &patchmesh_content::index::ReleaseIndex) {
        let mut held = self.inventory.open(content, index);
        if self.config.mode == Mode::Origin {
            held = Bitfield::full(index.chunks_len());
        }
        let wire_lens = index.chunks.iter().map(|chunk| chunk.wire_len).collect();
        self.tell_swarm(swarm::Event::Add {
            content,
            wire_lens,
            held: Box::new(held),
            wanted: false,
        });
        self.tell_rollout(rollout::Event::Indexed { content });
    }

    /// A chunk of several contents that are fetched, one from now on, is fetched
    /// for one (S-23).
    fn share(&mut self, from_now: Option<ContentId>) {
        let mut wanted = self.swarm.active().clone();
        // One that the swarm had no room for brings nothing.
        wanted.extend(from_now.filter(|content| self.swarm.held(content).is_some()));
        for (content, to) in self.inventory.shared(&wanted) {
            self.tell_swarm(swarm::Event::Defer { content, to });
        }
    }

    fn tell_swarm(&mut self, event: swarm::Event) {
        let mut actions = Vec::new();
        self.swarm.handle(event, self.now.mono, &mut actions);
        for action in actions {
            self.on_swarm(action);
        }
    }

    fn on_swarm(&mut self, action: swarm::Action) {
        use swarm::Action;
        let output = match action {
            Action::CancelFetch { fetch } => Output::CancelFetch { fetch },
            Action::Complete { content } => {
                // What held when the release was listed may have expired since.
                self.list();
                return self.tell_rollout(rollout::Event::Complete { content });
            }
            Action::Decline { serve, decline } => Output::Decline { serve, decline },
            Action::Dial { peer, addresses } => Output::Dial { peer, addresses },
            Action::Disconnect { peer, why } => Output::Disconnect { peer, why },
            Action::Fetch {
                fetch,
                from,
                want,
                by,
                idle,
            } => {
                self.fetches.insert(fetch, want);
                let want = Box::new(want);
                Output::Fetch {
                    fetch,
                    from,
                    want,
                    by,
                    idle,
                }
            }
            Action::Scored { peer, code } => {
                Output::Notify(Box::new(Notice::PeerScored { peer, code }))
            }
            Action::Send { to, message } => Output::Send {
                to,
                message: Box::new(message),
            },
            Action::Serve { serve, to, want } => Output::Serve {
                serve,
                to,
                want: Box::new(want),
            },
        };
        self.outputs.push_back(output);
    }

    fn tell_rollout(&mut self, event: rollout::Event) {
        let mut actions = Vec::new();
        self.rollout.handle(event, &mut actions);
        for action in actions {
            self.on_rollout(action);
        }
    }

    fn on_rollout(&mut self, action: rollout::Action) {
        use rollout::Action;
        let output = match action {
            Action::Install { install, step } => Output::Install { install, step },
            Action::NeedIndex { content } => {
                return self.tell_catalog(catalog::Event::Want { content });
            }
            Action::Notify(notice) => Output::Notify(Box::new(notice)),
            Action::Persist(record) => Output::Persist(Box::new(record)),
            Action::Remove { content, unlisted } => {
                self.inventory.close(&content);
                self.tell_swarm(swarm::Event::Remove { content });
                self.share(None);
                if !unlisted {
                    self.tell_catalog(catalog::Event::Drop { content });
                }
                return;
            }
            Action::Cancel { install } => Output::CancelInstall { install },
            Action::Halt { content } => {
                let wanted = false;
                self.tell_swarm(swarm::Event::Want { content, wanted });
                return self.share(None);
            }
            Action::Want { content } => {
                let wanted = true;
                // Before it is fetched: nothing is to leave twice.
                self.share(Some(content));
                return self.tell_swarm(swarm::Event::Want { content, wanted });
            }
        };
        self.outputs.push_back(output);
    }
}

fn send(to: PeerId, message: Message) -> Output {
    let message = Box::new(message);
    Output::Send { to, message }
}

mod read;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
