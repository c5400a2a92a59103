//! Runs Cargo from the top of the repository, and other programs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The Cargo that runs this program, at the top of the repository.
pub(crate) fn cargo(top: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(top);
    // Set for this program; build scripts of some crates run again for them.
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| is_of_a_run(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}

/// Whether Cargo sets a variable for the program that it runs.
fn is_of_a_run(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// Runs a command to its end; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let words: Vec<String> = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let words = words.join(" ");
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("failed to start `{program} {words}`"))?;
    if !status.success() {
        bail!("`{program} {words}` ended with {status}");
    }
    Ok(())
}
