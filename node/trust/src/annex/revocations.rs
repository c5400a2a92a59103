//! `membership/revocations`: the stops that the threshold has taken over.

use patchmesh_proto::{Message as _, v1};

use crate::annex::form::{FORMAT, at_most, decode_exact};
use crate::annex::name::AnnexName;
use crate::refusal::Refusal;

/// Stops that stand, and ids of each kind, in one list.
pub const STOPS_MAX: usize = 8_192;
/// Signed bytes of one stop.
pub const STOP_LEN_MAX: usize = 4_096;

/// The stops of a network, as its threshold has settled them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocations {
    /// Counts up with each list; at least 1.
    pub version: u64,
    /// What was signed of each stop that stands, byte for byte; not parsed here.
    pub standing: Vec<Vec<u8>>,
    /// Single stops that this list replaces, ascending.
    pub folded: Vec<[u8; 16]>,
    /// Stops that are over, ascending.
    pub lifted: Vec<[u8; 16]>,
}

impl Revocations {
    /// Reads the bytes of a list.
    ///
    /// # Errors
    /// As [`crate::annex::body::AnnexBody::read`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let wire: v1::MembershipRevocations = decode_exact(AnnexName::Revocations, bytes)?;
        at_most(wire.standing.len(), STOPS_MAX)?;
        for stop in &wire.standing {
            at_most(stop.len(), STOP_LEN_MAX)?;
        }
        if wire.format != FORMAT || wire.version == 0 {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            version: wire.version,
            standing: wire.standing,
            folded: ids(&wire.folded)?,
            lifted: ids(&wire.lifted)?,
        })
    }

    /// The bytes of a list.
    ///
    /// # Errors
    /// `Malformed` and `TooLarge` if no node would read it.
    pub fn write(&self) -> Result<Vec<u8>, Refusal> {
        let texts = |ids: &[[u8; 16]]| ids.iter().map(|id| id.to_vec()).collect();
        let message = v1::MembershipRevocations {
            format: FORMAT,
            version: self.version,
            standing: self.standing.clone(),
            folded: texts(&self.folded),
            lifted: texts(&self.lifted),
        };
        let bytes = message.encode_to_vec();
        Self::read(&bytes)?;
        Ok(bytes)
    }
}

/// Ids in ascending order, none twice.
fn ids(wire: &[Vec<u8>]) -> Result<Vec<[u8; 16]>, Refusal> {
    at_most(wire.len(), STOPS_MAX)?;
    let ids = wire.iter().map(|id| id.as_slice().try_into());
    let ids: Result<Vec<[u8; 16]>, _> = ids.collect();
    let ids = ids.map_err(|_| Refusal::Malformed)?;
    if ids.is_sorted_by(|a, b| a < b) {
        Ok(ids)
    } else {
        Err(Refusal::Malformed)
    }
}
