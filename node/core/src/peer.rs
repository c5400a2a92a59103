//! The other nodes: who they are and over which path they are reached.

use patchmesh_trust::stop::set::Mark;
use serde::{Deserialize, Serialize};

pub use patchmesh_content::id::PeerId;

/// A binary multiaddress; opaque to the core.
pub type Address = Vec<u8>;

/// How a peer is reached; also the class of every byte from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// Same site, same subnet.
    Lan,
    /// Same site, through a router.
    Site,
    /// Another site, or an origin.
    Wan,
}

/// What an admitted peer's certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The peer.
    pub peer: PeerId,
    /// Its site; empty for an origin outside all sites.
    pub site: String,
    /// Whether it is an origin.
    pub origin: bool,
    /// Addresses it listens on.
    pub addresses: Vec<Address>,
}

/// What a hello claims, decoded and size-checked by the adapter, which also
/// proved that the other end holds the key `peer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The key that the secure channel proved.
    pub peer: PeerId,
    /// The certificate's payload as signed bytes.
    pub certificate: Vec<u8>,
    /// Signature over the certificate.
    pub signature: Vec<u8>,
    /// Lowest and highest protocol version the peer speaks.
    pub protocol: (u32, u32),
    /// Versions of the metadata it holds: root, timestamp, snapshot.
    pub head: [u64; 3],
    /// Which stops it knows.
    pub mark: Mark,
    /// Addresses it listens on.
    pub addresses: Vec<Address>,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Down {
    /// The other side or the network closed it.
    Closed,
    /// This node closed it.
    Local,
    /// No sign of life.
    TimedOut,
}

/// Why a peer was turned away. Codes are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PeerRefusal {
    /// The certificate is malformed, not its own, or not signed.
    BadCertificate,
    /// It sent bytes that were not what was signed.
    Corrupt,
    /// The certificate is not valid now.
    Expired,
    /// It floods: gossip without end that is rejected.
    Flood,
    /// It sent frames outside the protocol or its limits.
    Malformed,
    /// No common protocol version.
    Protocol,
    /// It is refused for earlier behaviour.
    Refused,
    /// A stop names it: it is no member any more.
    Revoked,
    /// The node has no room for more peers.
    TooManyPeers,
    /// It belongs to another network.
    WrongNetwork,
}

impl PeerRefusal {
    /// Every refusal.
    const ALL: [Self; 10] = [
        Self::BadCertificate,
        Self::Corrupt,
        Self::Expired,
        Self::Flood,
        Self::Malformed,
        Self::Protocol,
        Self::Refused,
        Self::Revoked,
        Self::TooManyPeers,
        Self::WrongNetwork,
    ];

    /// The refusal of this code; `None` for a code that is none of these.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// What a person can do about a peer that is refused so.
    pub fn advice(self) -> &'static str {
        match self {
            Self::BadCertificate => "the peer is no node of this kind, or its key file was changed",
            Self::Corrupt => "look for a bad disk or a changed program on that host",
            Self::Expired => "are the clocks of both hosts right? a restart renews its certificate",
            Self::Flood => "find out what runs on that host; it is let in again after an hour",
            Self::Malformed => "does that host run a node of a version that works with this one?",
            Self::Protocol => "update the older of the two nodes",
            Self::Refused => "it is let in again after an hour",
            Self::Revoked => "a stop names that host: the members' threshold may lift it",
            Self::TooManyPeers => "nothing has to be done; it finds others",
            Self::WrongNetwork => {
                "give that host the root document of this network, or find out whose it is"
            }
        }
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadCertificate => "BadCertificate",
            Self::Corrupt => "Corrupt",
            Self::Expired => "Expired",
            Self::Flood => "Flood",
            Self::Malformed => "Malformed",
            Self::Protocol => "Protocol",
            Self::Refused => "Refused",
            Self::Revoked => "Revoked",
            Self::TooManyPeers => "TooManyPeers",
            Self::WrongNetwork => "WrongNetwork",
        }
    }
}
