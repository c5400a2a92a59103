//! The transparency log of a repository: what lies in its `log` folder, and
//! what a publication adds to it.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use patchmesh_trust::author::RootPlan;
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::limits::LOG_LEAVES_MAX;
use patchmesh_trust::log::checkpoint;
use patchmesh_trust::log::head::{Hash, LogHead, leaf_hash};
use patchmesh_trust::log::inclusion::read_document;
use patchmesh_trust::log::note::NOTE_LEN_MAX;
use patchmesh_trust::log::tile::{
    CHECKPOINT_PATH, ENTRIES_LEN_MAX, Tile, read_entries, write_entries,
};
use patchmesh_trust::log::tree::{TILE_WIDTH, Tree};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;

use crate::draft::names::Names;
use crate::draft::refusal::{self, refused};
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC};
use crate::keys::spec::Signer;
use crate::repository::input::Input;
use crate::repository::write::FOLDER_MODE;

/// The log of one network.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// First line of the checkpoint.
    pub(crate) origin: String,
    /// One for each document, in the order of publication.
    pub(crate) entries: Vec<Hash>,
    /// The tree over them.
    pub(crate) tree: Tree,
    /// Leaves that the checkpoint on disk covers.
    pub(crate) written: u64,
}

impl Log {
    /// A log without entries.
    fn empty(mesh_id: &[u8; 32]) -> Self {
        Self {
            origin: checkpoint::origin(mesh_id),
            entries: Vec::new(),
            tree: Tree::default(),
            written: 0,
        }
    }

    /// The log of a repository, checked against its checkpoint and its
    /// timestamp; an empty one where no log was begun.
    pub(crate) fn open(repository: &Path, held: &Verifier) -> anyhow::Result<Self> {
        let mut log = Self::empty(&held.mesh_id());
        let path = repository.join(CHECKPOINT_PATH);
        let Some(note) = files::read_if_there(&path, NOTE_LEN_MAX)? else {
            return match held.log_head() {
                None => Ok(log),
                Some(_) => Err(damaged("its checkpoint is missing").into()),
            };
        };
        let keys = online_keys(held)?;
        let signed = checkpoint::open(&note, &log.origin, &keys);
        let signed = signed.map_err(|refusal| refused("the checkpoint", refusal))?;
        log.read_entries(repository, signed.size)?;
        log.written = signed.size;
        if log.tree.head() != signed {
            return Err(damaged("its entries are not those of its checkpoint").into());
        }
        if held.log_head().is_some_and(|named| !log.tree.has(&named)) {
            return Err(damaged("it is older than the timestamp, or another one").into());
        }
        Ok(log)
    }

    /// Where the log of this publication begins; a repository that has no root
    /// yet has none.
    pub(crate) fn begin(
        repository: &Path,
        held: Option<&Verifier>,
        inputs: &[Input],
    ) -> anyhow::Result<Self> {
        if let Some(held) = held {
            return Self::open(repository, held);
        }
        let mut roots = inputs.iter().filter(|input| input.role == RoleName::Root);
        let first = roots.find(|input| input.version == 1);
        let entry = first.map(|input| entry_of(&input.role, &input.bytes));
        Ok(Self::empty(&entry.transpose()?.unwrap_or_default()))
    }

    fn read_entries(&mut self, repository: &Path, size: u64) -> anyhow::Result<()> {
        if size > LOG_LEAVES_MAX {
            return Err(damaged("it has more leaves than a node takes").into());
        }
        let lowest = Tile::between(0, size).into_iter();
        for tile in lowest.filter(|tile| tile.level == 0) {
            let path = tile.entries_path();
            let bytes = files::read_if_there(&repository.join(&path), ENTRIES_LEN_MAX)?;
            let bytes = bytes.ok_or_else(|| damaged(&format!("{path} is missing")))?;
            let entries = read_entries(&bytes).map_err(|refusal| refused(&path, refusal))?;
            if entries.len() != usize::from(tile.width) {
                return Err(damaged(&format!("{path} has another length")).into());
            }
            self.tree
                .extend(entries.iter().map(|entry| leaf_hash(entry)));
            self.entries.extend(entries);
        }
        Ok(())
    }

    /// T-70. Adds what is not in it yet: of the repository, which for one without a
    /// log is everything, then of this publication. The timestamp that names
    /// the head cannot be in it; the one before is added now.
    pub(crate) fn add_publication(
        &mut self,
        held: Option<&Verifier>,
        inputs: &[Input],
        snapshot: &[u8],
    ) -> anyhow::Result<LogHead> {
        for (role, bytes) in held.map(published).unwrap_or_default() {
            self.add(&role, &bytes)?;
        }
        let mut inputs: Vec<&Input> = inputs.iter().collect();
        inputs.sort_by(|a, b| (&a.role, a.version).cmp(&(&b.role, b.version)));
        for input in inputs {
            self.add(&input.role, &input.bytes)?;
        }
        self.add(&RoleName::Snapshot, snapshot)?;
        if self.tree.size() > LOG_LEAVES_MAX {
            return Err(damaged("it is full: nodes take no more leaves").into());
        }
        Ok(self.tree.head())
    }

    fn add(&mut self, role: &RoleName, bytes: &[u8]) -> anyhow::Result<()> {
        let entry = entry_of(role, bytes)?;
        let leaf = leaf_hash(&entry);
        if self.tree.position(&leaf).is_none() {
            self.entries.push(entry);
            self.tree.extend([leaf]);
        }
        Ok(())
    }

    /// T-71. Writes tiles and entries, then the checkpoint over them. Until that is
    /// there, nobody asks for them, and the next run writes them again.
    pub(crate) fn write(&mut self, repository: &Path, signer: &Signer) -> anyhow::Result<()> {
        let head = self.tree.head();
        if head.size == self.written {
            return Ok(());
        }
        let tiles = Tile::between(self.written, head.size);
        for tile in &tiles {
            let bytes = tile.bytes(&self.tree).context("a tile of the own tree")?;
            place(repository, &tile.path(), &bytes)?;
            if tile.level == 0 {
                place(repository, &tile.entries_path(), &self.entries_of(tile))?;
            }
        }
        let text = checkpoint::text(&self.origin, &head);
        let signature = signer.sign(text.as_bytes())?;
        let key = signer.public_key();
        let note = checkpoint::write(&self.origin, &head, &key, &signature);
        let note = note.context("the online key signs no checkpoints")?;
        place(repository, CHECKPOINT_PATH, note.as_bytes())?;
        self.written = head.size;
        forget_parts(repository, &tiles);
        Ok(())
    }

    /// The entries below a tile of level 0, as a file has them.
    pub(crate) fn entries_of(&self, tile: &Tile) -> Vec<u8> {
        let from = usize::try_from(tile.index * TILE_WIDTH).unwrap_or(usize::MAX);
        let entries = self.entries.get(from..).unwrap_or_default();
        write_entries(&entries[..entries.len().min(usize::from(tile.width))])
    }
}

/// Every document of a repository, in the order in which a log begins.
pub(crate) fn published(held: &Verifier) -> Vec<(RoleName, Vec<u8>)> {
    let mut documents = Vec::new();
    for version in 1..=held.version(&RoleName::Root) {
        let root = held.document(&RoleName::Root, Some(version));
        documents.extend(root.map(|bytes| (RoleName::Root, bytes.to_vec())));
    }
    let mut roles: Vec<RoleName> = held.expiries().into_iter().map(|(role, _)| role).collect();
    roles.retain(|role| *role != RoleName::Root);
    // What pins the others comes after them.
    roles.sort_by_key(|role| (*role == RoleName::Timestamp, *role == RoleName::Snapshot));
    for role in roles {
        let bytes = held.document(&role, None);
        documents.extend(bytes.map(|bytes| (role, bytes.to_vec())));
    }
    documents
}

/// The entry of a document.
pub(crate) fn entry_of(role: &RoleName, bytes: &[u8]) -> anyhow::Result<Hash> {
    let read = read_document(bytes);
    let (entry, _, _) = read.map_err(|refusal| refused(&format!("the {role}"), refusal))?;
    Ok(entry)
}

/// All keys that ever signed for the log: a checkpoint may be older than the
/// newest root.
pub(crate) fn online_keys(held: &Verifier) -> anyhow::Result<Vec<PublicKey>> {
    let mut keys = Vec::new();
    for version in (1..=held.version(&RoleName::Root)).rev() {
        if let Some(root) = held.document(&RoleName::Root, Some(version)) {
            let plan = RootPlan::read(&root);
            let plan = plan.map_err(|error| refusal::author(&error, &Names::default()))?;
            keys.extend(plan.timestamp.keys().map(|(_, key)| key.clone()));
        }
    }
    Ok(keys)
}

/// A log that cannot be gone on with.
pub(crate) fn damaged(why: &str) -> Failure {
    let failure = Failure::trust("E_LOG_DAMAGED", format!("the log of the repository: {why}"));
    failure.hint("bring the folder `log` back from a copy; nodes refuse a log that begins anew")
}

fn place(repository: &Path, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = repository.join(path);
    let folder = path.parent().context("a tile lies in a folder")?;
    files::make_folder(folder, FOLDER_MODE)?;
    files::write(&path, bytes, MODE_PUBLIC)
}

/// Takes away the parts of tiles that are full now; what stays takes room only.
fn forget_parts(repository: &Path, tiles: &[Tile]) {
    for tile in tiles.iter().filter(|tile| tile.is_full()) {
        for path in [tile.path(), tile.entries_path()] {
            drop(fs::remove_dir_all(repository.join(format!("{path}.p"))));
        }
    }
}
