//! Finds and runs the bench targets of the workspace.

mod figures;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::step::{self, cargo};

/// Prints the bench targets.
pub(crate) fn list(top: &Path) -> Result<()> {
    let targets = targets(top)?;
    if targets.is_empty() {
        println!("no package has a bench target");
    }
    for (package, name) in targets {
        println!("{name}  ({package})");
    }
    Ok(())
}

/// Runs the bench targets whose name contains `part`, `all` runs every one, and
/// sets what was measured against the limit in its group. No match is an error,
/// so that a typing error is not a success.
pub(crate) fn run(top: &Path, part: &str) -> Result<()> {
    let mut all = targets(top)?;
    all.retain(|(_, name)| part == "all" || name.contains(part));
    if all.is_empty() {
        bail!("no bench target matches `{part}`; `cargo x bench` lists them");
    }
    let home = home(top)?;
    for (package, name) in all {
        let mut command = cargo(top, &["bench", "--package", &package, "--bench", &name]);
        step::run(command.env("CRITERION_HOME", &home))?;
    }
    figures::print(&home)
}

/// An empty folder for what is measured, below the target folder.
fn home(top: &Path) -> Result<PathBuf> {
    let metadata = metadata(top)?;
    let target = metadata["target_directory"].as_str();
    let home = Path::new(target.context("no target folder")?).join("figures");
    if home.exists() {
        fs::remove_dir_all(&home).context("failed to remove figures of an earlier run")?;
    }
    fs::create_dir_all(&home).context("failed to make a folder for figures")?;
    Ok(home)
}
/// `(package, target)` of every bench.
fn targets(top: &Path) -> Result<Vec<(String, String)>> {
    let all = metadata(top)?;
    let mut found = Vec::new();
    for package in all["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array().into_iter().flatten();
            if kinds.into_iter().any(|kind| kind == "bench") {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                found.push((text(&package["name"]), text(&target["name"])));
            }
        }
    }
    Ok(found)
}

fn metadata(top: &Path) -> Result<Value> {
    let words = [
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ];
    let out = cargo(top, &words).output();
    let out = out.context("failed to start `cargo metadata`")?;
    if !out.status.success() {
        bail!("`cargo metadata`: {}", String::from_utf8_lossy(&out.stderr));
    }
    serde_json::from_slice(&out.stdout).context("failed to read metadata")
}
