//! One node of a world: a real engine, its modelled store and its ports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use patchmesh_content::id::PeerId;
use patchmesh_core::config::{Config, Mode};
use patchmesh_core::engine::Engine;
use patchmesh_core::ids::{AskId, FetchId};
use patchmesh_core::rng::Seed;
use patchmesh_core::time::{Now, Time};
use patchmesh_trust::key::NodeKey;

use crate::link::Link;
use crate::operations::LINE;
use crate::store::Store;

/// One node.
#[derive(Debug)]
pub struct Host {
    /// `None` while it is without power.
    pub engine: Option<Engine>,
    /// Goes up with each crash; what was meant for an earlier life is lost.
    pub life: u64,
    /// Its disk.
    pub store: Store,
    /// Its identity.
    pub key: NodeKey,
    /// Its identity's public half.
    pub peer: PeerId,
    /// Number of its site; `None` for the origin.
    pub site: Option<usize>,
    /// Its port, in.
    pub port_in: Link,
    /// Its port, out.
    pub port_out: Link,
    /// Documents asked for, and of whom.
    pub asks: BTreeMap<AskId, Option<usize>>,
    /// Chunks asked for, and of whom.
    pub fetches: BTreeMap<FetchId, usize>,
    /// Its port is slow before this time.
    pub slow_until: Time,
    /// Its disk is full before this time.
    pub full_until: Time,
    /// Gossip that it saw.
    pub seen: BTreeSet<[u8; 32]>,
    /// When it asked to be woken.
    pub wake: Option<Time>,
    /// Highest versions it ever showed: root, timestamp, snapshot.
    pub head: [u64; 3],
    /// Wakes without an input between them, at one moment.
    pub spins: u32,
}

impl Host {
    /// A node without power.
    pub fn new(number: usize, site: Option<usize>, lan: u64) -> Self {
        let key = key(number);
        Self {
            engine: None,
            life: 0,
            store: Store::default(),
            peer: PeerId(key.public()),
            key,
            site,
            port_in: Link::new(lan),
            port_out: Link::new(lan),
            asks: BTreeMap::new(),
            fetches: BTreeMap::new(),
            slow_until: Time(0),
            full_until: Time(0),
            seen: BTreeSet::new(),
            wake: None,
            head: [0; 3],
            spins: 0,
        }
    }

    /// Name of a site.
    pub fn site_name(site: Option<usize>) -> String {
        site.map_or_else(String::new, |site| format!("site-{site}"))
    }

    /// Starts the engine with what the store kept.
    pub fn start(&mut self, anchor: &Arc<[u8]>, origin: &PeerId, seed: u64, now: Now) {
        let mode = if self.site.is_none() {
            Mode::Origin
        } else {
            Mode::Endpoint
        };
        let bootstrap = match mode {
            Mode::Origin => Vec::new(),
            Mode::Endpoint | Mode::EndpointWithHttp => vec![(*origin, vec![address(0)])],
        };
        let config = Config {
            peer: self.peer,
            site: Self::site_name(self.site),
            lines: vec![LINE.to_owned()],
            automatic: true,
            mode,
            weight: 4,
            bootstrap,
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.life.to_le_bytes());
        bytes[16..].copy_from_slice(&self.peer.0[..16]);
        let restored = self.store.restore();
        let engine = Engine::new(config, anchor, restored, Seed(bytes), now);
        self.engine = Some(engine.expect("the anchor and the stored floors are good"));
    }

    /// Loses power.
    pub fn crash(&mut self, now: Time) {
        self.engine = None;
        self.life += 1;
        self.store.crash(now);
        self.asks.clear();
        self.fetches.clear();
        self.seen.clear();
        self.wake = None;
    }
}

/// The key of a node.
pub fn key(number: usize) -> NodeKey {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
    NodeKey::from_seed(seed)
}

/// Where a node listens, in this world's form.
pub fn address(number: usize) -> Vec<u8> {
    (number as u64).to_le_bytes().to_vec()
}

/// The node that listens at an address.
pub fn node_at(address: &[u8]) -> Option<usize> {
    let number = u64::from_le_bytes(address.try_into().ok()?);
    usize::try_from(number).ok()
}
