//! The one form of an annex (T-61).

use patchmesh_proto::Message;
use patchmesh_proto::frame::{FrameRefusal, decode};

use crate::annex::name::AnnexName;
use crate::refusal::Refusal;

/// Format of every annex.
pub(crate) const FORMAT: u32 = 1;

/// Decodes a message that has one form (T-61).
pub(crate) fn decode_exact<M: Message + Default>(
    name: AnnexName,
    bytes: &[u8],
) -> Result<M, Refusal> {
    let wire: M = decode(bytes, name.len_max()).map_err(|refusal| match refusal {
        FrameRefusal::Malformed => Refusal::Malformed,
        FrameRefusal::TooLarge | FrameRefusal::TooManyElements => Refusal::TooLarge,
    })?;
    if wire.encode_to_vec() == bytes {
        Ok(wire)
    } else {
        Err(Refusal::Malformed)
    }
}

/// Refuses a list that is longer than its bound.
pub(crate) fn at_most(len: usize, max: usize) -> Result<(), Refusal> {
    if len > max {
        Err(Refusal::TooLarge)
    } else {
        Ok(())
    }
}
