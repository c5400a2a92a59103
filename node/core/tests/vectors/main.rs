//! Replays `proto/vectors`: every case gives the stated value or refusal code,
//! and what is accepted encodes to the same bytes again.

use patchmesh_content::id::PeerId;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_core::message::{
    Announcement, ChunkAnswer, DocumentRef, Want, decode_frame, decode_hello, encode_frame,
};
use patchmesh_pack::compress;
use patchmesh_proto::limits;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::keys::{Keys, Witness};
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::log::cosignature::{COSIGNATURE_WIRE_LEN_MAX, Cosignature};
use patchmesh_trust::log::tree::Tree;
use patchmesh_trust::log::witnesses::Witnesses;
use patchmesh_trust::member::verify_certificate;
use patchmesh_trust::time::UtcTime;
use serde_json::{Value, json};

use crate::case::{Case, Outcome, Vectors};

mod annexes;
mod case;
mod describe;

/// S-02, S-10.
#[test]
fn frames() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/frame.json"));
    assert_eq!(vectors.number("len_max"), limits::FRAME_LEN_MAX as u64);
    vectors.replay(50, |case| {
        let decoded = decode_frame(&case.bytes);
        Outcome::of(decoded, |messages| {
            let values = messages.iter().map(describe::message).collect();
            (values, Some(encode_frame(messages)))
        })
    });
}

#[test]
fn wants() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/want.json"));
    assert_eq!(
        vectors.number("len_max"),
        limits::CHUNK_REQUEST_LEN_MAX as u64
    );
    vectors.replay(12, |case| {
        let decoded = Want::decode(&case.bytes);
        Outcome::of(decoded, |want| (describe::want(want), Some(want.encode())))
    });
}

#[test]
fn answers() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/answer.json"));
    assert_eq!(
        vectors.number("len_max"),
        limits::CHUNK_ANSWER_LEN_MAX as u64
    );
    vectors.replay(19, |case| {
        let decoded = ChunkAnswer::decode(&case.bytes);
        Outcome::of(decoded, |answer| (describe::answer(answer), None))
    });
}

#[test]
fn documents() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/document.json"));
    assert_eq!(
        vectors.number("len_max"),
        limits::DOCUMENT_REQUEST_LEN_MAX as u64
    );
    vectors.replay(16, |case| {
        let decoded = DocumentRef::decode(&case.bytes);
        Outcome::of(decoded, |document| {
            (describe::document(document), Some(document.encode()))
        })
    });
}

/// G-01.
#[test]
fn announcements() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/announcement.json"));
    assert_eq!(vectors.number("len_max"), limits::GOSSIP_LEN_MAX as u64);
    vectors.replay(11, |case| {
        let decoded = Announcement::decode(&case.bytes);
        Outcome::of(decoded, |announcement| {
            let again = Some(announcement.encode());
            (describe::announcement(announcement), again)
        })
    });
}

#[test]
fn hellos() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/hello.json"));
    assert_eq!(vectors.number("len_max"), limits::HELLO_LEN_MAX as u64);
    let peer = PeerId([7; 32]);
    vectors.replay(14, |case| {
        let decoded = decode_hello(&case.bytes, peer);
        Outcome::of(decoded, |proof| {
            assert_eq!(proof.peer, peer);
            (describe::hello(proof), None)
        })
    });
}

#[test]
fn certificates() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/certificate.json"));
    let peer = PeerId(vectors.id("peer"));
    let mesh_id = vectors.id("mesh_id");
    let default = vectors.signed_number("utc");
    vectors.replay(35, |case: &Case| {
        let utc = UtcTime(case.signed_number("utc").unwrap_or(default));
        let signature = case.hex("signature");
        let decoded = verify_certificate(&case.bytes, &signature, &peer, &mesh_id, utc);
        Outcome::of(decoded, |certificate| {
            assert_eq!(certificate.peer, peer);
            (describe::certificate(certificate), None)
        })
    });
}

/// T-75, T-77.
#[test]
fn cosignatures() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/cosignature.json"));
    let len_max = vectors.number("len_max");
    assert_eq!(len_max, COSIGNATURE_WIRE_LEN_MAX as u64);
    let witnesses = ["witness", "second"].map(|name| Witness {
        key: PublicKey::ed25519(&vectors.id(name)).expect("a key"),
        site: "a".to_owned(),
    });
    let keys = Keys {
        witnesses: witnesses.into(),
        ..Keys::default()
    };
    let mut set = Witnesses::new(&vectors.id("mesh_id"));
    set.set_keys(&keys);
    let tree = Tree::of((0..8).map(|at| {
        let mut leaf = [at; 32];
        leaf[0] = 0;
        leaf
    }));
    vectors.replay(30, |case| {
        let decoded = Cosignature::decode(&case.bytes);
        let judged = decoded.and_then(|one| {
            let taken = set.clone().take(one.clone(), &tree)?;
            Ok((taken, one.stated()))
        });
        Outcome::of(judged, |(taken, stated)| {
            let value = json!({ "taken": format!("{taken:?}"), "time": stated.0 });
            (value, None)
        })
    });
}

#[test]
fn indexes() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/index.json"));
    assert_eq!(vectors.number("len_max"), limits::INDEX_LEN_MAX as u64);
    vectors.replay(67, |case| {
        let decoded = ReleaseIndex::decode(&case.bytes);
        Outcome::of(decoded, |index| {
            (describe::index(index), Some(index.encode()))
        })
    });
}

/// T-61.
#[test]
fn annexes() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/annex.json"));
    vectors.replay(63, |case| {
        let name = case.text("annex").parse().expect("the name of an annex");
        Outcome::of(AnnexBody::read(name, &case.bytes), annexes::annex)
    });
}

#[test]
fn chunks() {
    let vectors = Vectors::read(include_str!("../../../../proto/vectors/chunk.json"));
    assert_eq!(vectors.number("len_max"), limits::CHUNK_WIRE_LEN_MAX as u64);
    vectors.replay(35, |case| {
        let length = case.signed_number("length").expect("a chunk has a length");
        let length = u32::try_from(length).expect("a length of 32 bits");
        let decoded = compress::decode(&case.bytes, length);
        Outcome::of(decoded, |plain| {
            assert!(*plain == case.parts("plain"), "{}", case.name());
            (Value::Null, None)
        })
    });
}
