//! A published repository folder on this host, read below one directory handle.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::origin::health::Health;

/// A repository folder; nothing outside it can be read through this.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: Dir,
    path: PathBuf,
    health: Health,
}

impl Folder {
    /// Opens the folder.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            dir: Dir::open_ambient_dir(path, ambient_authority())?,
            path: path.to_owned(),
            health: Health::default(),
        })
    }

    /// What was learnt of late about its files.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// A file of it, for people.
    pub(crate) fn shown(&self, path: &str) -> String {
        self.path.join(path).display().to_string()
    }

    /// Length of a file in bytes.
    pub(crate) fn len(&self, path: &str) -> io::Result<u64> {
        Ok(self.dir.metadata(path)?.len())
    }

    /// A whole file of at most `len_max` bytes; `None` where there is none.
    pub(crate) fn file(&self, path: &str, len_max: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match self.dir.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(len_max as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > len_max {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "longer than its cap",
            ));
        }
        Ok(Some(bytes))
    }

    /// Exactly `len` bytes from `offset`.
    pub(crate) fn range(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut file = self.dir.open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; len];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_hold_and_links_do_not_lead_out() {
        let outside = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(outside.path().join("secret"), "secret").expect("written");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("file"), "0123456789").expect("written");
        std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("link"))
            .expect("linked");
        let open = Folder::open(folder.path()).expect("opened");
        assert_eq!(
            open.file("file", 10).expect("read"),
            Some(b"0123456789".to_vec())
        );
        assert!(open.file("file", 9).is_err());
        assert_eq!(open.file("none", 9).expect("read"), None);
        assert_eq!(open.range("file", 3, 4).expect("read"), b"3456");
        assert!(open.range("file", 8, 4).is_err());
        assert!(open.file("link", 100).is_err());
        assert!(open.file("../secret", 100).is_err());
    }
}
