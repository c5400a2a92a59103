//! A network of machines on a virtual clock: shared WAN links as fluid, a LAN
//! with one network card per node, connections that break and nodes that die.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::{SpanIndex, spans};
use patchmesh_content::id::{ContentId, PeerId, blake3};

use crate::config::{Config, Mode};
use crate::ids::{FetchId, ServeId};
use crate::input::Fetched;
use crate::message::{Message, Want};
use crate::output::Source;
use crate::peer::{Member, Path};
use crate::rng::{Rng, Seed};
use crate::swarm::action::Action;
use crate::swarm::event::Event;
use crate::swarm::machine::Swarm;
use crate::time::{Duration, Time};

pub(crate) const CONTENT: ContentId = ContentId([0xC0; 32]);
pub(crate) const SOURCE: usize = 0;

/// How a node behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Honest,
    /// Announces everything and never delivers.
    Liar,
    /// Announces everything and delivers wrong bytes.
    Corrupter,
    /// Passes on claims to everything, of members that don't exist.
    Claimer,
}

/// The size of a world.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) sites: usize,
    pub(crate) per_site: usize,
    pub(crate) chunks: u32,
    /// Bytes per second.
    pub(crate) site_down: f64,
    pub(crate) origin_up: f64,
    /// One way.
    pub(crate) wan_delay: Duration,
    /// Endpoints fetch from a plain HTTP origin; there is no Patchmesh source.
    pub(crate) http: bool,
    /// Multicast finds the others of a site within this time; `None`: never.
    pub(crate) discovery: Option<Duration>,
    /// Hash all orders: slow.
    pub(crate) digest: bool,
}

impl Setup {
    pub(crate) fn new(seed: u64, sites: usize, per_site: usize, chunks: u32) -> Self {
        Self {
            seed,
            sites,
            per_site,
            chunks,
            site_down: 2_500_000.0,
            origin_up: 12_500_000.0,
            wan_delay: Duration::millis(10),
            http: false,
            discovery: Some(Duration::secs(10)),
            digest: false,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Ev {
    Answer(usize, FetchId, Fetched),
    Connect(usize, usize),
    Cut(usize, usize),
    Deadline(usize, FetchId, Time),
    Discover(usize, usize),
    Down(usize, usize),
    Flows(u64),
    Kill(usize),
    NearEnd(u64),
    Receive(usize, usize, u64, Box<Message>),
    Request(usize, usize, u64, FetchId, Want),
    Sent(usize, ServeId, u64),
    Start(usize),
    Tick(usize),
}

pub(crate) struct Node {
    pub(crate) swarm: Swarm,
    pub(crate) member: Member,
    pub(crate) manner: Manner,
    pub(crate) alive: bool,
    pub(crate) started: bool,
    pub(crate) store: Bitfield,
    pub(crate) done: Option<Time>,
    pub(crate) site: usize,
    pub(crate) tick_at: Option<Time>,
    pub(crate) card_free: Time,
    /// Fetches without answer: from whom, and the transfer if it runs.
    pub(crate) open: BTreeMap<FetchId, (Option<usize>, Want)>,
}

pub(crate) struct Transfer {
    /// `None`: the HTTP origin.
    pub(crate) server: Option<usize>,
    pub(crate) client: usize,
    pub(crate) serve: ServeId,
    pub(crate) fetch: FetchId,
    pub(crate) want: Want,
    pub(crate) left: f64,
    pub(crate) wan: bool,
}

pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) now: Time,
    pub(crate) nodes: Vec<Node>,
    pub(crate) lens: Arc<[u32]>,
    /// Bytes that crossed each site's WAN link.
    pub(crate) wan_bytes: Vec<f64>,
    /// The part of it that honest nodes asked for.
    pub(crate) honest_bytes: f64,
    /// Hash of all orders so far.
    pub(crate) digest: [u8; 32],
    pub(crate) delivered: u64,
    /// Pairs that cannot reach each other.
    pub(crate) blocked: BTreeSet<(usize, usize)>,
    pub(crate) queue: BTreeMap<(Time, u64), Ev>,
    pub(crate) sequence: u64,
    pub(crate) links: BTreeMap<(usize, usize), u64>,
    pub(crate) transfers: BTreeMap<u64, Transfer>,
    pub(crate) rates: BTreeMap<u64, f64>,
    pub(crate) fluid_at: Time,
    pub(crate) fluid_turn: u64,
    pub(crate) asked: BTreeMap<ServeId, (usize, usize, FetchId, Want)>,
    pub(crate) steps: u64,
    pub(crate) rng: Rng,
}

fn peer(node: usize) -> PeerId {
    PeerId(blake3(&node.to_le_bytes()))
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let mut rng = Rng::new(Seed(blake3(&setup.seed.to_le_bytes())));
        let lens: Arc<[u32]> = (0..setup.chunks)
            .map(|_| {
                let a = rng.below(96) + rng.below(96) + rng.below(66);
                u32::try_from(32 + a).unwrap() * 1024 - 512
            })
            .collect();
        let mut world = Self {
            now: Time(1_000_000),
            nodes: Vec::new(),
            wan_bytes: vec![0.0; setup.sites],
            honest_bytes: 0.0,
            digest: [0; 32],
            delivered: 0,
            blocked: BTreeSet::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            links: BTreeMap::new(),
            transfers: BTreeMap::new(),
            rates: BTreeMap::new(),
            fluid_at: Time(0),
            fluid_turn: 0,
            asked: BTreeMap::new(),
            steps: 0,
            rng,
            lens,
            setup,
        };
        let count = 1 + world.setup.sites * world.setup.per_site;
        for index in 0..count {
            world.add_node(index);
        }
        for index in 0..count {
            let at = world.now.plus(Duration(world.rng.below(20_000)));
            let at = if index == SOURCE { world.now } else { at };
            world.push(at, Ev::Start(index));
        }
        if let Some(most) = world.setup.discovery {
            for a in 1..count {
                for b in 1..count {
                    if a != b && world.nodes[a].site == world.nodes[b].site {
                        let wait = Duration(world.rng.below(most.0 + 1));
                        world.push(world.now.plus(wait), Ev::Discover(a, b));
                    }
                }
            }
        }
        world
    }

    fn add_node(&mut self, index: usize) {
        let origin = index == SOURCE;
        let site = if origin {
            usize::MAX
        } else {
            (index - 1) / self.setup.per_site
        };
        let mode = match (origin, self.setup.http) {
            (true, _) => Mode::Origin,
            (false, true) => Mode::EndpointWithHttp,
            (false, false) => Mode::Endpoint,
        };
        let address = |node: usize| vec![node.to_le_bytes().to_vec()];
        let site_name = if origin {
            String::new()
        } else {
            format!("site{site}")
        };
        let bootstrap = if origin || self.setup.http {
            Vec::new()
        } else {
            vec![(peer(SOURCE), address(SOURCE))]
        };
        let config = Config {
            peer: peer(index),
            site: site_name.clone(),
            lines: Vec::new(),
            automatic: true,
            mode,
            weight: 4,
            bootstrap,
        };
        let store = if origin {
            Bitfield::full(self.setup.chunks)
        } else {
            Bitfield::empty(self.setup.chunks)
        };
        self.nodes.push(Node {
            swarm: Swarm::new(&config, self.rng.fork("node")),
            member: Member {
                peer: peer(index),
                site: site_name,
                origin,
                addresses: address(index),
            },
            manner: Manner::Honest,
            alive: true,
            started: false,
            store,
            done: None,
            site,
            tick_at: None,
            card_free: Time(0),
            open: BTreeMap::new(),
        });
    }

    /// Total wire bytes.
    pub(crate) fn size(&self) -> f64 {
        self.lens.iter().map(|&len| f64::from(len)).sum()
    }

    pub(crate) fn kill_at(&mut self, node: usize, at: Time) {
        self.push(at, Ev::Kill(node));
    }

    pub(crate) fn cut_at(&mut self, a: usize, b: usize, at: Time) {
        self.push(at, Ev::Cut(a, b));
    }

    /// Runs until every living honest node is complete, or until `limit`.
    pub(crate) fn run(&mut self, limit: Time) -> bool {
        while !self.is_done() {
            if !self.step(limit) {
                return false;
            }
        }
        true
    }

    pub(crate) fn run_until(&mut self, at: Time) {
        while self.step(at) {}
    }

    pub(crate) fn is_done(&self) -> bool {
        self.nodes
            .iter()
            .skip(1)
            .all(|node| !node.alive || node.manner != Manner::Honest || node.done.is_some())
    }

    fn step(&mut self, limit: Time) -> bool {
        let Some((&key, _)) = self.queue.first_key_value() else {
            return false;
        };
        if key.0 > limit {
            return false;
        }
        let event = self.queue.remove(&key).unwrap();
        assert!(key.0 >= self.now);
        self.now = key.0;
        self.steps += 1;
        self.run_event(event);
        if self.steps.is_multiple_of(501) {
            self.check();
        }
        true
    }

    fn run_event(&mut self, event: Ev) {
        match event {
            Ev::Answer(node, fetch, outcome) => self.answer(node, fetch, outcome),
            Ev::Connect(a, b) => self.connect(a, b),
            Ev::Cut(a, b) => self.cut(a, b),
            Ev::Deadline(node, fetch, by) => self.late(node, fetch, by),
            Ev::Discover(a, b) => {
                let addresses = self.nodes[b].member.addresses.clone();
                let peer = peer(b);
                self.give(a, Event::Discovered { peer, addresses });
            }
            Ev::Down(node, other) => {
                let peer = peer(other);
                self.give(node, Event::PeerDown { peer });
            }
            Ev::Flows(turn) if turn == self.fluid_turn => self.finish_flows(),
            Ev::Flows(_) => {}
            Ev::Kill(node) => self.kill(node),
            Ev::NearEnd(transfer) => self.finish(transfer),
            Ev::Receive(to, from, link, message) => {
                if self.links.get(&pair(to, from)) == Some(&link) {
                    let from = peer(from);
                    self.give(to, Event::Message { from, message });
                }
            }
            Ev::Request(server, client, link, fetch, want) => {
                if self.links.get(&pair(server, client)) == Some(&link) {
                    self.request(server, client, fetch, want);
                }
            }
            Ev::Sent(server, serve, bytes) => self.give(server, Event::Served { serve, bytes }),
            Ev::Start(node) => self.start(node),
            Ev::Tick(node) => {
                if self.nodes[node].tick_at == Some(self.now) {
                    self.nodes[node].tick_at = None;
                    self.give(node, Event::Tick);
                }
            }
        }
    }

    fn start(&mut self, node: usize) {
        self.nodes[node].started = true;
        let held = Box::new(self.nodes[node].store.clone());
        let event = Event::Add {
            content: CONTENT,
            wire_lens: self.lens.clone(),
            held,
            wanted: true,
        };
        self.give(node, event);
    }

    /// Hands an event to a machine and runs its orders.
    pub(crate) fn give(&mut self, node: usize, event: Event) {
        if !self.nodes[node].alive || !self.nodes[node].started {
            return;
        }
        let mut out = Vec::new();
        let now = self.now;
        self.nodes[node].swarm.handle(event, now, &mut out);
        if self.setup.digest {
            let line = format!("{:?}{node}{now:?}{out:?}", self.digest);
            self.digest = blake3(line.as_bytes());
        }
        for action in out {
            self.act(node, action);
        }
        if let Some((at, _)) = self.nodes[node].swarm.wake() {
            let at = at.max(self.now);
            if self.nodes[node].tick_at.is_none_or(|armed| at < armed) {
                self.nodes[node].tick_at = Some(at);
                self.push(at, Ev::Tick(node));
            }
        }
    }

    fn act(&mut self, node: usize, action: Action) {
        match action {
            Action::CancelFetch { fetch } => self.give_up(node, fetch),
            Action::Complete { .. } => {
                assert!(self.nodes[node].store.is_full());
                self.nodes[node].done.get_or_insert(self.now);
            }
            Action::Decline { serve, decline } => {
                let (server, client, fetch, _) = self.asked.remove(&serve).unwrap();
                assert_eq!(server, node);
                let outcome = Fetched::Declined(decline);
                let at = self.now.plus(self.delay(server, client));
                self.push(at, Ev::Answer(client, fetch, outcome));
            }
            Action::Dial { addresses, .. } => {
                let bytes = addresses[0].as_slice().try_into().unwrap();
                let other = usize::from_le_bytes(bytes);
                let wait = Duration(3 * self.delay(node, other).0);
                self.push(self.now.plus(wait), Ev::Connect(node, other));
            }
            Action::Disconnect { peer, .. } => {
                let other = self.index(&peer);
                self.cut(node, other);
            }
            Action::Fetch {
                fetch,
                from,
                want,
                by,
                idle,
            } => self.fetch((node, fetch), from, want, (by, idle)),
            Action::Scored { .. } => {}
            Action::Send { to, message } => {
                let other = self.index(&to);
                if let Some(&link) = self.links.get(&pair(node, other)) {
                    let at = self.now.plus(self.delay(node, other));
                    self.push(at, Ev::Receive(other, node, link, Box::new(message)));
                }
            }
            Action::Serve { serve, to, want } => {
                let (server, client, fetch, asked) = self.asked.remove(&serve).unwrap();
                assert_eq!((server, asked, peer(client)), (node, want, to));
                assert!(
                    self.nodes[node].store.contains(want.chunk),
                    "serves what it lacks"
                );
                self.transfer((Some(server), serve), (client, fetch), want);
            }
        }
    }

    fn fetch(
        &mut self,
        (node, fetch): (usize, FetchId),
        from: Source,
        want: Want,
        (by, idle): (Time, Duration),
    ) {
        assert!(
            !self.nodes[node].store.contains(want.chunk),
            "fetches what it holds"
        );
        assert!(by > self.now);
        let server = match from {
            Source::Origin => None,
            Source::Peer(peer) => Some(self.index(&peer)),
        };
        let known = self.nodes[node].open.insert(fetch, (server, want));
        assert!(known.is_none(), "a fetch id is used twice");
        assert!(self.nodes[node].open.len() <= crate::limits::FETCHES_MAX);
        let due = by.min(self.now.plus(idle));
        self.push(due, Ev::Deadline(node, fetch, by));
        if server.is_none_or(|server| server == SOURCE) {
            self.check_window(node);
        }
        match server {
            None => self.transfer((None, ServeId(u64::MAX)), (node, fetch), want),
            Some(server) => {
                if let Some(&link) = self.links.get(&pair(node, server)) {
                    let at = self.now.plus(self.delay(node, server));
                    self.push(at, Ev::Request(server, node, link, fetch, want));
                } else {
                    self.push(self.now, Ev::Answer(node, fetch, Fetched::Stalled));
                }
            }
        }
    }

    fn request(&mut self, server: usize, client: usize, fetch: FetchId, want: Want) {
        if !self.nodes[client].open.contains_key(&fetch) {
            return;
        }
        match self.nodes[server].manner {
            Manner::Honest => {
                let serve = ServeId(self.sequence);
                self.sequence += 1;
                self.asked.insert(serve, (server, client, fetch, want));
                let from = peer(client);
                self.give(server, Event::Requested { serve, from, want });
                assert!(!self.asked.contains_key(&serve), "a request without answer");
            }
            Manner::Liar | Manner::Claimer => {}
            Manner::Corrupter => {
                let at = self.now.plus(Duration::millis(2));
                self.push(at, Ev::Answer(client, fetch, Fetched::Corrupt));
            }
        }
    }

    fn answer(&mut self, node: usize, fetch: FetchId, outcome: Fetched) {
        let Some((_, want)) = self.nodes[node].open.remove(&fetch) else {
            return;
        };
        if outcome == Fetched::Held {
            self.nodes[node].store.insert(want.chunk);
            self.delivered += 1;
        }
        self.give(node, Event::Fetched { fetch, outcome });
    }

    /// The client ends a fetch: too late, cancelled, or the connection is gone.
    /// What is under way moves all the time here.
    fn late(&mut self, node: usize, fetch: FetchId, by: Time) {
        let mut transfers = self.transfers.values();
        let moves = transfers.any(|t| (t.client, t.fetch) == (node, fetch));
        if moves && self.now < by {
            self.push(by, Ev::Deadline(node, fetch, by));
        } else {
            self.give_up(node, fetch);
        }
    }

    fn give_up(&mut self, node: usize, fetch: FetchId) {
        if !self.nodes[node].open.contains_key(&fetch) {
            return;
        }
        self.drop_transfers(|t| t.client == node && t.fetch == fetch);
        self.push(self.now, Ev::Answer(node, fetch, Fetched::Stalled));
    }

    fn connect(&mut self, a: usize, b: usize) {
        let up = |node: &Node| node.alive && node.started;
        if self.links.contains_key(&pair(a, b))
            || self.blocked.contains(&pair(a, b))
            || !up(&self.nodes[a])
            || !up(&self.nodes[b])
        {
            return;
        }
        let refuses = |a: &Node, b: &Node, now| a.swarm.refuses(&b.member.peer, now);
        if refuses(&self.nodes[a], &self.nodes[b], self.now)
            || refuses(&self.nodes[b], &self.nodes[a], self.now)
        {
            return;
        }
        self.sequence += 1;
        self.links.insert(pair(a, b), self.sequence);
        let path = if a == SOURCE || b == SOURCE {
            Path::Wan
        } else {
            Path::Lan
        };
        for (node, other) in [(a, b), (b, a)] {
            let member = Box::new(self.nodes[other].member.clone());
            self.give(node, Event::PeerUp { member, path });
            let link = self.sequence_of(a, b);
            for (after, message) in self.lies(other) {
                let at = self.now.plus(after);
                self.push(at, Ev::Receive(node, other, link, Box::new(message)));
            }
        }
    }

    /// What a hostile member says, and how long after it was connected.
    fn lies(&self, node: usize) -> Vec<(Duration, Message)> {
        let soon = Duration::millis(5);
        match self.nodes[node].manner {
            Manner::Honest => Vec::new(),
            Manner::Liar | Manner::Corrupter => {
                let words = Vec::new();
                let have = Message::Have {
                    content: CONTENT,
                    all: true,
                    words,
                };
                vec![(soon, have)]
            }
            Manner::Claimer => (0..10u8)
                .flat_map(|round| {
                    let spans = 0..spans(self.setup.chunks);
                    spans.map(move |span| {
                        let holder = u8::try_from(span / 8).unwrap();
                        let mut id = [round; 32];
                        id[..2].copy_from_slice(&[holder, 0xFE]);
                        let claim = Message::Claim {
                            holder: Some(PeerId(id)),
                            content: CONTENT,
                            span: SpanIndex(span),
                            duration: Duration::secs(120),
                        };
                        (soon.max(Duration::secs(20 * u64::from(round))), claim)
                    })
                })
                .collect(),
        }
    }

    fn sequence_of(&self, a: usize, b: usize) -> u64 {
        self.links.get(&pair(a, b)).copied().unwrap_or(0)
    }

    fn cut(&mut self, a: usize, b: usize) {
        if self.links.remove(&pair(a, b)).is_none() {
            return;
        }
        let between = |x: usize, y: usize| (x == a && y == b) || (x == b && y == a);
        self.drop_transfers(|t| t.server.is_some_and(|s| between(s, t.client)));
        for (node, other) in [(a, b), (b, a)] {
            let at = self.now.plus(self.delay(node, other));
            self.push(at, Ev::Down(node, other));
            let open: Vec<FetchId> = self.nodes[node]
                .open
                .iter()
                .filter(|(_, (server, _))| *server == Some(other))
                .map(|(id, _)| *id)
                .collect();
            for fetch in open {
                self.push(at, Ev::Answer(node, fetch, Fetched::Stalled));
            }
        }
    }

    fn kill(&mut self, node: usize) {
        self.nodes[node].alive = false;
        let links: Vec<(usize, usize)> = self
            .links
            .keys()
            .copied()
            .filter(|(a, b)| *a == node || *b == node)
            .collect();
        for (a, b) in links {
            self.cut(a, b);
        }
        self.drop_transfers(|t| t.client == node);
    }

    pub(crate) fn push(&mut self, at: Time, event: Ev) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), event);
    }

    pub(crate) fn delay(&self, a: usize, b: usize) -> Duration {
        if a == SOURCE || b == SOURCE {
            self.setup.wan_delay
        } else {
            Duration(300)
        }
    }

    pub(crate) fn index(&self, id: &PeerId) -> usize {
        self.nodes
            .iter()
            .position(|node| node.member.peer == *id)
            .unwrap()
    }

    /// Starts a node later than the others, found by multicast never.
    pub(crate) fn start_later(&mut self, node: usize, at: Time) {
        self.queue.retain(|_, event| {
            !matches!(event, Ev::Start(n) if *n == node)
                && !matches!(event, Ev::Discover(a, b) if *a == node || *b == node)
        });
        self.push(at, Ev::Start(node));
    }
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}
