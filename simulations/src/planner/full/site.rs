//! One site with a machine in every endpoint, and the origin it fetches from.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::{Index, IndexMut};

use patchmesh_content::bitfield::Bitfield;
use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_core::config::{Config, Mode};
use patchmesh_core::ids::{FetchId, ServeId};
use patchmesh_core::limits::PEERS_MAX;
use patchmesh_core::message::Want;
use patchmesh_core::peer::Member;
use patchmesh_core::rng::{Rng, Seed};
use patchmesh_core::swarm::{Action, Event as Input, Swarm};
use patchmesh_core::time::{Duration, Time};

use crate::planner::full::queue::{Event, Life, Node, Queue};
use crate::planner::full::unit::Units;
use crate::planner::full::wire::{Wire, micros};
use crate::planner::outcome::{SiteRun, Track};
use crate::planner::world::chance::{Chance, number};
use crate::planner::world::site::Site;
use crate::planner::world::steps::Steps;

/// The one content of a plan.
pub const CONTENT: ContentId = ContentId([0xC0; 32]);
/// The origin's number.
pub const ORIGIN: Node = 0;
/// Others that a node finds by multicast.
const FOUND_MAX: usize = 32;
/// They are found within this time, in seconds.
const FOUND_WITHIN: f64 = 2.0;
/// One way in the site, in seconds.
const NEAR: f64 = 0.000_3;

/// A node of the site, or the origin.
#[derive(Debug)]
pub struct State {
    pub(crate) swarm: Option<Box<Swarm>>,
    pub(crate) life: Life,
    pub(crate) member: Member,
    pub(crate) wireless: bool,
    pub(crate) part: u32,
    pub(crate) store: Bitfield,
    pub(crate) done: Option<Time>,
    /// How often it is still to be switched on.
    pub(crate) starts: usize,
    pub(crate) tick_at: Option<Time>,
    /// When the port out of it, and into it, is free; seconds.
    pub(crate) out_free: f64,
    pub(crate) in_free: f64,
    /// Fetches without answer, with their transfers once they run.
    pub(crate) open: BTreeMap<FetchId, (Node, Option<usize>)>,
    pub(crate) links: BTreeSet<Node>,
}

/// The nodes of a site by their numbers.
#[derive(Debug)]
pub struct Nodes(Vec<State>);

impl Nodes {
    /// The endpoints: all but the origin.
    fn endpoints(&self) -> &[State] {
        &self.0[1..]
    }

    fn count(&self) -> Node {
        self.0.len() as Node
    }
}

impl Index<Node> for Nodes {
    type Output = State;

    fn index(&self, node: Node) -> &State {
        &self.0[node as usize]
    }
}

impl IndexMut<Node> for Nodes {
    fn index_mut(&mut self, node: Node) -> &mut State {
        &mut self.0[node as usize]
    }
}

/// Bytes on their way.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    pub(crate) server: Node,
    pub(crate) client: Node,
    pub(crate) life: Life,
    pub(crate) serve: ServeId,
    pub(crate) fetch: FetchId,
    pub(crate) want: Want,
    /// Whether it is on its way into its client.
    pub(crate) sent: bool,
    pub(crate) live: bool,
}

/// A site on virtual time; its clock is slower than the world by `units.slow`.
#[derive(Debug)]
pub struct SiteWorld<'a> {
    pub(crate) site: &'a Site,
    pub(crate) units: &'a Units,
    pub(crate) now: Time,
    pub(crate) nodes: Nodes,
    pub(crate) queue: Queue,
    pub(crate) line: Wire,
    pub(crate) air: Wire,
    /// When the fabric is free; seconds.
    pub(crate) fabric_free: f64,
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) unused: Vec<usize>,
    /// Room for the orders of a machine.
    pub(crate) orders: Vec<Action>,
    pub(crate) serves: u64,
    /// The answer to a request that is being made.
    pub(crate) asked: BTreeMap<ServeId, (Node, Node, Life, FetchId)>,
    pub(crate) lan: f64,
    pub(crate) chance: Chance,
    pub(crate) rng: Rng,
    pub(crate) open: usize,
    /// Endpoints that are on and lack something.
    pub(crate) eager: usize,
    /// Who asked to be woken while nobody lacked anything.
    pub(crate) asleep: Vec<(Node, Life)>,
    /// Events so far.
    pub steps: u64,
}

/// The id of a node, with its number in it.
pub fn peer(site: u64, node: Node) -> PeerId {
    let mut bytes = [0; 32];
    let mut chance = Chance::new(site, u64::from(node), 9);
    for byte in &mut bytes {
        *byte = (chance.unit() * 256.0) as u8;
    }
    bytes[28..].copy_from_slice(&node.to_le_bytes());
    PeerId(bytes)
}

/// The number of a node.
pub fn node(peer: &PeerId) -> Node {
    u32::from_le_bytes([peer.0[28], peer.0[29], peer.0[30], peer.0[31]])
}

impl<'a> SiteWorld<'a> {
    /// A site before the start. `rate` is what the line gives to updates.
    pub fn new(site: &'a Site, units: &'a Units, rate: &Steps, seed: u64) -> Self {
        let entity = number(&site.id);
        let mut root = [0; 32];
        root[..8].copy_from_slice(&seed.to_le_bytes());
        root[8..16].copy_from_slice(&entity.to_le_bytes());
        let mut world = Self {
            site,
            units,
            now: Time(0),
            nodes: Nodes(Vec::with_capacity(site.hosts.len() + 1)),
            queue: Queue::default(),
            line: Wire::new(rate.slower(units.slow), 3600.0 / units.slow),
            air: Wire::new(Steps::constant(site.wifi), 3600.0 / units.slow),
            fabric_free: 0.0,
            transfers: Vec::new(),
            unused: Vec::new(),
            orders: Vec::new(),
            serves: 0,
            asked: BTreeMap::new(),
            lan: 0.0,
            chance: Chance::new(seed, entity, 3),
            rng: Rng::new(Seed(root)),
            open: 0,
            eager: 0,
            asleep: Vec::new(),
            steps: 0,
        };
        world.line.track = site.tracked.then(Track::default);
        world.add(entity, ORIGIN);
        world.switch_on(ORIGIN);
        for (node, host) in (1..).zip(&site.hosts) {
            world.add(entity, node);
            for (from, to) in host.spans() {
                let (on, off) = (Event::On(node), Event::Off(node));
                world.queue.push(micros(from / units.slow), on);
                world.queue.push(micros(to / units.slow), off);
            }
            world.open += usize::from(host.first().is_finite());
        }
        world
    }

    fn add(&mut self, entity: u64, node: Node) {
        let count = self.units.count();
        let host = node.checked_sub(1).map(|at| &self.site.hosts[at as usize]);
        let store = match host {
            None => Bitfield::full(count),
            Some(host) => {
                let mut store = Bitfield::empty(count);
                for chunk in 0..self.units.held(host.overlap) {
                    store.insert(ChunkIndex(chunk));
                }
                store
            }
        };
        let parts = self.site.parts.max(1);
        self.nodes.0.push(State {
            swarm: None,
            life: 0,
            member: Member {
                peer: peer(entity, node),
                site: if host.is_some() {
                    "s".to_owned()
                } else {
                    String::new()
                },
                origin: host.is_none(),
                addresses: vec![node.to_le_bytes().to_vec()],
            },
            wireless: host.is_some_and(|host| host.wireless),
            part: node % parts,
            store,
            done: None,
            starts: host.map_or(0, |host| host.spans().count()),
            tick_at: None,
            out_free: 0.0,
            in_free: 0.0,
            open: BTreeMap::new(),
            links: BTreeSet::new(),
        });
    }

    /// Seconds of the site's clock.
    pub(crate) fn secs(&self) -> f64 {
        self.now.0 as f64 / 1e6
    }

    /// A moment so many seconds of the world from now.
    pub(crate) fn after(&self, secs: f64) -> Time {
        self.now
            .plus(Duration((secs / self.units.slow * 1e6) as u64))
    }

    /// One way between two nodes, in seconds of the world.
    pub(crate) fn delay(&self, a: Node, b: Node) -> f64 {
        if a == ORIGIN || b == ORIGIN {
            self.site.rtt / 2.0
        } else {
            NEAR
        }
    }

    /// A node starts with what it holds.
    pub(crate) fn switch_on(&mut self, node: Node) {
        let origin = node == ORIGIN;
        if self.nodes[node].done.is_some() && !origin && self.open == 0 {
            return;
        }
        let bootstrap = if origin {
            Vec::new()
        } else {
            let member = &self.nodes[ORIGIN].member;
            vec![(member.peer, member.addresses.clone())]
        };
        let rng = self.rng.fork("node");
        let state = &mut self.nodes[node];
        let config = Config {
            peer: state.member.peer,
            site: state.member.site.clone(),
            lines: Vec::new(),
            automatic: true,
            mode: if origin { Mode::Origin } else { Mode::Endpoint },
            weight: if state.wireless { 1 } else { 4 },
            bootstrap,
        };
        state.life += 1;
        self.eager += usize::from(!origin && state.done.is_none());
        state.swarm = Some(Box::new(Swarm::new(&config, rng)));
        state.tick_at = None;
        let held = Box::new(state.store.clone());
        self.give(
            node,
            Input::Add {
                content: CONTENT,
                wire_lens: self.units.lens.clone(),
                held,
                wanted: true,
            },
        );
        if !origin {
            self.discover(node);
        }
    }

    /// It and some of those that are on find each other.
    fn discover(&mut self, node: Node) {
        let part = self.nodes[node].part;
        let mut others: Vec<Node> = (1..self.nodes.count())
            .filter(|other| {
                let state = &self.nodes[*other];
                *other != node && state.part == part && state.swarm.is_some()
            })
            .collect();
        while others.len() > FOUND_MAX {
            let at = (self.chance.unit() * others.len() as f64) as usize;
            others.swap_remove(at);
        }
        for other in others {
            for (a, b) in [(node, other), (other, node)] {
                let wait = self.chance.unit() * FOUND_WITHIN;
                self.queue.push(self.after(wait), Event::Found(a, b));
            }
        }
    }

    /// Whether two nodes could be connected.
    pub(crate) fn reachable(&self, a: Node, b: Node) -> bool {
        let (one, other) = (&self.nodes[a], &self.nodes[b]);
        let near = a == ORIGIN || b == ORIGIN || one.part == other.part;
        let room = |state: &State| state.links.len() < PEERS_MAX;
        near && one.swarm.is_some() && other.swarm.is_some() && room(one) && room(other)
    }

    /// Runs to the horizon, or until every endpoint that ever is on has all.
    pub fn run(&mut self, horizon: f64) {
        let last = micros(horizon / self.units.slow);
        while self.open > 0
            && let Some((at, event)) = self.queue.pop()
            && at <= last
        {
            self.now = at;
            self.steps += 1;
            self.happen(event);
        }
    }

    /// What came of it.
    pub fn outcome(&self) -> SiteRun {
        let slow = self.units.slow;
        let end = |state: &State| {
            state
                .done
                .map_or(f64::INFINITY, |at| at.0 as f64 / 1e6 * slow)
        };
        let spans = |track: &Track| {
            let each = track.0.iter();
            Track(
                each.map(|(from, to, rate)| (from * slow, to * slow, *rate))
                    .collect(),
            )
        };
        let track = self.line.track.as_ref().map(spans);
        SiteRun {
            wan_down: self.line.carried * slow,
            wan_up: 0.0,
            from_origin: self.line.carried * slow,
            lan: self.lan * slow,
            ends: self.nodes.endpoints().iter().map(end).collect(),
            hours: self.line.hours.iter().map(|bytes| bytes * slow).collect(),
            held: [0.0; 8],
            track,
        }
    }
}
