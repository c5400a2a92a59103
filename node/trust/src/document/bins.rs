//! Succinct hash bins (TAP 15): one key list for 2^n roles, and the hash of a
//! path says which of them speaks for it.

use std::collections::BTreeMap;

use crate::canonical::{Object, Value};
use crate::document::fields::{check_name, is_top, text};
use crate::key::{PublicKey, sha256};
use crate::limits::Profile;
use crate::refusal::Refusal;
use crate::threshold::RoleKeys;

/// Most bits of a bin's number: as many as its 32-bit source has.
const BITS_MAX: u32 = 32;

/// A set of bins.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    pub(crate) keys: RoleKeys,
    bits: u32,
    prefix: String,
}

impl Bins {
    pub(crate) fn read(
        profile: Profile,
        role: &Object,
        keys: &BTreeMap<String, PublicKey>,
    ) -> Result<Self, Refusal> {
        let bits = role.get("bit_length").and_then(Value::as_integer);
        let bits = bits.and_then(|bits| u32::try_from(bits).ok());
        let bits = bits.filter(|bits| (1..=BITS_MAX).contains(bits));
        let prefix = text(role.get("name_prefix"))?;
        check_name(prefix)?;
        Ok(Self {
            keys: RoleKeys::read(profile, role, keys)?,
            bits: bits.ok_or(Refusal::Malformed)?,
            prefix: prefix.to_owned(),
        })
    }

    /// The name of the bin of a path: the prefix, and the first bits of the
    /// path's SHA-256 in as many hexadecimal digits as the last bin needs.
    pub(crate) fn role_of(&self, path: &str) -> String {
        let [a, b, c, d, ..] = sha256(path.as_bytes());
        let number = u32::from_be_bytes([a, b, c, d]) >> (BITS_MAX - self.bits);
        let digits = usize::try_from(self.bits.div_ceil(4)).unwrap_or_default();
        let name = format!("{}-{number:0digits$x}", self.prefix);
        debug_assert!(!is_top(&name), "no top role has a hyphen");
        name
    }
}
