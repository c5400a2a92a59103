//! Small trees with every kind of content, the same for the same seed.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

/// A small generator: the same numbers for the same seed, everywhere.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The next number below a bound above 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// Bytes that do not compress.
    pub fn noise(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend(self.number().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }

    /// Text that compresses well, without long repetitions.
    pub fn text(&mut self, len: usize) -> Vec<u8> {
        let mut text = String::with_capacity(len + 32);
        while text.len() < len {
            let (key, value) = (self.below(4096), self.below(1000));
            writeln!(text, "setting.{key} = {value}").expect("memory takes it");
        }
        text.truncate(len);
        text.into_bytes()
    }
}

/// Writes a tree: `noise_len` bytes that do not compress, half as much text,
/// small files, an empty file, an empty folder, modes and a symbolic link.
///
/// # Panics
/// If the folder cannot be written.
pub fn tree(folder: &Path, seed: u64, noise_len: usize) {
    let mut numbers = Numbers::new(seed);
    for name in ["bin", "data", "small", "var"] {
        fs::create_dir_all(folder.join(name)).expect("a folder of the input");
    }
    write(folder, "data/noise", &numbers.noise(noise_len), 0o644);
    write(folder, "data/text", &numbers.text(noise_len / 2), 0o640);
    write(folder, "data/empty", b"", 0o600);
    write(folder, "bin/tool", &numbers.noise(70_000), 0o755);
    symlink("tool", folder.join("bin/alias")).expect("a link of the input");
    for number in 0..60 {
        let len = usize::try_from(numbers.below(3_000)).expect("a small number");
        let bytes = numbers.text(len);
        write(folder, &format!("small/{number:02}"), &bytes, 0o644);
    }
    for name in ["bin", "data", "small", "var"] {
        set_mode(&folder.join(name), 0o755);
    }
}

/// Makes the next version of a tree: some bytes in the middle of the noise are
/// others, one file is new, one is gone.
///
/// # Panics
/// If the folder cannot be written.
pub fn change(folder: &Path, seed: u64) {
    let mut numbers = Numbers::new(seed);
    let noise = folder.join("data/noise");
    let mut bytes = fs::read(&noise).expect("the noise of the input");
    let middle = bytes.len() / 2;
    let new = numbers.noise(1_000);
    bytes[middle..middle + new.len()].copy_from_slice(&new);
    fs::write(&noise, bytes).expect("the noise of the input");
    write(folder, "data/added", &numbers.noise(150_000), 0o644);
    fs::remove_file(folder.join("small/07")).expect("a small file of the input");
}

/// Writes one file with a mode.
///
/// # Panics
/// If it cannot be written.
pub fn write(folder: &Path, name: &str, bytes: &[u8], mode: u32) {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a file of the input");
    set_mode(&path, mode);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode of the input");
}
