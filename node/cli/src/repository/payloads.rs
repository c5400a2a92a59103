//! Indexes, packs and annexes in a repository.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use anyhow::Context as _;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_proto::limits::INDEX_LEN_MAX;
use patchmesh_trust::annex::body::Annex;
use patchmesh_trust::layout::{annex_path, pack_path, release_index_path};
use patchmesh_trust::release::Release;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::time::UtcTime;
use patchmesh_trust::verified::Verified;

use crate::draft::refusal::refused;
use crate::files;
use crate::tree::check;

/// Reads and checks the index of a verified release.
pub(crate) fn index(
    folder: &Path,
    release: &Verified<Release>,
) -> anyhow::Result<Verified<ReleaseIndex>> {
    let path = folder.join(release_index_path(release));
    let bytes = files::read(&path, INDEX_LEN_MAX)?;
    let index = Verifier::open_index(release, &bytes);
    let what = format!("the index of {}/{}", release.line, release.id);
    index.map_err(|refusal| refused(&what, refusal).into())
}

/// Checks the annex that a verified statement names.
pub(crate) fn annex(folder: &Path, annex: &Annex) -> anyhow::Result<()> {
    read_annex(folder, annex).map(drop)
}

/// Reads and checks the annex that a verified statement names.
pub(crate) fn read_annex(folder: &Path, annex: &Annex) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(annex_path(annex.name, &annex.sha256));
    let bytes = files::read(&path, annex.name.len_max())?;
    let opened = annex.open(&bytes);
    opened.map_err(|refusal| refused(annex.name.path(), refusal))?;
    Ok(bytes)
}

/// Checks the pack of an index in a repository, and every file it makes.
pub(crate) fn check_pack(folder: &Path, index: &ReleaseIndex) -> anyhow::Result<()> {
    let path = folder.join(pack_path(&index.pack));
    let open = || File::open(&path).with_context(|| format!("failed to open {}", path.display()));
    check::pack(index, BufReader::new(open()?), io::sink())?;
    check::files(index, &open()?)
}

/// One release of a repository, fully checked.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What the statement says.
    pub(crate) release: Verified<Release>,
    /// What it contains.
    pub(crate) index: Verified<ReleaseIndex>,
}

/// Checks every active release, packs included.
pub(crate) fn check_all(
    folder: &Path,
    verifier: &Verifier,
    utc: UtcTime,
) -> anyhow::Result<Vec<Checked>> {
    let mut all = Vec::new();
    for release in verifier.releases(utc) {
        let index = index(folder, &release)?;
        let name = format!("{}/{}", release.line, release.id);
        check_pack(folder, &index).with_context(|| format!("failed to check {name}"))?;
        all.push(Checked { release, index });
    }
    Ok(all)
}
