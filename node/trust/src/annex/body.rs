//! What a statement says of an annex, and what the annex itself says.

use patchmesh_content::id::{blake3, hex, unhex32};

use crate::annex::keys::Keys;
use crate::annex::name::AnnexName;
use crate::annex::policy::Policy;
use crate::annex::revocations::Revocations;
use crate::canonical::{Object, Value};
use crate::document::Target;
use crate::key::sha256;
use crate::limits::CUSTOM_LEN_MAX;
use crate::refusal::Refusal;
use crate::release::CUSTOM_FORMAT;
use crate::verified::Verified;

/// What a statement says of an annex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annex {
    /// Which one.
    pub name: AnnexName,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// BLAKE3 of its bytes.
    pub b3: [u8; 32],
    /// Length in bytes.
    pub len: u64,
}

impl Annex {
    /// What a statement would say of these bytes.
    pub fn of(name: AnnexName, bytes: &[u8]) -> Self {
        Self {
            name,
            sha256: sha256(bytes),
            b3: blake3(bytes),
            len: bytes.len() as u64,
        }
    }

    /// What a target entry at the annex's path says; `None` if it states no
    /// annex that a node could use.
    pub(crate) fn read(name: AnnexName, target: &Target) -> Option<Self> {
        let custom = target.custom.as_ref()?;
        let len_max = name.len_max() as u64;
        if target.len > len_max || custom.canonical().len() > CUSTOM_LEN_MAX {
            return None;
        }
        let custom = custom.as_object()?;
        let plain = |value: &Value| matches!(value, Value::Text(_) | Value::Integer(_));
        let format_ok = custom.get("v") == Some(&Value::Integer(CUSTOM_FORMAT));
        if !format_ok || !custom.values().all(plain) {
            return None;
        }
        Some(Self {
            name,
            sha256: target.hashes.sha256?,
            b3: unhex32(custom.get("b3")?.as_text()?)?,
            len: target.len,
        })
    }

    pub(crate) fn to_value(&self) -> Value {
        let custom: Object = [
            ("v".to_owned(), Value::Integer(CUSTOM_FORMAT)),
            ("b3".to_owned(), Value::text(hex(&self.b3))),
        ]
        .into();
        let hashes = Value::object([("sha256", Value::text(hex(&self.sha256)))]);
        Value::object([
            ("length", Value::number(self.len)),
            ("hashes", hashes),
            ("custom", Value::Object(custom)),
        ])
    }

    /// Checks bytes against what is said of them, and reads them (T-23).
    ///
    /// # Errors
    /// `TooLarge` and `HashMismatch` for other bytes, `Contradiction` if the two
    /// hashes are of different bytes, `Malformed` and `TooLarge` for the right
    /// bytes if they are no annex of this name.
    pub fn open(&self, bytes: &[u8]) -> Result<AnnexBody, Refusal> {
        let len = bytes.len() as u64;
        if len > self.len {
            return Err(Refusal::TooLarge);
        }
        if len < self.len || sha256(bytes) != self.sha256 {
            return Err(Refusal::HashMismatch);
        }
        if blake3(bytes) != self.b3 {
            return Err(Refusal::Contradiction);
        }
        AnnexBody::read(self.name, bytes)
    }
}

impl Verified<Annex> {
    /// As [`Annex::open`], for an annex that a verified statement names.
    ///
    /// # Errors
    /// As [`Annex::open`].
    pub fn open_verified(&self, bytes: &[u8]) -> Result<Verified<AnnexBody>, Refusal> {
        self.open(bytes).map(Verified::new)
    }
}

/// What an annex says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnnexBody {
    /// What is applied when and where.
    Policy(Policy),
    /// Keys that may stop, enrol or witness.
    Keys(Keys),
    /// The stops that the threshold has taken over.
    Revocations(Revocations),
}

impl AnnexBody {
    /// Reads the bytes of an annex.
    ///
    /// # Errors
    /// `TooLarge` above a bound, `Malformed` for anything that is not its one
    /// form.
    pub fn read(name: AnnexName, bytes: &[u8]) -> Result<Self, Refusal> {
        match name {
            AnnexName::Policy => Policy::read(bytes).map(Self::Policy),
            AnnexName::Keys => Keys::read(bytes).map(Self::Keys),
            AnnexName::Revocations => Revocations::read(bytes).map(Self::Revocations),
        }
    }
}
