//! Checked messages between admitted peers: what the wire types become once
//! their lengths and caps hold.

use patchmesh_content::geometry::{ChunkIndex, SpanIndex};
use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_proto::Message as _;
use patchmesh_proto::convert::{addresses, array32, introduced, optional_array32};
use patchmesh_proto::frame::{FrameRefusal, decode};
use patchmesh_proto::limits::{
    CHUNK_ANSWER_LEN_MAX, CHUNK_REQUEST_LEN_MAX, CHUNK_WIRE_LEN_MAX, CLAIM_DURATION_MS_MAX,
    DOCUMENT_REQUEST_LEN_MAX, FRAME_LEN_MAX, FRAME_MESSAGES_MAX, GOSSIP_LEN_MAX, HAVE_WORDS_MAX,
    HELLO_LEN_MAX, ROLE_LEN_MAX,
};
use patchmesh_proto::v1;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::refusal::Refusal;
pub use patchmesh_trust::stop::set::Mark;
use patchmesh_trust::stop::signed::SignedStop;
use serde::{Deserialize, Serialize};

use crate::peer::{Address, Proof};
use crate::time::Duration;

/// A control message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Chunks the sender holds and serves.
    Have {
        /// Name of the content.
        content: ContentId,
        /// Everything is held; `words` is empty then.
        all: bool,
        /// Word index and its 64 bits; each replaces the receiver's view.
        words: Vec<(u32, u64)>,
    },
    /// A member fetches this duty span over the WAN.
    Claim {
        /// The member, where it is not the sender itself.
        holder: Option<PeerId>,
        /// Name of the content.
        content: ContentId,
        /// The span.
        span: SpanIndex,
        /// How long the claim lives without a sign of progress.
        duration: Duration,
    },
    /// Versions of the metadata the sender holds: root, timestamp, snapshot.
    Head([u64; 3]),
    /// Which timestamp of its version the sender holds.
    Digest {
        /// The version.
        version: u64,
        /// SHA-256 of the signed part.
        digest: [u8; 32],
        /// Size and root of the log that it names.
        log: Option<(u64, [u8; 32])>,
    },
    /// The sender has a proof that this role was signed twice.
    Alarm {
        /// The role, as text: nothing is believed of it.
        role: String,
        /// The version that was signed twice.
        version: u64,
    },
    /// Which stops the sender knows.
    Mark(Mark),
    /// An emergency stop; nothing of it is checked but its length.
    Stop(SignedStop),
    /// A witness cosigned a head of the log; nothing of it is checked but lengths.
    Cosignature(Cosignature),
    /// Which cosignatures the sender keeps.
    Cosigned {
        /// Names them.
        digest: [u8; 32],
        /// The receiver is to send its own if they are others.
        asks: bool,
    },
    /// The sender works with this content and wants have deltas.
    Interest {
        /// Name of the content.
        content: ContentId,
    },
    /// Other members of the receiver's site.
    Introduce(Vec<(PeerId, Vec<Address>)>),
    /// The sender gives a claim back.
    Release {
        /// Name of the content.
        content: ContentId,
        /// The span.
        span: SpanIndex,
    },
}

/// A request for one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Want {
    /// Name of the content.
    pub content: ContentId,
    /// Position of the chunk.
    pub chunk: ChunkIndex,
    /// The asker could not reach the holders that a decline named.
    pub unreachable: bool,
}

/// No, with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// Why.
    pub reason: DeclineReason,
    /// When to ask again.
    pub retry_after: Duration,
    /// Who holds or fetches it in the asker's site.
    pub holders: Vec<(PeerId, Vec<Address>)>,
}

/// Why a chunk is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DeclineReason {
    /// All slots are taken.
    Busy,
    /// Not held here.
    Gone,
    /// A member of the asker's site has it.
    HeldBySite,
    /// A member of the asker's site is fetching it.
    Leased,
    /// This peer is not served.
    Refused,
}

/// Names one document that a peer or an origin can give (S-11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DocumentRef {
    /// A metadata document; role as in the TUF repository.
    Metadata {
        /// `root`, `timestamp`, `snapshot`, `targets`, `release/<line>`,
        /// `rollout` or `membership`; also `proof/<role>`, and `log/<position>`
        /// for leaves of the log.
        role: String,
        /// Its version; 0 for the newest timestamp; the size of a log.
        version: u64,
    },
    /// A release index by its SHA-256.
    Index {
        /// SHA-256 of the bytes.
        sha256: [u8; 32],
        /// `<line>/<id>` of the release, for origins that name targets by path.
        name: String,
    },
    /// An annex by its SHA-256.
    Annex {
        /// Which one.
        name: AnnexName,
        /// SHA-256 of the bytes.
        sha256: [u8; 32],
    },
}

/// Encodes messages as one control frame. The caller keeps within
/// [`FRAME_LEN_MAX`] by [`Message::wire_len`].
pub fn encode_frame(messages: &[Message]) -> Vec<u8> {
    v1::Frame {
        messages: messages.iter().map(to_wire).collect(),
    }
    .encode_to_vec()
}

/// Decodes a control frame; all of it or nothing (S-10).
pub fn decode_frame(bytes: &[u8]) -> Result<Vec<Message>, FrameRefusal> {
    let frame: v1::Frame = decode(bytes, FRAME_LEN_MAX)?;
    if frame.messages.len() > FRAME_MESSAGES_MAX {
        return Err(FrameRefusal::TooManyElements);
    }
    frame.messages.into_iter().map(from_wire).collect()
}

impl Message {
    /// Length in a frame, in bytes.
    pub fn wire_len(&self) -> usize {
        to_wire(self).encoded_len() + 6
    }
}

fn to_wire(message: &Message) -> v1::Message {
    use v1::message::Body;
    let body = match message {
        Message::Have {
            content,
            all,
            words,
        } => Body::Have(v1::Have {
            content: content.0.to_vec(),
            all: *all,
            words: words
                .iter()
                .map(|&(index, bits)| v1::HaveWord { index, bits })
                .collect(),
        }),
        Message::Claim {
            holder,
            content,
            span,
            duration,
        } => Body::Claim(v1::Claim {
            content: content.0.to_vec(),
            span: span.0,
            duration_ms: u32::try_from(duration.as_millis()).unwrap_or(u32::MAX),
            holder: holder.map_or_else(Vec::new, |peer| peer.0.to_vec()),
        }),
        Message::Head([root, timestamp, snapshot]) => Body::Head(v1::Head {
            root: *root,
            timestamp: *timestamp,
            snapshot: *snapshot,
        }),
        Message::Digest {
            version,
            digest,
            log,
        } => Body::Digest(v1::Digest {
            version: *version,
            digest: digest.to_vec(),
            log_size: log.map_or(0, |(size, _)| size),
            log_root: log.map_or_else(Vec::new, |(_, root)| root.to_vec()),
        }),
        Message::Alarm { role, version } => Body::Alarm(v1::Alarm {
            role: role.clone(),
            version: *version,
        }),
        Message::Mark(mark) => Body::Revoked(mark_to_wire(mark)),
        Message::Stop(stop) => Body::Stop(stop.to_wire()),
        Message::Cosignature(one) => Body::Cosignature(one.to_wire()),
        Message::Cosigned { digest, asks } => Body::Cosigned(v1::Cosigned {
            digest: digest.to_vec(),
            asks: *asks,
        }),
        Message::Interest { content } => Body::Interest(v1::Interest {
            content: content.0.to_vec(),
        }),
        Message::Introduce(peers) => Body::Introduce(v1::Introduce {
            peers: peers_to_wire(peers),
        }),
        Message::Release { content, span } => Body::Release(v1::Release {
            content: content.0.to_vec(),
            span: span.0,
        }),
    };
    v1::Message { body: Some(body) }
}

fn from_wire(message: v1::Message) -> Result<Message, FrameRefusal> {
    use v1::message::Body;
    let content = |bytes: &[u8]| array32(bytes).map(ContentId);
    Ok(match message.body.ok_or(FrameRefusal::Malformed)? {
        Body::Have(have) => {
            if have.words.len() > HAVE_WORDS_MAX || (have.all && !have.words.is_empty()) {
                return Err(FrameRefusal::TooManyElements);
            }
            let words = have
                .words
                .iter()
                .map(|word| (word.index, word.bits))
                .collect();
            Message::Have {
                content: content(&have.content)?,
                all: have.all,
                words,
            }
        }
        Body::Claim(claim) => {
            if claim.duration_ms > CLAIM_DURATION_MS_MAX {
                return Err(FrameRefusal::TooLarge);
            }
            let passed_on = !claim.holder.is_empty();
            let holder = passed_on.then(|| array32(&claim.holder)).transpose()?;
            Message::Claim {
                holder: holder.map(PeerId),
                content: content(&claim.content)?,
                span: SpanIndex(claim.span),
                duration: Duration::millis(u64::from(claim.duration_ms)),
            }
        }
        Body::Head(head) => Message::Head([head.root, head.timestamp, head.snapshot]),
        Body::Digest(digest) => Message::Digest {
            version: digest.version,
            digest: array32(&digest.digest)?,
            log: match (digest.log_size, optional_array32(&digest.log_root)?) {
                (0, None) => None,
                (1.., Some(root)) => Some((digest.log_size, root)),
                _ => return Err(FrameRefusal::Malformed),
            },
        },
        Body::Alarm(alarm) => {
            if alarm.role.len() > ROLE_LEN_MAX {
                return Err(FrameRefusal::TooLarge);
            }
            let v1::Alarm { role, version } = alarm;
            Message::Alarm { role, version }
        }
        Body::Revoked(mark) => Message::Mark(mark_from_wire(&mark)?),
        Body::Stop(stop) => Message::Stop(SignedStop::from_wire(stop).map_err(as_frame)?),
        Body::Cosignature(one) => {
            Message::Cosignature(Cosignature::from_wire(one).map_err(as_frame)?)
        }
        Body::Cosigned(cosigned) => Message::Cosigned {
            digest: array32(&cosigned.digest)?,
            asks: cosigned.asks,
        },
        Body::Interest(interest) => Message::Interest {
            content: content(&interest.content)?,
        },
        Body::Introduce(introduce) => Message::Introduce(peers_from_wire(introduce.peers)?),
        Body::Release(release) => Message::Release {
            content: content(&release.content)?,
            span: SpanIndex(release.span),
        },
    })
}

fn as_frame(refusal: Refusal) -> FrameRefusal {
    if refusal == Refusal::TooLarge {
        FrameRefusal::TooLarge
    } else {
        FrameRefusal::Malformed
    }
}

/// The wire form of a mark.
pub fn mark_to_wire(mark: &Mark) -> v1::Revoked {
    v1::Revoked {
        version: mark.version,
        digest: mark.digest.map_or_else(Vec::new, |digest| digest.to_vec()),
    }
}

fn mark_from_wire(wire: &v1::Revoked) -> Result<Mark, FrameRefusal> {
    Ok(Mark {
        version: wire.version,
        digest: optional_array32(&wire.digest)?,
    })
}

fn peers_to_wire(peers: &[(PeerId, Vec<Address>)]) -> Vec<v1::Introduced> {
    let one = |(peer, addresses): &(PeerId, Vec<Address>)| v1::Introduced {
        peer_id: peer.0.to_vec(),
        addresses: addresses.clone(),
    };
    peers.iter().map(one).collect()
}

fn peers_from_wire(
    peers: Vec<v1::Introduced>,
) -> Result<Vec<(PeerId, Vec<Address>)>, FrameRefusal> {
    introduced(&peers)?;
    peers
        .into_iter()
        .map(|peer| Ok((PeerId(array32(&peer.peer_id)?), peer.addresses)))
        .collect()
}

impl Want {
    /// The request's bytes.
    pub fn encode(&self) -> Vec<u8> {
        v1::ChunkRequest {
            content: self.content.0.to_vec(),
            chunk: self.chunk.0,
            unreachable: self.unreachable,
        }
        .encode_to_vec()
    }

    /// Reads a request.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameRefusal> {
        let wire: v1::ChunkRequest = decode(bytes, CHUNK_REQUEST_LEN_MAX)?;
        Ok(Self {
            content: ContentId(array32(&wire.content)?),
            chunk: ChunkIndex(wire.chunk),
            unreachable: wire.unreachable,
        })
    }
}

impl Decline {
    /// The wire form.
    pub fn to_wire(&self) -> v1::Decline {
        use v1::decline::Reason;
        let reason = match self.reason {
            DeclineReason::Busy => Reason::Busy,
            DeclineReason::Gone => Reason::Gone,
            DeclineReason::HeldBySite => Reason::HeldBySite,
            DeclineReason::Leased => Reason::Leased,
            DeclineReason::Refused => Reason::Refused,
        };
        v1::Decline {
            reason: reason.into(),
            retry_after_ms: u32::try_from(self.retry_after.as_millis()).unwrap_or(u32::MAX),
            holders: peers_to_wire(&self.holders),
        }
    }

    /// From the wire form.
    pub fn from_wire(wire: v1::Decline) -> Result<Self, FrameRefusal> {
        use v1::decline::Reason;
        let reason = match Reason::try_from(wire.reason) {
            Ok(Reason::Busy) => DeclineReason::Busy,
            Ok(Reason::Gone) => DeclineReason::Gone,
            Ok(Reason::HeldBySite) => DeclineReason::HeldBySite,
            Ok(Reason::Leased) => DeclineReason::Leased,
            Ok(Reason::Refused) => DeclineReason::Refused,
            Ok(Reason::Unspecified) | Err(_) => return Err(FrameRefusal::Malformed),
        };
        Ok(Self {
            reason,
            retry_after: Duration::millis(u64::from(wire.retry_after_ms)),
            holders: peers_from_wire(wire.holders)?,
        })
    }
}

impl DocumentRef {
    /// The request's bytes. An index is the role `index/<line>/<id>`, an annex
    /// its path.
    pub fn encode(&self) -> Vec<u8> {
        let wire = match self {
            Self::Metadata { role, version } => v1::DocumentRef {
                role: role.clone(),
                version: *version,
                sha256: Vec::new(),
            },
            Self::Index { sha256, name } => v1::DocumentRef {
                role: format!("index/{name}"),
                version: 0,
                sha256: sha256.to_vec(),
            },
            Self::Annex { name, sha256 } => v1::DocumentRef {
                role: name.to_string(),
                version: 0,
                sha256: sha256.to_vec(),
            },
        };
        wire.encode_to_vec()
    }

    /// Reads a request.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameRefusal> {
        let wire: v1::DocumentRef = decode(bytes, DOCUMENT_REQUEST_LEN_MAX)?;
        if wire.role.len() > ROLE_LEN_MAX {
            return Err(FrameRefusal::TooLarge);
        }
        let sha256 = optional_array32(&wire.sha256)?;
        match (wire.role.strip_prefix("index/"), sha256) {
            (Some(name), Some(sha256)) => Ok(Self::Index {
                sha256,
                name: name.to_owned(),
            }),
            (None, Some(sha256)) => match wire.role.parse() {
                Ok(name) => Ok(Self::Annex { name, sha256 }),
                Err(_) => Err(FrameRefusal::Malformed),
            },
            (None, None) => Ok(Self::Metadata {
                role: wire.role,
                version: wire.version,
            }),
            (Some(_), None) => Err(FrameRefusal::Malformed),
        }
    }
}

/// A gossip message: a timestamp document (G-01).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Newest root the sender knows; a hint.
    pub root_version: u64,
    /// The timestamp document, byte for byte.
    pub timestamp: Vec<u8>,
    /// Position of the first of the leaves.
    pub log_from: u64,
    /// Leaf hashes up to the size of its log, 32 bytes each; may be none.
    pub leaves: Vec<u8>,
}

impl Announcement {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        v1::Announcement {
            role: "timestamp".to_owned(),
            version: 0,
            root_version: self.root_version,
            document: self.timestamp.clone(),
            log_from: self.log_from,
            log_leaves: self.leaves.clone(),
        }
        .encode_to_vec()
    }

    /// Reads a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameRefusal> {
        let wire: v1::Announcement = decode(bytes, GOSSIP_LEN_MAX)?;
        if wire.role != "timestamp" {
            return Err(FrameRefusal::Malformed);
        }
        Ok(Self {
            root_version: wire.root_version,
            timestamp: wire.document,
            log_from: wire.log_from,
            leaves: wire.log_leaves,
        })
    }
}

/// Reads the hello of a peer whose key the secure channel has proved.
pub fn decode_hello(bytes: &[u8], peer: PeerId) -> Result<Proof, FrameRefusal> {
    let hello: v1::Hello = decode(bytes, HELLO_LEN_MAX)?;
    let certificate = hello.certificate.ok_or(FrameRefusal::Malformed)?;
    let head = hello.head.unwrap_or_default();
    let mark = mark_from_wire(&hello.revoked.unwrap_or_default())?;
    addresses(&hello.addresses)?;
    Ok(Proof {
        peer,
        certificate: certificate.payload,
        signature: certificate.signature,
        protocol: (hello.protocol_min, hello.protocol_max),
        head: [head.root, head.timestamp, head.snapshot],
        mark,
        addresses: hello.addresses,
    })
}

/// Checks a list of addresses as a hello carries it.
pub fn check_addresses(list: &[Address]) -> Result<(), FrameRefusal> {
    addresses(list)
}

/// What comes first in the answer to a request for a chunk (S-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkAnswer {
    /// No.
    Decline(Decline),
    /// A wire frame of this many bytes follows, [`CHUNK_WIRE_LEN_MAX`] at most.
    Frame(usize),
}

impl ChunkAnswer {
    /// Reads the header of an answer.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameRefusal> {
        use v1::chunk_answer::Body;
        let wire: v1::ChunkAnswer = decode(bytes, CHUNK_ANSWER_LEN_MAX)?;
        match wire.body.ok_or(FrameRefusal::Malformed)? {
            Body::Decline(decline) => Decline::from_wire(decline).map(Self::Decline),
            Body::WireLength(len) => match usize::try_from(len) {
                Ok(len) if len <= CHUNK_WIRE_LEN_MAX => Ok(Self::Frame(len)),
                _ => Err(FrameRefusal::TooLarge),
            },
        }
    }
}
