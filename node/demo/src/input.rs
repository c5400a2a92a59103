//! What the tour publishes: the user's own files, or real files that are on
//! every developer's machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Largest file taken from the toolchain, in bytes.
const FILE_LEN_MAX: u64 = 16 * 1024 * 1024;
/// Bytes taken from the toolchain.
const TOTAL_MAX: u64 = 48 * 1024 * 1024;

/// One release to publish.
#[derive(Debug, Clone)]
pub struct Input {
    /// Folder with exactly the released files.
    pub folder: PathBuf,
    /// What it is, for people.
    pub label: String,
}

/// Copies one path, a file or a folder, into a fresh folder.
pub fn own(path: &Path, into: &Path) -> Result<Input> {
    let failed = || format!("failed to take {}", path.display());
    let name = path.file_name().with_context(failed)?;
    fs::create_dir_all(into).with_context(failed)?;
    copy(path, &into.join(name)).with_context(failed)?;
    Ok(Input {
        folder: into.to_owned(),
        label: path.display().to_string(),
    })
}

/// The default pair: library files of the installed toolchain beside one of
/// our programs, and the same files beside another. It has the shape of an
/// update: one executable changes, its libraries stay.
pub fn toolchain_pair(programs: [&Path; 2], into: &Path) -> Result<[Input; 2]> {
    let libraries = libraries()?;
    let mut made = Vec::new();
    for (number, program) in (1..).zip(programs) {
        let folder = into.join(format!("input-{number}"));
        fs::create_dir_all(folder.join("lib")).context("failed to make the input folder")?;
        for library in &libraries {
            let name = library.file_name().context("a file has a name")?;
            link_or_copy(library, &folder.join("lib").join(name))?;
        }
        link_or_copy(program, &folder.join("program"))?;
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let label = format!("{} toolchain library files and {name}", libraries.len());
        made.push(Input { folder, label });
    }
    made.try_into().ok().context("two programs make two inputs")
}

fn libraries() -> Result<Vec<PathBuf>> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir"])
        .output();
    let output = output.context("failed to ask rustc for its library folder; use --new PATH")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let mut files: Vec<(PathBuf, u64)> = Vec::new();
    for entry in fs::read_dir(&folder).context("failed to read the library folder")? {
        let entry = entry.context("failed to read the library folder")?;
        let found = entry
            .metadata()
            .context("failed to read the library folder")?;
        if found.is_file() && found.len() <= FILE_LEN_MAX {
            files.push((entry.path(), found.len()));
        }
    }
    files.sort();
    let mut sum = 0;
    files.retain(|(_, len)| {
        let fits = sum + len <= TOTAL_MAX;
        sum += if fits { *len } else { 0 };
        fits
    });
    if files.is_empty() {
        bail!("no library files in {}; use --new PATH", folder.display());
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("failed to take {}", from.display());
    fs::copy(from, to).map(drop).with_context(failed)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let found = fs::symlink_metadata(from)?;
    if found.is_symlink() {
        return Ok(std::os::unix::fs::symlink(fs::read_link(from)?, to)?);
    }
    if !found.is_dir() {
        return Ok(fs::copy(from, to).map(drop)?);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(fs::set_permissions(to, found.permissions())?)
}
