//! Streams, exit codes, help, completions, man pages.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::Bench;

#[test]
fn json_of_every_offline_verb_parses_line_by_line() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft", "--json"]).ok().json();
    let root = ["--root", "ceremony/root.json", "--json"];
    for (verb, schema) in [
        (
            &["root", "show", "ceremony", "--json"][..],
            "patchmesh.root/1",
        ),
        (
            &["root", "show", "ceremony/root.json", "--json"],
            "patchmesh.root/1",
        ),
        (
            &["key", "show", "ceremony/key-1.pub", "--json"],
            "patchmesh.key/1",
        ),
        (
            &["release", "show", "KB-1.draft", "--json"],
            "patchmesh.release/1",
        ),
        (
            &["release", "diff", "KB-1.draft", "KB-1.draft", "--json"],
            "patchmesh.release/1",
        ),
        (
            &["assemble", "KB-1.draft", "key-1.sig", "key-3.sig", "--json"],
            "patchmesh.assemble/1",
        ),
        (
            &[&["verify", "KB-1.draft"][..], &root].concat(),
            "patchmesh.verify/1",
        ),
        (
            &[&["verify", "repo"][..], &root].concat(),
            "patchmesh.verify/1",
        ),
    ] {
        let document = bench.run(verb).ok().json();
        assert_eq!(document["schema"], schema, "{verb:?}");
    }
}

#[test]
fn a_failure_in_json_mode_ends_stderr_with_exit_error() {
    let bench = Bench::new();
    for (verb, code, id) in [
        (&["status", "--json"][..], 15, "E_NO_NODE"),
        (
            &["verify", "none", "--root", "none", "--json"],
            1,
            "E_NOT_A_REPOSITORY",
        ),
        (
            &["sign", "none", "--key", "file:none", "--json"],
            1,
            "E_NOT_A_DRAFT",
        ),
        (&["stat", "--json"], 2, "E_USAGE"),
        (&["fetch", "--json"], 2, "E_USAGE"),
    ] {
        let ran = bench.run(verb);
        assert_eq!(ran.code, code, "{verb:?} {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{verb:?}");
        let last: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(last["message_type"], "exit_error");
        assert_eq!(last["code"], code);
        assert_eq!(last["id"], id);
        assert!(last["message"].as_str().unwrap().len() > 3);
    }
}

#[test]
fn what_the_system_refuses_has_advice() {
    let bench = Bench::new();
    let show = |path: &str| bench.run(&["key", "show", path]);
    let missing = show("nothing").fails(1, "E_FAILED");
    assert!(missing.stderr.contains("hint: is the path right?"));
    let folder = show(".").fails(1, "E_FAILED");
    assert!(folder.stderr.contains("hint: name the file"));
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut help = bench.command();
    let ran = help.args(["completions", "bash"]).stdout(full).output();
    let ran = ran.unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("hint: free space"), "{said}");
}

#[test]
fn a_mistyped_word_gets_a_suggestion() {
    let bench = Bench::new();
    let refused = bench.run(&["relase", "build"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("'release'"), "{}", refused.stderr);
    let refused = bench.run(&["peers", "--sort", "byte"]);
    assert!(refused.stderr.contains("bytes"), "{}", refused.stderr);
}

#[test]
fn help_says_the_exit_codes_and_nothing_takes_a_passphrase_as_text() {
    let bench = Bench::new();
    let help = bench.run(&["--help"]).ok().stdout;
    for code in ["12  trust refused it", "15  no node answers", "11  busy"] {
        assert!(help.contains(code), "{code} not in {help}");
    }
    for verb in [
        &["sign"][..],
        &["publish"],
        &["root", "init"],
        &["key", "new"],
    ] {
        let help = bench.run(&[verb, &["--help"]].concat()).ok().stdout;
        assert!(help.contains("--passphrase-file"), "{help}");
        assert!(!help.contains("--passphrase <"), "{help}");
        assert!(!help.contains("--yes"), "{help}");
    }
}

#[test]
fn completions_and_man_pages_cover_every_verb() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = bench.run(&["completions", shell]).ok().stdout;
        assert!(script.contains("assemble"), "{shell}");
    }
    let page = bench.run(&["man"]).ok().stdout;
    assert!(page.contains(".TH patchmesh 1"), "{page}");
    bench.run(&["man", "--dir", "man"]).ok();
    for name in [
        "patchmesh",
        "patchmesh-sign",
        "patchmesh-root-init",
        "patchmesh-release-build",
    ] {
        let page = std::fs::read_to_string(bench.path(&format!("man/{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{name}");
    }
}

#[test]
fn a_reader_that_closes_the_pipe_ends_the_program_quietly() {
    let bench = Bench::new();
    for number in 0..3000 {
        bench.write(&format!("t/file-with-a-rather-long-name-{number}"), "x");
    }
    let build = [
        "release", "build", "t", "--id", "A", "--line", "l", "--level", "1",
    ];
    bench.run(&build).ok();
    let mut child = bench
        .command()
        .args(["release", "show", "A.draft", "--files"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn colour_only_where_it_is_asked_for() {
    let bench = Bench::new();
    let plain = bench.run(&["sign", "x", "--key", "file:x"]);
    assert!(!plain.stderr.contains('\u{1b}'));
    let asked = bench.run(&["sign", "x", "--key", "file:x", "--color", "always"]);
    assert!(asked.stderr.contains('\u{1b}'));
}
