//! The signed wrapper: signatures beside the part that they cover. Nothing in
//! the signed part is looked at, except its type and version, before the
//! signatures were checked (T-15).

use std::collections::BTreeSet;

use crate::canonical::{Object, Value, parse_envelope};
use crate::key::{sha256, unhex};
use crate::limits::Profile;
use crate::refusal::Refusal;
use crate::role::RoleName;

/// A parsed wrapper.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    signatures: Vec<Signature>,
    signed: Object,
    message: Vec<u8>,
    digest: [u8; 32],
    version: u64,
    profile: Profile,
}

/// One signature as the document states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) key_id: String,
    /// The decoded bytes; `None` if they are not hexadecimal, which makes this
    /// signature worthless and leaves the others alone (T-10).
    pub(crate) bytes: Option<Vec<u8>>,
}

impl Envelope {
    /// Checks size, form and type, in this order.
    pub(crate) fn open(
        profile: Profile,
        role: &RoleName,
        bytes: &[u8],
        len_max: usize,
    ) -> Result<Self, Refusal> {
        if bytes.len() > len_max {
            return Err(Refusal::TooLarge);
        }
        let limits = profile.limits();
        let outer = parse_envelope(bytes, limits.values, limits.signatures)?;
        let Value::Object(mut outer) = outer else {
            return Err(Refusal::Malformed);
        };
        let signatures = signatures(outer.get("signatures"))?;
        let signed = outer.remove("signed").ok_or(Refusal::Malformed)?;
        let message = signed.canonical();
        let Value::Object(signed) = signed else {
            return Err(Refusal::Malformed);
        };
        if signed.get("_type").and_then(Value::as_text) != Some(type_name(role)) {
            return Err(Refusal::Malformed);
        }
        let version = positive(signed.get("version"))?;
        Ok(Self {
            signatures,
            digest: sha256(&message),
            message,
            signed,
            version,
            profile,
        })
    }

    /// As [`Self::open`], for a document of any acceptable length.
    pub(crate) fn open_any(
        profile: Profile,
        role: &RoleName,
        bytes: &[u8],
    ) -> Result<Self, Refusal> {
        Self::open(profile, role, bytes, profile.document_len_max(role))
    }

    /// Under which rules it was read.
    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    pub(crate) fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The signed part; only for who has checked the signatures, or shows it.
    pub(crate) fn signed(&self) -> &Object {
        &self.signed
    }

    /// The bytes that signatures cover.
    pub(crate) fn message(&self) -> &[u8] {
        &self.message
    }

    /// SHA-256 of the signed bytes: with role and version, the identity of the
    /// statement, whoever signed it (T-38).
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }
}

/// `_type` of a role's document.
pub(crate) fn type_name(role: &RoleName) -> &'static str {
    match role {
        RoleName::Root => "root",
        RoleName::Timestamp => "timestamp",
        RoleName::Snapshot => "snapshot",
        RoleName::Targets
        | RoleName::Line(_)
        | RoleName::Rollout
        | RoleName::Membership
        | RoleName::Delegated(_) => "targets",
    }
}

/// A version or threshold: 1 to 2^63 - 1 (T-07, T-11).
pub(crate) fn positive(value: Option<&Value>) -> Result<u64, Refusal> {
    match natural(value)? {
        0 => Err(Refusal::Malformed),
        number => Ok(number),
    }
}

/// A length: 0 to 2^63 - 1.
pub(crate) fn natural(value: Option<&Value>) -> Result<u64, Refusal> {
    let number = value.and_then(Value::as_integer);
    number
        .and_then(|number| u64::try_from(number).ok())
        .ok_or(Refusal::Malformed)
}

fn signatures(value: Option<&Value>) -> Result<Vec<Signature>, Refusal> {
    let list = value.and_then(Value::as_list).ok_or(Refusal::Malformed)?;
    let mut seen = BTreeSet::new();
    let mut signatures = Vec::with_capacity(list.len());
    for entry in list {
        let text = |name: &str| {
            let entry = entry.as_object()?;
            entry.get(name)?.as_text()
        };
        let key_id = text("keyid").ok_or(Refusal::Malformed)?;
        let bytes = unhex(text("sig").ok_or(Refusal::Malformed)?);
        if !seen.insert(key_id) {
            return Err(Refusal::Malformed);
        }
        signatures.push(Signature {
            key_id: key_id.to_owned(),
            bytes,
        });
    }
    Ok(signatures)
}
