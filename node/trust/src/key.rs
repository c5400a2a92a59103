//! Keys: what verifies, what signs, and how a key is written in a document.
//!
//! A key counts by its material, the decoded public key, never by its id: key
//! ids are chosen by whoever writes the document (T-10).

use std::cmp::Ordering;
use std::fmt;

pub mod domain;
#[cfg(feature = "rsa")]
mod rsa;

use ed25519_dalek::{Signature as EdSignature, Signer as _, SigningKey, VerifyingKey};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, Signature as P256Signature, VerifyingKey as P256Key};
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _, LineEnding};
use patchmesh_content::id::{hex, unhex32};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::canonical::{Value, parse};
use crate::key::domain::Domain;
use crate::refusal::Refusal;

/// A public key: Ed25519, or ECDSA on P-256.
#[derive(Clone)]
pub struct PublicKey {
    kind: Kind,
    material: Material,
}

#[derive(Clone)]
enum Kind {
    Ed25519(VerifyingKey),
    P256(Box<P256Key>),
    #[cfg(feature = "rsa")]
    Rsa(rsa::RsaKey),
}

/// What makes two keys the same: the algorithm and the public point, in its
/// one canonical encoding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Material(Vec<u8>);

impl Material {
    /// Lower-case hexadecimal.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }
}

impl PublicKey {
    /// An Ed25519 key. Refused: bytes that are no point, that encode a point
    /// in a second way, or a point of small order, under which one signature
    /// fits many messages.
    pub fn ed25519(bytes: &[u8; 32]) -> Result<Self, Refusal> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| Refusal::Malformed)?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
            return Err(Refusal::Malformed);
        }
        let mut material = vec![b'e'];
        material.extend_from_slice(bytes);
        Ok(Self {
            kind: Kind::Ed25519(key),
            material: Material(material),
        })
    }

    /// A P-256 key from a PEM `SubjectPublicKeyInfo`.
    pub fn p256_pem(pem: &str) -> Result<Self, Refusal> {
        let key = P256Key::from_public_key_pem(pem).map_err(|_| Refusal::Malformed)?;
        let mut material = vec![b'p'];
        material.extend_from_slice(key.to_sec1_point(false).as_bytes());
        Ok(Self {
            kind: Kind::P256(Box::new(key)),
            material: Material(material),
        })
    }

    /// A P-256 key from its uncompressed point, 65 bytes.
    pub fn p256_point(bytes: &[u8]) -> Result<Self, Refusal> {
        let key = P256Key::from_sec1_bytes(bytes).map_err(|_| Refusal::Malformed)?;
        let material = [&b"p"[..], key.to_sec1_point(false).as_bytes()].concat();
        // A second encoding of one point would be a second name of one key.
        if material.get(1..) != Some(bytes) {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            kind: Kind::P256(Box::new(key)),
            material: Material(material),
        })
    }

    /// Whether it is an Ed25519 key (else P-256), and its point: 32 bytes, or 65.
    /// `None` for a key of another kind.
    pub(crate) fn point(&self) -> Option<(bool, &[u8])> {
        let ed25519 = match self.kind {
            Kind::Ed25519(_) => true,
            Kind::P256(_) => false,
            #[cfg(feature = "rsa")]
            Kind::Rsa(_) => return None,
        };
        Some((ed25519, self.material.0.get(1..)?))
    }

    /// Reads a key object of a TUF document, as JSON text.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::from_value(&parse(bytes)?)?.ok_or(Refusal::Malformed)
    }

    /// The key object as a TUF document holds it.
    pub fn to_json(&self) -> Vec<u8> {
        self.to_value().json()
    }

    /// `None` for a key type or scheme that this build does not know: the
    /// document stays usable, the key never verifies (T-59).
    pub(crate) fn from_value(value: &Value) -> Result<Option<Self>, Refusal> {
        let text = |value: Option<&Value>| {
            let text = value.and_then(Value::as_text);
            text.map(str::to_owned).ok_or(Refusal::Malformed)
        };
        let object = value.as_object().ok_or(Refusal::Malformed)?;
        let keytype = text(object.get("keytype"))?;
        let scheme = text(object.get("scheme"))?;
        let keyval = object.get("keyval").and_then(Value::as_object);
        let keyval = keyval.ok_or(Refusal::Malformed)?;
        match (keytype.as_str(), scheme.as_str()) {
            ("ed25519", "ed25519") => {
                let public = text(keyval.get("public"))?;
                let bytes = unhex32(&public).ok_or(Refusal::Malformed)?;
                Self::ed25519(&bytes).map(Some)
            }
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
                Self::p256_pem(&text(keyval.get("public"))?).map(Some)
            }
            #[cfg(feature = "rsa")]
            ("rsa", rsa::SCHEME) => {
                let (key, material) = rsa::RsaKey::from_pem(&text(keyval.get("public"))?)?;
                Ok(Some(Self {
                    kind: Kind::Rsa(key),
                    material: Material(material),
                }))
            }
            _ => Ok(None),
        }
    }

    /// Whether a value has the members that every key has, whatever its type.
    pub(crate) fn check_form(value: &Value) -> Result<(), Refusal> {
        let key = value.as_object().ok_or(Refusal::Malformed)?;
        let text = |name: &str| key.get(name).and_then(Value::as_text);
        let keyval = key.get("keyval").and_then(Value::as_object);
        if text("keytype").is_some() && text("scheme").is_some() && keyval.is_some() {
            Ok(())
        } else {
            Err(Refusal::Malformed)
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        let (keytype, scheme, public) = match &self.kind {
            Kind::Ed25519(key) => ("ed25519", "ed25519", hex(key.as_bytes())),
            Kind::P256(key) => (
                "ecdsa",
                "ecdsa-sha2-nistp256",
                key.to_public_key_pem(LineEnding::LF)
                    .expect("a valid point always has an encoding"),
            ),
            #[cfg(feature = "rsa")]
            Kind::Rsa(key) => ("rsa", rsa::SCHEME, key.pem().to_owned()),
        };
        Value::object([
            ("keytype", Value::text(keytype)),
            ("scheme", Value::text(scheme)),
            ("keyval", Value::object([("public", Value::text(public))])),
        ])
    }

    /// The id our tool writes: SHA-256 of the canonical key object, in
    /// hexadecimal. Ids in documents of others may be anything.
    pub fn key_id(&self) -> String {
        hex(&sha256(&self.to_value().canonical()))
    }

    /// The scheme's name in a document.
    pub fn scheme(&self) -> &'static str {
        match self.kind {
            Kind::Ed25519(_) => "ed25519",
            Kind::P256(_) => "ecdsa-sha2-nistp256",
            #[cfg(feature = "rsa")]
            Kind::Rsa(_) => rsa::SCHEME,
        }
    }

    /// The 32 bytes of an Ed25519 key.
    pub fn ed25519_bytes(&self) -> Option<[u8; 32]> {
        match &self.kind {
            Kind::Ed25519(key) => Some(key.to_bytes()),
            Kind::P256(_) => None,
            #[cfg(feature = "rsa")]
            Kind::Rsa(_) => None,
        }
    }

    /// DER `SubjectPublicKeyInfo` of a P-256 key.
    pub(crate) fn p256_der(&self) -> Option<Vec<u8>> {
        match &self.kind {
            Kind::P256(key) => Some(key.to_public_key_der().ok()?.into_vec()),
            Kind::Ed25519(_) => None,
            #[cfg(feature = "rsa")]
            Kind::Rsa(_) => None,
        }
    }

    /// What makes this key distinct from others.
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// Whether the signature covers the message: 64 bytes for Ed25519, strictly
    /// verified; DER for P-256, with either value of S.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::Ed25519(key) => EdSignature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Kind::P256(key) => DerSignature::from_bytes(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            #[cfg(feature = "rsa")]
            Kind::Rsa(key) => key.verify(message, signature),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.material.cmp(&other.material)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.scheme(), &self.key_id()[..12])
    }
}

/// An Ed25519 key that signs documents. Wiped from memory when dropped.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of this seed. The seed is the secret; the caller wipes its copy.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::ed25519(self.0.verifying_key().as_bytes())
            .expect("the public half of a secret is a point of large order")
    }

    /// Signs bytes as they are; for a document, its signing bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).to_bytes().to_vec()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({:?})", self.public_key())
    }
}

/// The Ed25519 key that is a node's identity. It signs only under a domain, so
/// that no signature of it fits in another message's place (M-01).
pub struct NodeKey(SigningKey);

impl NodeKey {
    /// The key of this seed. The seed is the secret; the caller wipes its copy.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// The public half: the node's `PeerId`.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs the text of a checkpoint as a witness.
    pub(crate) fn cosign(&self, seconds: u64, checkpoint: &str) -> [u8; 64] {
        let text = cosigned(seconds, checkpoint);
        self.0.sign(text.as_bytes()).to_bytes()
    }

    /// Signs a payload of this type.
    pub fn sign(&self, domain: Domain, payload: &[u8]) -> [u8; 64] {
        self.0.sign(&encoding(domain.text(), payload)).to_bytes()
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", &hex(&self.public())[..12])
    }
}

/// Whether a node's key signed this payload under this domain.
pub fn verify_as_node(public: &[u8; 32], domain: Domain, payload: &[u8], signature: &[u8]) -> bool {
    PublicKey::ed25519(public)
        .is_ok_and(|key| key.verify(&encoding(domain.text(), payload), signature))
}

/// What a witness signs (C2SP tlog-cosignature); the first line tells it from
/// all else that is signed (M-01).
pub(crate) fn cosigned(seconds: u64, checkpoint: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{checkpoint}")
}

/// Pre-authentication encoding of DSSE: the type is part of what is signed.
pub(crate) fn encoding(domain: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {domain} {} ", domain.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// A P-256 signature in DER, as documents hold it, from the two numbers that
/// agents and tokens give: big-endian, leading zeros or not. `None` for numbers
/// that no signature has.
pub fn p256_signature_der(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let signature = P256Signature::from_scalars(scalar(r)?, scalar(s)?).ok()?;
    Some(signature.to_der().as_bytes().to_vec())
}

/// A big-endian number in 32 bytes.
fn scalar(number: &[u8]) -> Option<[u8; 32]> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    let mut bytes = [0u8; 32];
    let place = bytes.len().checked_sub(digits.len())?;
    bytes[place..].copy_from_slice(digits);
    Some(bytes)
}

/// SHA-256 of any bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Reads hexadecimal of any even length.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

#[cfg(test)]
mod tests;
