//! A world: virtual time, one queue of events, and the loop that feeds them to
//! the engines.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use patchmesh_content::geometry::SpanIndex;
use patchmesh_content::id::{ContentId, Hasher, PeerId};
use patchmesh_core::ids::{AskId, AskedId, GossipId, HelloId, ServeId};
use patchmesh_core::input::Input;
use patchmesh_core::message::DocumentRef;
use patchmesh_core::output::Output;
use patchmesh_core::rng::Rng;
use patchmesh_core::time::{Duration, Now, Time, UtcTime};

use crate::broken::Broken;
use crate::host::{Host, address};
use crate::link::{Access, Conn, Flow, Freight, Limits, Place, Serving};
use crate::plan::{Fault, Plan, rng};
use crate::publisher::{Publisher, UTC, index};

/// Events that are told when a check breaks.
const LAST_EVENTS: usize = 50;
/// A node that is woken more often at one moment makes no progress.
const SPINS_MAX: u32 = 200;

/// Something that happens at a moment.
#[derive(Debug)]
pub(crate) enum Event {
    /// An input for a node, if it still lives this life.
    Input(usize, u64, Box<Input>),
    /// A node asked to be woken.
    Wake(usize, u64),
    /// A dial gets through, or not.
    Dialled(usize, usize),
    /// A frame has left a link, unless it was given up before.
    Left(u64, Place),
    /// A frame comes to a link.
    Reach(u64, Place),
    /// A fetch may be out of time.
    Late(usize, u64, patchmesh_core::ids::FetchId, Limits),
    /// From the plan.
    Fault(Fault),
    /// Power is back.
    Start(usize),
    /// Members of a site find each other.
    Discover(usize),
    /// A full disk may have room again.
    Room(usize),
    /// A connection that is mute from the first to the second has been so long.
    Silent(usize, usize),
    /// A slow port is as fast as before.
    Fast(usize),
}

/// N engines on virtual time.
#[derive(Debug)]
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) publisher: Publisher,
    pub(crate) now: Time,
    pub(crate) hosts: Vec<Host>,
    pub(crate) numbers: BTreeMap<PeerId, usize>,
    pub(crate) sites: Vec<Access>,
    pub(crate) origin: Access,
    pub(crate) conns: BTreeMap<(usize, usize), Conn>,
    /// Halves of a site do not reach each other before this time.
    pub(crate) apart: BTreeMap<usize, Time>,
    /// Nothing comes from the first to the second before this time.
    pub(crate) mutes: BTreeMap<(usize, usize), Time>,
    pub(crate) hellos: BTreeMap<HelloId, (usize, usize)>,
    /// Who asks whom, by which question, for what.
    pub(crate) asked: BTreeMap<AskedId, (usize, usize, AskId, Box<DocumentRef>)>,
    pub(crate) serves: BTreeMap<ServeId, Serving>,
    pub(crate) freights: BTreeMap<u64, Freight>,
    /// When bytes of a chunk last came over each connection.
    pub(crate) heard: BTreeMap<Flow, Time>,
    pub(crate) gossip: BTreeMap<GossipId, (usize, usize, patchmesh_core::message::Announcement)>,
    pub(crate) next_id: u64,
    /// Spans that a source serves to several members of a site, since one took the
    /// other for unreachable.
    pub(crate) splits: BTreeSet<(usize, usize, ContentId, SpanIndex)>,
    /// When a source heard last that a chunk of a span reached a member.
    pub(crate) reached: BTreeMap<(usize, usize, ContentId, SpanIndex), Time>,
    /// Shortest time in which a source served a chunk of a content to a site.
    pub(crate) quickest: BTreeMap<(usize, usize, ContentId), Duration>,
    /// Chunk bytes over the WAN into each site.
    pub(crate) wan_bytes: Vec<u64>,
    /// Bytes of metadata and indexes over the WAN into each site.
    pub(crate) wan_documents: Vec<u64>,
    /// Wrong wall clocks: seconds that each node is ahead, or behind.
    pub(crate) clock_errors: Vec<i64>,
    /// Ids of the releases that are active now.
    pub(crate) active: usize,
    pub(crate) rng: Rng,
    pub(crate) broken: Option<Broken>,
    touched: Option<usize>,
    queue: BTreeMap<(Time, u64), Event>,
    sequence: u64,
    trail: Hasher,
    last: VecDeque<String>,
    steps: u64,
}

impl World {
    /// Builds the world of a plan; the first release is published.
    pub fn new(plan: Plan) -> Self {
        let mut publisher = Publisher::new();
        if let Some(parties) = &plan.parties {
            publisher.word = Some(parties.word);
            publisher.keys = parties.asked.map(|asked| parties.keys(asked, &plan));
        }
        let (first, count) = plan.chunks[0];
        publisher.publish(&[index("KB-1", first, count)]);
        let mut hosts = vec![Host::new(0, None, plan.origin_up.max(plan.lan))];
        for (number, site) in plan.sites.iter().enumerate() {
            for _ in 0..site.nodes {
                hosts.push(Host::new(hosts.len(), Some(number), plan.lan));
            }
        }
        let numbers = hosts.iter().enumerate();
        let numbers = numbers.map(|(number, host)| (host.peer, number)).collect();
        let sites = plan.sites.iter();
        let mut world = Self {
            sites: sites.map(|site| Access::new(site.down, site.up)).collect(),
            origin: Access::new(plan.origin_up, plan.origin_up),
            wan_bytes: vec![0; plan.sites.len()],
            wan_documents: vec![0; plan.sites.len()],
            clock_errors: plan.clock_errors.clone(),
            rng: rng(plan.seed).fork("world"),
            publisher,
            now: Time(0),
            hosts,
            numbers,
            apart: BTreeMap::new(),
            mutes: BTreeMap::new(),
            conns: BTreeMap::new(),
            hellos: BTreeMap::new(),
            asked: BTreeMap::new(),
            serves: BTreeMap::new(),
            freights: BTreeMap::new(),
            heard: BTreeMap::new(),
            gossip: BTreeMap::new(),
            splits: BTreeSet::new(),
            reached: BTreeMap::new(),
            quickest: BTreeMap::new(),
            next_id: 0,
            active: 1,
            broken: None,
            touched: None,
            queue: BTreeMap::new(),
            sequence: 0,
            trail: Hasher::new(),
            last: VecDeque::new(),
            steps: 0,
            plan,
        };
        for (time, fault) in world.plan.faults.clone() {
            world.at(time, Event::Fault(fault));
        }
        for node in 0..world.hosts.len() {
            // The origin is there first, as in life.
            let after = if node == 0 {
                0
            } else {
                100 + world.rng.below(900)
            };
            world.after(Duration::millis(after), Event::Start(node));
        }
        world
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Hash of all events and outputs so far.
    pub fn trail(&self) -> [u8; 32] {
        self.trail.finish()
    }

    /// Events so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The last events, oldest first.
    pub fn last_events(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(String::as_str)
    }

    /// Does the next event; says which node handled it, or what broke. `None`
    /// at the end of all events.
    pub fn step(&mut self) -> Option<Result<Option<usize>, Broken>> {
        let ((time, _), event) = self.queue.pop_first()?;
        self.now = time;
        self.steps += 1;
        self.happen(event);
        let touched = self.touched.take();
        Some(self.broken.take().map_or(Ok(touched), Err))
    }

    pub(crate) fn at(&mut self, time: Time, event: Event) {
        self.sequence += 1;
        self.queue.insert((time, self.sequence), event);
    }

    pub(crate) fn after(&mut self, duration: Duration, event: Event) {
        self.at(self.now.plus(duration), event);
    }

    /// An input for the present life of a node.
    pub(crate) fn input(&mut self, node: usize, after: Duration, input: Input) {
        let life = self.hosts[node].life;
        self.after(after, Event::Input(node, life, Box::new(input)));
    }

    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn clocks(&self, node: usize) -> Now {
        let secs = i64::try_from(self.now.0 / 1_000_000).unwrap_or(i64::MAX);
        let error = self.clock_errors.get(node).copied().unwrap_or(0);
        Now {
            mono: self.now,
            utc: UtcTime(UTC.0.saturating_add(secs).saturating_add(error)),
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Input(node, life, input) => {
                if self.hosts[node].life == life && self.hosts[node].engine.is_some() {
                    self.hosts[node].spins = 0;
                    self.feed(node, *input);
                }
            }
            Event::Wake(node, life) => self.wake(node, life),
            Event::Dialled(from, to) => self.dialled(from, to),
            Event::Left(frame, place) => self.left(frame, place),
            Event::Reach(frame, place) => self.reach(frame, place),
            Event::Late(node, life, fetch, limits) => {
                if self.hosts[node].life == life {
                    self.late(node, fetch, limits);
                }
            }
            Event::Fault(fault) => self.fault(fault),
            Event::Start(node) => self.start(node),
            Event::Room(node) => self.room(node),
            Event::Silent(from, to) => self.silent(from, to),
            Event::Fast(node) if self.hosts[node].slow_until > self.now => {}
            Event::Fast(node) => self.slow_port(node, 1),
            Event::Discover(node) => self.discover(node),
        }
    }

    fn wake(&mut self, node: usize, life: u64) {
        let host = &mut self.hosts[node];
        let due = host.wake.is_some_and(|wake| wake <= self.now);
        if host.life != life || !due {
            return;
        }
        host.spins += 1;
        if host.spins > SPINS_MAX {
            self.broken = Some(Broken::new("spin", node, "woken again and again"));
            return;
        }
        self.feed(node, Input::Tick);
    }

    fn start(&mut self, node: usize) {
        let (clocks, seed) = (self.clocks(node), self.plan.seed);
        let origin = self.hosts[0].peer;
        let anchor = self.publisher.anchor.clone();
        self.hosts[node].start(&anchor, &origin, seed, clocks);
        self.note(node, &"start");
        self.drain(node);
        let after = Duration::millis(self.rng.below(2_000));
        self.after(after, Event::Discover(node));
    }

    /// The members of a site that have power find a node, and it finds them.
    fn discover(&mut self, node: usize) {
        let site = self.hosts[node].site;
        let up = |host: &Host| host.engine.is_some() && host.site == site;
        if site.is_none() || !up(&self.hosts[node]) {
            return;
        }
        for other in 0..self.hosts.len() {
            if other == node || !up(&self.hosts[other]) {
                continue;
            }
            for (to, of) in [(node, other), (other, node)] {
                let peer = self.hosts[of].peer;
                let addresses = vec![address(of)];
                self.input(to, Duration(0), Input::Discovered { peer, addresses });
            }
        }
    }

    pub(crate) fn feed(&mut self, node: usize, input: Input) {
        self.note(node, &input);
        let clocks = self.clocks(node);
        let engine = self.hosts[node].engine.as_mut();
        engine
            .expect("only nodes with power are fed")
            .handle(input, clocks);
        self.drain(node);
    }

    /// Carries out all outputs of a node.
    fn drain(&mut self, node: usize) {
        loop {
            let engine = self.hosts[node].engine.as_mut();
            let output = engine.expect("a drain does not end a life").poll();
            self.note(node, &output);
            if let Output::Wait(wait) = output {
                self.wait(node, wait.map(|(at, _)| at));
                break;
            }
            self.act(node, output);
        }
        self.touched = Some(node);
    }

    fn wait(&mut self, node: usize, wait: Option<Time>) {
        let due = wait.map(|at| at.max(self.now));
        let host = &mut self.hosts[node];
        let life = host.life;
        // A wake that is already queued for this moment or earlier will do.
        host.wake = due;
        if let Some(due) = due {
            self.at(due, Event::Wake(node, life));
        }
    }

    fn note(&mut self, node: usize, what: &dyn std::fmt::Debug) {
        let line = format!("{:>12} us node {node}: {what:?}", self.now.0);
        self.trail.update(line.as_bytes());
        if self.last.len() == LAST_EVENTS {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }
}
