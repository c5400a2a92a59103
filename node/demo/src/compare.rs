//! Whether two file trees are the same: names, kinds, modes, link targets and
//! every byte.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context, Result};
use patchmesh_content::id::Hasher;

/// One text for a whole tree; equal trees have equal texts.
pub fn fingerprint(root: &Path) -> Result<String> {
    let mut hasher = Hasher::new();
    visit(root, root, &mut hasher).with_context(|| format!("failed to read {}", root.display()))?;
    Ok(patchmesh_content::id::hex(&hasher.finish()))
}

fn visit(root: &Path, path: &Path, hasher: &mut Hasher) -> Result<()> {
    let found = fs::symlink_metadata(path)?;
    let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
    let mode = found.permissions().mode() & 0o777;
    if found.is_symlink() {
        let target = fs::read_link(path)?;
        hasher.update(format!("link\0{name}\0{}\0", target.display()).as_bytes());
        return Ok(());
    }
    if found.is_dir() {
        if path != root {
            hasher.update(format!("folder\0{name}\0{mode:o}\0").as_bytes());
        }
        let mut entries: Vec<_> = fs::read_dir(path)?.collect::<std::io::Result<_>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        return entries
            .iter()
            .try_for_each(|entry| visit(root, &entry.path(), hasher));
    }
    hasher.update(format!("file\0{name}\0{mode:o}\0{}\0", found.len()).as_bytes());
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        hasher.update(&buffer[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_difference_shows() {
        let make = |text: &str, mode: u32, link: &str| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            fs::write(folder.path().join("file"), text).expect("written");
            fs::set_permissions(folder.path().join("file"), fs::Permissions::from_mode(mode))
                .expect("set");
            std::os::unix::fs::symlink(link, folder.path().join("link")).expect("linked");
            fingerprint(folder.path()).expect("readable")
        };
        let same = make("text", 0o644, "file");
        assert_eq!(make("text", 0o644, "file"), same);
        assert_ne!(make("texT", 0o644, "file"), same);
        assert_ne!(make("text", 0o755, "file"), same);
        assert_ne!(make("text", 0o644, "elsewhere"), same);
    }
}
