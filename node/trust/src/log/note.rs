//! Signed notes (C2SP signed-note): a text, and signatures by named keys below
//! it.

use base64ct::{Base64, Encoding as _};

use crate::key::{PublicKey, sha256};
use crate::refusal::Refusal;

/// Bytes of a note: a checkpoint with the cosignatures of 64 witnesses.
pub const NOTE_LEN_MAX: usize = 16 * 1024;
/// Signatures of one note.
pub const NOTE_SIGNATURES_MAX: usize = 100;
/// Bytes of a key's name.
pub const NAME_LEN_MAX: usize = 255;

/// Signature types of the specification.
pub(crate) const ED25519: u8 = 1;
pub(crate) const COSIGNATURE: u8 = 4;

/// Text and signatures, neither of them checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    /// With its last newline.
    pub text: &'a str,
    /// In the order of the file.
    pub lines: Vec<NoteLine<'a>>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteLine<'a> {
    /// Name of the key.
    pub name: &'a str,
    /// Tells keys of one name apart.
    pub key_id: [u8; 4],
    /// What the signature type says; never empty.
    pub signature: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Reads a note.
    ///
    /// # Errors
    /// `TooLarge` above [`NOTE_LEN_MAX`] or [`NOTE_SIGNATURES_MAX`], else
    /// `Malformed`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() > NOTE_LEN_MAX {
            return Err(Refusal::TooLarge);
        }
        let note = str::from_utf8(bytes).map_err(|_| Refusal::Malformed)?;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(Refusal::Malformed);
        }
        let at = note.rfind("\n\n").ok_or(Refusal::Malformed)?;
        let (text, signatures) = (&note[..=at], &note[at + 2..]);
        let signatures = signatures.strip_suffix('\n').ok_or(Refusal::Malformed)?;
        let mut lines = Vec::new();
        for line in signatures.split('\n') {
            if lines.len() == NOTE_SIGNATURES_MAX {
                return Err(Refusal::TooLarge);
            }
            lines.push(NoteLine::read(line).ok_or(Refusal::Malformed)?);
        }
        Ok(Self { text, lines })
    }

    /// Checks that this key signed the text under this name.
    ///
    /// # Errors
    /// `UnknownKey` without a line of this key, `BadSignature` if it does not
    /// verify.
    pub fn check(&self, name: &str, key: &PublicKey) -> Result<(), Refusal> {
        let key_id = key_id(name, key).ok_or(Refusal::UnknownKey)?;
        let mut lines = self.lines.iter();
        let line = lines.find(|line| line.name == name && line.key_id == key_id);
        let line = line.ok_or(Refusal::UnknownKey)?;
        if key.verify(self.text.as_bytes(), &line.signature) {
            Ok(())
        } else {
            Err(Refusal::BadSignature)
        }
    }
}

impl<'a> NoteLine<'a> {
    pub(crate) fn read(line: &'a str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        if !is_name(name) {
            return None;
        }
        let bytes = Base64::decode_vec(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        (!signature.is_empty()).then(|| Self {
            name,
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }
}

/// A signature line with its newline.
pub fn line(name: &str, key_id: [u8; 4], signature: &[u8]) -> String {
    let encoded = Base64::encode_string(&[&key_id, signature].concat());
    format!("\u{2014} {name} {encoded}\n")
}

/// Id of a key that signs notes under this name: Ed25519 as the specification
/// says, P-256 as the witness of transparency-dev has it. `None` for others.
pub fn key_id(name: &str, key: &PublicKey) -> Option<[u8; 4]> {
    match (key.ed25519_bytes(), key.p256_der()) {
        (Some(bytes), _) => Some(typed_key_id(name, ED25519, &bytes)),
        (None, Some(der)) => Some(first4(&sha256(&der))),
        (None, None) => None,
    }
}

pub(crate) fn typed_key_id(name: &str, kind: u8, key: &[u8; 32]) -> [u8; 4] {
    first4(&sha256(&[name.as_bytes(), &[b'\n', kind], key].concat()))
}

fn first4(hash: &[u8; 32]) -> [u8; 4] {
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Whether this may name a key.
pub fn is_name(name: &str) -> bool {
    let wrong = |c: char| c.is_whitespace() || c == '+' || c.is_control();
    !name.is_empty() && name.len() <= NAME_LEN_MAX && !name.contains(wrong)
}

#[cfg(test)]
mod tests;
