//! Emergency stops: what one revocation key may say alone. A stop can end
//! things and never start any (T-27, T-28); it is signed together with its type
//! (M-01), and what is signed has one form.

use std::collections::BTreeSet;
use std::fmt;

use patchmesh_content::id::{PeerId, hex, unhex32};
use patchmesh_proto::Message as _;
use patchmesh_proto::frame::{FrameRefusal, decode};
use patchmesh_proto::limits::{
    STOP_LEN_MAX, STOP_REASON_LEN_MAX, STOP_SUBJECTS_MAX, STOPS_LEN_MAX,
};
use patchmesh_proto::v1;

use serde::{Deserialize, Serialize};

use crate::key::domain::Domain;
use crate::key::{PublicKey, encoding, sha256};
use crate::refusal::Refusal;
use crate::role::{is_line, is_release_id};
use crate::time::UtcTime;

/// A signature: 64 bytes for Ed25519, at most 72 for P-256.
const SIGNATURE_LEN_MAX: usize = 80;
/// What comes around the signed part on the wire: key, signature and lengths.
const AROUND: usize = 128;

/// What a stop ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Every installation.
    AllInstalls,
    /// Certificates of an earlier epoch.
    EpochFloor(u64),
    /// Membership of these nodes.
    Nodes(BTreeSet<PeerId>),
    /// Fetching, staging and installing these releases: line and id.
    Releases(BTreeSet<(String, String)>),
    /// Certificates of these serials.
    Serials(BTreeSet<[u8; 16]>),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: Vec<String>| names.join(", ");
        match self {
            Self::AllInstalls => f.write_str("every installation is"),
            Self::EpochFloor(epoch) => write!(f, "certificates before epoch {epoch} are"),
            Self::Nodes(nodes) => {
                write!(
                    f,
                    "node {} is",
                    list(nodes.iter().map(|one| one.to_hex()).collect())
                )
            }
            Self::Releases(releases) => {
                let names = releases.iter().map(|(line, id)| format!("{line}/{id}"));
                write!(f, "release {} is", list(names.collect()))
            }
            Self::Serials(serials) => {
                let serials = serials.iter().map(|one| hex(one));
                write!(f, "certificate {} is", list(serials.collect()))
            }
        }
    }
}

/// What a stop says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stop {
    /// Id of the network.
    pub mesh_id: [u8; 32],
    /// By chance; what lifts the stop names it.
    pub id: [u8; 16],
    /// What ends.
    pub subject: Subject,
    /// When it was signed, as the signer's clock says; for people.
    pub issued: UtcTime,
    /// Why; for people, at most 256 bytes, not escaped.
    pub reason: String,
}

impl Stop {
    /// Reads what was signed.
    ///
    /// # Errors
    /// `TooLarge` above a bound, `Malformed` for everything else than the one
    /// form of a stop.
    pub fn read(payload: &[u8]) -> Result<Self, Refusal> {
        let wire: v1::Stop = decode(payload, STOP_LEN_MAX).map_err(unframed)?;
        if wire.subjects.len() > STOP_SUBJECTS_MAX || wire.reason.len() > STOP_REASON_LEN_MAX {
            return Err(Refusal::TooLarge);
        }
        if wire.encode_to_vec() != payload {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            mesh_id: exact(&wire.mesh_id)?,
            id: exact(&wire.stop_id)?,
            subject: subject(wire.kind(), &wire.subjects)?,
            issued: UtcTime(wire.issued),
            reason: wire.reason,
        })
    }

    /// The bytes that are signed, without their type.
    ///
    /// # Errors
    /// `Malformed` and `TooLarge` if no node would read them.
    pub fn payload(&self) -> Result<Vec<u8>, Refusal> {
        use v1::stop::Kind;
        let (kind, subjects) = match &self.subject {
            Subject::AllInstalls => (Kind::AllInstalls, Vec::new()),
            Subject::EpochFloor(epoch) => (Kind::EpochFloor, vec![epoch.to_be_bytes().to_vec()]),
            Subject::Nodes(nodes) => (Kind::Node, nodes.iter().map(|one| one.0.to_vec()).collect()),
            Subject::Releases(releases) => {
                let names = releases.iter();
                let names = names.map(|(line, id)| format!("{line}/{id}").into_bytes());
                (Kind::Release, names.collect())
            }
            Subject::Serials(serials) => (
                Kind::Serials,
                serials.iter().map(|one| one.to_vec()).collect(),
            ),
        };
        let wire = v1::Stop {
            mesh_id: self.mesh_id.to_vec(),
            stop_id: self.id.to_vec(),
            kind: kind.into(),
            subjects,
            issued: self.issued.0,
            reason: self.reason.clone(),
        };
        let payload = wire.encode_to_vec();
        Self::read(&payload)?;
        Ok(payload)
    }

    /// Whether it ends this release; `all-installs` is no word about one.
    pub fn covers(&self, line: &str, id: &str) -> bool {
        match &self.subject {
            Subject::Releases(releases) => releases.iter().any(|(of, one)| of == line && one == id),
            Subject::AllInstalls
            | Subject::EpochFloor(_)
            | Subject::Nodes(_)
            | Subject::Serials(_) => false,
        }
    }
}

/// A stop with its signature, not checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SignedStop {
    /// What was signed, byte for byte.
    pub payload: Vec<u8>,
    /// Id of the revocation key.
    pub key: [u8; 32],
    /// Its signature.
    pub signature: Vec<u8>,
}

impl SignedStop {
    /// Longest signed stop in bytes.
    pub const LEN_MAX: usize = STOP_LEN_MAX + SIGNATURE_LEN_MAX + AROUND;

    /// Reads a stop as it travels; nothing of it is believed.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let wire: v1::SignedStop = decode(bytes, Self::LEN_MAX).map_err(unframed)?;
        Self::from_wire(wire)
    }

    /// Checks the lengths of a stop that came in another message.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`.
    pub fn from_wire(wire: v1::SignedStop) -> Result<Self, Refusal> {
        if wire.payload.len() > STOP_LEN_MAX || wire.signature.len() > SIGNATURE_LEN_MAX {
            return Err(Refusal::TooLarge);
        }
        Ok(Self {
            payload: wire.payload,
            key: exact(&wire.key)?,
            signature: wire.signature,
        })
    }

    /// As it travels in another message.
    pub fn to_wire(&self) -> v1::SignedStop {
        v1::SignedStop {
            payload: self.payload.clone(),
            key: self.key.to_vec(),
            signature: self.signature.clone(),
        }
    }

    /// As it travels, and as its file holds it.
    pub fn encode(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    /// Its name: key and signed part. A signature may have several forms.
    pub fn name(&self) -> [u8; 32] {
        sha256(&[&self.key[..], &self.payload].concat())
    }

    /// Checks it with the revocation keys of a network.
    ///
    /// # Errors
    /// `UnknownKey` if none of them signed, `BadSignature`, `WrongNetwork`, and
    /// as [`Stop::read`].
    pub fn verify(&self, keys: &[PublicKey], mesh_id: &[u8; 32]) -> Result<Stop, Refusal> {
        if self.payload.len() > STOP_LEN_MAX {
            return Err(Refusal::TooLarge);
        }
        let key = keys.iter().find(|key| key_id(key) == self.key);
        let key = key.ok_or(Refusal::UnknownKey)?;
        if !key.verify(&signing_bytes(&self.payload), &self.signature) {
            return Err(Refusal::BadSignature);
        }
        let stop = Stop::read(&self.payload)?;
        if stop.mesh_id == *mesh_id {
            Ok(stop)
        } else {
            Err(Refusal::WrongNetwork)
        }
    }
}

/// Reads the file of stops of a published repository.
///
/// # Errors
/// `TooLarge`, `Malformed`.
pub fn read_file(bytes: &[u8]) -> Result<Vec<SignedStop>, Refusal> {
    let wire: v1::Stops = decode(bytes, STOPS_LEN_MAX).map_err(unframed)?;
    wire.stops.into_iter().map(SignedStop::from_wire).collect()
}

/// The file of stops of a published repository.
///
/// # Errors
/// `TooLarge` above its cap.
pub fn write_file(stops: &[SignedStop]) -> Result<Vec<u8>, Refusal> {
    let stops = stops.iter().map(SignedStop::to_wire).collect();
    let bytes = v1::Stops { stops }.encode_to_vec();
    if bytes.len() > STOPS_LEN_MAX {
        return Err(Refusal::TooLarge);
    }
    Ok(bytes)
}

/// The bytes that a revocation key signs.
pub fn signing_bytes(payload: &[u8]) -> Vec<u8> {
    encoding(Domain::Stop.text(), payload)
}

/// How a stop names the key that signed it.
pub fn key_id(key: &PublicKey) -> [u8; 32] {
    unhex32(&key.key_id()).unwrap_or_default()
}

fn subject(kind: v1::stop::Kind, subjects: &[Vec<u8>]) -> Result<Subject, Refusal> {
    use v1::stop::Kind;
    let some = !subjects.is_empty();
    match kind {
        Kind::AllInstalls if !some => Ok(Subject::AllInstalls),
        Kind::EpochFloor => match subjects {
            [epoch] => Ok(Subject::EpochFloor(u64::from_be_bytes(exact(epoch)?))),
            _ => Err(Refusal::Malformed),
        },
        Kind::Node if some => {
            ascending(subjects, |bytes| exact(bytes).map(PeerId)).map(Subject::Nodes)
        }
        Kind::Release if some => ascending(subjects, release).map(Subject::Releases),
        Kind::Serials if some => ascending(subjects, exact).map(Subject::Serials),
        Kind::AllInstalls | Kind::Node | Kind::Release | Kind::Serials | Kind::Unspecified => {
            Err(Refusal::Malformed)
        }
    }
}

/// Line and id of `<line>/<id>`.
///
/// # Errors
/// `Malformed` for a text that names no release.
pub fn release(name: &[u8]) -> Result<(String, String), Refusal> {
    let text = std::str::from_utf8(name).map_err(|_| Refusal::Malformed)?;
    match text.split_once('/') {
        Some((line, id)) if is_line(line) && is_release_id(id) => {
            Ok((line.to_owned(), id.to_owned()))
        }
        _ => Err(Refusal::Malformed),
    }
}

/// Subjects in their one order.
fn ascending<T: Ord>(
    subjects: &[Vec<u8>],
    one: impl Fn(&[u8]) -> Result<T, Refusal>,
) -> Result<BTreeSet<T>, Refusal> {
    let read: Result<Vec<T>, Refusal> = subjects.iter().map(|bytes| one(bytes)).collect();
    let read = read?;
    if read.is_sorted_by(|a, b| a < b) {
        Ok(read.into_iter().collect())
    } else {
        Err(Refusal::Malformed)
    }
}

fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Refusal> {
    bytes.try_into().map_err(|_| Refusal::Malformed)
}

fn unframed(refusal: FrameRefusal) -> Refusal {
    match refusal {
        FrameRefusal::Malformed => Refusal::Malformed,
        FrameRefusal::TooLarge | FrameRefusal::TooManyElements => Refusal::TooLarge,
    }
}

#[cfg(test)]
mod tests;
