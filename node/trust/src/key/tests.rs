//! Tests of this module.

use super::*;

/// M-01.
#[test]
fn a_signature_fits_its_own_domain_only() {
    let key = NodeKey::from_seed([7; 32]);
    let signature = key.sign(Domain::Certificate, b"payload");
    let fits =
        |domain: Domain, payload: &[u8]| verify_as_node(&key.public(), domain, payload, &signature);
    assert!(fits(Domain::Certificate, b"payload"));
    assert!(!fits(Domain::Stop, b"payload"));
    assert!(!fits(Domain::Certificate, b"payloae"));
}

#[test]
fn no_two_types_have_one_text() {
    let texts: std::collections::BTreeSet<_> = Domain::ALL.map(Domain::text).into();
    assert_eq!(texts.len(), Domain::ALL.len());
    // The lengths in the encoding keep type and payload apart.
    assert_ne!(encoding("a 1", b"b"), encoding("a", b"1 b"));
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
