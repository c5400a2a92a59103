//! From wire types to checked values: fixed lengths and caps that the schema
//! language cannot say.

use crate::frame::FrameRefusal;
use crate::limits::{ADDRESS_LEN_MAX, ADDRESSES_MAX, INTRODUCED_PEERS_MAX};
use crate::v1;

/// Exactly 32 bytes: a hash or a public key (S-02).
pub fn array32(bytes: &[u8]) -> Result<[u8; 32], FrameRefusal> {
    bytes.try_into().map_err(|_| FrameRefusal::Malformed)
}

/// Empty, or exactly 32 bytes.
pub fn optional_array32(bytes: &[u8]) -> Result<Option<[u8; 32]>, FrameRefusal> {
    if bytes.is_empty() {
        Ok(None)
    } else {
        array32(bytes).map(Some)
    }
}

/// Addresses within their number and length.
pub fn addresses(addresses: &[Vec<u8>]) -> Result<(), FrameRefusal> {
    if addresses.len() > ADDRESSES_MAX {
        return Err(FrameRefusal::TooManyElements);
    }
    if addresses
        .iter()
        .any(|address| address.len() > ADDRESS_LEN_MAX)
    {
        return Err(FrameRefusal::TooLarge);
    }
    Ok(())
}

/// Peers with their addresses within the limits; keys are 32 bytes.
pub fn introduced(peers: &[v1::Introduced]) -> Result<(), FrameRefusal> {
    if peers.len() > INTRODUCED_PEERS_MAX {
        return Err(FrameRefusal::TooManyElements);
    }
    for peer in peers {
        array32(&peer.peer_id)?;
        addresses(&peer.addresses)?;
    }
    Ok(())
}
