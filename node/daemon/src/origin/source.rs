//! One face for both kinds of origin; called from blocking tasks.

use std::sync::Arc;
use std::time::Duration;

use patchmesh_core::input::Answered;
use patchmesh_core::message::DocumentRef;
use patchmesh_trust::layout;
use patchmesh_trust::role::{RoleName, is_line, is_release_id};

use crate::contents::Place;
use crate::origin::folder::Folder;
use crate::origin::http::Http;

/// An origin.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A repository folder on this host.
    Folder(Folder),
    /// The same layout over HTTP or HTTPS.
    Http(Http),
}

impl Origin {
    /// A document of at most `len_max` bytes.
    pub(crate) fn document(&self, document: &DocumentRef, len_max: usize) -> Answered {
        let Some(path) = path_of(document) else {
            return Answered::Gone;
        };
        let read = match self {
            Self::Folder(folder) => folder
                .file(&path, len_max)
                .map_err(|error| error.to_string()),
            Self::Http(http) => {
                let read = http.file(&path, len_max, is_timestamp(document));
                read.map_err(|error| error.to_string())
            }
        };
        match read {
            Ok(Some(bytes)) => Answered::Bytes(Arc::from(bytes)),
            Ok(None) => Answered::Gone,
            Err(error) => {
                tracing::debug!(path, error, "the origin did not answer");
                Answered::Failed
            }
        }
    }

    /// One wire frame, not verified; `None` where it failed.
    pub(crate) fn frame(&self, place: &Place, within: Duration) -> Option<Vec<u8>> {
        let path = layout::pack_path(&place.pack);
        let len = place.entry.wire_len as usize;
        let read = match self {
            Self::Folder(folder) => folder
                .range(&path, place.offset, len)
                .map_err(|error| error.to_string()),
            Self::Http(http) => {
                let range = http.range(&path, place.offset, len, within);
                range.map_err(|error| error.to_string())
            }
        };
        read.map_err(|error| tracing::debug!(path, error, "no range of the pack"))
            .ok()
    }
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
        DocumentRef::Metadata { role, version } => {
            let role: RoleName = role.parse().ok()?;
            Some(layout::metadata_path(&role, *version))
        }
        DocumentRef::Index { sha256, name } => {
            let (line, id) = name.split_once('/')?;
            let safe = is_line(line) && is_release_id(id);
            safe.then(|| layout::index_path(line, id, sha256))
        }
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
