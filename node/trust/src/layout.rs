//! Where things lie in a published repository folder, on disk and over HTTP:
//! the consistent-snapshot names of the TUF specification, and the packs.

use patchmesh_content::id::hex;

use crate::annex::name::AnnexName;
use crate::release::Release;
use crate::role::RoleName;

/// Emergency stops that were published, one file.
pub const STOPS: &str = "stops.bin";

/// Path of a metadata document below the repository: `metadata/timestamp.json`,
/// else `metadata/<version>.<role>.json` with `/` in the role as `%2F`.
pub fn metadata_path(role: &RoleName, version: u64) -> String {
    format!("metadata/{}", metadata_name(role, Some(version)))
}

/// Name of a metadata document in its folder: `timestamp.json`, else
/// `<version>.<role>.json`; without a version `<role>.json`.
pub fn metadata_name(role: &RoleName, version: Option<u64>) -> String {
    let name = encode(&role.to_string());
    match (version, role) {
        (None, _) | (_, RoleName::Timestamp) => format!("{name}.json"),
        (Some(version), _) => format!("{version}.{name}.json"),
    }
}

/// A text as one part of a path: every byte but letters, digits, `-`, `.`, `_`
/// and `~` as `%` and two hexadecimal digits (T-55).
pub fn encode(text: &str) -> String {
    encode_but(text, b"-._~")
}

/// A path as it stands in a URL: as [`encode`], with `/` left alone.
pub fn encode_path(path: &str) -> String {
    encode_but(path, b"-._~/")
}

fn encode_but(text: &str, safe: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || safe.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]).to_uppercase());
        }
    }
    encoded
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

/// Path of an annex below the repository, likewise.
pub fn annex_path(annex: AnnexName, sha256: &[u8; 32]) -> String {
    let (folder, name) = annex.path().split_once('/').unwrap_or_default();
    format!("targets/{folder}/{}.{name}", hex(sha256))
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
        let odd = RoleName::Delegated("../a?b#c".to_owned());
        assert_eq!(
            metadata_name(&odd, Some(2)),
            "2...%2Fa%3Fb%23c.json",
            "T-55"
        );
        assert_eq!(metadata_name(&odd, None), "..%2Fa%3Fb%23c.json");
        assert_eq!(encode_path("a b/c%"), "a%20b/c%25");
        assert!(index_path("a", "KB-1", &[0; 32]).starts_with("targets/release/a/0000"));
    }
}
