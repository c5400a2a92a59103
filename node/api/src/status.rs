//! The node on one screen, and how bytes are counted.

use patchmesh_content::id::PeerId;
use serde::{Deserialize, Serialize};

use crate::event::RefusalCount;
use crate::releases::Release;
use crate::trouble::Trouble;

/// The node on one screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the node's program.
    pub version: String,
    /// Public key of the node.
    pub node: PeerId,
    /// Its site; empty for an origin outside all sites.
    pub site: String,
    /// What it is.
    pub mode: Mode,
    /// Addresses it listens on, as text.
    pub addresses: Vec<String>,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Whether it holds unexpired metadata and can work.
    pub ready: bool,
    /// Versions of the trusted metadata.
    pub head: Head,
    /// Freshness of the trusted metadata.
    pub trust: Trust,
    /// Peers.
    pub peers: PeerCounts,
    /// Received since the start, by class.
    pub received: Received,
    /// Sent since the start, by class.
    pub sent: Sent,
    /// Chunk bytes received in vain (corrupt, or held already), in `received` too.
    pub wasted_bytes: u64,
    /// The store.
    pub store: StoreUse,
    /// What keeps this node from its work, and what to do about it.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
    /// The flight recorder.
    #[serde(default)]
    pub recorder: RecorderUse,
    /// Leaves of the log that the newest timestamp names; 0 without a log.
    #[serde(default)]
    pub log_size: u64,
    /// Witnesses of the network.
    #[serde(default)]
    pub witnesses: Vec<Witness>,
    /// Releases in use here, as `<line>/<id>`, that no verified statement lists any
    /// more; empty while the metadata is not current.
    #[serde(default)]
    pub unlisted: Vec<String>,
    /// Known releases.
    pub releases: Vec<Release>,
    /// Refusals since the start, by code.
    #[serde(default)]
    pub refusals: Vec<RefusalCount>,
}

/// One witness of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Its node key.
    pub node: PeerId,
    /// Its site.
    pub site: String,
    /// Leaves of the highest head of the log that it has cosigned; 0 for none.
    pub size: u64,
    /// When it did, as its clock says, in seconds since 1970 UTC.
    #[serde(default)]
    pub at: i64,
    /// Its cosignature as a line of a signed note (C2SP), below the checkpoint of
    /// that size; empty without one.
    #[serde(default)]
    pub line: String,
    /// Leaves of a head that it has cosigned and that the log does not have; 0
    /// for none.
    #[serde(default)]
    pub other_size: u64,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Fetches from peers only.
    Endpoint,
    /// Fetches from peers and from an HTTP origin.
    EndpointWithHttp,
    /// Serves a published repository folder.
    Origin,
}

impl Mode {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::EndpointWithHttp => "endpoint-with-http",
            Self::Origin => "origin",
        }
    }
}

/// Versions of the trusted metadata; 0 where none is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// Of the root.
    pub root: u64,
    /// Of the timestamp.
    pub timestamp: u64,
    /// Of the snapshot.
    pub snapshot: u64,
}

/// Freshness of the trusted metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The state.
    pub state: TrustState,
    /// When it went stale, in seconds since 1970 UTC.
    #[serde(default)]
    pub since: Option<i64>,
    /// For people; empty when current.
    #[serde(default)]
    pub reason: String,
}

/// States of the trusted metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustState {
    /// A root is trusted, nothing else is known yet.
    Bootstrapped,
    /// Everything needed is verified and unexpired.
    Current,
    /// A role was signed twice; nothing newer of it is taken.
    Frozen,
    /// The floors were lost: serves, but installs nothing until others have said
    /// what is newest.
    Recovering,
    /// Something has expired: serves, but starts no installation.
    Stale,
}

impl TrustState {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bootstrapped => "bootstrapped",
            Self::Current => "current",
            Self::Frozen => "frozen",
            Self::Recovering => "recovering",
            Self::Stale => "stale",
        }
    }
}

/// How many peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PeerCounts {
    /// Admitted since the start.
    pub known: u32,
    /// Connected now.
    pub connected: u32,
}

/// Bytes of one class or peer. `transport` counts what the connection carried,
/// encryption and framing included; `payload` only wire frames of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ByteCount {
    /// Bytes on the connection.
    pub transport: u64,
    /// Bytes of chunk frames.
    pub payload: u64,
}

/// Received bytes by class; every byte counts in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Received {
    /// From the same subnet of the same site.
    pub lan: ByteCount,
    /// From the same site through a router.
    pub site: ByteCount,
    /// From members of other sites.
    pub wan: ByteCount,
    /// From an origin, as a peer or over HTTP.
    pub origin: ByteCount,
}

/// Sent bytes by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sent {
    /// To the same subnet of the same site.
    pub lan: ByteCount,
    /// To the same site through a router.
    pub site: ByteCount,
    /// To other sites and origins.
    pub wan: ByteCount,
}

/// Chunk bytes by source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sources {
    /// Same subnet.
    pub lan: u64,
    /// Same site.
    pub site: u64,
    /// Other sites.
    pub wan: u64,
    /// Origin.
    pub origin: u64,
}

/// The store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreUse {
    /// Bytes of chunks on disk.
    pub used_bytes: u64,
    /// Most bytes it may use; 0 for no limit of its own.
    pub quota_bytes: u64,
}

/// The flight recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecorderUse {
    /// What it does.
    pub state: RecorderState,
    /// Bytes recorded since the start.
    pub bytes: u64,
    /// Most bytes of a recording.
    pub bytes_max: u64,
}

/// What the flight recorder does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecorderState {
    /// The disk failed; what was recorded before is there.
    Failed,
    /// The limit is reached; what was recorded since the start is there.
    Full,
    /// Not wanted.
    #[default]
    Off,
    /// Every input since the start is recorded.
    Recording,
}
