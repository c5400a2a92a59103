//! Short verbs: each is one Cargo command that nobody should have to remember.

use std::path::Path;

use anyhow::{Context, Result};

use crate::step::{cargo, run};

/// Tests of the crates that do not link libp2p: the daily loop.
pub(crate) fn fast(top: &Path) -> Result<()> {
    let mut arguments = vec!["test"];
    for package in [
        "patchmesh-proto",
        "patchmesh-content",
        "patchmesh-trust",
        "patchmesh-pack",
        "patchmesh-core",
        "patchmesh-cli",
        "patchmesh-simulations",
    ] {
        arguments.extend(["--package", package]);
    }
    run(&mut cargo(top, &arguments))
}

/// Random worlds with faults in the simulator.
pub(crate) fn fault(top: &Path, rest: &[&str]) -> Result<()> {
    let mut arguments = vec!["run", "--quiet", "--bin", "patchmesh-sim", "--", "fault"];
    if !rest.contains(&"--seeds") {
        arguments.extend(["--seeds", "200"]);
    }
    arguments.extend(rest);
    run(&mut cargo(top, &arguments))
}

/// Real nodes with a wrong wall clock.
pub(crate) fn clocks(top: &Path) -> Result<()> {
    let mut command = cargo(top, &["test", "--locked", "--test", "attacks", "clocks::"]);
    command.args(["--", "--nocapture", "--include-ignored"]);
    run(&mut command)
}

/// The laboratory of network namespaces. `KEY=VALUE` becomes an environment
/// variable of the test, so that its options need no parser of their own.
pub(crate) fn lab(top: &Path, pairs: &[&str]) -> Result<()> {
    let mut command = cargo(
        top,
        &["test", "--package", "patchmesh-tests", "--test", "lab"],
    );
    command.args(["--", "--nocapture", "--include-ignored"]);
    for pair in pairs {
        let (key, value) = pair.split_once('=').with_context(|| {
            format!(
                "`{pair}` is not KEY=VALUE; tests/lab/plan.rs lists the keys and their defaults"
            )
        })?;
        command.env(key, value);
    }
    run(&mut command)
}

/// Man pages of the command line and of the simulator.
pub(crate) fn man(top: &Path, folder: &str) -> Result<()> {
    let folder = std::path::absolute(folder).context("failed to find the folder")?;
    for program in ["patchmesh", "patchmesh-sim"] {
        let mut command = cargo(top, &["run", "--quiet", "--bin", program, "--"]);
        run(command.args(["man", "--dir"]).arg(&folder))?;
    }
    Ok(())
}
