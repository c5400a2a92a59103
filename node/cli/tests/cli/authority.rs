//! Changes of a living network: rotation, a lost key, another line, renewal.

use std::fs;

use serde_json::Value;

use crate::support::{Bench, Ran, all_files};

const PASS: [&str; 2] = ["--passphrase-file", "pass"];
const REPO: [&str; 2] = ["--repository", "repo"];

/// A key of a person, beside the ceremony's.
fn new_key(bench: &Bench, name: &str) {
    let out = format!("ceremony/{name}.pem");
    bench
        .run(&[&["key", "new", "--out", &out][..], &PASS].concat())
        .ok();
}

/// Signs a draft of an authority's document with these keys, and gives the
/// signature files.
fn signed(bench: &Bench, draft: &str, keys: &[&str], options: &[&str]) -> Vec<String> {
    let looked = [
        "sign",
        draft,
        "--key",
        "file:ceremony/key-3.pem",
        "--dry-run",
        "--json",
    ];
    let looked = bench.run(&[&looked[..], options].concat()).ok().json();
    let word = looked["statement"].as_str().unwrap()[..8].to_owned() + "\n";
    let sign = |key: &&str| {
        let spec = format!("file:ceremony/{key}.pem");
        let out = format!("{}-{key}.sig", draft.replace('/', "-"));
        let arguments = ["sign", draft, "--key", &spec, "--out", &out];
        bench
            .run_with(&[&arguments[..], &PASS, options].concat(), &word)
            .ok();
        out
    };
    keys.iter().map(sign).collect()
}

fn assemble(bench: &Bench, draft: &str, signatures: &[String], options: &[&str]) -> Ran {
    let mut arguments = vec!["assemble", draft];
    arguments.extend(signatures.iter().map(String::as_str));
    bench.run(&[&arguments[..], options].concat())
}

/// Signs and assembles; gives what is said about the next step.
fn done(bench: &Bench, draft: &str, keys: &[&str]) -> String {
    let signatures = signed(bench, draft, keys, &[]);
    assemble(bench, draft, &signatures, &[]).ok().stderr
}

/// Runs a command word by word as it was printed.
fn follow(bench: &Bench, command: &str) -> Ran {
    let words = command.strip_prefix("patchmesh ").unwrap_or_else(|| {
        panic!("no command: {command}");
    });
    let words: Vec<&str> = words.split_whitespace().collect();
    bench.run(&[&words[..], &PASS].concat())
}

fn shown(bench: &Bench) -> Value {
    bench.run(&["root", "show", "repo", "--json"]).ok().json()
}

fn names_of(root: &Value, role: &str) -> String {
    let roles = root["roles"].as_array().unwrap();
    let role = roles.iter().find(|one| one["role"] == role).unwrap();
    let names = role["names"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|name| name.as_str().unwrap()).collect();
    let names = names.iter().map(|name| name.split(' ').next().unwrap());
    format!(
        "{} of {}",
        role["threshold"],
        names.collect::<Vec<_>>().join(",")
    )
}

#[test]
fn a_rotation_is_signed_by_both_sides_and_says_who_is_missing_on_which() {
    let bench = Bench::published();
    new_key(&bench, "dan");
    let rotate = [
        "root",
        "rotate",
        "--remove",
        "root=key-1",
        "--add",
        "root,targets=ceremony/dan.pub",
        "--threshold",
        "root=3",
    ];
    let drafted = bench.run(&[&rotate[..], &REPO].concat()).ok();
    for line in [
        "+ key dan",
        "- key key-1",
        "~ threshold 3 of 3 for root (was 2 of 3)",
        "the root before: 2 of",
        "the new root: 3 of",
        "~ expires",
    ] {
        assert!(
            drafted.stdout.contains(line),
            "{line} not in {}",
            drafted.stdout
        );
    }
    let draft = "root-2.draft";
    let one = signed(&bench, draft, &["key-3"], &[]);
    let refused = assemble(&bench, draft, &one, &[]).fails(12, "E_SIG_THRESHOLD");
    for line in [
        "root 1: 1 of 2",
        "root 2: 1 of 3",
        "missing: 2 out of",
        "dan",
    ] {
        assert!(
            refused.stderr.contains(line),
            "{line} not in {}",
            refused.stderr
        );
    }
    // All of the new side, and one of the old too few.
    new_key(&bench, "eve");
    let stranger = ["sign", draft, "--key", "file:ceremony/eve.pem"];
    let word = bench.run(&[&stranger[..], &["--dry-run", "--json"]].concat());
    let word = word.ok().json()["statement"].as_str().unwrap()[..8].to_owned();
    bench
        .run_with(&[&stranger[..], &PASS].concat(), &format!("{word}\n"))
        .fails(12, "E_SIG_UNKNOWN_KEY");
    done(&bench, draft, &["key-2", "key-3", "dan"]);
    bench.publish(&[draft]).ok();
    let verified = bench.verify("repo").ok();
    assert!(
        verified.stdout.contains("root version 2"),
        "{}",
        verified.stdout
    );
    let root = shown(&bench);
    assert_eq!(root["version"], 2);
    assert!(names_of(&root, "root").starts_with("3 of "));
    assert!(!names_of(&root, "root").contains("key-1"));
}

#[test]
fn a_rotation_that_makes_no_sense_is_refused() {
    let bench = Bench::published();
    let rotate = |change: &[&str]| {
        let refused = bench.run(&[&["root", "rotate"][..], change, &REPO].concat());
        refused.fails(2, "E_USAGE").stderr
    };
    assert!(rotate(&[]).contains("renew root"));
    assert!(rotate(&["--threshold", "root=4"]).contains("4 of 3"));
    assert!(rotate(&["--threshold", "root=0"]).contains("0 of 3"));
    assert!(rotate(&["--remove", "root=nobody"]).contains("no key nobody"));
    let line = ["--add", "release/desktop=ceremony/key-1.pub"];
    assert!(rotate(&line).contains("patchmesh line rotate"));
    assert!(rotate(&["--threshold", "lines=1"]).contains("no role lines"));
    let online = ["--add", "root=ceremony/online.pub"];
    assert!(rotate(&online).contains("be an online key"));
    let twice = ["--add", "root=ceremony/key-1.pub"];
    assert!(rotate(&twice).contains("already"));
    assert!(!bench.path("root-2.draft").exists());
}

#[test]
fn a_lost_key_is_replaced_everywhere_by_those_who_are_left() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft"]).ok();
    new_key(&bench, "new-1");
    let replace = "key replace key-1 ceremony/new-1.pub --out lost";
    let replace: Vec<&str> = replace.split(' ').collect();
    let drafted = bench
        .run(&[&replace[..], &REPO, &["--json"]].concat())
        .ok()
        .json();
    let drafts: Vec<String> = drafted["drafts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|draft| draft["draft"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        drafts,
        [
            "lost/root.draft",
            "lost/targets.draft",
            "lost/release-desktop.draft"
        ],
        "the statement stood by the lost key and one other"
    );
    let notes = drafted["notes"].as_array().unwrap().last().unwrap();
    let (_, together) = notes.as_str().unwrap().split_once(": ").unwrap();
    let mut said = String::new();
    for draft in &drafts {
        said = done(&bench, draft, &["key-2", "key-3"]);
        assert_eq!(
            said.contains(together),
            draft == &drafts[2],
            "only the last one can be followed by a publication: {said}"
        );
    }
    assert!(said.contains(&format!("next: {together}\n")), "{said}");
    follow(&bench, together).ok();
    let verified = bench.verify("repo").ok();
    assert!(
        verified.stdout.contains("release desktop/KB-1"),
        "{}",
        verified.stdout
    );
    let root = shown(&bench);
    for role in ["root", "targets", "release/desktop"] {
        let names = names_of(&root, role);
        assert!(
            names.contains("new-1") && !names.contains("key-1,"),
            "{role}: {names}"
        );
    }
    // The lost key signs nothing any more, the new one does.
    bench.build("payload", "KB-2").ok();
    bench
        .sign("KB-2.draft", "key-1", "KB-2\n")
        .fails(12, "E_SIG_UNKNOWN_KEY");
    bench.sign("KB-2.draft", "new-1", "KB-2\n").ok();
    bench.sign("KB-2.draft", "key-3", "KB-2\n").ok();
    bench
        .run(&["assemble", "KB-2.draft", "new-1.sig", "key-3.sig"])
        .ok();
    bench.publish(&["KB-2.draft"]).ok();
    bench.verify("repo").ok();
}

#[test]
fn other_people_take_over_the_targets() {
    let bench = Bench::published();
    for name in ["ann", "bob"] {
        new_key(&bench, name);
    }
    let rotate = [
        "root",
        "rotate",
        "--add",
        "targets=ceremony/ann.pub",
        "--add",
        "targets=ceremony/bob.pub",
        "--remove",
        "targets=key-1",
        "--remove",
        "targets=key-2",
        "--remove",
        "targets=key-3",
    ];
    let drafted = bench.run(&[&rotate[..], &REPO].concat()).ok();
    assert!(
        drafted.stdout.contains("no longer stand"),
        "{}",
        drafted.stdout
    );
    done(&bench, "root-2.draft", &["key-1", "key-2"]);
    let before = all_files(&bench.path("repo"));
    bench
        .publish(&["root-2.draft"])
        .fails(12, "E_SIG_UNKNOWN_KEY");
    assert_eq!(
        all_files(&bench.path("repo")),
        before,
        "nothing was written"
    );

    let next = "root-2.draft/signed.json";
    let renew = ["renew", "targets", "--root", next];
    let drafted = bench.run(&[&renew[..], &REPO].concat()).ok();
    assert!(drafted.stdout.contains("~ expires"), "{}", drafted.stdout);
    let signatures = signed(&bench, "targets-2.draft", &["ann", "bob"], &[]);
    assemble(&bench, "targets-2.draft", &signatures, &[]).ok();
    bench.publish(&["root-2.draft", "targets-2.draft"]).ok();
    bench.verify("repo").ok();

    // A root before that did not sign the root is no ground for a difference.
    let draft = bench.path("targets-2.draft");
    fs::copy(draft.join("root.json"), draft.join("root-before.json")).unwrap();
    let sign = [
        "sign",
        "targets-2.draft",
        "--key",
        "file:ceremony/ann.pem",
        "--dry-run",
    ];
    assert_ne!(bench.run(&sign).code, 0);
}

#[test]
fn a_publication_of_another_online_key_that_was_cut_off_is_done_again() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft"]).ok();
    new_key(&bench, "online-2");
    let change = "online=ceremony/online-2.pub";
    let rotate = ["root", "rotate", "--replace", change];
    let drafted = bench.run(&[&rotate[..], &REPO].concat()).ok();
    assert!(
        drafted.stdout.contains("with the online key"),
        "{}",
        drafted.stdout
    );
    done(&bench, "root-2.draft", &["key-1", "key-2"]);
    bench
        .publish(&["root-2.draft"])
        .fails(12, "E_SIG_UNKNOWN_KEY");
    let signed = fs::read(bench.path("root-2.draft/signed.json")).unwrap();
    bench.write("repo/metadata/2.root.json", signed);
    let key = ["--key", "file:ceremony/online-2.pem"];
    let publish = ["publish", "root-2.draft", "--json"];
    let again = bench
        .run(&[&publish[..], &REPO, &key, &PASS].concat())
        .ok()
        .json();
    assert_eq!(again["root"], 2);
    assert_eq!(again["timestamp"], 3);
    assert_eq!(again["releases"][0], "desktop/KB-1");
    bench.verify("repo").ok();
}

#[test]
fn a_line_with_people_of_its_own_is_added_to_a_living_repository() {
    let bench = Bench::published();
    for name in ["sam", "sue"] {
        new_key(&bench, name);
    }
    bench.tree("payload", 1);
    let build = [
        "release", "build", "payload", "--id", "S-1", "--line", "server", "--level", "1",
    ];
    bench
        .run(&[&build[..], &REPO].concat())
        .fails(12, "E_TRUST_NOT_DELEGATED");
    let add = [
        "line",
        "add",
        "server",
        "--public",
        "ceremony/sam.pub",
        "--public",
        "ceremony/sue.pub",
        "--threshold",
        "2",
    ];
    let drafted = bench.run(&[&add[..], &REPO].concat()).ok();
    assert!(
        drafted.stdout.contains("+ line server"),
        "{}",
        drafted.stdout
    );
    assert!(drafted.stdout.contains("+ key sam"), "{}", drafted.stdout);
    done(&bench, "targets-2.draft", &["key-1", "key-3"]);
    bench.publish(&["targets-2.draft"]).ok();
    bench
        .run(&[&add[..], &REPO].concat())
        .fails(2, "there already");

    bench.run(&[&build[..], &REPO].concat()).ok();
    bench
        .sign("S-1.draft", "key-1", "S-1\n")
        .fails(12, "E_SIG_UNKNOWN_KEY");
    bench.sign("S-1.draft", "sam", "S-1\n").ok();
    bench.sign("S-1.draft", "sue", "S-1\n").ok();
    bench
        .run(&["assemble", "S-1.draft", "sam.sig", "sue.sig"])
        .ok();
    bench.publish(&["S-1.draft"]).ok();
    let verified = bench.verify("repo").ok();
    assert!(
        verified.stdout.contains("release server/S-1"),
        "{}",
        verified.stdout
    );

    other_people(&bench);
}

/// What one of the line's people alone is left to vouch for is signed again.
fn other_people(bench: &Bench) {
    let rotate = [
        "line",
        "rotate",
        "server",
        "--remove",
        "sue",
        "--add",
        "ceremony/key-2.pub",
    ];
    let drafted = bench.run(&[&rotate[..], &REPO].concat()).ok();
    assert!(
        drafted.stdout.contains("no longer stands"),
        "{}",
        drafted.stdout
    );
    done(bench, "targets-3.draft", &["key-1", "key-3"]);
    let next = ["--targets", "targets-3.draft/signed.json"];
    bench
        .run(&[&["renew", "release/server"][..], &REPO, &next].concat())
        .ok();
    done(bench, "server-2.draft", &["sam", "key-2"]);
    bench.publish(&["targets-3.draft", "server-2.draft"]).ok();
    let verified = bench.verify("repo").ok();
    assert!(
        verified.stdout.contains("release server/S-1"),
        "{}",
        verified.stdout
    );
}

#[test]
fn every_role_is_renewed_and_a_release_withdrawn() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft"]).ok();
    let listed = bench.run(&[&["renew"][..], &REPO].concat()).ok().stdout;
    for line in ["root", "timestamp", "release/desktop", "patchmesh publish"] {
        assert!(listed.contains(line), "{line} not in {listed}");
    }
    for (role, draft) in [
        ("root", "root-2.draft"),
        ("targets", "targets-2.draft"),
        ("release/desktop", "desktop-2.draft"),
    ] {
        let renew = ["renew", role, "--expires", "400"];
        let drafted = bench.run(&[&renew[..], &REPO].concat()).ok().stdout;
        assert!(drafted.contains("~ expires"), "{drafted}");
        done(&bench, draft, &["key-1", "key-2"]);
    }
    bench.verify("desktop-2.draft").ok();
    bench
        .publish(&["root-2.draft", "targets-2.draft", "desktop-2.draft"])
        .ok();
    let listed = bench.run(&[&["renew"][..], &REPO].concat()).ok().stdout;
    let renewed = listed.matches("399 d").count() + listed.matches("400 d").count();
    assert_eq!(renewed, 3, "{listed}");
    let online = bench.run(&[&["renew", "timestamp"][..], &REPO].concat());
    let online = online.fails(2, "online key").stderr;
    let hint = online.lines().find_map(|line| line.strip_prefix("hint: "));
    follow(&bench, hint.unwrap()).ok();
    for line in listed.lines().skip(1) {
        let at = line.find("patchmesh ").unwrap();
        let command = &line[at..];
        let drafts = command.starts_with("patchmesh renew ");
        let only = if drafts { " --dry-run" } else { "" };
        let words = format!("{command}{only}");
        let words: Vec<&str> = words.split(' ').skip(1).collect();
        let pass: &[&str] = if drafts { &[] } else { &PASS };
        bench.run(&[&words[..], pass].concat()).ok();
    }
    let drop = ["renew", "release/desktop", "--drop", "KB-1"];
    let dropped = bench.run(&[&drop[..], &REPO].concat()).ok().stdout;
    assert!(dropped.contains("- release KB-1"), "{dropped}");
    done(&bench, "desktop-3.draft", &["key-1", "key-2"]);
    let published = bench.publish(&["desktop-3.draft", "--json"]).ok().json();
    assert_eq!(published["releases"].as_array().unwrap().len(), 0);
}

/// T-51.
#[test]
fn a_release_cannot_be_hidden_from_its_signer_by_taking_its_index_away() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.build("payload", "KB-1").ok();
    fs::remove_file(bench.path("KB-1.draft/index.bin")).unwrap();
    bench
        .sign("KB-1.draft", "key-1", "KB-1\n")
        .fails(12, "E_TAMPERED");
    bench.verify("KB-1.draft").fails(12, "E_TAMPERED");
    // Nor by a forged statement before it that lists the release.
    let statement = fs::read(bench.path("KB-1.draft/statement.json")).unwrap();
    bench.write("KB-1.draft/previous.json", statement);
    bench
        .sign("KB-1.draft", "key-1", "KB-1\n")
        .fails(12, "E_SIG_THRESHOLD");
    fs::remove_file(bench.path("KB-1.draft/root.json")).unwrap();
    bench
        .sign("KB-1.draft", "key-1", "KB-1\n")
        .fails(1, "E_NO_AUTHORITY");
}
