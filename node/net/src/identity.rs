//! Between a peer's name here (its Ed25519 public key) and libp2p's (M-03).

use libp2p::identity::{Keypair, PublicKey, ed25519};
use patchmesh_core::peer::PeerId;

/// Code of the identity multihash: the name contains the key itself.
const IDENTITY_HASH: u64 = 0;

/// The key pair of a seed.
pub(crate) fn keypair(mut seed: [u8; 32]) -> Keypair {
    Keypair::ed25519_from_bytes(&mut seed).expect("any 32 bytes are an Ed25519 seed")
}

/// libp2p's name of a peer; `None` where the bytes are no point of the curve.
pub(crate) fn to_libp2p(peer: &PeerId) -> Option<libp2p::PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(&peer.0).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// The Ed25519 key in libp2p's name; `None` for every other kind of key.
pub(crate) fn from_libp2p(peer: &libp2p::PeerId) -> Option<PeerId> {
    let hash = peer.as_ref();
    if hash.code() != IDENTITY_HASH {
        return None;
    }
    let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
    Some(PeerId(key.try_into_ed25519().ok()?.to_bytes()))
}
