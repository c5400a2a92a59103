//! What a tree may hold.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;

use crate::support::Bench;

fn build(bench: &Bench) -> crate::support::Ran {
    let arguments = ["release", "build", "t", "--id", "A", "--line", "desktop"];
    bench.run(&[&arguments[..], &["--level", "1", "--json"]].concat())
}

#[test]
fn modes_links_and_empty_things_are_in_the_index() {
    let bench = Bench::new();
    bench.tree("t", 1);
    let mode = fs::Permissions::from_mode(0o751);
    fs::set_permissions(bench.path("t/bin/tool"), mode).unwrap();
    build(&bench).ok();
    let shown = bench.run(&["release", "show", "A.draft", "--files", "--json"]);
    let shown = shown.ok().json();
    let files = shown["files"].as_array().unwrap();
    let paths: Vec<_> = files.iter().map(|f| f["path"].as_str().unwrap()).collect();
    let all = [
        "bin",
        "bin/alias",
        "bin/tool",
        "etc",
        "etc/conf",
        "etc/empty",
        "var",
    ];
    assert_eq!(paths, all);
    assert_eq!(files[1]["target"], "tool");
    assert_eq!(files[2]["mode"], "0751");
    assert_eq!(files[5]["bytes"], 0);
    assert_eq!(files[6]["kind"], "folder");
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let bench = Bench::new();
    bench.tree("t", 1);
    let first = build(&bench).ok().json();
    fs::rename(bench.path("A.draft"), bench.path("B.draft")).unwrap();
    let second = build(&bench).ok().json();
    assert_eq!(first["content"], second["content"]);
    let pack = |draft: &str| fs::read(bench.path(draft).join("pack.bin")).unwrap();
    assert_eq!(pack("A.draft"), pack("B.draft"));
    let same = bench.run(&["release", "diff", "A.draft", "B.draft"]).ok();
    assert_eq!(same.stdout, "");
}

#[test]
fn a_name_that_is_not_utf8_is_refused_by_name() {
    let bench = Bench::new();
    bench.tree("t", 1);
    let bad = bench.path("t").join(OsStr::from_bytes(b"caf\xe9.txt"));
    fs::write(bad, "x").unwrap();
    let refused = build(&bench).fails(1, "E_TREE_NAME");
    assert!(refused.stderr.contains("not UTF-8"), "{}", refused.stderr);
    assert!(!bench.path("A.draft").exists());
}

#[test]
fn sockets_set_uid_and_links_out_of_the_tree_are_refused() {
    for (case, id) in [
        ("socket", "E_TREE_KIND"),
        ("set-uid", "E_TREE_MODE"),
        ("link-out", "E_TREE_LINK"),
        ("link-absolute", "E_TREE_LINK"),
        ("reserved", "E_TREE_NAME"),
    ] {
        let bench = Bench::new();
        bench.tree("t", 1);
        let path = bench.path("t/x");
        match case {
            "socket" => drop(UnixListener::bind(path).unwrap()),
            "set-uid" => {
                let tool = bench.path("t/bin/tool");
                fs::set_permissions(tool, fs::Permissions::from_mode(0o4755)).unwrap();
            }
            "link-out" => std::os::unix::fs::symlink("../outside", path).unwrap(),
            "link-absolute" => std::os::unix::fs::symlink("/etc/passwd", path).unwrap(),
            _ => bench.write("t/nul.txt", "x"),
        }
        build(&bench).fails(1, id);
    }
}

#[test]
fn two_names_that_differ_in_case_only_are_both_named() {
    let bench = Bench::new();
    bench.write("t/README", "x");
    bench.write("t/readme", "y");
    let refused = build(&bench).fails(1, "E_TREE_NAME");
    assert!(
        refused.stderr.contains("README and readme"),
        "{}",
        refused.stderr
    );
}

#[test]
fn two_names_that_differ_in_normalisation_only_are_refused_and_one_passes() {
    let bench = Bench::new();
    bench.write("t/caf\u{e9}", "x");
    bench.write("t/Cafe\u{301}", "y");
    let refused = build(&bench).fails(1, "E_TREE_NAME");
    assert!(
        refused.stderr.contains("normalisation"),
        "{}",
        refused.stderr
    );
    // A decomposed name alone is kept as it is.
    fs::remove_file(bench.path("t/caf\u{e9}")).unwrap();
    build(&bench).ok();
    let shown = bench.run(&["release", "show", "A.draft", "--files", "--json"]);
    assert_eq!(shown.ok().json()["files"][0]["path"], "Cafe\u{301}");
}

#[test]
fn a_draft_inside_its_own_tree_is_refused() {
    let bench = Bench::new();
    bench.tree("t", 1);
    let arguments = ["release", "build", ".", "--id", "A", "--line", "desktop"];
    bench.run(&arguments).fails(2, "E_USAGE");
    assert!(!bench.path("A.draft").exists());
}

#[test]
fn an_empty_folder_is_no_release_and_one_file_is() {
    let bench = Bench::new();
    fs::create_dir(bench.path("t")).unwrap();
    build(&bench).fails(1, "E_TREE_EMPTY");
    fs::remove_dir(bench.path("t")).unwrap();
    bench.write("t", "only one");
    let built = build(&bench).ok().json();
    assert_eq!(built["total_bytes"], 8);
}

#[test]
fn ids_and_lines_of_other_characters_are_refused_with_a_hint() {
    let bench = Bench::new();
    bench.tree("t", 1);
    for (id, line) in [
        ("A/B", "desktop"),
        ("../A", "desktop"),
        ("A", "Desk top"),
        ("A", ""),
    ] {
        let arguments = ["release", "build", "t", "--id", id, "--line", line];
        let refused = bench.run(&arguments).fails(2, "E_USAGE");
        assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    }
}

#[test]
fn an_interrupted_build_is_not_in_the_way_of_the_next() {
    let bench = Bench::new();
    bench.write("t/large", crate::support::noise(30_000_000, 3));
    let scratch = bench.path(".A.draft.new");
    let started = ["release", "build", "t", "--id", "A", "--line", "desktop"];
    let mut child = bench.command().args(started).spawn().unwrap();
    let begun = || fs::read_dir(&scratch).is_ok_and(|mut files| files.next().is_some());
    while !begun() {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::yield_now();
    }
    let second = build(&bench);
    second.fails(11, "E_BUSY");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        !bench.path("A.draft").exists(),
        "it appears when it is whole"
    );
    assert!(begun(), "a killed run cannot clear up");

    bench.write("t/large", "small");
    build(&bench).ok();
    assert!(bench.path("A.draft/draft.json").exists());
    assert!(!scratch.exists());
    build(&bench).fails(1, "E_EXISTS");
}
