//! Bugs planted on purpose: each patch of `simulations/planted/` is applied to a
//! copy of the sources, and the fault simulator has to find it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::step::{cargo, run};

/// Seeds that a planted bug may hide from.
const SEEDS: &str = "200";
/// What is copied: the sources that the simulator is built from.
const PARTS: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "node",
    "proto",
    "scripts",
    "simulations",
    "tests",
];

/// Applies each patch in turn and says which seed found it; fails if one is not
/// found, or if a seed fails without any.
pub(crate) fn planted(top: &Path) -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| top.join("target"), PathBuf::from);
    let copy = target.join("planted");
    // Their own: a program with a bug in it must never lie among the others.
    let built = target.join("planted-target");
    match fs::remove_dir_all(&copy) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&copy)?,
    }
    for part in PARTS {
        // Without the old times, by which Cargo would keep what it built of the last patch.
        run(Command::new("cp").arg("-R").arg(top.join(part)).arg(&copy))?;
    }
    // Without one of its own, `git apply` would look for the paths in this repository.
    run(Command::new("git").current_dir(&copy).args(["init", "-q"]))?;
    let patches = fs::read_dir(top.join("simulations/planted"))?;
    let mut patches: Vec<PathBuf> = patches
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "patch"))
        .collect();
    patches.sort();
    if let Some(words) = found(&copy, &built)? {
        bail!("fails without a planted bug: {words}");
    }
    let mut hidden = Vec::new();
    for patch in &patches {
        let apply = |back: &[&str]| {
            let mut git = Command::new("git");
            run(git.current_dir(&copy).arg("apply").args(back).arg(patch))
        };
        apply(&[])?;
        let name = patch.file_stem().unwrap_or_default().to_string_lossy();
        match found(&copy, &built)? {
            Some(words) => println!("{name}: {words}"),
            None => hidden.push(name.into_owned()),
        }
        apply(&["-R"])?;
    }
    if hidden.is_empty() {
        return Ok(());
    }
    bail!("not found within {SEEDS} seeds: {}", hidden.join(", "))
}

/// The seed and the check that found the bug of a copy.
fn found(copy: &Path, target: &Path) -> Result<Option<String>> {
    let words = ["run", "--quiet", "--bin", "patchmesh-sim"];
    let mut command = cargo(copy, &words);
    command.args(["--", "fault", "--seeds", SEEDS]);
    command.env("CARGO_TARGET_DIR", target);
    let output = command.output().context("failed to start cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |start: &str| text.lines().rev().find(|line| line.starts_with(start));
    match (output.status.success(), line("check "), line("again: ")) {
        (true, _, _) => Ok(None),
        (false, Some(check), Some(again)) => Ok(Some(format!("{check} ({again})"))),
        (false, _, _) => bail!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}
