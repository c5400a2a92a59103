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

    let renews = "[origin]\nrepository = \"repository\"\nonline_key = \"ssh-agent:online\"\n[net]";
    assert_eq!(
        check(&GOOD.replacen("[net]", renews, 1)),
        (Some(0), String::new())
    );

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
            "[origin]\nrepository = \"repository\"\nonline_key = \"pkcs11:token=t\"\n[net]",
            "node.toml:10",
            "a token (pkcs11:) asks a person for its PIN",
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
        assert!(said.ends_with(" [E_CONFIG]\n"), "{said}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_what_the_files_say_included() {
    let folder = tempfile::tempdir().unwrap();
    let bad = GOOD.replacen("repository.root.json", "missing.json", 1);
    let bad = bad.replacen("tcp/0", "tcp/x", 1);
    let bad = bad.replacen("[trust]", "wieght = 4\nweight = 99\n[trust]", 1);
    fs::write(folder.path().join("node.toml"), bad).unwrap();
    let (code, said) = patchmeshd(folder.path(), &["config", "check", "node.toml"]);
    assert_eq!(code, Some(2), "{said}");
    assert_eq!(said.lines().count(), 4, "{said}");
    for line in [
        ":4: unknown key",
        ":5: `node.weight`",
        ":7: `trust.root`",
        ":11: `net.listen`",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let mut lines = said.lines();
    assert!(lines.all(|line| line.ends_with("[E_CONFIG]")), "{said}");
    // What can be read around a line that is not TOML is checked too, and what
    // may stand on that line is not called missing.
    let torn = GOOD.replacen("site = \"a\"", "site = a b", 1);
    let torn = torn.replacen("tcp/0", "tcp/x", 1);
    fs::write(folder.path().join("node.toml"), torn).unwrap();
    let (_, said) = patchmeshd(folder.path(), &["config", "check", "node.toml"]);
    let (toml, listen) = (
        said.contains("node.toml:2: "),
        said.contains("`net.listen`"),
    );
    assert!(toml && listen && !said.contains("must name"), "{said}");
}

#[test]
fn a_node_that_does_not_start_says_code_and_cure() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    Forge::found(&folder.join("repository"));
    fs::write(folder.join("junk"), "{}").unwrap();
    fs::create_dir(folder.join("other")).unwrap();
    fs::write(folder.join("other/thing"), "").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("tcp/{}", listener.local_addr().unwrap().port());
    let root = "repository.root.json";
    let cases = [
        (
            root,
            "missing.json",
            10,
            "E_NOT_JOINED",
            "copy the root document",
        ),
        (
            root,
            "junk",
            12,
            "E_TRUST_MALFORMED",
            "is it the right file?",
        ),
        (root, "repository", 1, "E_ROOT", "right to read"),
        ("\"state\"", "\"other\"", 1, "E_NOT_A_STORE", "empty folder"),
        ("\"state\"", "\"junk/s\"", 1, "E_STORE", "`node.state`"),
        ("run/s", "junk/s", 1, "E_SOCKET", "`control.socket`"),
        ("run/s", "other/thing", 1, "E_SOCKET", "`control.socket`"),
        ("tcp/0", "tcp/x", 2, "E_CONFIG", "/ip4/ADDRESS/tcp/PORT"),
        (
            "127.0.0.1/tcp/0",
            "192.0.2.1/tcp/7999",
            1,
            "E_LISTEN",
            "address of this host",
        ),
        ("tcp/0", &taken, 11, "E_ADDRESS_IN_USE", "another port"),
        (
            "[net]",
            "[origin]\nrepository = \"none\"\n[net]",
            1,
            "E_REPOSITORY",
            "publish",
        ),
        (
            "[net]",
            "[net]\nbootstrap = [\"x\"]",
            2,
            "E_CONFIG",
            "patchmesh status",
        ),
    ];
    for (from, to, code, id, hint) in cases {
        fs::write(folder.join("node.toml"), GOOD.replacen(from, to, 1)).unwrap();
        let (ended, said) = patchmeshd(folder, &["--config", "node.toml"]);
        assert_eq!(ended, Some(code), "{to}: {said}");
        let end: Vec<&str> = said.lines().rev().take(2).collect();
        assert!(end[1].ends_with(&format!(" [{id}]")), "{to}: {said}");
        assert!(
            end[0].starts_with("hint: ") && end[0].contains(hint),
            "{to}: {said}"
        );
    }
}

#[test]
fn the_end_is_json_where_the_log_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = GOOD.replacen("repository.root.json", "missing.json", 1) + "[log]\njson = true\n";
    fs::write(folder.path().join("node.toml"), text).unwrap();
    let (code, said) = patchmeshd(folder.path(), &["--config", "node.toml"]);
    assert_eq!(code, Some(10), "{said}");
    let last = said.lines().last().unwrap();
    let end: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(end["message_type"], "exit_error");
    assert_eq!(end["id"], "E_NOT_JOINED");
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}
