//! The folder of a TUF client: trusted metadata byte for byte as it was served,
//! `<role>.json` each, and what else outlives a run in `state` (T-55).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchmesh_trust::layout::metadata_name;
use patchmesh_trust::limits::Profile;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;

use crate::draft::refusal::refused;
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC, MODE_SECRET};
use crate::repository::lock::{self, Lock};

/// Private state below the folder.
const STATE: &str = "state";
/// Floors in the private state.
const FLOORS: &str = "floors";
/// Mode of the private state.
const MODE_STATE: u32 = 0o700;
/// Top roles below the root, in the order in which they are taken in.
const BELOW_ROOT: [RoleName; 3] = [RoleName::Timestamp, RoleName::Snapshot, RoleName::Targets];

/// An opened folder, locked for this run.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: Lock,
}

impl Folder {
    /// Makes a folder that trusts this root. It must trust none yet.
    pub(crate) fn init(path: &Path, root: &[u8]) -> anyhow::Result<Verifier> {
        let verifier = anchor(root)?;
        files::make_folder(path, 0o755)?;
        let folder = Self::open(path)?;
        // The floors outlive lost documents, and a new anchor would lower them.
        for place in [folder.place(&RoleName::Root), folder.floors()] {
            if place.exists() {
                let message = format!("{} exists already", place.display());
                let hint = "a trusted root is replaced by `refresh` only; take another folder";
                return Err(Failure::failed("E_EXISTS", message).hint(hint).into());
            }
        }
        folder.put(&verifier, &RoleName::Root, root)?;
        Ok(verifier)
    }

    /// Opens the folder and takes its lock.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let state = path.join(STATE);
        files::make_folder(&state, MODE_STATE)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock::take(&state)?,
        })
    }

    /// The verifier as the last run left it. What no longer stands is fetched
    /// again.
    pub(crate) fn load(&self) -> anyhow::Result<Verifier> {
        let Some(root) = self.get(&RoleName::Root)? else {
            let message = format!("{} trusts no root yet", self.path.display());
            let hint = "patchmesh tuf --metadata-dir DIR init ROOT";
            return Err(Failure::failed("E_NO_ROOT", message).hint(hint).into());
        };
        let mut verifier = anchor(&root)?;
        let mut documents = Vec::new();
        for role in &BELOW_ROOT {
            if let Some(bytes) = self.get(role)? {
                documents.push((role, bytes));
            }
        }
        let floors_len_max = Profile::Foreign.limits().floors_len;
        let floors = files::read_if_there(&self.floors(), floors_len_max)?;
        let documents = documents
            .iter()
            .map(|(role, bytes)| (*role, bytes.as_slice()));
        let taken = verifier.take_stored(documents, floors.as_deref());
        taken.map_err(|_| {
            let message = format!("{} is damaged", self.floors().display());
            let hint = "without it older metadata could come back: restore it, or remove it \
                        if you are sure that the metadata beside it is the newest you had";
            Failure::failed("E_FLOORS", message).hint(hint)
        })?;
        Ok(verifier)
    }

    /// A stored document.
    pub(crate) fn get(&self, role: &RoleName) -> anyhow::Result<Option<Vec<u8>>> {
        let len_max = Profile::Foreign.document_len_max(role);
        files::read_if_there(&self.place(role), len_max)
    }

    /// Makes a document durable that the verifier has taken over, and then the
    /// floors after it (T-30). What a new root took the word from goes.
    pub(crate) fn put(
        &self,
        verifier: &Verifier,
        role: &RoleName,
        bytes: &[u8],
    ) -> anyhow::Result<()> {
        files::write(&self.place(role), bytes, MODE_PUBLIC)?;
        files::write(&self.floors(), &verifier.floors(), MODE_SECRET)?;
        for role in &BELOW_ROOT {
            if verifier.document(role, None).is_none() {
                self.remove(role)?;
            }
        }
        Ok(())
    }

    fn remove(&self, role: &RoleName) -> anyhow::Result<()> {
        let place = self.place(role);
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("failed to remove {}", place.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn place(&self, role: &RoleName) -> PathBuf {
        self.path.join(metadata_name(role, None))
    }

    fn floors(&self) -> PathBuf {
        self.path.join(STATE).join(FLOORS)
    }
}

fn anchor(root: &[u8]) -> anyhow::Result<Verifier> {
    let verifier = Verifier::foreign(root);
    verifier.map_err(|refusal| refused("the root", refusal).into())
}
