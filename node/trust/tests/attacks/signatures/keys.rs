//! Keys of both kinds, and the weak ones.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, Signature, SigningKey};
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use patchmesh_content::id::hex;
use patchmesh_trust::canonical::{Value, parse};
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;

use crate::kit::{
    NOW, Publication, ROOT, edit, envelope, key, object, root, root_plan, sign, signed_part,
};

fn p256_key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn pem(key: &SigningKey) -> String {
    key.verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .unwrap()
}

/// A verifier whose timestamp key is on P-256.
fn p256_verifier() -> (Verifier, PublicKey) {
    let public = PublicKey::p256_pem(&pem(&p256_key(7))).unwrap();
    let mut plan = root_plan(1);
    plan.timestamp = RoleKeys::new(std::slice::from_ref(&public), 1).unwrap();
    let root = sign(plan.build().unwrap(), ROOT);
    (Verifier::new(&root, &[]).unwrap(), public)
}

#[test]
fn p256_signatures_count_with_low_and_high_s() {
    let (verifier, public) = p256_verifier();
    let signed = signed_part(&Publication::new(1).timestamp);
    let message = signed.canonical();
    let signature: Signature = p256_key(7).sign(&message);
    let low = signature.normalize_s();
    let (r, s) = low.split_scalars();
    let high = Signature::from_scalars(r, -s).unwrap();
    assert_ne!(low, high);
    for signature in [low, high] {
        let der: DerSignature = signature.to_der();
        let bytes = envelope(&signed, [(public.key_id(), der.as_bytes().to_vec())]);
        assert!(verifier.admit(&RoleName::Timestamp, &bytes, NOW).is_ok());
    }
}

#[test]
fn p256_signatures_in_another_form_or_of_another_text_do_not_count() {
    let (verifier, public) = p256_verifier();
    let signed = signed_part(&Publication::new(1).timestamp);
    let message = signed.canonical();
    let good: Signature = p256_key(7).sign(&message);
    let other: Signature = p256_key(8).sign(&message);
    let elsewhere: Signature = p256_key(7).sign(b"elsewhere");
    let mut padded = good.to_der().as_bytes().to_vec();
    padded.push(0);
    for (name, bytes) in [
        ("raw instead of DER", good.to_bytes().to_vec()),
        ("bytes after", padded),
        ("another key", other.to_der().as_bytes().to_vec()),
        ("another text", elsewhere.to_der().as_bytes().to_vec()),
        ("empty", Vec::new()),
    ] {
        let bytes = envelope(&signed, [(public.key_id(), bytes)]);
        let verdict = verifier.admit(&RoleName::Timestamp, &bytes, NOW);
        assert_eq!(verdict.unwrap_err(), Refusal::BadSignature, "{name}");
    }
}

#[test]
fn p256_keys_are_read_under_both_names_and_count_once() {
    let pem = pem(&p256_key(7));
    let of = |keytype: &str| {
        let value = Value::object([
            ("keytype", Value::text(keytype)),
            ("scheme", Value::text("ecdsa-sha2-nistp256")),
            ("keyval", Value::object([("public", Value::text(&*pem))])),
        ]);
        PublicKey::from_json(&value.json()).unwrap()
    };
    let (new, legacy) = (of("ecdsa"), of("ecdsa-sha2-nistp256"));
    assert_eq!(new, legacy);
    assert_eq!(new.material(), legacy.material());
    assert_eq!(PublicKey::from_json(&new.to_json()), Ok(new));
    for text in [
        "",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "00",
    ] {
        assert!(PublicKey::p256_pem(text).is_err());
    }
}

/// Points of small order: under them one signature fits many messages.
#[test]
fn weak_ed25519_keys_are_refused() {
    let mut points = vec![[0u8; 32]]; // y = 0, order 4
    let mut one = [0u8; 32];
    one[0] = 1; // the neutral element
    points.push(one);
    let mut minus_one = [0xffu8; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f; // order 2
    points.push(minus_one);
    let order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    points.push(patchmesh_content::id::unhex32(order_8).unwrap());
    // Second spellings: y = p, y = p + 1, and minus zero.
    let mut p = [0xffu8; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    points.push(p);
    p[0] = 0xee;
    points.push(p);
    // y = p + 3: a point of large order, written in a second way.
    p[0] = 0xf0;
    points.push(p);
    let mut minus_zero = one;
    minus_zero[31] = 0x80;
    points.push(minus_zero);
    for point in points {
        assert_eq!(
            PublicKey::ed25519(&point),
            Err(Refusal::Malformed),
            "{}",
            hex(&point)
        );
    }
}

#[test]
fn a_root_that_lists_a_weak_key_is_refused() {
    let weak = edit(&root(1), ROOT, |signed| {
        let id = key(10).public_key().key_id();
        let entry = object(signed, &["keys", &id, "keyval"]);
        entry.insert("public".to_owned(), Value::text("00".repeat(32)));
    });
    assert_eq!(Verifier::new(&weak, &[]).err(), Some(Refusal::Malformed));
    assert!(parse(&weak).is_ok());
}

/// `verify_strict`: S below the group order, so that nobody makes a second
/// signature out of a first.
#[test]
fn a_second_form_of_a_signature_is_refused() {
    // The group order, little-endian.
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order = patchmesh_content::id::unhex32(order).unwrap();
    let signer = key(10);
    let mut signature = signer.sign(b"text");
    assert!(signer.public_key().verify(b"text", &signature));
    let mut carry = 0u16;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(!signer.public_key().verify(b"text", &signature));
    assert!(!signer.public_key().verify(b"text", &signature[..63]));
}
