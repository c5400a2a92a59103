//! A lying peer: a node whose stored chunks are altered on disk behind its
//! back, seals and all, so that it serves other bytes than were signed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use patchmesh_content::id::{ChunkId, Hasher};

/// Between two looks at the node's folder.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// First bytes of a chunk file.
const HEAD_LEN: usize = 8;
/// Last bytes of a chunk file: BLAKE3 over head, name and frame.
const TAIL_LEN: usize = 32;

/// Alters one chunk of ten until dropped.
#[derive(Debug)]
pub struct Tamper {
    stop: Arc<AtomicBool>,
    altered: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Tamper {
    /// Begins with a node's state folder.
    pub fn start(state: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let altered = Arc::new(AtomicU32::new(0));
        let (stopped, count, state) = (stop.clone(), altered.clone(), state.to_owned());
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                for path in chunk_files(&state) {
                    let name = path.file_name().unwrap_or_default().to_owned();
                    let chosen = is_chosen(&name.to_string_lossy());
                    if chosen && seen.insert(name) && alter(&path).is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
                std::thread::sleep(LOOK_EVERY);
            }
        });
        Self {
            stop,
            altered,
            thread: Some(thread),
        }
    }

    /// Chunks altered so far.
    pub fn altered(&self) -> u32 {
        self.altered.load(Ordering::Relaxed)
    }
}

impl Drop for Tamper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// One name of ten: names are hashes, so two of their digits are a fair draw
/// (26 of 256 values).
fn is_chosen(name: &str) -> bool {
    let digits = name
        .get(60..62)
        .and_then(|digits| u8::from_str_radix(digits, 16).ok());
    digits.is_some_and(|draw| draw % 10 == 0)
}

fn chunk_files(state: &Path) -> Vec<PathBuf> {
    let mut folders = vec![state.join("incoming")];
    if let Ok(entries) = fs::read_dir(state.join("chunks")) {
        folders.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
    }
    let files = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    files
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect()
}

/// Flips one bit of the frame, seals it again and puts it in place at once.
fn alter(path: &Path) -> Result<()> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let id = ChunkId::from_hex(&name).context("not a chunk file")?;
    let mut file = fs::read(path)?;
    let end = file
        .len()
        .checked_sub(TAIL_LEN)
        .context("not a whole chunk file")?;
    *file
        .get_mut(HEAD_LEN + (end - HEAD_LEN) / 2)
        .context("an empty frame")? ^= 1;
    let mut seal = Hasher::new();
    seal.update(&file[..HEAD_LEN]);
    seal.update(&32u64.to_le_bytes());
    seal.update(id.as_bytes());
    seal.update(&file[HEAD_LEN..end]);
    file[end..].copy_from_slice(&seal.finish());
    let scratch = path.with_extension("altered");
    fs::write(&scratch, file)?;
    fs::set_permissions(&scratch, fs::Permissions::from_mode(0o600))?;
    Ok(fs::rename(scratch, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_of_ten_is_chosen() {
        let name = |draw: u8| format!("{}{draw:02x}ab.chunk", "0".repeat(60));
        let chosen = (0..=u8::MAX).filter(|draw| is_chosen(&name(*draw))).count();
        assert_eq!(chosen, 26);
        assert!(!is_chosen("short.chunk"));
    }
}
