//! Checks a pack against its index: every frame, every chunk, the whole, and
//! every file that the chunks make.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;

use anyhow::Context as _;
use patchmesh_content::id::Hasher;
use patchmesh_content::index::{FileKind, ReleaseIndex};
use patchmesh_content::tree::verify_chunk;
use patchmesh_pack::assemble::FileAssembler;
use patchmesh_pack::compress::decode;

use crate::draft::refusal::tampered;
use crate::failure::Failure;
use crate::text::safe;

/// Reads a pack once and copies it to `copy`; whoever keeps the copy does so
/// only after this has returned without an error.
pub(crate) fn pack(
    index: &ReleaseIndex,
    mut reader: impl Read,
    mut copy: impl Write,
) -> anyhow::Result<()> {
    let mut hasher = Hasher::new();
    let mut frame = Vec::new();
    for (number, chunk) in index.chunks.iter().enumerate() {
        frame.resize(chunk.wire_len as usize, 0);
        read_frame(&mut reader, &mut frame)?;
        let broken = |what: String| tampered(format!("the pack, chunk {number}: {what}"));
        let plain = decode(&frame, chunk.len).map_err(|error| broken(error.to_string()))?;
        verify_chunk(&plain, chunk).map_err(|error| broken(error.to_string()))?;
        hasher.update(&frame);
        copy.write_all(&frame).context("failed to write the pack")?;
    }
    let mut more = [0u8; 1];
    if reader.read(&mut more).context("failed to read the pack")? > 0 {
        return Err(tampered("the pack is longer than its index says").into());
    }
    if hasher.finish() != index.pack {
        return Err(tampered("the hash of the pack is not the one in the index").into());
    }
    Ok(())
}

fn read_frame(reader: &mut impl Read, frame: &mut [u8]) -> anyhow::Result<()> {
    match reader.read_exact(frame) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(tampered("the pack is shorter than its index says").into())
        }
        other => other.context("failed to read the pack"),
    }
}

/// Makes every file of the index from a checked pack and compares its hashes.
pub(crate) fn files(index: &ReleaseIndex, pack: &File) -> anyhow::Result<()> {
    let mut starts = Vec::with_capacity(index.chunks.len());
    let mut at = 0u64;
    for chunk in &index.chunks {
        starts.push(at);
        at += u64::from(chunk.wire_len);
    }
    let regular = |kind: &FileKind| matches!(kind, FileKind::File { .. });
    // Small files share chunks and stand beside each other.
    let (mut last, mut plain) = (None, Vec::new());
    for file in index.files.iter().filter(|file| regular(&file.kind)) {
        let broken = || {
            let path = safe(&file.path);
            tampered(format!("{path} is not what the index says"))
        };
        let mut making = FileAssembler::new(index, file).ok_or_else(broken)?;
        while let Some((number, chunk)) = making.wanted() {
            if last != Some(number) {
                let mut frame = vec![0; chunk.wire_len as usize];
                let start = starts.get(number.0 as usize).ok_or_else(broken)?;
                pack.read_exact_at(&mut frame, *start)
                    .context("failed to read the pack")?;
                plain = decode(&frame, chunk.len).map_err(|_| broken())?;
                last = Some(number);
            }
            making.feed(&plain).map_err(|_| broken())?;
        }
        making.finish().map_err(|_| broken())?;
    }
    Ok(())
}

/// Opens the pack of a draft; it may have stayed behind.
pub(crate) fn open_pack(path: &std::path::Path) -> anyhow::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to open {}", path.display())),
    }
}

/// Exit 1: the pack is needed and stayed behind.
pub(crate) fn no_pack(path: &std::path::Path) -> Failure {
    let message = format!("{} is missing", path.display());
    let failure = Failure::failed("E_NO_PACK", message);
    failure.hint("publish on the machine that built the draft, or copy pack.bin into it")
}
