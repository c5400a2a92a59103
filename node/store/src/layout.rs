//! Where everything lies in the store folder.

use std::path::{Path, PathBuf};

use patchmesh_content::id::{ChunkId, ContentId, hex};
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::role::{RoleName, is_line};

use crate::options::StateName;

/// Suffix of a file that is being written; removed at the next start.
pub(crate) const TEMPORARY: &str = ".tmp";
/// End of the name of a stop.
pub(crate) const STOP: &str = ".stop";
/// End of the name of a proof.
pub(crate) const PROOF: &str = ".proof";
/// End of the name of a cosignature.
pub(crate) const COSIGNATURE: &str = ".cosignature";
/// Name of the file with what was signed as a witness.
pub(crate) const WITNESSED: &str = "witnessed";
/// Name of the file with the floors.
pub(crate) const FLOORS: &str = "floors";

/// Paths below one store folder.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    /// The layout of this folder.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.into() }
    }

    /// The store folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(crate) fn format(&self) -> PathBuf {
        self.dir.join("format")
    }

    /// sled's folder.
    pub(crate) fn index(&self) -> PathBuf {
        self.dir.join("index")
    }

    pub(crate) fn quarantine(&self) -> PathBuf {
        self.dir.join("quarantine")
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.dir.join("incoming")
    }

    pub(crate) fn chunks(&self) -> PathBuf {
        self.dir.join("chunks")
    }

    pub(crate) fn trust(&self) -> PathBuf {
        self.dir.join("trust")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.trust().join("state")
    }

    pub(crate) fn indexes(&self) -> PathBuf {
        self.dir.join("indexes")
    }

    pub(crate) fn releases(&self) -> PathBuf {
        self.dir.join("releases")
    }

    /// Folder of the chunks whose id starts with this byte.
    pub(crate) fn shard(&self, first: u8) -> PathBuf {
        self.chunks().join(format!("{first:02x}"))
    }

    /// A durable chunk.
    pub(crate) fn chunk(&self, id: &ChunkId) -> PathBuf {
        self.shard(id.0[0]).join(chunk_name(id))
    }

    /// A chunk that is not durable yet.
    pub(crate) fn incoming_chunk(&self, id: &ChunkId) -> PathBuf {
        self.incoming().join(chunk_name(id))
    }

    pub(crate) fn release_index(&self, content: &ContentId) -> PathBuf {
        self.indexes().join(format!("{content}.index"))
    }

    pub(crate) fn release_state(&self, content: &ContentId) -> PathBuf {
        self.releases().join(format!("{content}.state"))
    }

    pub(crate) fn floors(&self) -> PathBuf {
        self.state().join(FLOORS)
    }

    pub(crate) fn witnessed(&self) -> PathBuf {
        self.state().join(WITNESSED)
    }

    pub(crate) fn cosignatures(&self) -> PathBuf {
        self.trust().join("cosignatures")
    }

    /// The highest cosignature of a witness.
    pub(crate) fn cosignature(&self, witness: &[u8; 32]) -> PathBuf {
        let name = hex(witness);
        self.cosignatures().join(format!("{name}{COSIGNATURE}"))
    }

    /// One version of the root.
    pub(crate) fn root(&self, version: u64) -> PathBuf {
        self.trust().join(format!("{version}.root.json"))
    }

    /// The newest document of a role; `None` where the role is no file name.
    pub(crate) fn document(&self, role: &RoleName) -> Option<PathBuf> {
        match role {
            RoleName::Line(line) if !is_line(line) => return None,
            RoleName::Delegated(_) => return None,
            RoleName::Root
            | RoleName::Timestamp
            | RoleName::Snapshot
            | RoleName::Targets
            | RoleName::Line(_)
            | RoleName::Rollout
            | RoleName::Membership => {}
        }
        let name = role.to_string().replace('/', "%2F");
        Some(self.trust().join(format!("{name}.json")))
    }

    pub(crate) fn annexes(&self) -> PathBuf {
        self.trust().join("annexes")
    }

    /// An annex: the newest of its name.
    pub(crate) fn annex(&self, name: AnnexName) -> PathBuf {
        let name = name.path().replace('/', "%2F");
        self.annexes().join(format!("{name}.bin"))
    }

    /// Leaf hashes of the log, 256 in each file.
    pub(crate) fn log(&self) -> PathBuf {
        self.trust().join("log")
    }

    pub(crate) fn log_tile(&self, tile: u64) -> PathBuf {
        self.log().join(tile.to_string())
    }

    pub(crate) fn proofs(&self) -> PathBuf {
        self.trust().join("proofs")
    }

    /// The proof that a role was signed twice; `None` where the role is no
    /// file name.
    pub(crate) fn proof(&self, role: &RoleName) -> Option<PathBuf> {
        let document = self.document(role)?;
        let name = document.file_stem()?.to_str()?.to_owned();
        Some(self.proofs().join(format!("{name}{PROOF}")))
    }

    pub(crate) fn stops(&self) -> PathBuf {
        self.trust().join("stops")
    }

    /// A stop that one key signed.
    pub(crate) fn stop(&self, name: &[u8; 32]) -> PathBuf {
        self.stops().join(format!("{}{STOP}", hex(name)))
    }

    /// The list of stops in force.
    pub(crate) fn stop_list(&self) -> PathBuf {
        self.stops().join("list.bin")
    }

    pub(crate) fn small(&self, name: StateName) -> PathBuf {
        self.state().join(small_name(name))
    }

    /// Every folder except the 256 shards, parents first.
    pub(crate) fn dirs(&self) -> Vec<PathBuf> {
        vec![
            self.chunks(),
            self.incoming(),
            self.trust(),
            self.state(),
            self.proofs(),
            self.stops(),
            self.cosignatures(),
            self.annexes(),
            self.log(),
            self.indexes(),
            self.releases(),
            self.quarantine(),
        ]
    }
}

/// Name of a chunk file.
pub(crate) fn chunk_name(id: &ChunkId) -> String {
    format!("{id}.chunk")
}

/// The id in the name of a chunk file; lower case only, so that a chunk has
/// exactly one name.
pub(crate) fn chunk_id(name: &str) -> Option<ChunkId> {
    let hex = name.strip_suffix(".chunk")?;
    let has_capitals = hex.bytes().any(|byte| byte.is_ascii_uppercase());
    ChunkId::from_hex(hex).filter(|_| !has_capitals)
}

/// The content in the name of a release index or state.
pub(crate) fn content_id(name: &str, suffix: &str) -> Option<ContentId> {
    let id = ContentId::from_hex(name.strip_suffix(suffix)?)?;
    (format!("{id}{suffix}") == name).then_some(id)
}

/// The version in the name of a root.
pub(crate) fn root_version(name: &str) -> Option<u64> {
    let text = name.strip_suffix(".root.json")?;
    let version = text.parse::<u64>().ok()?;
    (version.to_string() == text).then_some(version)
}

/// The role in the name of a document, roots with a version apart.
pub(crate) fn role(name: &str) -> Option<RoleName> {
    let text = name.strip_suffix(".json")?;
    text.replace("%2F", "/").parse().ok()
}

/// Name of a small file, also what it is sealed with.
pub(crate) fn small_name(name: StateName) -> &'static str {
    match name {
        StateName::Cert => "cert",
        StateName::Clock => "clock",
        StateName::Identity => "identity",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_and_hostile_ones_nowhere() {
        let layout = Layout::new(Path::new("s"));
        let id = ChunkId([0xab; 32]);
        assert_eq!(chunk_id(&chunk_name(&id)), Some(id));
        assert_eq!(chunk_id(&chunk_name(&id).to_uppercase()), None);
        assert_eq!(root_version("12.root.json"), Some(12));
        assert_eq!(root_version("012.root.json"), None);
        assert_eq!(root_version("+1.root.json"), None);
        let line = RoleName::Line("desktop".to_owned());
        let path = layout.document(&line).unwrap();
        assert_eq!(path, Path::new("s/trust/release%2Fdesktop.json"));
        assert_eq!(role("release%2Fdesktop.json"), Some(line));
        for bad in ["../x", "", "a/b", "A"] {
            assert_eq!(layout.document(&RoleName::Line(bad.to_owned())), None);
        }
    }
}
