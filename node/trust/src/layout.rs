//! Where things lie in a published repository folder, on disk and over HTTP:
//! the consistent-snapshot names of the TUF specification, and the packs.

use patchmesh_content::id::hex;

use crate::release::Release;
use crate::role::RoleName;

/// Path of a metadata document below the repository: `metadata/timestamp.json`,
/// else `metadata/<version>.<role>.json` with `/` in the role as `%2F`.
pub fn metadata_path(role: &RoleName, version: u64) -> String {
    let name = role.to_string().replace('/', "%2F");
    match role {
        RoleName::Timestamp => "metadata/timestamp.json".to_owned(),
        RoleName::Root | RoleName::Snapshot | RoleName::Targets | RoleName::Line(_) => {
            format!("metadata/{version}.{name}.json")
        }
    }
}

/// TUF target path of a release index: `release/<line>/<id>`.
pub fn target_path(line: &str, id: &str) -> String {
    format!("release/{line}/{id}")
}

/// Path of a release index below the repository: its target path with the
/// SHA-256 before the last part.
pub fn index_path(line: &str, id: &str, sha256: &[u8; 32]) -> String {
    format!("targets/release/{line}/{}.{id}", hex(sha256))
}

/// Path of the index of a verified release.
pub fn release_index_path(release: &Release) -> String {
    index_path(&release.line, &release.id, &release.sha256)
}

/// Path of a pack (all wire frames in index order) below the repository.
pub fn pack_path(pack: &[u8; 32]) -> String {
    format!("packs/{}.pack", hex(pack))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_specification() {
        assert_eq!(metadata_path(&RoleName::Root, 3), "metadata/3.root.json");
        assert_eq!(
            metadata_path(&RoleName::Timestamp, 9),
            "metadata/timestamp.json"
        );
        assert_eq!(
            metadata_path(&RoleName::Line("desktop".to_owned()), 2),
            "metadata/2.release%2Fdesktop.json"
        );
        assert!(index_path("a", "KB-1", &[0; 32]).starts_with("targets/release/a/0000"));
    }
}
