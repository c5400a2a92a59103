//! Multiaddresses as text, as bytes, and as what the operating system knows.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;

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

/// Claims an address to listen on, for as long as the claim is kept. libp2p shares
/// a port with everybody who shares it as well, so two nodes would take each
/// other's peers: an address where another process listens is refused, and so is
/// one that another node has claimed and is about to listen on.
pub(crate) fn claim(address: &Multiaddr) -> io::Result<Option<Claim>> {
    let is_tcp = |part: Protocol<'_>| matches!(part, Protocol::Tcp(port) if port != 0);
    let Some(at) = socket(&address.to_vec()).filter(|_| address.iter().any(is_tcp)) else {
        return Ok(None);
    };
    let claim = claim_name(at)?;
    TcpListener::bind(at)?;
    Ok(claim)
}

/// A name that the system gives to one process only and takes back at its end.
#[cfg(target_os = "linux")]
fn claim_name(at: SocketAddr) -> io::Result<Option<Claim>> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr as Name;
    let name = Name::from_abstract_name(format!("patchmesh/listen/{at}"))?;
    UnixListener::bind_addr(&name).map(Claim).map(Some)
}

/// Other systems have no such names; there the look at the port has to do.
#[cfg(not(target_os = "linux"))]
fn claim_name(_: SocketAddr) -> io::Result<Option<Claim>> {
    Ok(None)
}

/// A claimed address; free again once this is dropped.
#[derive(Debug)]
pub(crate) struct Claim(#[expect(dead_code, reason = "held, never used")] UnixListener);

/// IP address and port of an address, where it has both.
pub fn socket(address: &[u8]) -> Option<SocketAddr> {
    let address = multiaddr(address)?;
    let mut parts = address.iter();
    let ip = ip(&parts.next()?)?;
    if let Protocol::Tcp(port) | Protocol::Udp(port) = parts.next()? {
        Some(SocketAddr::new(ip, port))
    } else {
        None
    }
}

/// The IP address in the first part of an address.
pub(crate) fn ip(part: &Protocol<'_>) -> Option<IpAddr> {
    if let Protocol::Ip4(ip) = part {
        Some((*ip).into())
    } else if let Protocol::Ip6(ip) = part {
        Some((*ip).into())
    } else {
        None
    }
}

/// The address as libp2p's type; `None` where the bytes are no multiaddress.
pub(crate) fn multiaddr(address: &[u8]) -> Option<Multiaddr> {
    Multiaddr::try_from(address.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> PeerId {
        let key = identity::keypair([7; 32]).public().to_peer_id();
        identity::from_libp2p(&key).unwrap()
    }

    #[test]
    fn text_with_and_without_peer_is_read_back() {
        let plain = "/ip4/192.0.2.7/tcp/4001";
        let (no_peer, address) = parse(plain).unwrap();
        assert_eq!(no_peer, None);
        assert_eq!(text(&address).unwrap(), plain);
        let named = text_with_peer(&peer(), &address).unwrap();
        assert_eq!(parse(&named).unwrap(), (Some(peer()), address));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for garbage in ["192.0.2.7:4001", "/ip4/300.0.0.1/tcp/1", "/nothing/1"] {
            assert!(parse(garbage).is_err(), "{garbage}");
        }
        assert_eq!(text(&[0xff; 9]), None);
        // A peer whose name is a hash, not a key, is nobody here.
        let hashed = "/ip4/192.0.2.7/tcp/1/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";
        assert!(parse(hashed).is_err());
    }

    #[test]
    fn sockets_and_addresses_name_the_same() {
        for socket_text in ["192.0.2.7:4001", "[2001:db8::1]:9"] {
            let at: SocketAddr = socket_text.parse().unwrap();
            assert_eq!(socket(&from_socket(at)), Some(at));
        }
        let (_, name) = parse("/dns4/example.org/tcp/1").unwrap();
        assert_eq!(socket(&name), None);
    }

    #[test]
    fn only_a_port_that_another_listens_on_or_claims_is_taken() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let free = |text: &str| claim(&text.parse().unwrap());
        let taken = format!("/ip4/127.0.0.1/tcp/{port}");
        let error = free(&taken).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(free(&format!("/ip4/127.0.0.1/udp/{port}/quic-v1")).is_ok());
        assert!(free("/ip4/127.0.0.1/tcp/0").is_ok());
        drop(other);
        let first = free(&taken).unwrap();
        // Nobody listens there yet, but somebody is about to.
        let error = free(&taken).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert!(free(&taken).is_ok());
    }
}
