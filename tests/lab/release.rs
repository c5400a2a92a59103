//! The release that is measured: one incompressible file, drawn from the seed.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use patchmesh_content::index::ReleaseIndex;
use patchmesh_demo::authority::Authority;

use crate::result::Result;

/// Release line.
pub(crate) const LINE: &str = "lab";
/// Release id.
pub(crate) const ID: &str = "release-1";

/// A generator of 64-bit numbers, the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.number() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }
}

/// Writes the content of the release.
pub(crate) fn write(folder: &Path, size: u64, seed: u64) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = BufWriter::new(File::create(folder.join("patch.bin"))?);
    let mut draw = Draw(seed);
    let mut left = size;
    while left > 0 {
        let bytes = draw.number().to_le_bytes();
        let take = usize::try_from(left.min(8)).unwrap_or(8);
        file.write_all(&bytes[..take])?;
        left -= left.min(8);
    }
    Ok(file.flush()?)
}

/// Builds, signs with two of three and publishes; returns the index.
pub(crate) fn publish(
    authority: &Authority,
    content: &Path,
    folder: &Path,
) -> Result<ReleaseIndex> {
    let draft = authority.build(content, ID, folder)?;
    let signatures = [
        authority.sign(&draft, ID, 1)?,
        authority.sign(&draft, ID, 2)?,
    ];
    authority.assemble(&draft, &signatures)?;
    authority.publish(&draft, None)?;
    let targets = authority.repository.join("targets/release").join(LINE);
    let mut entries = fs::read_dir(targets)?.filter_map(std::result::Result::ok);
    let ends = format!(".{ID}");
    let found = entries.find(|entry| entry.path().to_string_lossy().ends_with(&ends));
    let path = found.ok_or("the index is not in the repository")?.path();
    ReleaseIndex::decode(&fs::read(path)?).map_err(|refusal| format!("{refusal:?}").into())
}
