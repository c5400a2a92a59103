//! What a seed chooses: sites, lines, releases, and which faults come when.

use std::collections::BTreeSet;

use patchmesh_content::geometry::CHUNK_LEN_MEAN;
use patchmesh_core::rng::{Rng, Seed};
use patchmesh_core::time::{Duration, Time};

use patchmesh_trust::annex::keys::{Cosignatures, Keys, Witness};
use patchmesh_trust::key::PublicKey;

use crate::host::{Host, key};
use crate::operations::Word;

/// Wire bytes of every chunk of a world: half of its plain bytes.
pub const CHUNK_WIRE_LEN: u64 = (CHUNK_LEN_MEAN / 2) as u64;

/// Bits per second of the thinnest line that is not thin.
const THICK: u64 = 8_000_000;

/// One site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// Nodes in it.
    pub nodes: usize,
    /// From the WAN, bits per second.
    pub down: u64,
    /// To the WAN, bits per second.
    pub up: u64,
}

/// Something that goes wrong, or is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A node loses power and comes back after this time. Node 0 is the origin.
    Crash(usize, Duration),
    /// Half of the members of a site cannot reach the other half for this time.
    Apart(usize, Duration),
    /// A site is cut off from the WAN for this time.
    Cut(usize, Duration),
    /// A node's disk is full for this time.
    Full(usize, Duration),
    /// What the first node sends to the second arrives only after this time; a
    /// connection that waits 15 s for it is given up.
    Mute(usize, usize, Duration),
    /// A node's port is so many times slower for this time.
    Slow(usize, u64, Duration),
    /// The timestamp key is rotated, and the folder published again.
    Rotate,
    /// The second release is published.
    Second,
    /// Operations say something else, and the folder is published again.
    Say(Word),
}

/// Who beside the publisher has a say in a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    /// What operations say at first.
    pub word: Word,
    /// Nodes that are witnesses.
    pub witnesses: Vec<usize>,
    /// Of how many witnesses an apply needs cosignatures, and of how many sites.
    pub asked: Option<(u32, u32)>,
}

impl Parties {
    /// What membership says of the witnesses.
    pub fn keys(&self, (keys, sites): (u32, u32), plan: &Plan) -> Keys {
        let witness = |node: &usize| Witness {
            key: PublicKey::ed25519(&key(*node).public()).expect("it is one"),
            site: Host::site_name(plan.site(*node)),
        };
        Keys {
            witnesses: self.witnesses.iter().map(witness).collect(),
            cosignatures: Some(Cosignatures { keys, sites }),
            ..Keys::default()
        }
    }
}

/// A world to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where all chance comes from.
    pub seed: u64,
    /// Sites.
    pub sites: Vec<Site>,
    /// The origin's uplink, bits per second.
    pub origin_up: u64,
    /// Each node's port, bits per second and direction.
    pub lan: u64,
    /// Releases: number of the first chunk, and how many.
    pub chunks: Vec<(u32, u32)>,
    /// Nodes that send corrupt chunks, and bent documents now and then.
    pub liars: Vec<usize>,
    /// Gossip that gets lost, in per cent.
    pub gossip_lost: u64,
    /// Seconds that the wall clock of each node is ahead, or behind.
    pub clock_errors: Vec<i64>,
    /// Operations and witnesses; none where nobody is delegated to approve anything.
    pub parties: Option<Parties>,
    /// Faults and their times.
    pub faults: Vec<(Time, Fault)>,
}

impl Plan {
    /// Two sites of four, one release, no fault.
    pub fn quiet(seed: u64) -> Self {
        let site = Site {
            nodes: 4,
            down: 20_000_000,
            up: 5_000_000,
        };
        Self {
            seed,
            sites: vec![site; 2],
            origin_up: 100_000_000,
            lan: 1_000_000_000,
            chunks: vec![(0, 96)],
            liars: Vec::new(),
            gossip_lost: 0,
            clock_errors: Vec::new(),
            parties: None,
            faults: Vec::new(),
        }
    }

    /// A world with faults. Some kinds are off in some seeds.
    pub fn faulty(seed: u64) -> Self {
        let mut rng = rng(seed).fork("plan");
        let mut plan = Self::quiet(seed);
        plan.sites = sites(&mut rng);
        let sites = plan.sites.len() as u64;
        plan.chunks = vec![(0, 32 + small(rng.below(64)))];
        let nodes = plan.nodes();
        let when = |rng: &mut Rng| Time(0).plus(Duration::millis(rng.below(12_000)));
        let long = |rng: &mut Rng| Duration::millis(500 + rng.below(15_000));
        if rng.below(2) == 0 {
            // Half of the second release is in the first.
            let (_, count) = plan.chunks[0];
            plan.chunks.push((count / 2, count));
            plan.faults.push((when(&mut rng), Fault::Second));
        }
        if rng.below(3) == 0 {
            plan.faults.push((when(&mut rng), Fault::Rotate));
        }
        for _ in 0..rng.below(4) {
            let fault = Fault::Crash(at(rng.below(nodes as u64)), long(&mut rng));
            plan.faults.push((when(&mut rng), fault));
        }
        for _ in 0..rng.below(3) {
            let fault = Fault::Cut(at(rng.below(sites)), long(&mut rng));
            plan.faults.push((when(&mut rng), fault));
        }
        if rng.below(4) == 0 && nodes > 4 {
            plan.liars.push(at(1 + rng.below(nodes as u64 - 1)));
        }
        plan.gossip_lost = 50 * rng.below(3);
        if rng.below(3) == 0 {
            // Less than the validity of a certificate allows for.
            let error = |rng: &mut Rng| 3_600 * (i64::from(small(rng.below(40))) - 20);
            plan.clock_errors = (0..nodes).map(|_| error(&mut rng)).collect();
        }
        plan.add_rarer(&mut crate::plan::rng(seed).fork("rarer"));
        plan.add_thin(&mut crate::plan::rng(seed).fork("thin"));
        plan.add_lame(&mut crate::plan::rng(seed).fork("lame"));
        plan.add_parties(&mut crate::plan::rng(seed).fork("parties"));
        plan.faults.sort_by_key(|(time, _)| *time);
        plan
    }

    /// Faults with a chance of their own: other seeds stay as they were.
    fn add_rarer(&mut self, rng: &mut Rng) {
        let nodes = self.nodes() as u64;
        let any = |rng: &mut Rng| at(rng.below(nodes));
        for kind in 0..3 {
            for _ in 0..rng.below(6).saturating_sub(3) {
                let when = Time(0).plus(Duration::millis(rng.below(12_000)));
                let long = Duration::millis(500 + rng.below(25_000));
                let node = 1 + at(rng.below(nodes - 1));
                let other = any(rng);
                let fault = match kind {
                    0 => Fault::Full(node, long),
                    1 => Fault::Slow(node, 100, long),
                    _ if other == node => continue,
                    _ => Fault::Mute(node, other, long),
                };
                self.faults.push((when, fault));
            }
        }
    }

    /// On a thin line leases get old: members come late then, or hear no claims of others.
    fn add_thin(&mut self, rng: &mut Rng) {
        let Site { nodes, down, .. } = self.sites[0];
        if down >= THICK || nodes < 3 {
            return;
        }
        // A chunk takes so long if it has the line for itself.
        let chunk = CHUNK_WIRE_LEN * 8_000 / down;
        let chunks = |count: u64| Duration::millis((chunk * count).min(300_000));
        for _ in 0..rng.below(4) {
            let late = Fault::Crash(1 + at(rng.below(nodes as u64)), chunks(4 + rng.below(60)));
            let when = Duration::millis(1_000 + rng.below(1_000));
            self.faults.push((Time(0).plus(when), late));
        }
        if rng.below(4) > 0 {
            let when = Time(0).plus(chunks(rng.below(32)));
            let apart = Fault::Apart(0, chunks(8 + rng.below(60)));
            self.faults.push((when, apart));
        }
    }

    /// In one world of eight a member has a port on which a chunk takes seconds, while those
    /// of others come quickly and its site falls apart: its leases get old, and the other
    /// half does not hear of it.
    fn add_lame(&mut self, rng: &mut Rng) {
        let sites = self.sites.iter().enumerate();
        let site = sites
            .filter(|(_, site)| site.nodes >= 3 && site.down >= THICK)
            .min_by_key(|(_, site)| site.nodes);
        let Some((site, nodes)) = site.map(|(at, site)| (at, site.nodes)) else {
            return;
        };
        if rng.below(8) > 0 {
            return;
        }
        self.sites[site].down = 1_000_000 * (1 + rng.below(2));
        let before: usize = self.sites[..site].iter().map(|site| site.nodes).sum();
        let lame = 1 + before + at(rng.below(nodes as u64));
        let secs = |from: u64, rng: &mut Rng| Duration::secs(from + rng.below(25));
        let slow = Fault::Slow(lame, 2_500 + rng.below(5_000), secs(45, rng));
        let apart = Fault::Apart(site, secs(10, rng));
        self.faults.push((Time(300_000), slow));
        self.faults.push((Time(0).plus(secs(17, rng)), apart));
    }

    /// In one world of three somebody has to approve, in half of those before witnesses.
    fn add_parties(&mut self, rng: &mut Rng) {
        const WORDS: [Word; 6] = [
            Word::All,
            Word::Nothing,
            Word::Half,
            Word::All,
            Word::Other,
            Word::Held,
        ];
        if rng.below(3) > 0 {
            return;
        }
        let word = |rng: &mut Rng| WORDS[at(rng.below(WORDS.len() as u64))];
        let mut parties = Parties {
            word: word(rng),
            witnesses: Vec::new(),
            asked: None,
        };
        for _ in 0..rng.below(4) {
            let when = Time(0).plus(Duration::millis(rng.below(20_000)));
            self.faults.push((when, Fault::Say(word(rng))));
        }
        if rng.below(2) == 0 {
            let nodes = self.nodes() as u64;
            // One at least is no liar.
            for _ in 0..4 {
                let node = 1 + at(rng.below(nodes - 1));
                if !self.liars.contains(&node) && !parties.witnesses.contains(&node) {
                    parties.witnesses.push(node);
                }
            }
            let sites: BTreeSet<_> = parties
                .witnesses
                .iter()
                .map(|node| self.site(*node))
                .collect();
            let keys = 1 + rng.below(parties.witnesses.len() as u64);
            let sites = 1 + rng.below(keys.min(sites.len() as u64));
            parties.asked = Some((small(keys), small(sites)));
            for witness in &parties.witnesses {
                // While it is off there may be too few.
                let when = Time(0).plus(Duration::millis(rng.below(20_000)));
                let long = Duration::millis(2_000 + rng.below(15_000));
                if rng.below(2) == 0 {
                    self.faults.push((when, Fault::Crash(*witness, long)));
                }
            }
        }
        self.parties = Some(parties);
    }

    /// Site of a node; `None` for the origin.
    pub fn site(&self, node: usize) -> Option<usize> {
        let mut left = node.checked_sub(1)?;
        self.sites.iter().position(|site| {
            let here = left < site.nodes;
            left = left.wrapping_sub(site.nodes);
            here
        })
    }

    /// Nodes with the origin, which is node 0.
    pub fn nodes(&self) -> usize {
        1 + self.sites.iter().map(|site| site.nodes).sum::<usize>()
    }

    /// Wire bytes of all distinct chunks: what each site needs.
    pub fn wire_bytes(&self) -> u64 {
        let mut numbers: Vec<u32> = self
            .chunks
            .iter()
            .flat_map(|(first, count)| *first..first + count)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len() as u64 * CHUNK_WIRE_LEN
    }
}

/// One to six sites; with the origin 8 to 14 nodes in most worlds, 15 to 64 in one
/// of eight.
fn sites(rng: &mut Rng) -> Vec<Site> {
    let count = 1 + rng.below(6);
    let nodes = match rng.below(8) {
        0 => 14 + rng.below(50),
        _ => 7 + rng.below(7),
    };
    let site = |rng: &mut Rng| Site {
        nodes: 1,
        down: THICK + 4_000_000 * rng.below(5),
        up: 5_000_000,
    };
    let mut sites: Vec<Site> = (0..count).map(|_| site(rng)).collect();
    // Half of the worlds have one large site, in which not all are neighbours if
    // it has more than a dozen; the others spread them.
    let gather = rng.below(2) == 0;
    for _ in count..nodes {
        let most = if gather && rng.below(4) > 0 { 1 } else { count };
        sites[at(rng.below(most))].nodes += 1;
    }
    // On a thin line leases get old, and a single chunk may take 8 s.
    if rng.below(8) == 0 {
        sites[0].down = match rng.below(4) {
            0 | 1 => 64_000,
            _ => 500_000 * (1 + rng.below(4)),
        };
    }
    sites
}

/// The root of all chance of a world.
pub fn rng(seed: u64) -> Rng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Rng::new(Seed(bytes))
}

fn at(number: u64) -> usize {
    usize::try_from(number).expect("small by its bound")
}

fn small(number: u64) -> u32 {
    u32::try_from(number).expect("small by its bound")
}
