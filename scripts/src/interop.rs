//! Other TUF tools beside ours: python-tuf for the tests that exchange
//! repositories with it, and the public conformance suite.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::step::{cargo, run};

/// What is installed, exactly: a newer one is another oracle.
const PYTHON_TUF: [&str; 2] = ["tuf==7.0.0", "securesystemslib[crypto]==1.4.0"];

/// The package of the oracles, a workspace of its own.
pub(crate) const ORACLE: &str = "tests/oracle/Cargo.toml";

/// The tests that exchange repositories with python-tuf, both ways.
pub(crate) fn interop(top: &Path) -> Result<()> {
    let python = environment(top, "interop", &PYTHON_TUF)?;
    let arguments = ["test", "--locked", "--manifest-path", ORACLE];
    let mut command = cargo(top, &arguments);
    command.arg("--target-dir").arg(target(top));
    command.args(["--", "--include-ignored"]);
    run(command.env("PATCHMESH_PYTHON", python))
}

/// Keys in a real agent and a real token, with another implementation that checks
/// what they signed. Says what is missing rather than pass without it.
pub(crate) fn signers(top: &Path) -> Result<()> {
    for (program, package) in [
        ("ssh-agent", "openssh-client"),
        ("softhsm2-util", "softhsm2"),
        ("pkcs11-tool", "opensc"),
        ("openssl", "openssl"),
    ] {
        let there = std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        });
        ensure!(there, "{program} is missing; install the package {package}");
    }
    let python = environment(top, "interop", &PYTHON_TUF)?;
    let package = ["--package", "patchmesh-cli", "--features", "pkcs11"];
    let mut lints = cargo(top, &["clippy", "--all-targets", "--locked"]);
    run(lints.args(package).args(["--", "-D", "warnings"]))?;
    let mut tests = cargo(top, &["test", "--locked", "--test", "signers"]);
    run(tests.args(package).env("PATCHMESH_PYTHON", python))?;
    let origin = ["test", "--locked", "--package", "patchmesh-tests"];
    let mut origin = cargo(top, &origin);
    run(origin.args(["--test", "e2e", "agent", "--", "--ignored"]))
}

/// The public conformance suite, from a copy of it in a folder, on the command
/// line with RSA keys. Needs `faketime`.
pub(crate) fn conformance(top: &Path, suite: &str) -> Result<()> {
    let suite = std::path::absolute(suite).context("failed to find the suite")?;
    ensure!(
        suite.join("tuf_conformance").is_dir(),
        "{} is no copy of theupdateframework/tuf-conformance",
        suite.display()
    );
    let faketime = Command::new("faketime").arg("--version").output();
    faketime.context("failed to start faketime; install the package of that name")?;
    let build = ["build", "--package", "patchmesh-cli", "--features", "rsa"];
    run(&mut cargo(top, &build))?;
    let needs = [suite.to_str().context("the folder has an odd name")?];
    let python = environment(top, "conformance", &needs)?;
    let program = target(top).join("debug/patchmesh");
    let mut command = Command::new(python);
    command
        .current_dir(&suite)
        .args(["-m", "pytest", "-q", "tuf_conformance"]);
    command
        .arg("--entrypoint")
        .arg(format!("{} tuf", program.display()));
    run(&mut command)
}

/// The Python of a virtual environment with these packages; made if missing.
fn environment(top: &Path, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = target(top).join("python").join(name);
    let python = folder.join("bin/python");
    let marker = folder.join("packages");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|held| held == wanted) {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    run(pip.args(packages))?;
    std::fs::write(&marker, wanted).context("failed to note the packages")?;
    Ok(python)
}

/// Where Cargo builds.
fn target(top: &Path) -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR");
    top.join(folder.map_or_else(|| "target".into(), PathBuf::from))
}
