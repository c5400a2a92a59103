//! Writes a publication: what is named by version or hash first, the timestamp
//! last.

use std::ffi::OsString;
use std::fs::File;
use std::io::BufReader;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchmesh_trust::annex::body::Annex;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::layout::{annex_path, index_path, metadata_path, pack_path};
use patchmesh_trust::role::RoleName;

use crate::draft::folder::{PACK_FILE, Payload};
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC, Writing};
use crate::tree::check;

/// Mode of folders in a repository.
pub(crate) const FOLDER_MODE: u32 = 0o755;

/// Makes the folders that every repository has.
pub(crate) fn prepare(repository: &Path) -> anyhow::Result<()> {
    refuse_other_folder(repository)?;
    for folder in ["metadata", "targets", "packs"] {
        files::make_folder(&repository.join(folder), FOLDER_MODE)?;
    }
    Ok(())
}

/// A folder with other files is somebody's data that was named by mistake.
fn refuse_other_folder(repository: &Path) -> anyhow::Result<()> {
    if repository.join("metadata").is_dir() {
        return Ok(());
    }
    let mut entries = repository.read_dir().ok().into_iter().flatten().flatten();
    // What a file system or a run that was cut off may have left is nobody's.
    let strange = |name: OsString| name != "lost+found" && !name.as_bytes().starts_with(b".");
    if !entries.any(|entry| strange(entry.file_name())) {
        return Ok(());
    }
    let message = format!("{} holds files, but no repository", repository.display());
    let failure = Failure::failed("E_NOT_A_REPOSITORY", message);
    Err(failure
        .hint("name the repository, or a folder that is empty or new")
        .into())
}

/// Refuses a version that the repository holds with other bytes: two documents
/// of one version are an equivocation to every node. Gives whether the same
/// bytes are there already.
pub(crate) fn is_held(
    repository: &Path,
    role: &RoleName,
    version: u64,
    bytes: &[u8],
) -> anyhow::Result<bool> {
    let path = repository.join(metadata_path(role, version));
    match files::read_if_there(&path, bytes.len().max(1 << 20))? {
        None => Ok(false),
        Some(held) if held == bytes => Ok(true),
        Some(_) => {
            let message = format!("the repository holds another {role} of version {version}");
            let failure = Failure::trust("E_VERSION_HELD", message);
            Err(failure
                .hint("build the release again, on top of what is published")
                .into())
        }
    }
}

/// Writes a document under its versioned name (or the timestamp in its place).
pub(crate) fn document(
    repository: &Path,
    role: &RoleName,
    version: u64,
    bytes: &[u8],
) -> anyhow::Result<()> {
    let path = repository.join(metadata_path(role, version));
    files::write(&path, bytes, MODE_PUBLIC)
}

/// Writes index and pack of a release; checks the pack on its way.
pub(crate) fn payload(
    repository: &Path,
    draft: &Path,
    line: &str,
    payload: &Payload,
) -> anyhow::Result<()> {
    pack(repository, draft, payload)?;
    let entry = &payload.entry;
    let path = repository.join(index_path(line, &entry.id, &entry.sha256));
    let folder = path.parent().context("an index lies in a folder")?;
    files::make_folder(folder, FOLDER_MODE)?;
    files::write(&path, &payload.bytes, MODE_PUBLIC)
}

/// Writes an annex under its hash.
pub(crate) fn annex(repository: &Path, name: AnnexName, bytes: &[u8]) -> anyhow::Result<()> {
    let path = repository.join(annex_path(name, &Annex::of(name, bytes).sha256));
    let folder = path.parent().context("an annex lies in a folder")?;
    files::make_folder(folder, FOLDER_MODE)?;
    files::write(&path, bytes, MODE_PUBLIC)
}

fn pack(repository: &Path, draft: &Path, payload: &Payload) -> anyhow::Result<()> {
    let path = repository.join(pack_path(&payload.index.pack));
    let from = draft.join(PACK_FILE);
    let reader = check::open_pack(&from)?.ok_or_else(|| check::no_pack(&from))?;
    let failed = || format!("failed to write {}", path.display());
    let mut writing = Writing::begin(&path, MODE_PUBLIC).with_context(failed)?;
    check::pack(&payload.index, BufReader::new(reader), &mut writing.file)?;
    writing.finish().with_context(failed)?;
    let written = File::open(&path).with_context(failed)?;
    check::files(&payload.index, &written)
}

/// Highest version of the snapshot on disk, named by a timestamp or not: a
/// number is never used twice, also not after a crash.
pub(crate) fn snapshot_version_max(repository: &Path) -> anyhow::Result<u64> {
    let folder: PathBuf = repository.join("metadata");
    let mut highest = 0;
    if !folder.exists() {
        return Ok(highest);
    }
    let failed = || format!("failed to read {}", folder.display());
    for found in folder.read_dir().with_context(failed)? {
        let name = found.with_context(failed)?.file_name();
        let version = name
            .to_str()
            .and_then(|name| name.strip_suffix(".snapshot.json"));
        let version: Option<u64> = version.and_then(|version| version.parse().ok());
        highest = highest.max(version.unwrap_or(0));
    }
    Ok(highest)
}
