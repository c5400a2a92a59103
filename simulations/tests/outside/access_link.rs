//! O4: BitTorrent at the access link. Bharambe, Herley, Padmanabhan, INFOCOM 2006: one
//! seed of 6,000 kbit/s, 1,000 leechers with 1,500 kbit/s down and 400 up, who join
//! within 10 s and leave when they are done; 400 blocks of 256 KiB, 7 neighbours, 5
//! uploads at once. Parameters as in the design; the paper was not at hand.
//!
//! The swarm here knows single blocks: it is what the planner's `bittorrent`, which is a
//! flow, has its share of the uplinks from. Uploads have a fifth of the uplink each, and
//! who is chosen is left to chance, not to tit for tat: all leechers are alike.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use patchmesh_simulations::planner::bound::formulas::minimum_distribution;
use patchmesh_simulations::planner::bound::limits::{Way, limits};
use patchmesh_simulations::planner::fluid::policy::{limits_of, policy};
use patchmesh_simulations::planner::scenario::parse::{named_policy, scenario};
use patchmesh_simulations::planner::world::build::world;
use patchmesh_simulations::planner::world::chance::Chance;
use patchmesh_simulations::planner::world::site::World;

const BLOCK: f64 = 256.0 * 1024.0 * 8.0;
const DOWN: f64 = 1500e3;
const UP: f64 = 400e3;
const NEIGHBOURS: usize = 7;
const UPLOADS: usize = 5;
const SEED: usize = 0;

/// Which block a leecher asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Choice {
    RarestFirst,
    Random,
}

#[derive(Debug)]
struct Node {
    has: Vec<u64>,
    /// What it has, or what is on its way to it.
    taken: Vec<u64>,
    count: usize,
    neighbours: Vec<usize>,
    /// How many neighbours have each block.
    around: Vec<u16>,
    up: f64,
    uploads: usize,
    incoming: f64,
    end: Option<f64>,
    here: bool,
}

/// A swarm of single blocks.
struct Swarm {
    nodes: Vec<Node>,
    blocks: usize,
    choice: Choice,
    chance: Chance,
    now: f64,
    /// Ends of uploads: time in nanoseconds, from, to, block.
    events: BinaryHeap<Reverse<(u64, usize, usize, usize)>>,
    /// Seconds of uploads of leechers until the first of them leaves: all, and those after
    /// the first blocks have spread.
    used: [f64; 2],
    spread: f64,
    first: Option<f64>,
}

fn bit(set: &[u64], at: usize) -> bool {
    set[at / 64] >> (at % 64) & 1 == 1
}

impl Swarm {
    fn new(leechers: usize, blocks: usize, (seed_up, spread): (f64, f64), choice: Choice) -> Self {
        let words = blocks.div_ceil(64);
        let node = |at: usize| Node {
            has: vec![0; words],
            taken: vec![0; words],
            count: 0,
            neighbours: Vec::new(),
            around: vec![0; blocks],
            up: if at == SEED { seed_up } else { UP },
            uploads: 0,
            incoming: 0.0,
            end: None,
            here: at == SEED,
        };
        let mut swarm = Self {
            nodes: (0..=leechers).map(node).collect(),
            blocks,
            choice,
            chance: Chance::new(4, 4, 4),
            now: 0.0,
            events: BinaryHeap::new(),
            used: [0.0; 2],
            spread,
            first: None,
        };
        for block in 0..blocks {
            swarm.nodes[SEED].has[block / 64] |= 1 << (block % 64);
        }
        swarm.nodes[SEED].count = blocks;
        swarm
    }

    fn pick(&mut self, count: usize) -> usize {
        (self.chance.unit() * count as f64) as usize
    }

    fn befriend(&mut self, node: usize) {
        let mut tries = 0;
        while self.nodes[node].neighbours.len() < NEIGHBOURS && tries < 200 {
            tries += 1;
            let other = self.pick(self.nodes.len());
            let far = other == node || self.nodes[node].neighbours.contains(&other);
            if far || !self.nodes[other].here {
                continue;
            }
            for (a, b) in [(node, other), (other, node)] {
                self.nodes[a].neighbours.push(b);
                for block in 0..self.blocks {
                    let has = bit(&self.nodes[b].has, block);
                    self.nodes[a].around[block] += u16::from(has);
                }
            }
            self.fill(other);
        }
        self.fill(node);
    }

    /// Starts uploads as long as there is room and somebody who wants something.
    fn fill(&mut self, from: usize) {
        while self.nodes[from].here && self.nodes[from].uploads < UPLOADS {
            let rate = self.nodes[from].up / UPLOADS as f64;
            let wants = |to: &&usize| {
                let (one, other) = (&self.nodes[from], &self.nodes[**to]);
                let mut words = one.has.iter().zip(&other.taken);
                other.incoming + rate <= DOWN && words.any(|(has, taken)| has & !taken != 0)
            };
            let all: Vec<usize> = self.nodes[from]
                .neighbours
                .iter()
                .filter(wants)
                .copied()
                .collect();
            if all.is_empty() {
                return;
            }
            let to = all[self.pick(all.len())];
            let block = self.block(from, to);
            self.nodes[to].taken[block / 64] |= 1 << (block % 64);
            self.nodes[to].incoming += rate;
            self.nodes[from].uploads += 1;
            let end = self.now + BLOCK / rate;
            let end = (end * 1e9) as u64;
            self.events.push(Reverse((end, from, to, block)));
        }
    }

    fn block(&mut self, from: usize, to: usize) -> usize {
        let mut best: Vec<usize> = Vec::new();
        let mut least = u16::MAX;
        let (one, other) = (&self.nodes[from], &self.nodes[to]);
        for (at, (has, taken)) in one.has.iter().zip(&other.taken).enumerate() {
            let mut open = has & !taken;
            while open != 0 {
                let block = at * 64 + open.trailing_zeros() as usize;
                open &= open - 1;
                let rare = match self.choice {
                    Choice::RarestFirst => other.around[block],
                    Choice::Random => 0,
                };
                if rare < least {
                    least = rare;
                    best.clear();
                }
                if rare == least {
                    best.push(block);
                }
            }
        }
        best[self.pick(best.len())]
    }

    fn arrive(&mut self, from: usize, to: usize, block: usize) {
        let rate = self.nodes[from].up / UPLOADS as f64;
        self.nodes[from].uploads -= 1;
        self.nodes[to].incoming -= rate;
        self.nodes[to].has[block / 64] |= 1 << (block % 64);
        self.nodes[to].count += 1;
        self.count(from, self.now - BLOCK / rate);
        for other in self.nodes[to].neighbours.clone() {
            self.nodes[other].around[block] += 1;
        }
        if self.nodes[to].count == self.blocks {
            self.leave(to);
        }
        self.fill(from);
        self.fill(to);
        for other in self.nodes[to].neighbours.clone() {
            self.fill(other);
        }
    }

    /// Counts an upload since a moment.
    fn count(&mut self, from: usize, since: f64) {
        if from != SEED && self.first.is_none() {
            self.used[0] += self.now - since;
            self.used[1] += (self.now - since.max(self.spread)).max(0.0);
        }
    }

    fn leave(&mut self, node: usize) {
        if self.first.is_none() {
            for Reverse((end, from, ..)) in self.events.clone() {
                let rate = self.nodes[from].up / UPLOADS as f64;
                self.count(from, end as f64 / 1e9 - BLOCK / rate);
            }
        }
        self.nodes[node].end = Some(self.now);
        self.nodes[node].here = false;
        self.first = self.first.or(Some(self.now));
        for other in std::mem::take(&mut self.nodes[node].neighbours) {
            for block in 0..self.blocks {
                self.nodes[other].around[block] -= 1;
            }
            self.nodes[other].neighbours.retain(|one| *one != node);
            self.befriend(other);
        }
    }

    /// Ends of all leechers, and the mean use of their uplinks until the first left: from
    /// the start, and after the first blocks have spread.
    fn run(mut self) -> (Vec<f64>, [f64; 2]) {
        let leechers = self.nodes.len() - 1;
        for at in 1..=leechers {
            self.now = 10.0 * at as f64 / leechers as f64;
            self.turn(self.now);
            self.nodes[at].here = true;
            self.befriend(at);
        }
        self.turn(f64::INFINITY);
        let ends = self.nodes[1..].iter().map(|node| node.end.unwrap());
        let ends: Vec<f64> = ends.collect();
        let first = self.first.unwrap();
        let each = (leechers * UPLOADS) as f64;
        let used = [self.used[0] / first, self.used[1] / (first - self.spread)];
        (ends, used.map(|used| used / each))
    }

    fn turn(&mut self, until: f64) {
        while let Some(Reverse((at, from, to, block))) = self.events.peek().copied()
            && at as f64 / 1e9 <= until
        {
            self.events.pop();
            self.now = at as f64 / 1e9;
            self.arrive(from, to, block);
        }
    }
}

fn mean(ends: &[f64]) -> f64 {
    ends.iter().sum::<f64>() / ends.len() as f64
}

/// A swarm against its bound: mean end in bounds, and use of the uplinks, from the start
/// and after a tenth of the bound.
fn swarm(leechers: usize, blocks: usize, seed_up: f64, choice: Choice) -> [f64; 3] {
    let file = blocks as f64 * BLOCK;
    let bound = minimum_distribution(file, seed_up, leechers as f64, DOWN, UP);
    let (ends, used) = Swarm::new(leechers, blocks, (seed_up, bound / 10.0), choice).run();
    let last = ends.iter().copied().fold(0.0, f64::max);
    assert!(last >= bound, "{last} {bound}");
    println!(
        "O4: {leechers} leechers, {blocks} blocks, {choice:?}: bound {bound:.1} s, mean {:.1} s, \
         last {last:.1} s, uplinks used {:.2} %, later {:.2} %",
        mean(&ends),
        used[0] * 100.0,
        used[1] * 100.0
    );
    [mean(&ends) / bound, used[0], used[1]]
}

fn peers() -> World {
    let text = "schema = 1\nscenario = { name = \"o4\", horizon = \"3h\" }\n\
        origin = { uplink = \"6000 kbit/s\" }\n\
        [[site_class]]\nname = \"peer\"\ncount = 1000\nendpoints = 1\n\
        wan = { down = \"1500 kbit/s\", up = \"400 kbit/s\", rtt = \"0 ms\" }\n\
        [[release]]\nname = \"r\"\nsize = \"102400 KiB\"\n";
    let none = |_: &str| Err(String::new());
    world(&scenario("o4", text, &none).unwrap(), "o4").unwrap()
}

#[test]
fn the_bound_is_the_published_one_and_the_model_is_within_a_tenth() {
    let world = peers();
    let bound = limits(&world, Way::Relay).end();
    assert!((bound / 2066.2 - 1.0).abs() < 1e-4, "{bound}");
    let way = named_policy("bittorrent").unwrap();
    let (run, _) = policy(&world, &way, &limits_of(&world, &way), &|_| 1.0, (1, false));
    let ends: Vec<f64> = run.sites.iter().map(|site| site.ends[0]).collect();
    assert!(
        (1.0..1.1).contains(&(mean(&ends) / bound)),
        "{}",
        mean(&ends)
    );
}

#[test]
fn a_swarm_of_single_blocks_fills_its_uplinks() {
    let [mean, used, later] = swarm(200, 200, 1200e3, Choice::RarestFirst);
    assert!(
        mean < 1.1 && used > 0.8 && later > 0.9,
        "{mean} {used} {later}"
    );
}

#[test]
#[ignore = "long tier"]
fn a_swarm_of_single_blocks_fills_its_uplinks_in_full() {
    let [rarest, used, later] = swarm(1000, 400, 6000e3, Choice::RarestFirst);
    assert!(
        rarest < 1.1 && used > 0.9 && later > 0.95,
        "{rarest} {used} {later}"
    );
    let [random, ..] = swarm(1000, 400, 6000e3, Choice::Random);
    assert!(random > rarest * 0.99, "{random} {rarest}");
}
