//! Reading back what records made durable.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use patchmesh_content::id::{ContentId, blake3};
use patchmesh_core::record::{ReleaseState, Restored, StoredStops, Witnessed};
use patchmesh_proto::limits::{INDEX_LEN_MAX, MEMBERSHIP_LEN_MAX, PROOF_LEN_MAX};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::revocations::Revocations;
use patchmesh_trust::limits::LOG_LEAVES_MAX;
use patchmesh_trust::log::cosignature::COSIGNATURE_WIRE_LEN_MAX;
use patchmesh_trust::log::tile::TILE_LEN_MAX;
use patchmesh_trust::log::tree::TILE_WIDTH;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::stop::signed::SignedStop;

use crate::disk::Disk;
use crate::durable::{quarantine, replace};
use crate::layout::{
    COSIGNATURE, FLOORS, Layout, PROOF, STOP, WITNESSED, content_id, role, root_version,
};
use crate::options::OpenReport;
use crate::sealed::{SEAL_LEN, open};
use crate::state::{DOCUMENT_LEN_MAX, SMALL_LEN_MAX, state_from_text};

/// Documents of roles, each with its name.
type Documents = Vec<(RoleName, Arc<[u8]>)>;
/// Annexes, each with its name.
type Annexes = Vec<(AnnexName, Arc<[u8]>)>;
/// Release indexes, each with its name.
type Indexes = Vec<(ContentId, Arc<[u8]>)>;

/// A failed file call of the start.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) action: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

/// Reads the files that records wrote.
#[derive(Debug)]
pub(crate) struct Restorer<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) layout: &'a Layout,
    pub(crate) report: &'a mut OpenReport,
}

impl Restorer<'_> {
    /// Everything but the chunks.
    pub(crate) fn restore(&mut self) -> Result<Restored, Failed> {
        Ok(Restored {
            documents: self.documents()?,
            floors: self.floors()?,
            proofs: self.proofs()?,
            annexes: self.annexes()?,
            log: self.log()?,
            witnessed: self.witnessed()?,
            cosignatures: self.cosignatures()?,
            stops: self.stops()?,
            indexes: self.indexes()?,
            releases: self.releases()?,
            chunks: Vec::new(),
        })
    }

    /// Roots in ascending version, then the newest of each role in the order
    /// of the roles.
    fn documents(&mut self) -> Result<Documents, Failed> {
        let dir = self.layout.trust();
        let names = self.list(&dir)?;
        let mut versions: Vec<u64> = names.iter().filter_map(|name| root_version(name)).collect();
        versions.sort_unstable();
        let mut documents = Documents::new();
        for version in versions {
            if let Some(bytes) = self.read(&self.layout.root(version), DOCUMENT_LEN_MAX, Some)? {
                documents.push((RoleName::Root, bytes.into()));
            }
        }
        self.newest_root(&mut documents)?;
        let mut roles: Vec<RoleName> = names.iter().filter_map(|name| role(name)).collect();
        roles.sort();
        for role in roles {
            let path = self
                .layout
                .document(&role)
                .expect("the name came from a role");
            if role != RoleName::Root
                && let Some(bytes) = self.read(&path, DOCUMENT_LEN_MAX, Some)?
            {
                documents.push((role, bytes.into()));
            }
        }
        Ok(documents)
    }

    /// A crash between the two writes of a root leaves `root.json` behind.
    fn newest_root(&mut self, roots: &mut Documents) -> Result<(), Failed> {
        let path = self
            .layout
            .document(&RoleName::Root)
            .expect("root is a file name");
        let newest = self.read(&path, DOCUMENT_LEN_MAX, Some)?;
        match (roots.last(), newest) {
            (None, Some(bytes)) => roots.push((RoleName::Root, bytes.into())),
            (Some((_, root)), newest) if newest.as_deref() != Some(root) => {
                replace(self.disk, &path, root).map_err(|source| Failed {
                    action: "repairing",
                    path,
                    source,
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn floors(&mut self) -> Result<Option<Vec<u8>>, Failed> {
        let before = self.report.quarantined.len();
        let path = self.layout.floors();
        let check = |file| open(FLOORS.as_bytes(), file);
        let floors = self.read(&path, SMALL_LEN_MAX + SEAL_LEN, check)?;
        self.report.floors_damaged = self.report.quarantined.len() > before;
        Ok(floors)
    }

    /// Proofs are checked by whoever takes them in, as documents are.
    fn proofs(&mut self) -> Result<Vec<Arc<[u8]>>, Failed> {
        let dir = self.layout.proofs();
        let mut proofs = Vec::new();
        for name in self.list(&dir)? {
            if name.ends_with(PROOF)
                && let Some(bytes) = self.read(&dir.join(&name), PROOF_LEN_MAX, Some)?
            {
                proofs.push(bytes.into());
            }
        }
        Ok(proofs)
    }

    /// What was signed as a witness; a damaged record is one that was lost.
    fn witnessed(&mut self) -> Result<Option<Witnessed>, Failed> {
        let check = |file| open(WITNESSED.as_bytes(), file);
        let bytes = self.read(&self.layout.witnessed(), SMALL_LEN_MAX + SEAL_LEN, check)?;
        Ok(bytes.and_then(|bytes| Witnessed::from_bytes(&bytes)))
    }

    /// Cosignatures are checked by whoever takes them in.
    fn cosignatures(&mut self) -> Result<Vec<Arc<[u8]>>, Failed> {
        let dir = self.layout.cosignatures();
        let mut cosignatures = Vec::new();
        for name in self.list(&dir)? {
            if name.ends_with(COSIGNATURE)
                && let Some(bytes) = self.read(&dir.join(&name), COSIGNATURE_WIRE_LEN_MAX, Some)?
            {
                cosignatures.push(bytes.into());
            }
        }
        Ok(cosignatures)
    }

    /// Stops were verified before they were stored, under their names. Signatures
    /// are checked by whoever takes them in, once the keys are known.
    fn stops(&mut self) -> Result<StoredStops, Failed> {
        let dir = self.layout.stops();
        let list = self.layout.stop_list();
        let check = |bytes: Vec<u8>| Revocations::read(&bytes).is_ok().then_some(bytes);
        let list = self.read(&list, MEMBERSHIP_LEN_MAX, check)?;
        let mut stops = StoredStops {
            list: list.map(Into::into),
            outstanding: Vec::new(),
        };
        let names = self.list(&dir)?.into_iter();
        for path in names
            .filter(|name| name.ends_with(STOP))
            .map(|name| dir.join(name))
        {
            let layout = self.layout;
            let check = |bytes: Vec<u8>| {
                let stop = SignedStop::decode(&bytes).ok()?;
                (layout.stop(&stop.name()) == path).then_some(bytes)
            };
            if let Some(bytes) = self.read(&path, SignedStop::LEN_MAX, check)? {
                stops.outstanding.push(bytes.into());
            }
        }
        Ok(stops)
    }

    /// Annexes are compared with what a statement says of them by whoever takes
    /// them in.
    fn annexes(&mut self) -> Result<Annexes, Failed> {
        let mut annexes = Annexes::new();
        for name in AnnexName::ALL {
            if let Some(bytes) = self.read(&self.layout.annex(name), name.len_max(), Some)? {
                annexes.push((name, bytes.into()));
            }
        }
        Ok(annexes)
    }

    /// Tiles in order, up to the first that is not full. The leaves are checked
    /// by whoever takes them in.
    fn log(&mut self) -> Result<Vec<u8>, Failed> {
        let mut leaves = Vec::new();
        for tile in 0..LOG_LEAVES_MAX / TILE_WIDTH {
            let path = self.layout.log_tile(tile);
            let Some(hashes) = self.read(&path, TILE_LEN_MAX, Some)? else {
                break;
            };
            let full = hashes.len() == TILE_LEN_MAX;
            leaves.extend(hashes);
            if !full {
                break;
            }
        }
        Ok(leaves)
    }

    fn indexes(&mut self) -> Result<Indexes, Failed> {
        let mut indexes = Indexes::new();
        for content in self.contents(&self.layout.indexes(), ".index")? {
            let path = self.layout.release_index(&content);
            let check = |bytes: Vec<u8>| (blake3(&bytes) == content.0).then_some(bytes);
            if let Some(bytes) = self.read(&path, INDEX_LEN_MAX, check)? {
                indexes.push((content, bytes.into()));
            }
        }
        Ok(indexes)
    }

    fn releases(&mut self) -> Result<Vec<(ContentId, ReleaseState)>, Failed> {
        let mut releases = Vec::new();
        for content in self.contents(&self.layout.releases(), ".state")? {
            let path = self.layout.release_state(&content);
            let check =
                |file| open(&content.0, file).filter(|text| state_from_text(text).is_some());
            if let Some(state) = self.read(&path, SMALL_LEN_MAX, check)? {
                releases.extend(state_from_text(&state).map(|state| (content, state)));
            }
        }
        Ok(releases)
    }

    fn contents(&self, dir: &Path, suffix: &str) -> Result<Vec<ContentId>, Failed> {
        let names = self.list(dir)?;
        let mut contents: Vec<_> = names
            .iter()
            .filter_map(|name| content_id(name, suffix))
            .collect();
        contents.sort_unstable();
        Ok(contents)
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, Failed> {
        self.disk.list(dir).map_err(|source| Failed {
            action: "listing",
            path: dir.to_owned(),
            source,
        })
    }

    /// Reads a file; one that fails its check goes to `quarantine/` and does
    /// not keep the node from starting.
    fn read(
        &mut self,
        path: &Path,
        len_max: usize,
        check: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, Failed> {
        let failed = |action, source| Failed {
            action,
            path: path.to_owned(),
            source,
        };
        let file = match self.disk.read(path, len_max) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
            Err(error) => return Err(failed("reading", error)),
        };
        if let Some(payload) = file.and_then(check) {
            return Ok(Some(payload));
        }
        quarantine(self.disk, self.layout, path).map_err(|error| failed("moving away", error))?;
        self.report.quarantined.push(path.display().to_string());
        Ok(None)
    }
}
