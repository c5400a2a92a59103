//! Files that people name: what is too long is refused, not read.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The bytes of a file of `most` bytes at most. The length that the file system
/// tells is not asked: a device has none and never ends.
pub fn read(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let wrong = |error: std::io::Error| format!("failed to read {}: {error}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(wrong)?;
    let mut capped = file.take(most as u64 + 1);
    capped.read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() > most {
        return Err(format!("{} is longer than {most} bytes", path.display()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_or_never_ends_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"12345").unwrap();
        assert_eq!(read(file.path(), 5).unwrap(), b"12345");
        assert!(read(file.path(), 4).unwrap_err().contains("than 4 bytes"));
        let endless = Path::new("/dev/zero");
        if endless.exists() {
            assert!(read(endless, 4096).is_err());
        }
    }
}
