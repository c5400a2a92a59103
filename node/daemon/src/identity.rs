//! The key of this node: made once, kept in the store, never shown.

use patchmesh_core::record::{Record, Restored, Witnessed};
use patchmesh_store::{CommitError, ReadError, StateName, Store};
use patchmesh_trust::key::NodeKey;
use patchmesh_trust::member::{Validity, issue_certificate};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::time::UtcTime;

/// How long the node's own certificate holds, in seconds. It is issued anew at
/// every start.
const CERTIFICATE_SECS: i64 = 366 * 24 * 3600;
/// So long before its end it is issued anew, in seconds.
const RENEWED_BEFORE_SECS: i64 = 30 * 24 * 3600;
/// Clocks of two nodes may differ by this much, in seconds.
const CLOCK_SKEW_SECS: i64 = 24 * 3600;

/// The node's key and its public half.
pub(crate) struct Identity {
    /// Seed of the Ed25519 key.
    pub(crate) seed: [u8; 32],
    /// The key.
    pub(crate) key: NodeKey,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// The store failed to keep it.
    #[error("failed to keep the node key")]
    Keep(#[from] CommitError),
    /// The store failed to give it.
    #[error("failed to read the node key")]
    Read(#[from] ReadError),
    /// The file does not hold a key.
    #[error(
        "failed to read the node key: it is {0} bytes long, not 32; restore the file, or \
         remove it to join as a new node"
    )]
    Damaged(usize),
    /// The system gave no randomness.
    #[error("failed to draw a node key from the system")]
    Random(#[source] std::io::Error),
    /// The site cannot stand in a certificate.
    #[error("failed to issue the certificate of this node: {0}; check node.site")]
    Certificate(Refusal),
}

/// Reads the key, or makes one at the first start, which has signed nothing.
pub(crate) fn load_or_make(
    store: &Store,
    restored: &mut Restored,
) -> Result<Identity, IdentityError> {
    if let Some(bytes) = store.read_state(StateName::Identity)? {
        let seed = bytes
            .try_into()
            .map_err(|bytes: Vec<u8>| IdentityError::Damaged(bytes.len()))?;
        return Ok(Identity {
            seed,
            key: NodeKey::from_seed(seed),
        });
    }
    let seed = random32().map_err(IdentityError::Random)?;
    // Before the key exists: a key without this record has lost it.
    let nothing = Witnessed::default();
    store.commit(&Record::Witnessed(nothing))?;
    restored.witnessed = Some(nothing);
    store.put_state(StateName::Identity, &seed)?;
    Ok(Identity {
        seed,
        key: NodeKey::from_seed(seed),
    })
}

/// 32 bytes from the system.
pub(crate) fn random32() -> std::io::Result<[u8; 32]> {
    use std::io::Read as _;
    let mut seed = [0u8; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}

/// When a certificate of this node holds that is issued now.
pub(crate) fn validity(utc: UtcTime) -> Validity {
    Validity {
        not_before: UtcTime(utc.0.saturating_sub(CLOCK_SKEW_SECS)),
        not_after: UtcTime(utc.0.saturating_add(CERTIFICATE_SECS)),
    }
}

/// Whether a certificate that holds then has to be issued anew: it ends soon, or
/// the clock was wrong when it was issued.
pub(crate) fn is_due(validity: Validity, utc: UtcTime) -> bool {
    let renewed = validity.not_after.0.saturating_sub(RENEWED_BEFORE_SECS);
    utc < validity.not_before || utc.0 >= renewed
}

/// The node's own certificate: payload and signature.
pub(crate) fn certificate(
    key: &NodeKey,
    mesh_id: &[u8; 32],
    site: &str,
    origin: bool,
    validity: Validity,
) -> Result<(Vec<u8>, Vec<u8>), IdentityError> {
    issue_certificate(key, mesh_id, site, origin, validity).map_err(IdentityError::Certificate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_issued_anew_before_it_ends_and_when_the_clock_was_wrong() {
        let utc = UtcTime(2_000_000_000);
        let then = |secs: i64| UtcTime(utc.0 + secs);
        let held = validity(utc);
        assert!(!is_due(held, utc));
        assert!(!is_due(held, then(-CLOCK_SKEW_SECS)));
        assert!(is_due(held, then(-CLOCK_SKEW_SECS - 1)));
        let last = CERTIFICATE_SECS - RENEWED_BEFORE_SECS;
        assert!(!is_due(held, then(last - 1)));
        assert!(is_due(held, then(last)));
    }
}
