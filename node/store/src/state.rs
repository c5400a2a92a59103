//! Records: documents, floors, annexes, indexes and release states, durable on return.

use std::io;
use std::path::{Path, PathBuf};

use patchmesh_content::id::{ContentId, blake3};
use patchmesh_core::record::{Record, ReleaseState};
use patchmesh_proto::limits::{INDEX_LEN_MAX, MEMBERSHIP_LEN_MAX, PROOF_LEN_MAX, SNAPSHOT_LEN_MAX};
use patchmesh_trust::log::cosignature::COSIGNATURE_WIRE_LEN_MAX;
use patchmesh_trust::log::tile::TILE_LEN_MAX;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::stop::signed::SignedStop;

use crate::durable::{erase, quarantine, replace};
use crate::error::{CommitError, ReadError};
use crate::inner::Store;
use crate::layout::{FLOORS, WITNESSED, small_name};
use crate::options::StateName;
use crate::sealed::{SEAL_LEN, open, sealed};

/// Longest document; the snapshot is the longest role.
pub(crate) const DOCUMENT_LEN_MAX: usize = SNAPSHOT_LEN_MAX;
/// Longest payload of a small sealed file: floors of every line of a snapshot.
pub(crate) const SMALL_LEN_MAX: usize = 1024 * 1024;

impl Store {
    /// Makes a record durable; on return it survives kill -9 and a power cut.
    pub fn commit(&self, record: &Record) -> Result<(), CommitError> {
        let _one_at_a_time = self.records();
        match record {
            Record::Document {
                role,
                version,
                bytes,
                floors,
            } => self.commit_document(role, *version, bytes, floors),
            Record::Proof { role, bytes } => {
                let path = self.layout.proof(role);
                let path = path.ok_or_else(|| CommitError::BadRole { role: role.clone() })?;
                self.write(&path, bytes, PROOF_LEN_MAX)
            }
            Record::Annex { name, bytes } => {
                self.write(&self.layout.annex(*name), bytes, name.len_max())
            }
            Record::Log { tile, hashes } => {
                self.write(&self.layout.log_tile(*tile), hashes, TILE_LEN_MAX)
            }
            Record::Witnessed(witnessed) => {
                self.write_small(&self.layout.witnessed(), WITNESSED, &witnessed.to_bytes())
            }
            Record::Cosignature { witness, bytes } => {
                let path = self.layout.cosignature(witness);
                match bytes {
                    Some(bytes) => self.write(&path, bytes, COSIGNATURE_WIRE_LEN_MAX),
                    None => self.erase(path),
                }
            }
            Record::Stop { name, bytes } => match bytes {
                Some(bytes) => self.write(&self.layout.stop(name), bytes, SignedStop::LEN_MAX),
                None => self.erase(self.layout.stop(name)),
            },
            Record::StopList { bytes } => {
                self.write(&self.layout.stop_list(), bytes, MEMBERSHIP_LEN_MAX)
            }
            Record::Index { content, bytes } => {
                if blake3(bytes) != content.0 {
                    return Err(CommitError::BadIndex { content: *content });
                }
                self.write(&self.layout.release_index(content), bytes, INDEX_LEN_MAX)
            }
            Record::Release { content, state } => {
                let file = sealed(&content.0, state_text(*state).as_bytes());
                self.write(&self.layout.release_state(content), &file, SMALL_LEN_MAX)
            }
            Record::Forget { content } => {
                // The state goes first: an index without a state is only
                // unused, a state without an index would be fetched again.
                self.erase(self.layout.release_state(content))?;
                self.erase(self.layout.release_index(content))
            }
        }
    }

    /// A release index, equal to its name; `None` where there is none.
    pub fn read_index(&self, content: &ContentId) -> Result<Option<Vec<u8>>, ReadError> {
        let path = self.layout.release_index(content);
        self.read_checked(path, INDEX_LEN_MAX, |bytes| {
            (blake3(&bytes) == content.0).then_some(bytes)
        })
    }

    /// Makes a small file durable, replacing what it held.
    pub fn put_state(&self, name: StateName, bytes: &[u8]) -> Result<(), CommitError> {
        let _one_at_a_time = self.records();
        self.write_small(&self.layout.small(name), small_name(name), bytes)
    }

    /// Reads a small file; `None` where there is none.
    pub fn read_state(&self, name: StateName) -> Result<Option<Vec<u8>>, ReadError> {
        let path = self.layout.small(name);
        self.read_checked(path, SMALL_LEN_MAX + SEAL_LEN, |file| {
            open(small_name(name).as_bytes(), file)
        })
    }

    /// The document is durable before the floors rise: floors above every
    /// document on disk would refuse the node's own files at the next start.
    fn commit_document(
        &self,
        role: &RoleName,
        version: u64,
        bytes: &[u8],
        floors: &[u8],
    ) -> Result<(), CommitError> {
        let Some(path) = self.layout.document(role) else {
            return Err(CommitError::BadRole { role: role.clone() });
        };
        if *role == RoleName::Root {
            self.write(&self.layout.root(version), bytes, DOCUMENT_LEN_MAX)?;
        }
        self.write(&path, bytes, DOCUMENT_LEN_MAX)?;
        self.write_small(&self.layout.floors(), FLOORS, floors)
    }

    fn write_small(&self, path: &Path, name: &str, bytes: &[u8]) -> Result<(), CommitError> {
        let file = sealed(name.as_bytes(), bytes);
        self.write(path, &file, SMALL_LEN_MAX + SEAL_LEN)
    }

    fn write(&self, path: &Path, bytes: &[u8], max: usize) -> Result<(), CommitError> {
        let path = path.to_owned();
        let len = bytes.len();
        if len > max {
            return Err(CommitError::TooLong { path, len, max });
        }
        replace(self.disk.as_ref(), &path, bytes).map_err(|source| CommitError::Io { path, source })
    }

    fn erase(&self, path: PathBuf) -> Result<(), CommitError> {
        erase(self.disk.as_ref(), &path).map_err(|source| CommitError::Io { path, source })
    }

    /// Reads a file; one that fails its check goes to `quarantine/`.
    fn read_checked(
        &self,
        path: PathBuf,
        len_max: usize,
        check: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        let _one_at_a_time = self.records();
        let file = match self.disk.read(&path, len_max) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
            Err(source) => return Err(ReadError::Io { path, source }),
        };
        if let Some(payload) = file.and_then(check) {
            return Ok(Some(payload));
        }
        match quarantine(self.disk.as_ref(), &self.layout, &path) {
            Ok(()) => Err(ReadError::Damaged { path }),
            Err(source) => Err(ReadError::Io { path, source }),
        }
    }
}

/// How a state is written to disk.
fn state_text(state: ReleaseState) -> &'static str {
    match state {
        ReleaseState::Known => "known",
        ReleaseState::Fetching => "fetching",
        ReleaseState::Staged => "staged",
        ReleaseState::Applying => "applying",
        ReleaseState::Good => "good",
        ReleaseState::Failed => "failed",
    }
}

/// Reads what `state_text` wrote.
pub(crate) fn state_from_text(text: &[u8]) -> Option<ReleaseState> {
    let states = [
        ReleaseState::Known,
        ReleaseState::Fetching,
        ReleaseState::Staged,
        ReleaseState::Applying,
        ReleaseState::Good,
        ReleaseState::Failed,
    ];
    states
        .into_iter()
        .find(|state| state_text(*state).as_bytes() == text)
}
