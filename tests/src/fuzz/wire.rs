//! Targets: what peers send each other.

use patchmesh_content::id::PeerId;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_core::message::{
    Announcement, ChunkAnswer, DocumentRef, Want, decode_frame, decode_hello, encode_frame,
    mark_to_wire,
};
use patchmesh_pack::compress;
use patchmesh_proto::Message as _;
use patchmesh_proto::v1;
use patchmesh_trust::annex::keys::{Keys, Witness};
use patchmesh_trust::key::domain::Domain;
use patchmesh_trust::key::{NodeKey, PublicKey};
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::tree::Tree;
use patchmesh_trust::log::witnesses::{Taken, Witnesses};
use patchmesh_trust::member::{issue_certificate, verify_certificate};
use patchmesh_trust::time::UtcTime;

/// The network of the certificates in the corpus, and the present in it.
pub const MESH_ID: [u8; 32] = [5; 32];
/// Seed of the key of the certificates in the corpus.
pub const NODE_SEED: [u8; 32] = [7; 32];
/// The present of the corpus.
pub const UTC: UtcTime = UtcTime(1_800_000_000);

/// Control frames.
pub fn frame(data: &[u8]) {
    if let Ok(messages) = decode_frame(data) {
        assert_eq!(decode_frame(&encode_frame(&messages)), Ok(messages));
    }
}

/// Requests for chunks.
pub fn want(data: &[u8]) {
    if let Ok(want) = Want::decode(data) {
        assert_eq!(Want::decode(&want.encode()), Ok(want));
    }
}

/// First part of the answer to a request for a chunk.
pub fn answer(data: &[u8]) {
    use v1::chunk_answer::Body;
    let Ok(answer) = ChunkAnswer::decode(data) else {
        return;
    };
    let body = match &answer {
        ChunkAnswer::Decline(decline) => Body::Decline(decline.to_wire()),
        ChunkAnswer::Frame(len) => Body::WireLength(u32::try_from(*len).expect("a capped length")),
    };
    let again = v1::ChunkAnswer { body: Some(body) }.encode_to_vec();
    assert_eq!(ChunkAnswer::decode(&again), Ok(answer));
}

/// Requests for documents.
pub fn document(data: &[u8]) {
    if let Ok(document) = DocumentRef::decode(data) {
        assert_eq!(DocumentRef::decode(&document.encode()), Ok(document));
    }
}

/// Gossip.
pub fn announcement(data: &[u8]) {
    if let Ok(message) = Announcement::decode(data) {
        assert_eq!(Announcement::decode(&message.encode()), Ok(message));
    }
}

/// First words of a connection.
pub fn hello(data: &[u8]) {
    let peer = PeerId([7; 32]);
    let Ok(proof) = decode_hello(data, peer) else {
        return;
    };
    let [root, timestamp, snapshot] = proof.head;
    let again = v1::Hello {
        certificate: Some(v1::SignedCertificate {
            payload: proof.certificate.clone(),
            signature: proof.signature.clone(),
        }),
        protocol_min: proof.protocol.0,
        protocol_max: proof.protocol.1,
        head: Some(v1::Head {
            root,
            timestamp,
            snapshot,
        }),
        addresses: proof.addresses.clone(),
        revoked: Some(mark_to_wire(&proof.mark)),
    };
    // A hello may be longer with a head of zeros than without one.
    if let Ok(again) = decode_hello(&again.encode_to_vec(), peer) {
        assert_eq!(again, proof);
    }
}

/// Certificates, signed by the peer that shows them.
pub fn certificate(data: &[u8]) {
    let key = NodeKey::from_seed(NODE_SEED);
    let signature = key.sign(Domain::Certificate, data);
    let peer = PeerId(key.public());
    let Ok(found) = verify_certificate(data, &signature, &peer, &MESH_ID, UTC) else {
        return;
    };
    let (site, origin) = (found.site.clone(), found.origin);
    let (payload, signature) = issue_certificate(&key, &MESH_ID, &site, origin, found.validity)
        .expect("its terms were accepted");
    let again = verify_certificate(&payload, &signature, &peer, &MESH_ID, UTC);
    let again = again.expect("an issued certificate verifies");
    assert_eq!((again.site, again.origin), (site, origin));
}

/// Cosignatures, judged by a node whose one witness is who they say signed them.
pub fn cosignature(data: &[u8]) {
    let Ok(one) = Cosignature::decode(data) else {
        return;
    };
    let again = Cosignature::decode(&one.encode());
    assert_eq!(again.as_ref(), Ok(&one));
    let Ok(key) = PublicKey::ed25519(&one.witness) else {
        return;
    };
    let mut witnesses = Witnesses::new(&MESH_ID);
    let site = "paris".to_owned();
    witnesses.set_keys(&Keys {
        witnesses: vec![Witness { key, site }],
        ..Keys::default()
    });
    let tree = Tree::of([[0; 32]; 8]);
    if witnesses.take(one.clone(), &tree).is_ok() {
        assert_eq!(witnesses.take(one, &tree), Ok(Taken::Known));
    }
}

/// Release indexes: canonical, so the bytes themselves come back.
pub fn index(data: &[u8]) {
    if let Ok(index) = ReleaseIndex::decode(data) {
        assert_eq!(index.encode(), data);
        for file in &index.files {
            patchmesh_content::path::check(&file.path).expect("only safe paths are accepted");
        }
    }
}

/// Wire frames of chunks: a length of four bytes, then the frame.
pub fn chunk(data: &[u8]) {
    let Some((len, frame)) = data.split_first_chunk::<4>() else {
        return;
    };
    let len = u32::from_le_bytes(*len);
    if let Ok(plain) = compress::decode(frame, len) {
        assert_eq!(plain.len() as u64, u64::from(len));
        let again = compress::compress(&plain, 1).expect("a decoded chunk compresses");
        assert_eq!(compress::decode(&again, len).as_ref(), Ok(&plain));
    }
}
