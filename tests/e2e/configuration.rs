//! A wrong configuration is refused with its place and the nearest right word.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use patchmesh_tests::bench::programs;
use patchmesh_tests::forge::Forge;

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

const GOOD: &str = r#"[node]
site = "a"
state = "state"
[trust]
root = "repository.root.json"
[releases]
lines = ["desktop"]
[net]
listen = ["/ip4/127.0.0.1/tcp/0"]
[control]
socket = "run/s"
"#;

/// Exit code and standard error of patchmeshd in a folder.
fn patchmeshd(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(&programs().patchmeshd)
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn what_settings_name_outside_is_checked_with_line_and_hint() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    Forge::found(&folder.join("repository"));
    fs::write(folder.join("junk"), "{}").unwrap();
    let check = |text: &str| {
        fs::write(folder.join("node.toml"), text).unwrap();
        patchmeshd(folder, &["config", "check", "node.toml"])
    };
    assert_eq!(check(GOOD), (Some(0), String::new()));
    assert!(!folder.join("state").exists() && !folder.join("run").exists());

    let root = "repository.root.json";
    let cases = [
        (root, "missing.json", "node.toml:5", "No such file"),
        (root, "junk", "node.toml:5", "no root document (Malformed)"),
        (root, "repository", "node.toml:5", "is no file"),
        (
            "\"state\"",
            "\"junk/s\"",
            "node.toml:3",
            "junk is no folder",
        ),
        ("run/s", "junk/s", "node.toml:11", "junk is no folder"),
        ("tcp/0", "tcp/x", "node.toml:9", "/ip4/ADDRESS/tcp/PORT"),
        (
            "\"desktop\"",
            "\"Desk top\"",
            "node.toml:7",
            "release lines",
        ),
        (
            "listen =",
            "bootstrap = [\"/ip4/192.0.2.1/tcp/1\"]\nlisten =",
            "node.toml:9",
            "/p2p/ID",
        ),
        (
            "[net]",
            "[origin]\nhttp = \"http://\"\n[net]",
            "node.toml:9",
            "takes an address such as",
        ),
        (
            "[net]",
            "[log]\nlevel = \"[[\"\n[net]",
            "node.toml:9",
            "`log.level` takes",
        ),
    ];
    for (from, to, place, says) in cases {
        let (code, said) = check(&GOOD.replacen(from, to, 1));
        assert_eq!(code, Some(2), "{to}: {said}");
        assert!(said.contains(place) && said.contains(says), "{to}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // All of it at once, not one after the other.
    let bad = GOOD.replacen(root, "missing.json", 1);
    let (_, said) = check(&bad.replacen("tcp/0", "tcp/x", 1));
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn a_missing_root_is_named_with_its_cause_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = GOOD.replacen("repository.root.json", "missing.json", 1);
    fs::write(folder.path().join("node.toml"), text).unwrap();
    let (code, said) = patchmeshd(folder.path(), &["--config", "node.toml"]);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
    assert!(said.contains("trust.root missing.json"), "{said}");
}
