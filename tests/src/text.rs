//! Documents that no author of ours writes: any text in place of the signed
//! part, and signatures over that very text.

use patchmesh_content::id::hex;
use patchmesh_trust::author::Draft;
use patchmesh_trust::canonical::Value;
use patchmesh_trust::key::sha256;
use patchmesh_trust::role::RoleName;

use crate::forge::{DAYS, key, now};

/// A document with this text as its signed part, signed as it stands.
pub fn signed(text: &str, seeds: &[u8]) -> Vec<u8> {
    let sign = |seed: &u8| (*seed, key(*seed).sign(text.as_bytes()));
    let signatures: Vec<_> = seeds.iter().map(sign).collect();
    signed_as(text, &signatures)
}

/// The same with any signatures in the name of keys of these seeds.
pub fn signed_as(text: &str, signatures: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let signature = |(seed, signature): &(u8, Vec<u8>)| {
        let id = key(*seed).public_key().key_id();
        format!(r#"{{"keyid":"{id}","sig":"{}"}}"#, hex(signature))
    };
    let signatures: Vec<_> = signatures.iter().map(signature).collect();
    let signatures = signatures.join(",");
    format!(r#"{{"signatures":[{signatures}],"signed":{text}}}"#).into_bytes()
}

/// The signed part of a good document as text.
///
/// # Panics
/// If it is not a document of this role.
pub fn part(role: &RoleName, document: &[u8]) -> String {
    let draft = Draft::read(role, document).expect("a good document");
    String::from_utf8(draft.signing_bytes()).expect("canonical text")
}

/// A good document with one text of its signed part replaced by another, and
/// signed again.
///
/// # Panics
/// If the text is not in it.
pub fn altered(role: &RoleName, document: &[u8], from: &str, to: &str, seeds: &[u8]) -> Vec<u8> {
    let text = part(role, document);
    assert!(text.contains(from), "{from} is not in {text}");
    signed(&text.replacen(from, to, 1), seeds)
}

/// What one document pins of another: name, version, bytes.
pub type Pinned<'a> = (&'a str, i64, &'a [u8]);

/// A snapshot over any bytes, whatever they are.
pub fn snapshot(version: i64, pinned: &[Pinned<'_>], seed: u8) -> Vec<u8> {
    listing("snapshot", version, pinned, seed)
}

/// A timestamp over any bytes in place of a snapshot.
pub fn timestamp(version: i64, snapshot: (i64, &[u8]), seed: u8) -> Vec<u8> {
    let (pinned, bytes) = snapshot;
    listing("timestamp", version, &[("snapshot", pinned, bytes)], seed)
}

fn listing(kind: &str, version: i64, pinned: &[Pinned<'_>], seed: u8) -> Vec<u8> {
    let pin = |(name, version, bytes): &Pinned<'_>| {
        let hashes = Value::object([("sha256", Value::text(hex(&sha256(bytes))))]);
        let pin = Value::object([
            ("hashes", hashes),
            ("length", Value::number(bytes.len() as u64)),
            ("version", Value::Integer(*version)),
        ]);
        (format!("{name}.json"), pin)
    };
    let expires = now()
        .plus_days(DAYS)
        .format()
        .expect("a time of the calendar");
    let mut members = vec![
        ("_type", Value::text(kind)),
        ("expires", Value::text(expires)),
        ("meta", Value::Object(pinned.iter().map(pin).collect())),
        ("spec_version", Value::text("1.0.34")),
        ("version", Value::Integer(version)),
    ];
    if kind == "timestamp" {
        let issued = Value::object([("issued", Value::Integer(now().0))]);
        members.push(("patchmesh", issued));
    }
    let members = members.into_iter();
    let object = members
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let text = String::from_utf8(Value::Object(object).canonical()).expect("canonical text");
    signed(&text, &[seed])
}
