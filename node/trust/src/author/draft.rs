//! A document on its way from person to person, collecting signatures.

use std::collections::BTreeMap;

use patchmesh_content::id::hex;

use crate::author::error::AuthorError;
use crate::canonical::{Object, Value};
use crate::envelope::Envelope;
use crate::limits::{Profile, SIGNATURES_MAX};
use crate::refusal::Refusal;
use crate::role::RoleName;
use crate::time::UtcTime;

/// A document with the signatures collected so far; perhaps none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    role: RoleName,
    version: u64,
    expires: UtcTime,
    signed: Object,
    signatures: BTreeMap<String, Vec<u8>>,
}

impl Draft {
    /// Reads a draft or a signed document of a role. Signatures are not checked.
    pub fn read(role: &RoleName, bytes: &[u8]) -> Result<Self, AuthorError> {
        let envelope = Envelope::open_any(Profile::Mesh, role, bytes);
        let envelope = envelope.map_err(AuthorError::NotADocument)?;
        let signed = envelope.signed().clone();
        let expires = signed.get("expires").and_then(Value::as_text);
        let expires = expires.and_then(UtcTime::parse);
        let signatures = envelope.signatures().iter().filter_map(|signature| {
            let bytes = signature.bytes.clone()?;
            Some((signature.key_id.clone(), bytes))
        });
        Ok(Self {
            role: role.clone(),
            version: envelope.version(),
            expires: expires.ok_or(AuthorError::NotADocument(Refusal::Malformed))?,
            signatures: signatures.collect(),
            signed,
        })
    }

    pub(crate) fn unsigned(role: &RoleName, signed: &Value) -> Result<Self, AuthorError> {
        let bytes = envelope_bytes(signed, Value::List(Vec::new()));
        Self::read(role, &bytes)
    }

    /// The document as a file holds it: JSON text, the same for the same content.
    pub fn bytes(&self) -> Vec<u8> {
        let signatures = self.signatures.iter().map(|(key_id, bytes)| {
            Value::object([
                ("keyid", Value::text(key_id)),
                ("sig", Value::text(hex(bytes))),
            ])
        });
        let signatures = Value::List(signatures.collect());
        envelope_bytes(&Value::Object(self.signed.clone()), signatures)
    }

    /// The bytes that a signature covers.
    pub fn signing_bytes(&self) -> Vec<u8> {
        Value::Object(self.signed.clone()).canonical()
    }

    /// Role of the document.
    pub fn role(&self) -> &RoleName {
        &self.role
    }

    /// Version of the document.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When the document expires.
    pub fn expires(&self) -> UtcTime {
        self.expires
    }

    /// What the document says, for people to look at.
    pub fn signed(&self) -> &Object {
        &self.signed
    }

    /// Ids of the keys whose signatures were added, and the signatures.
    pub fn signatures(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let signatures = self.signatures.iter();
        signatures.map(|(key_id, bytes)| (key_id.as_str(), bytes.as_slice()))
    }

    /// Adds a signature over the signing bytes, or replaces that key's.
    pub fn add_signature(&mut self, key_id: &str, signature: &[u8]) -> Result<(), AuthorError> {
        let room = self.signatures.len() < SIGNATURES_MAX;
        if !room && !self.signatures.contains_key(key_id) {
            return Err(AuthorError::BadPlan("more than 32 signatures"));
        }
        self.signatures
            .insert(key_id.to_owned(), signature.to_vec());
        Ok(())
    }

    /// Takes over the signatures of a copy.
    pub fn merge(&mut self, copy: &Self) -> Result<(), AuthorError> {
        if self.role != copy.role || self.signed != copy.signed {
            return Err(AuthorError::OtherStatement);
        }
        for (key_id, bytes) in &copy.signatures {
            self.add_signature(key_id, bytes)?;
        }
        Ok(())
    }
}

/// The bytes that a signature of this document covers.
pub fn signing_bytes(draft: &Draft) -> Vec<u8> {
    draft.signing_bytes()
}

fn envelope_bytes(signed: &Value, signatures: Value) -> Vec<u8> {
    Value::object([("signatures", signatures), ("signed", signed.clone())]).json()
}
