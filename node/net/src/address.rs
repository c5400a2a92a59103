//! Multiaddresses as text, as bytes, and as what the operating system knows.

use std::net::SocketAddr;

use libp2p::multiaddr::{Multiaddr, Protocol};
use patchmesh_core::peer::{Address, PeerId};

use crate::identity;

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to read {text:?} as a multiaddress")]
pub struct AddressError {
    /// The text.
    pub text: String,
}

/// Reads a multiaddress such as `/ip4/192.0.2.7/tcp/4001`, with or without the
/// peer at its end (`/p2p/<peer>`).
pub fn parse(text: &str) -> Result<(Option<PeerId>, Address), AddressError> {
    let error = || AddressError {
        text: text.to_owned(),
    };
    let mut address: Multiaddr = text.parse().map_err(|_| error())?;
    let Some(Protocol::P2p(peer)) = address.iter().last() else {
        return Ok((None, address.to_vec()));
    };
    address.pop();
    let peer = identity::from_libp2p(&peer).ok_or_else(error)?;
    Ok((Some(peer), address.to_vec()))
}

/// The text of an address; `None` where the bytes are no multiaddress.
pub fn text(address: &[u8]) -> Option<String> {
    multiaddr(address).map(|address| address.to_string())
}

/// The text of an address with the peer at its end, as [`parse`] reads it.
pub fn text_with_peer(peer: &PeerId, address: &[u8]) -> Option<String> {
    let peer = identity::to_libp2p(peer)?;
    multiaddr(address)?
        .with_p2p(peer)
        .ok()
        .map(|address| address.to_string())
}

/// The address of a socket, for TCP.
pub fn from_socket(socket: SocketAddr) -> Address {
    Multiaddr::from(socket.ip())
        .with(Protocol::Tcp(socket.port()))
        .to_vec()
}

/// IP address and port of an address, where it has both.
pub fn socket(address: &[u8]) -> Option<SocketAddr> {
    let address = multiaddr(address)?;
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

/// The address as libp2p's type; `None` where the bytes are no multiaddress.
pub(crate) fn multiaddr(address: &[u8]) -> Option<Multiaddr> {
    Multiaddr::try_from(address.to_vec()).ok()
}
