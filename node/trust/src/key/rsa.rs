//! RSA keys of foreign repositories: RSASSA-PSS with SHA-256, and a salt as long
//! as the hash. Keys of fewer than 2,048 or more than 8,192 bits verify nothing.

use p256::pkcs8::Document;
use p256::pkcs8::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

use crate::refusal::Refusal;

/// The scheme's name in a document.
pub(super) const SCHEME: &str = "rsassa-pss-sha256";

/// `rsaEncryption` (RFC 8017).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// An RSA key that verifies.
#[derive(Clone)]
pub(super) struct RsaKey {
    key: UnparsedPublicKey<Vec<u8>>,
    pem: String,
}

impl RsaKey {
    /// The key of a PEM `SubjectPublicKeyInfo`, and what makes it distinct.
    pub(super) fn from_pem(pem: &str) -> Result<(Self, Vec<u8>), Refusal> {
        let (label, document) = Document::from_pem(pem).map_err(|_| Refusal::Malformed)?;
        let info = SubjectPublicKeyInfoRef::try_from(document.as_bytes());
        let info = info.map_err(|_| Refusal::Malformed)?;
        if label != "PUBLIC KEY" || info.algorithm.oid != RSA_ENCRYPTION {
            return Err(Refusal::Malformed);
        }
        let key = info.subject_public_key.as_bytes();
        let key = key.ok_or(Refusal::Malformed)?.to_vec();
        let mut material = vec![b'r'];
        material.extend_from_slice(&key);
        let key = Self {
            key: UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key),
            pem: pem.to_owned(),
        };
        Ok((key, material))
    }

    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(message, signature).is_ok()
    }
}
