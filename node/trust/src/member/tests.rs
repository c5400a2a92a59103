//! Tests of this module.

use super::*;

const MESH: [u8; 32] = [9; 32];
const VALIDITY: Validity = Validity {
    not_before: UtcTime(1_000),
    not_after: UtcTime(2_000),
};

fn node(seed: u8) -> (NodeKey, PeerId) {
    let key = NodeKey::from_seed([seed; 32]);
    let peer = PeerId(key.public());
    (key, peer)
}

/// A signed certificate whose fields were changed before signing.
fn changed(change: impl FnOnce(&mut v1::Certificate)) -> (Vec<u8>, Vec<u8>) {
    let (key, _) = node(1);
    let (payload, _) = issue_certificate(&key, &MESH, "branch-7", false, VALIDITY).unwrap();
    let mut wire = v1::Certificate::decode(&payload[..]).unwrap();
    change(&mut wire);
    let payload = wire.encode_to_vec();
    let signature = key.sign(Domain::Certificate, &payload).to_vec();
    (payload, signature)
}

fn verdict(payload: &[u8], signature: &[u8], utc: i64) -> Result<Certificate, Refusal> {
    verify_certificate(payload, signature, &node(1).1, &MESH, UtcTime(utc))
}

/// M-20.
#[test]
fn an_issued_certificate_verifies_within_its_validity() {
    let (payload, signature) = changed(|_| {});
    let certificate = verdict(&payload, &signature, 1_500).unwrap();
    assert_eq!(certificate.peer, node(1).1);
    assert_eq!(certificate.site, "branch-7");
    assert!(!certificate.origin);
    assert_eq!(certificate.validity, VALIDITY);
    assert!(verdict(&payload, &signature, 1_000).is_ok());
    for utc in [999, 2_000] {
        assert_eq!(verdict(&payload, &signature, utc), Err(Refusal::Expired));
    }
}

#[test]
fn an_origin_may_stand_outside_all_sites() {
    let (key, peer) = node(2);
    let (payload, signature) = issue_certificate(&key, &MESH, "", true, VALIDITY).unwrap();
    let certificate = verify_certificate(&payload, &signature, &peer, &MESH, UtcTime(1_500));
    let certificate = certificate.unwrap();
    assert!(certificate.origin);
    assert_eq!(certificate.site, "");
    for (site, origin) in [("", false), ("a b", false), ("-a", false), ("a/b", true)] {
        let issued = issue_certificate(&key, &MESH, site, origin, VALIDITY);
        assert_eq!(issued, Err(Refusal::Malformed), "{site}");
    }
}

#[test]
fn another_network_key_or_signature_is_refused() {
    let (payload, signature) = changed(|_| {});
    let at = UtcTime(1_500);
    let (_, other) = node(2);
    let verdict_of_other = verify_certificate(&payload, &signature, &other, &MESH, at);
    assert_eq!(verdict_of_other, Err(Refusal::BadSignature));
    let foreign = verify_certificate(&payload, &signature, &node(1).1, &[8; 32], at);
    assert_eq!(foreign, Err(Refusal::WrongNetwork));
    for change in [
        |wire: &mut v1::Certificate| wire.peer_id = vec![3; 32],
        |wire: &mut v1::Certificate| wire.issuer = vec![3; 32],
        |wire: &mut v1::Certificate| wire.issuer = Vec::new(),
    ] {
        let (payload, signature) = changed(change);
        assert_eq!(
            verdict(&payload, &signature, 1_500),
            Err(Refusal::UnknownKey)
        );
    }
}

#[test]
fn malformed_certificates_are_refused() {
    for change in [
        |wire: &mut v1::Certificate| wire.serial = vec![0; 15],
        |wire: &mut v1::Certificate| wire.roles.clear(),
        |wire: &mut v1::Certificate| wire.roles = vec![1; 9],
        |wire: &mut v1::Certificate| wire.site = "x".repeat(65),
        |wire: &mut v1::Certificate| wire.site = "\u{e9}".to_owned(),
        |wire: &mut v1::Certificate| wire.not_after = wire.not_before,
    ] {
        let (payload, signature) = changed(change);
        assert_eq!(
            verdict(&payload, &signature, 1_500),
            Err(Refusal::Malformed)
        );
    }
    let (payload, signature) = changed(|wire| wire.site = "x".repeat(2_000));
    assert_eq!(verdict(&payload, &signature, 1_500), Err(Refusal::TooLarge));
    let noise = vec![0xff; 64];
    let signature = node(1).0.sign(Domain::Certificate, &noise);
    assert_eq!(verdict(&noise, &signature, 1_500), Err(Refusal::Malformed));
}
