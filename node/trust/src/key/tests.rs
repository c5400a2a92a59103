//! Tests of this module.

use super::*;

/// M-01.
#[test]
fn a_signature_fits_its_own_domain_only() {
    let key = NodeKey::from_seed([7; 32]);
    let signature = key.sign("patchmesh/cert/v1", b"payload");
    let fits =
        |domain: &str, payload: &[u8]| verify_as_node(&key.public(), domain, payload, &signature);
    assert!(fits("patchmesh/cert/v1", b"payload"));
    assert!(!fits("patchmesh/stop/v1", b"payload"));
    assert!(!fits("patchmesh/cert/v1", b"payloae"));
    // The lengths in the encoding keep type and payload apart.
    assert!(!fits("patchmesh/cert/v1 7", b"payload"));
}

#[test]
fn the_encoding_is_that_of_dsse() {
    let encoded = encoding("http://example.com/HelloWorld", b"hello world");
    let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    assert_eq!(encoded, expected);
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", SecretKey::from_seed([0xab; 32]));
    assert!(!shown.contains("abab"), "{shown}");
    let shown = format!("{:?}", NodeKey::from_seed([0xab; 32]));
    assert!(!shown.contains("abab"), "{shown}");
}

#[test]
fn hexadecimal_of_odd_length_or_other_letters_is_refused() {
    assert_eq!(unhex("00fF"), Some(vec![0, 255]));
    assert_eq!(unhex(""), Some(Vec::new()));
    assert_eq!(unhex("0"), None);
    assert_eq!(unhex("0g"), None);
    assert_eq!(unhex("\u{e9}\u{e9}"), None);
}
