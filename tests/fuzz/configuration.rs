//! The configuration file, through the real program: it is accepted, or it is
//! refused with exit 2 and a reason.

use std::fs;
use std::process::{Command, Stdio};

use patchmesh_tests::bench::programs;
use patchmesh_tests::fuzz::{corpus, mutate};

/// Changed files; each is a process.
const CASES: u32 = 24;

#[test]
fn configuration() {
    let inputs = corpus::inputs("configuration");
    for input in &inputs {
        check(input);
    }
    mutate::run(check, &inputs, CASES);
}

fn check(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    fs::write(&path, data).unwrap();
    let output = Command::new(&programs().patchmeshd)
        .args(["config", "check"])
        .arg(&path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => {}
        Some(2) => assert!(said.starts_with("patchmeshd: "), "{said}"),
        other => panic!("exit {other:?}: {said}"),
    }
}
