//! Where tiles and entry bundles lie, and what is in them (C2SP tlog-tiles).

use crate::log::head::Hash;
use crate::log::tree::{TILE_WIDTH, Tree};
use crate::refusal::Refusal;

/// Folder of the log in a repository.
pub const LOG_FOLDER: &str = "log";
/// Path of the checkpoint below the repository.
pub const CHECKPOINT_PATH: &str = "log/checkpoint";
/// Bytes of an entry: the SHA-256 of a signed part.
pub const ENTRY_LEN: usize = 32;
/// Hashes of a full tile.
const WIDTH: u16 = 256;
const _: () = assert!(WIDTH as u64 == TILE_WIDTH);
/// Bytes of a full bundle: each entry has its length before it.
pub const ENTRIES_LEN_MAX: usize = WIDTH as usize * (2 + ENTRY_LEN);
/// Bytes of a full tile.
pub const TILE_LEN_MAX: usize = WIDTH as usize * 32;

/// One tile of hashes; of level 0 there is a bundle of entries as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// 0 has the leaf hashes, each further one the roots of full tiles.
    pub level: u8,
    /// Place in the level.
    pub index: u64,
    /// Hashes in it, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The tiles that a tree of this size has and one of the smaller size has
    /// not, lowest level first.
    pub fn between(old: u64, new: u64) -> Vec<Self> {
        let mut tiles = Vec::new();
        for level in 0..8_u8 {
            let (had, has) = (old >> (8 * level), new >> (8 * level));
            if has == had {
                break;
            }
            let tile = |index| Self {
                level,
                index,
                width: u16::try_from(TILE_WIDTH.min(has - index * TILE_WIDTH)).unwrap_or(WIDTH),
            };
            tiles.extend((had / TILE_WIDTH..has.div_ceil(TILE_WIDTH)).map(tile));
        }
        tiles
    }

    /// The full tile in the place of this one.
    #[must_use]
    pub fn full(self) -> Self {
        Self {
            width: WIDTH,
            ..self
        }
    }

    /// Whether it holds as many hashes as a tile can.
    pub fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// Path below the repository.
    pub fn path(&self) -> String {
        format!("{LOG_FOLDER}/tile/{}/{}", self.level, self.name())
    }

    /// Path of the bundle of entries below the repository.
    pub fn entries_path(&self) -> String {
        format!("{LOG_FOLDER}/tile/entries/{}", self.name())
    }

    /// The hashes, as the file has them; `None` if the tree has not that many.
    pub fn bytes(&self, tree: &Tree) -> Option<Vec<u8>> {
        let hashes = tree.level(usize::from(self.level));
        let from = usize::try_from(self.index.checked_mul(TILE_WIDTH)?).ok()?;
        let to = from.checked_add(usize::from(self.width))?;
        Some(hashes.get(from..to)?.concat())
    }

    /// Index in groups of three digits, all but the last marked with `x`.
    fn name(&self) -> String {
        let mut name = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            name = format!("x{:03}/{name}", rest % 1000);
            rest /= 1000;
        }
        if !self.is_full() {
            name = format!("{name}.p/{}", self.width);
        }
        name
    }
}

/// A bundle of these entries.
pub fn write_entries(entries: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * (2 + ENTRY_LEN));
    for entry in entries {
        bytes.extend_from_slice(&[0, 32]);
        bytes.extend_from_slice(entry);
    }
    bytes
}

/// The entries of a bundle.
///
/// # Errors
/// `TooLarge` above a full bundle; `Malformed` if an entry has another length
/// than a SHA-256.
pub fn read_entries(bytes: &[u8]) -> Result<Vec<Hash>, Refusal> {
    if bytes.len() > ENTRIES_LEN_MAX {
        return Err(Refusal::TooLarge);
    }
    let entries = bytes.chunks(2 + ENTRY_LEN).map(|entry| {
        let entry = entry.strip_prefix(&[0, 32]).ok_or(Refusal::Malformed)?;
        entry.try_into().map_err(|_| Refusal::Malformed)
    });
    entries.collect()
}

/// The hashes of a list without anything between them.
///
/// # Errors
/// `Malformed` if the last one is cut.
pub fn read_hashes(bytes: &[u8]) -> Result<Vec<Hash>, Refusal> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() {
        Ok(hashes.to_vec())
    } else {
        Err(Refusal::Malformed)
    }
}

#[cfg(test)]
mod tests;
