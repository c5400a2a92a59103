//! Runs the package `oracle`, which has a lock of its own: other verifiers
//! beside ours, on documents that were changed and signed again.

use std::path::Path;
use std::process::Command;

use patchmesh_demo::binaries::forget_run;

#[test]
fn other_verifiers_give_the_same_verdicts() {
    let program = std::env::current_exe().expect("a test is a file");
    // target/PROFILE/deps/PROGRAM; what is built there already is used again.
    let target = program.ancestors().nth(3).expect("three folders up");
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/Cargo.toml");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "--quiet", "--locked", "--manifest-path"]);
    command.arg(package).arg("--target-dir").arg(target);
    forget_run(&mut command);
    let output = command.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{failed}");
    assert!(said.contains("2 passed"), "both tests ran: {said}");
}
