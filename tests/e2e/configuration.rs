//! A wrong configuration is refused with its place and the nearest right word.

use std::fs;
use std::process::{Command, Stdio};

use patchmesh_tests::bench::programs;

#[test]
fn a_misspelt_key_is_refused_with_its_line_and_the_nearest_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    fs::write(&path, "[node]\nsite = \"a\"\nwieght = 4\n").unwrap();
    let output = Command::new(&programs().patchmeshd)
        .arg("--config")
        .arg(&path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("node.toml:3"), "{said}");
    assert!(said.contains("node.weight"), "{said}");
}
