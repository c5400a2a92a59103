//! What the connected peers claim to hold. A higher number is a reason to ask,
//! never to believe (T-47).

use std::collections::BTreeMap;

use patchmesh_content::id::PeerId;

use crate::peer::Path;
use crate::time::{Duration, Time};

/// How long claims of a peer that did not keep one are passed over (T-40).
pub const DISTRUST: Duration = Duration::secs(10);
/// Gossip messages of one peer that are judged per second (T-41).
pub const GOSSIP_PER_SEC_MAX: u32 = 50;
/// Gossip messages, stops, cosignatures and malformed messages of one peer that may
/// be rejected in [`REJECTS_WITHIN`]: an honest peer forwards only what it has
/// verified, so it stays far below.
pub const REJECTS_MAX: u32 = 10;
/// The time in which they count.
pub const REJECTS_WITHIN: Duration = Duration::secs(60);
/// Stops of one peer that are checked per second.
pub const STOPS_PER_SEC_MAX: u32 = 512;
/// Cosignatures of one peer that are checked per second: all witnesses twice.
pub const COSIGNATURES_PER_SEC_MAX: u32 = 512;
/// Least time between two heads sent back to one peer (T-40).
pub const HEAD_BACK: Duration = Duration::secs(10);

/// One connected peer.
#[derive(Debug, Clone)]
pub struct Peer {
    /// How it is reached.
    pub path: Path,
    /// Whether it is an origin.
    pub origin: bool,
    /// Root, timestamp, snapshot that it claims to hold.
    pub claim: [u64; 3],
    /// When it said that it came by the snapshot that it claims.
    pub current_from: Time,
    /// Its claims of newer roots and timestamps count from then on.
    pub trusted_from: Time,
    /// Roles of which it offers a proof, with the version.
    pub alarms: BTreeMap<String, u64>,
    /// It holds a timestamp of this version that contradicts the own one.
    pub twin: Option<u64>,
    /// It knows other stops than this node, which it has not been sent yet.
    pub stops_owed: bool,
    /// It is sent all stops from then on.
    pub stops_from: Time,
    /// It keeps other cosignatures than this node, which it has not been sent yet.
    pub cosigned_owed: bool,
    /// It is sent all cosignatures from then on.
    pub cosigned_from: Time,
    cosignatures: (Time, u32),
    head_back_from: Time,
    gossip: (Time, u32),
    passed_over: u32,
    rejects: (Time, u32),
    stops: (Time, u32),
}

impl Peer {
    /// A peer that just connected.
    pub fn new(path: Path, origin: bool, claim: [u64; 3]) -> Self {
        Self {
            path,
            origin,
            claim,
            current_from: Time::default(),
            trusted_from: Time::default(),
            alarms: BTreeMap::new(),
            twin: None,
            stops_owed: false,
            stops_from: Time::default(),
            stops: (Time::default(), 0),
            cosigned_owed: false,
            cosigned_from: Time::default(),
            cosignatures: (Time::default(), 0),
            head_back_from: Time::default(),
            gossip: (Time::default(), 0),
            passed_over: 0,
            rejects: (Time::default(), 0),
        }
    }

    /// Whether it is in the own site.
    pub fn near(&self) -> bool {
        self.path != Path::Wan
    }

    /// Counts a gossip message; `false` above the limit of this second.
    pub fn may_gossip(&mut self, now: Time) -> bool {
        if now.since(self.gossip.0) >= Duration::secs(1) {
            self.gossip = (now, 0);
        }
        self.gossip.1 += 1;
        self.gossip.1 <= GOSSIP_PER_SEC_MAX
    }

    /// Counts a gossip message above the limit; `true` each time that as many
    /// have come as may be judged in a second.
    pub fn passes_over(&mut self) -> bool {
        self.passed_over = (self.passed_over + 1) % GOSSIP_PER_SEC_MAX;
        self.passed_over == 0
    }

    /// Counts what was rejected of it; `true` at the one too many.
    pub fn floods(&mut self, now: Time) -> bool {
        if now.since(self.rejects.0) >= REJECTS_WITHIN {
            self.rejects = (now, 0);
        }
        self.rejects.1 += 1;
        self.rejects.1 == REJECTS_MAX + 1
    }

    /// Counts a stop; `false` above the limit of this second.
    pub fn may_stop(&mut self, now: Time) -> bool {
        if now.since(self.stops.0) >= Duration::secs(1) {
            self.stops = (now, 0);
        }
        self.stops.1 += 1;
        self.stops.1 <= STOPS_PER_SEC_MAX
    }

    /// Counts a cosignature; `false` above the limit of this second.
    pub fn may_cosign(&mut self, now: Time) -> bool {
        if now.since(self.cosignatures.0) >= Duration::secs(1) {
            self.cosignatures = (now, 0);
        }
        self.cosignatures.1 += 1;
        self.cosignatures.1 <= COSIGNATURES_PER_SEC_MAX
    }

    /// Whether the own head may be sent back now, and notes it.
    pub fn head_back(&mut self, now: Time) -> bool {
        let may = now >= self.head_back_from;
        if may {
            self.head_back_from = now.plus(HEAD_BACK);
        }
        may
    }
}

/// All connected peers.
pub type Peers = BTreeMap<PeerId, Peer>;
