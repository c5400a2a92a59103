//! The verifier: admits documents, and says what it needs next.

use std::sync::Arc;

use patchmesh_content::index::ReleaseIndex;

use crate::refusal::Refusal;
use crate::release::Release;
use crate::role::RoleName;
use crate::time::UtcTime;
use crate::verified::Verified;

/// The versions held; 0 where none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Version of the trusted root.
    pub root: u64,
    /// Version of the timestamp.
    pub timestamp: u64,
    /// Version of the snapshot.
    pub snapshot: u64,
}

/// A document that the verifier needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Role of the document.
    pub role: RoleName,
    /// Version; `None` asks for the newest (timestamp).
    pub version: Option<u64>,
    /// SHA-256 of the bytes, where something signed pins it.
    pub sha256: Option<[u8; 32]>,
    /// Longest acceptable document in bytes.
    pub len_max: usize,
}

/// A document that passed every check and was not yet taken over.
#[derive(Debug, Clone)]
pub struct Admission(());

/// What taking over a document changed. The caller makes it durable before
/// anything that depends on it becomes visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Role of the document.
    pub role: RoleName,
    /// Its version.
    pub version: u64,
    /// The bytes as they were received.
    pub bytes: Arc<[u8]>,
}

/// How fresh the trusted metadata is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustState {
    /// A root is trusted, nothing else is known yet.
    Bootstrapped,
    /// Timestamp and all it names are verified and unexpired.
    Current,
    /// Something has expired at this time; serve and seed, start no install.
    Stale {
        /// When the first needed document expired.
        since: UtcTime,
    },
}

/// Verifier of one network.
#[derive(Debug, Clone)]
pub struct Verifier(());

impl Verifier {
    /// Adopts a root document as the anchor. `lines` are the release lines
    /// that this node loads.
    pub fn new(root: &[u8], lines: &[String]) -> Result<Self, Refusal> {
        let _ = (root, lines);
        Err(Refusal::Pending)
    }

    /// SHA-256 of the canonical signed part of the anchor, if that is root
    /// version 1; else of the oldest root known.
    pub fn mesh_id(&self) -> [u8; 32] {
        [0; 32]
    }

    /// Checks a document against the current state; changes nothing.
    pub fn admit(&self, role: &RoleName, bytes: &[u8], utc: UtcTime) -> Result<Admission, Refusal> {
        let _ = (role, bytes, utc);
        Err(Refusal::Pending)
    }

    /// Takes an admitted document over.
    pub fn apply(&mut self, admission: Admission) -> Vec<Change> {
        let _ = admission;
        Vec::new()
    }

    /// What is needed next, in order: newer snapshot, targets, lines. The
    /// timestamp and the next root are asked for by whoever hears of them.
    pub fn wants(&self) -> Vec<Want> {
        Vec::new()
    }

    /// The versions held.
    pub fn head(&self) -> Head {
        Head::default()
    }

    /// Freshness at this time.
    pub fn state(&self, utc: UtcTime) -> TrustState {
        let _ = utc;
        TrustState::Bootstrapped
    }

    /// Active releases of the loaded lines, from verified, unexpired statements.
    pub fn releases(&self, utc: UtcTime) -> Vec<Verified<Release>> {
        let _ = utc;
        Vec::new()
    }

    /// A held document, byte for byte; `None` for the newest version.
    pub fn document(&self, role: &RoleName, version: Option<u64>) -> Option<Arc<[u8]>> {
        let _ = (role, version);
        None
    }

    /// The floors, to be stored beside the documents.
    pub fn floors(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Raises the floors to stored ones (restart).
    pub fn restore_floors(&mut self, floors: &[u8]) -> Result<(), Refusal> {
        let _ = floors;
        Ok(())
    }

    /// Checks index bytes against a release: length, SHA-256, BLAKE3, form,
    /// and that line, id and severity agree.
    pub fn open_index(
        release: &Verified<Release>,
        bytes: &[u8],
    ) -> Result<Verified<ReleaseIndex>, Refusal> {
        let index = ReleaseIndex::decode(bytes).map_err(|_| Refusal::Malformed)?;
        if index.line != release.line {
            return Err(Refusal::Contradiction);
        }
        Ok(Verified::new(index))
    }
}
