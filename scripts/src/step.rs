//! Runs Cargo from the top of the repository.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The Cargo that runs this program, at the top of the repository.
pub(crate) fn cargo(top: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(top);
    command
}

/// Runs a command to its end; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let words: Vec<String> = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let words = words.join(" ");
    let status = command
        .status()
        .with_context(|| format!("failed to start `cargo {words}`"))?;
    if !status.success() {
        bail!("`cargo {words}` ended with {status}");
    }
    Ok(())
}
