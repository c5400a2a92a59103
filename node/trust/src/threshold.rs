//! How many distinct keys signed.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{Object, Value};
use crate::envelope::{Envelope, positive};
use crate::key::{Material, PublicKey};
use crate::limits::{KEYS_MAX, KEYS_PER_ROLE_MAX, Profile};
use crate::refusal::Refusal;

/// The keys of a role and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleKeys {
    keys: BTreeMap<String, PublicKey>,
    threshold: u64,
}

impl RoleKeys {
    /// Keys under the ids of our tool.
    ///
    /// # Errors
    /// `Malformed` for a threshold of 0 or one that the distinct keys can never
    /// meet, `TooLarge` for more than 32 keys.
    pub fn new(keys: &[PublicKey], threshold: u32) -> Result<Self, Refusal> {
        if keys.len() > KEYS_PER_ROLE_MAX {
            return Err(Refusal::TooLarge);
        }
        let keys: BTreeMap<_, _> = keys.iter().map(|key| (key.key_id(), key.clone())).collect();
        let threshold = u64::from(threshold);
        if threshold == 0 || threshold > keys.len() as u64 {
            return Err(Refusal::Malformed);
        }
        Ok(Self { keys, threshold })
    }

    /// How many distinct keys must sign.
    pub fn threshold(&self) -> u64 {
        self.threshold
    }

    /// Key ids and keys. One key may stand under several ids.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &PublicKey)> {
        self.keys.iter().map(|(id, key)| (id.as_str(), key))
    }

    /// Reads the `keyids` and `threshold` of a role whose keys are in `keys`.
    /// Ids without a usable key are left out; they can never count.
    pub(crate) fn read(
        profile: Profile,
        role: &Object,
        keys: &BTreeMap<String, PublicKey>,
    ) -> Result<Self, Refusal> {
        let ids = role.get("keyids").and_then(Value::as_list);
        let ids = ids.ok_or(Refusal::Malformed)?;
        if ids.len() > profile.limits().keys_per_role {
            return Err(Refusal::TooLarge);
        }
        let mut seen = BTreeSet::new();
        let mut own = BTreeMap::new();
        for id in ids {
            let id = id.as_text().ok_or(Refusal::Malformed)?;
            if !seen.insert(id) {
                return Err(Refusal::Malformed);
            }
            if let Some(key) = keys.get(id) {
                own.insert(id.to_owned(), key.clone());
            }
        }
        Ok(Self {
            keys: own,
            threshold: positive(role.get("threshold"))?,
        })
    }

    pub(crate) fn to_members(&self) -> [(&'static str, Value); 2] {
        let ids = self.keys.keys().map(Value::text).collect();
        [
            ("keyids", Value::List(ids)),
            ("threshold", Value::number(self.threshold)),
        ]
    }

    /// The distinct keys whose signatures verify.
    ///
    /// # Errors
    /// Below the threshold: `BadSignature` if a listed key's signature fails,
    /// `UnknownKey` if others signed and no listed key did, else
    /// `BelowThreshold`.
    pub(crate) fn check(&self, envelope: &Envelope) -> Result<BTreeSet<Material>, Refusal> {
        let mut signers = BTreeSet::new();
        let (mut listed, mut bad) = (0usize, 0usize);
        for signature in envelope.signatures() {
            let Some(key) = self.keys.get(&signature.key_id) else {
                continue;
            };
            listed += 1;
            let bytes = signature.bytes.as_deref();
            if bytes.is_some_and(|bytes| key.verify(envelope.message(), bytes)) {
                signers.insert(key.material().clone());
            } else {
                bad += 1;
            }
        }
        if signers.len() as u64 >= self.threshold {
            Ok(signers)
        } else if bad > 0 {
            Err(Refusal::BadSignature)
        } else if listed == 0 && !envelope.signatures().is_empty() {
            Err(Refusal::UnknownKey)
        } else {
            Err(Refusal::BelowThreshold)
        }
    }

    /// Whether one key stands in both lists, under whatever id.
    pub fn shares_with(&self, other: &Self) -> bool {
        let theirs: BTreeSet<_> = other.keys.values().map(PublicKey::material).collect();
        let mut own = self.keys.values();
        own.any(|key| theirs.contains(key.material()))
    }

    /// Whether these keys alone meet the threshold (T-32).
    pub(crate) fn met_by(&self, signers: &BTreeSet<Material>) -> bool {
        let own: BTreeSet<_> = self.keys.values().map(PublicKey::material).collect();
        let counted = signers.iter().filter(|signer| own.contains(signer)).count();
        counted as u64 >= self.threshold
    }
}

/// Reads the `keys` of a document: those of a known type, under their ids. In a
/// foreign repository a key that cannot be read is left out as well: others
/// read keys when they need them, and one bad key must not take the document
/// from everybody. A mesh refuses the document.
pub(crate) fn read_keys(
    profile: Profile,
    value: Option<&Value>,
) -> Result<BTreeMap<String, PublicKey>, Refusal> {
    let object = value.and_then(Value::as_object).ok_or(Refusal::Malformed)?;
    if object.len() > KEYS_MAX {
        return Err(Refusal::TooLarge);
    }
    let mut keys = BTreeMap::new();
    for (id, value) in object {
        PublicKey::check_form(value)?;
        match (PublicKey::from_value(value), profile) {
            (Ok(Some(key)), _) => {
                keys.insert(id.clone(), key);
            }
            (Ok(None), _) | (Err(_), Profile::Foreign) => {}
            (Err(refusal), Profile::Mesh) => return Err(refusal),
        }
    }
    Ok(keys)
}
