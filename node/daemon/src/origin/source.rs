//! One face for both kinds of origin; called from blocking tasks.

use std::io;
use std::sync::Arc;

use patchmesh_content::index::ReleaseIndex;
use patchmesh_content::tree::verify_chunk;
use patchmesh_core::catalog::log::follow::asked_leaves;
use patchmesh_core::catalog::watch::stopped::STOPS_FILE;
use patchmesh_core::input::Answered;
use patchmesh_core::message::DocumentRef;
use patchmesh_pack::compress::decode;
use patchmesh_trust::layout;
use patchmesh_trust::limits::LOG_LEAVES_MAX;
use patchmesh_trust::log::tile::{TILE_LEN_MAX, Tile};
use patchmesh_trust::log::tree::TILE_WIDTH;
use patchmesh_trust::role::{RoleName, is_line, is_release_id};

use crate::chunks::contents::Place;
use crate::origin::broken;
use crate::origin::folder::Folder;
use crate::origin::http::{Http, Patience};
use crate::troubles::Found;

/// An origin.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A repository folder on this host.
    Folder(Folder),
    /// The same layout over HTTP or HTTPS.
    Http(Http),
}

impl Origin {
    /// A document of at most `len_max` bytes, and where it was looked for.
    pub(crate) fn document(&self, document: &DocumentRef, len_max: usize) -> (Answered, String) {
        if let Some((from, size)) = asked_leaves(document) {
            return self.leaves(from, size, len_max);
        }
        let Some(path) = path_of(document) else {
            return (Answered::Gone, String::new());
        };
        let read = match self {
            Self::Folder(folder) => {
                let read = folder.file(&path, len_max);
                let found = match &read {
                    Ok(None) if !may_lack(document) => Some(broken::missing(&folder.shown(&path))),
                    Ok(_) => None,
                    Err(error) => Some(broken::unreadable(&folder.shown(&path), error)),
                };
                folder.health().note(broken::about_read(document), found);
                read.map_err(|error| error.to_string())
            }
            Self::Http(http) => {
                let read = http.file(&path, len_max, is_timestamp(document));
                read.map_err(|error| error.to_string())
            }
        };
        let answered = match read {
            Ok(Some(bytes)) => Answered::Bytes(Arc::from(bytes)),
            Ok(None) => Answered::Gone,
            Err(error) => {
                tracing::debug!(path, error, "the origin did not answer");
                Answered::Failed
            }
        };
        let shown = match self {
            Self::Folder(folder) => folder.shown(&path),
            Self::Http(http) => http.address(&path),
        };
        (answered, shown)
    }

    /// Leaf hashes of the published log, from the tiles that hold them.
    fn leaves(&self, from: u64, size: u64, len_max: usize) -> (Answered, String) {
        if size > LOG_LEAVES_MAX {
            return (Answered::Gone, String::new());
        }
        let mut leaves = Vec::new();
        let mut shown = String::new();
        for tile in tiles_of_leaves(from, size) {
            let path = tile.path();
            let (read, at) = match self {
                Self::Folder(folder) => {
                    let read = |tile: &str| folder.file(tile, TILE_LEN_MAX);
                    (
                        either(read, &path, &tile.full().path()),
                        folder.shown(&path),
                    )
                }
                Self::Http(http) => {
                    let read = |tile: &str| http.file(tile, TILE_LEN_MAX, false);
                    let read = either(read, &path, &tile.full().path());
                    (read.map_err(io::Error::other), http.address(&path))
                }
            };
            shown = at;
            match read {
                Ok(Some(bytes)) => leaves.extend(bytes.chunks(32).map(<[u8]>::to_vec)),
                Ok(None) => return (Answered::Gone, shown),
                Err(error) => {
                    tracing::debug!(path, %error, "no tile of the log");
                    return (Answered::Failed, shown);
                }
            }
        }
        let skip = usize::try_from(from % TILE_WIDTH).unwrap_or_default();
        let count = usize::try_from(size - from).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = leaves
            .into_iter()
            .skip(skip)
            .take(count)
            .flatten()
            .collect();
        if bytes.len() > len_max {
            return (Answered::Gone, shown);
        }
        (Answered::Bytes(bytes.into()), shown)
    }

    /// One wire frame over HTTP, not verified, or of the folder, verified, since
    /// nobody checks what lies there; `None` where it failed.
    pub(crate) fn frame(&self, place: &Place, patience: Patience) -> Option<Vec<u8>> {
        let path = layout::pack_path(&place.pack);
        let len = place.entry.wire_len as usize;
        match self {
            Self::Folder(folder) => published(folder, place),
            Self::Http(http) => {
                let range = http.range(&path, place.offset, len, patience);
                range
                    .map_err(|error| tracing::debug!(path, %error, "no range of the pack"))
                    .ok()
            }
        }
    }

    /// Looks whether the pack of a release is there and as long as it has to be.
    /// Its bytes are verified when they are served.
    pub(crate) fn look_at_pack(&self, index: &ReleaseIndex) {
        let Self::Folder(folder) = self else { return };
        let path = layout::pack_path(&index.pack);
        let shown = folder.shown(&path);
        let wanted = index.wire_bytes();
        let found = match folder.len(&path) {
            Ok(len) if len == wanted => return,
            Ok(len) => broken::altered(&shown, &format!("it has {len} bytes instead of {wanted}")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => broken::missing(&shown),
            Err(error) => broken::unreadable(&shown, &error),
        };
        let about = broken::about_pack(&index.pack);
        folder.health().note(about, Some(found));
    }

    /// What was learnt since the last call.
    pub(crate) fn news(&self) -> Vec<(String, Option<Found>)> {
        match self {
            Self::Folder(folder) => folder.health().take(),
            Self::Http(http) => http.health().take(),
        }
    }
}

/// The lowest tiles that hold the leaves from a position on, of a log of a size.
fn tiles_of_leaves(from: u64, size: u64) -> impl Iterator<Item = Tile> {
    let tiles = Tile::between(from - from % TILE_WIDTH, size).into_iter();
    tiles.take_while(|tile| tile.level == 0)
}

/// The part of a tile, or the full one that may have taken its place.
fn either<E>(
    read: impl Fn(&str) -> Result<Option<Vec<u8>>, E>,
    part: &str,
    full: &str,
) -> Result<Option<Vec<u8>>, E> {
    match read(part)? {
        Some(bytes) => Ok(Some(bytes)),
        None if part != full => read(full),
        None => Ok(None),
    }
}

fn published(folder: &Folder, place: &Place) -> Option<Vec<u8>> {
    let path = layout::pack_path(&place.pack);
    let entry = &place.entry;
    let read = folder.range(&path, place.offset, entry.wire_len as usize);
    let shown = || folder.shown(&path);
    let found = match read {
        Ok(frame) => {
            let plain = decode(&frame, entry.len).ok();
            if plain.is_some_and(|plain| verify_chunk(&plain, entry).is_ok()) {
                return Some(frame);
            }
            let (first, len) = (place.offset, u64::from(entry.wire_len));
            let bytes = format!("bytes {first} to {} are others", first + len - 1);
            broken::altered(&shown(), &bytes)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => broken::missing(&shown()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            broken::altered(&shown(), "it is too short")
        }
        Err(error) => broken::unreadable(&shown(), &error),
    };
    let about = broken::about_pack(&place.pack);
    folder.health().note(about, Some(found));
    None
}

/// A root is looked for one version above the newest, where there may be none.
fn may_lack(document: &DocumentRef) -> bool {
    let root = RoleName::Root.to_string();
    matches!(document, DocumentRef::Metadata { role, .. } if *role == root || role == STOPS_FILE)
}

/// The document that every repository has, under a name without a version.
fn is_timestamp(document: &DocumentRef) -> bool {
    let name = RoleName::Timestamp.to_string();
    matches!(document, DocumentRef::Metadata { role, .. } if *role == name)
}

/// Where a document lies below the repository; `None` for a name that cannot
/// be one, so that no text of a peer or a document becomes a foreign path.
fn path_of(document: &DocumentRef) -> Option<String> {
    match document {
        DocumentRef::Metadata { role, .. } if role == STOPS_FILE => Some(layout::STOPS.to_owned()),
        DocumentRef::Metadata { role, version } => {
            let role: RoleName = role.parse().ok()?;
            Some(layout::metadata_path(&role, *version))
        }
        DocumentRef::Index { sha256, name } => {
            let (line, id) = name.split_once('/')?;
            let safe = is_line(line) && is_release_id(id);
            safe.then(|| layout::index_path(line, id, sha256))
        }
        DocumentRef::Annex { name, sha256 } => Some(layout::annex_path(*name, sha256)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_repository() {
        for name in [
            "../x/y",
            "a/../b",
            "/etc/passwd",
            "desktop/",
            "desktop",
            "a/b/c",
        ] {
            let document = DocumentRef::Index {
                sha256: [0; 32],
                name: name.to_owned(),
            };
            assert_eq!(path_of(&document), None, "{name}");
        }
        let document = DocumentRef::Metadata {
            role: "release/../x".to_owned(),
            version: 1,
        };
        assert_eq!(path_of(&document), None);
        let document = DocumentRef::Index {
            sha256: [0; 32],
            name: "desktop/KB-1".to_owned(),
        };
        assert!(path_of(&document).is_some_and(|path| path.ends_with(".KB-1")));
    }
}
