//! The hashes that one document states of another, or of a target.

use patchmesh_content::id::{hex, unhex32};
use sha2::{Digest as _, Sha512};

use crate::canonical::Value;
use crate::document::fields::{object, text};
use crate::key::unhex;
use crate::limits::Profile;
use crate::refusal::Refusal;

/// Stated hashes. In a mesh there is a SHA-256 always and nothing else counts
/// (T-03); a foreign repository may state SHA-512 instead or as well, and then
/// each one has to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hashes {
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) sha512: Option<[u8; 64]>,
}

impl Hashes {
    pub(crate) fn read(profile: Profile, value: &Value) -> Result<Self, Refusal> {
        let hashes = object(Some(value))?;
        if profile == Profile::Foreign {
            hashes
                .values()
                .try_for_each(|hash| text(Some(hash)).map(|_| ()))?;
        }
        let sha256 = match (hashes.get("sha256"), profile) {
            (None, Profile::Foreign) => None,
            (value, _) => Some(unhex32(text(value)?).ok_or(Refusal::Malformed)?),
        };
        let sha512 = match (hashes.get("sha512"), profile) {
            (Some(value), Profile::Foreign) => {
                let bytes = unhex(text(Some(value))?).and_then(|bytes| bytes.try_into().ok());
                Some(bytes.ok_or(Refusal::Malformed)?)
            }
            (_, Profile::Mesh) | (None, _) => None,
        };
        Ok(Self { sha256, sha512 })
    }

    /// Whether bytes of this SHA-256 are the stated ones. Hashes of unknown
    /// kinds only fit nothing.
    pub(crate) fn fit(&self, sha256: &[u8; 32], bytes: &[u8]) -> bool {
        let sha512 = self.sha512.map(|_| Sha512::digest(bytes).into());
        self.fit_both(sha256, sha512.as_ref())
    }

    /// As [`Self::fit`], where both hashes are known.
    pub(crate) fn fit_both(&self, sha256: &[u8; 32], sha512: Option<&[u8; 64]>) -> bool {
        let known = self.sha256.is_some() || self.sha512.is_some();
        known
            && self.sha256.is_none_or(|stated| stated == *sha256)
            && self
                .sha512
                .is_none_or(|stated| sha512.is_some_and(|actual| stated == *actual))
    }

    /// The hash in the name of a file, where names carry one.
    pub(crate) fn file_prefix(&self) -> Option<String> {
        let sha256 = self.sha256.map(|hash| hex(&hash));
        sha256.or_else(|| self.sha512.map(|hash| hex(&hash)))
    }
}
