//! Finds and runs the bench targets of the workspace.

use std::path::Path;

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

/// Runs the bench targets whose name contains `part`; `all` runs every one. No
/// match is an error, so that a typing error is not a success.
pub(crate) fn run(top: &Path, part: &str) -> Result<()> {
    let mut all = targets(top)?;
    all.retain(|(_, name)| part == "all" || name.contains(part));
    if all.is_empty() {
        bail!("no bench target matches `{part}`; `cargo x bench` lists them");
    }
    for (package, name) in all {
        step::run(&mut cargo(
            top,
            &["bench", "--package", &package, "--bench", &name],
        ))?;
    }
    Ok(())
}

/// `(package, target)` of every bench.
fn targets(top: &Path) -> Result<Vec<(String, String)>> {
    let out = cargo(
        top,
        &[
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ],
    )
    .output()
    .context("failed to start `cargo metadata`")?;
    if !out.status.success() {
        bail!("`cargo metadata`: {}", String::from_utf8_lossy(&out.stderr));
    }
    let all: Value = serde_json::from_slice(&out.stdout).context("failed to read metadata")?;
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
