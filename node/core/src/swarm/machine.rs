//! The machine: one event in, orders out.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::id::{ContentId, PeerId};

use crate::config::{Config, Mode};
use crate::ids::{FetchId, ServeId};
use crate::limits::CONTENTS_MAX;
use crate::output::Source;
use crate::peer::PeerRefusal;
use crate::reason::WakeReason;
use crate::rng::Rng;
use crate::swarm::action::Action;
use crate::swarm::content::state::Content;
use crate::swarm::dial::Dialler;
use crate::swarm::event::Event;
use crate::swarm::fetches::{Fetches, Serve};
use crate::swarm::grant::Grants;
use crate::swarm::site::{Peer, Peers};
use crate::swarm::timer::{Timer, Timers};
use crate::time::Time;
use crate::view::PeerView;

/// Decides who fetches what, from whom, and who is served.
#[derive(Debug)]
pub struct Swarm {
    pub(crate) me: PeerId,
    pub(crate) mode: Mode,
    pub(crate) weight: u32,
    pub(crate) rng: Rng,
    pub(crate) peers: Peers,
    pub(crate) dialler: Dialler,
    pub(crate) contents: BTreeMap<ContentId, Content>,
    /// Contents of which something wanted is missing.
    pub(crate) active: BTreeSet<ContentId>,
    pub(crate) fetches: Fetches,
    pub(crate) serving: BTreeMap<ServeId, Serve>,
    pub(crate) grants: Grants,
    pub(crate) timers: Timers,
    pub(crate) room: bool,
    /// Failures in a row of the HTTP origin, and when to ask it again.
    pub(crate) http: (u32, Time),
    /// When the membership of the site last changed.
    pub(crate) changed: Time,
    pub(crate) counters: Counters,
    started: bool,
}

/// Verified wire bytes by where they came from, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// From members of the site.
    pub lan_bytes: u64,
    /// From peers over the WAN.
    pub wan_bytes: u64,
    /// From the HTTP origin.
    pub origin_bytes: u64,
    /// Served to peers of the site.
    pub served_lan_bytes: u64,
    /// Served over the WAN.
    pub served_wan_bytes: u64,
    /// Chunks served a second time to a site that could not share them.
    pub split_chunks: u64,
}

impl Swarm {
    /// A machine that knows no peer but those of the configuration and holds
    /// no content. It acts from the first event on; its first tick may come
    /// at once.
    pub fn new(config: &Config, rng: Rng) -> Self {
        let mut dialler = Dialler::default();
        let mut timers = Timers::default();
        for (peer, addresses) in &config.bootstrap {
            dialler.bootstrap(*peer, addresses.clone());
            timers.arm(Timer::Dial(*peer), Time(0));
        }
        Self {
            me: config.peer,
            mode: config.mode,
            weight: config.weight,
            rng,
            peers: Peers::default(),
            dialler,
            contents: BTreeMap::new(),
            active: BTreeSet::new(),
            fetches: Fetches::default(),
            serving: BTreeMap::new(),
            grants: Grants::default(),
            timers,
            room: true,
            http: (0, Time(0)),
            changed: Time(0),
            counters: Counters::default(),
            started: false,
        }
    }

    /// Takes one event; orders are appended to `out` and run in that order.
    /// `now` never decreases.
    pub fn handle(&mut self, event: Event, now: Time, out: &mut Vec<Action>) {
        if !self.started {
            self.started = true;
            self.changed = now;
        }
        self.tick(now, out);
        match event {
            Event::Add {
                content,
                wire_lens,
                held,
                wanted,
            } => self.add(content, (wire_lens, *held, wanted), now, out),
            Event::Damaged { content, chunk } => self.damaged(&content, chunk, now, out),
            Event::Discovered { peer, addresses } => {
                self.candidate(peer, &addresses, false, now);
            }
            Event::Defer { content, to } => self.defer(&content, to, out),
            Event::Fetched { fetch, outcome } => self.fetched(fetch, outcome, now, out),
            Event::Flooded { peer } => self.expel(&peer, PeerRefusal::Flood, now, out),
            Event::Gained { content, chunk } => self.gained(&content, chunk, now, out),
            Event::Message { from, message } => self.message(from, *message, now, out),
            Event::PeerDown { peer } => self.peer_down(&peer, now, out),
            Event::PeerUp { member, path } => self.peer_up(&member, path, now, out),
            Event::Remove { content } => self.remove(&content, now, out),
            Event::Requested { serve, from, want } => self.requested((serve, from), want, now, out),
            Event::Room(room) => self.set_room(room, out),
            Event::Served { serve, bytes } => self.served(serve, bytes, now),
            Event::Tick => {}
            Event::Want { content, wanted } => self.want(&content, wanted, now, out),
        }
        self.tick(now, out);
        self.pump(now, out);
    }

    /// When and why `Event::Tick` is due at the latest.
    pub fn wake(&self) -> Option<(Time, WakeReason)> {
        self.timers.next()
    }

    /// Whether a peer is to be turned away at its hello for what it did.
    pub fn refuses(&self, peer: &PeerId, now: Time) -> bool {
        self.peers.get(peer).is_some_and(|p| p.is_refused(now))
    }

    /// The known peers, in ascending order of their ids.
    pub fn peers(&self, now: Time) -> Vec<PeerView> {
        self.peers.view(now)
    }

    /// Held chunks of a content; `None` for an unknown content.
    pub fn held(&self, content: &ContentId) -> Option<&Bitfield> {
        self.contents.get(content).map(|c| c.chunks.held())
    }

    /// Contents of which something wanted is missing.
    pub fn active(&self) -> &BTreeSet<ContentId> {
        &self.active
    }

    /// Whether a wanted content lacks chunks that nobody in reach has now.
    pub fn lacks_source(&self, content: &ContentId, now: Time) -> bool {
        self.contents.get(content).is_some_and(|state| {
            state.is_active()
                && !state.chunks.has_ready()
                && self.mode != Mode::EndpointWithHttp
                && !self.peers.connected().any(|(_, peer)| peer.is_source())
                && !self
                    .fetches
                    .all
                    .values()
                    .any(|fetch| fetch.live && fetch.content == *content)
                && state.views.0.values().all(|view| !view.counted)
                && now >= state.started
        })
    }

    /// Verified bytes so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Fetches and serves that wait for their answers; for checks.
    pub fn unanswered(&self) -> (Vec<FetchId>, Vec<ServeId>) {
        (
            self.fetches.all.keys().copied().collect(),
            self.serving.keys().copied().collect(),
        )
    }

    /// Whether there is room for another content.
    pub(crate) fn has_content_room(&self) -> bool {
        self.contents.len() < CONTENTS_MAX
    }

    /// Runs what is due.
    fn tick(&mut self, now: Time, out: &mut Vec<Action>) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Claims(content) => self.end_claims(&content, now, out),
                Timer::Dial(peer) => self.dial(&peer, now, out),
                Timer::Have => self.flush_all(out),
                Timer::Pump(content) => self.end_delays(&content, now),
                Timer::Renew(content) => self.renew_claims(&content, now, out),
                Timer::Slow => self.look_for_slow(now, out),
                Timer::Trust(peer) => self.trust_again(&peer, now),
            }
        }
    }

    /// Sends out what may be fetched now.
    fn pump(&mut self, now: Time, out: &mut Vec<Action>) {
        if !self.room || self.mode == Mode::Origin {
            return;
        }
        let active: Vec<ContentId> = self.active.iter().copied().collect();
        for content in active {
            self.pull_near(&content, now, out);
            self.fetch_wan(&content, now, out);
        }
    }

    /// The path class of a source: near or over the WAN.
    pub(crate) fn is_near(&self, source: Source) -> bool {
        match source {
            Source::Origin => false,
            Source::Peer(peer) => self.peers.get(&peer).is_some_and(Peer::is_near),
        }
    }
}
