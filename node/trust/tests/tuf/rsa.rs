//! RSA keys, which only foreign repositories have. Key and signatures were made
//! with another implementation: RSASSA-PSS, SHA-256, over the canonical signed part.

use patchmesh_trust::key::PublicKey;
use patchmesh_trust::refusal::Refusal;

const KEY: &str = include_str!("rsa/key.json");
const MESSAGE: &[u8] = b"{\"_type\":\"timestamp\"}";

fn signature(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.trim().len()).step_by(2).map(digit).collect()
}

#[test]
fn rsa_pss_with_a_salt_as_long_as_the_hash_verifies_and_nothing_else() {
    let key = PublicKey::from_json(KEY.as_bytes()).unwrap();
    assert_eq!(key.scheme(), "rsassa-pss-sha256");
    let good = signature(include_str!("rsa/pss.hex"));
    assert!(key.verify(MESSAGE, &good));
    assert!(!key.verify(b"{\"_type\":\"snapshot\"}", &good));
    let mut bad = good.clone();
    bad[0] ^= 1;
    assert!(!key.verify(MESSAGE, &bad));
    assert!(!key.verify(MESSAGE, &[]));
    let old = signature(include_str!("rsa/pkcs1.hex"));
    assert!(!key.verify(MESSAGE, &old), "PKCS #1 v1.5 is another scheme");
    let no_salt = signature(include_str!("rsa/no_salt.hex"));
    assert!(!key.verify(MESSAGE, &no_salt));
}

#[test]
fn a_key_of_another_kind_under_the_name_of_rsa_is_refused() {
    let p256 = include_str!("rsa/p256.json");
    assert_eq!(
        PublicKey::from_json(p256.as_bytes()),
        Err(Refusal::Malformed)
    );
}
