//! The whole way from an empty folder to a verified repository.

use std::fs;

use crate::support::{Bench, PASSPHRASE, all_files};

#[test]
fn the_whole_ceremony_with_two_of_three_signers() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    let built = bench.build("payload", "KB-1").ok();
    assert!(
        built.stdout.contains("statement version 1"),
        "{}",
        built.stdout
    );

    bench.verify("KB-1.draft").fails(12, "E_SIG_THRESHOLD");
    let signed = bench.sign("KB-1.draft", "key-1", "KB-1\n").ok();
    for shown in ["+ release KB-1", "CVE-2026-1234", "critical", "3 files"] {
        assert!(
            signed.stderr.contains(shown),
            "{shown} not in {}",
            signed.stderr
        );
    }
    let refused = bench.run(&["assemble", "KB-1.draft", "key-1.sig"]);
    let refused = refused.fails(12, "E_SIG_THRESHOLD");
    for shown in ["1 of 2", "signed by key-1", "key-2", "key-3"] {
        assert!(
            refused.stderr.contains(shown),
            "{shown} not in {}",
            refused.stderr
        );
    }
    bench.publish(&["KB-1.draft"]).fails(12, "E_SIG_THRESHOLD");

    bench.sign("KB-1.draft", "key-3", "KB-1\n").ok();
    bench
        .run(&["assemble", "KB-1.draft", "key-3.sig", "key-1.sig"])
        .ok();
    bench.verify("KB-1.draft").ok();
    bench.publish(&["KB-1.draft"]).ok();
    let verified = bench.verify("repo").ok();
    assert!(
        verified.stdout.contains("release desktop/KB-1"),
        "{}",
        verified.stdout
    );
}

#[test]
fn a_second_release_shows_the_difference_and_moves_every_version() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft"]).ok();
    bench.write("payload/etc/conf", "level = 2\n");
    bench.write("payload/new", "new");
    bench.build("payload", "KB-2").ok();
    let shown = bench.run(&[
        "sign",
        "KB-2.draft",
        "--key",
        "file:ceremony/key-1.pem",
        "--dry-run",
    ]);
    let shown = shown.ok().stderr;
    for line in [
        "+ release KB-2",
        "keeps release: KB-1",
        "~ file etc/conf",
        "+ file new",
    ] {
        assert!(shown.contains(line), "{line} not in {shown}");
    }
    assert!(!shown.contains("bin/tool"), "{shown}");
    bench.sign("KB-2.draft", "key-1", "KB-2\n").ok();
    bench.sign("KB-2.draft", "key-2", "KB-2\n").ok();
    bench
        .run(&["assemble", "KB-2.draft", "key-1.sig", "key-2.sig"])
        .ok();
    let published = bench.publish(&["KB-2.draft", "--json"]).ok().json();
    assert_eq!(published["timestamp"], 3);
    assert_eq!(published["snapshot"], 3);
    assert_eq!(published["published"][0]["version"], 2);
    assert_eq!(published["releases"].as_array().unwrap().len(), 2);
    bench.verify("repo").ok();
}

/// Runs the command behind "next: ", word by word as it was printed.
fn follow(bench: &Bench, said: &str) {
    let next = said
        .lines()
        .find_map(|line| line.strip_prefix("next: patchmesh "));
    let next = next.unwrap_or_else(|| panic!("no command in {said}"));
    assert!(!next.contains(['\'', '"']), "{next}");
    let words: Vec<&str> = next.split(' ').collect();
    bench
        .run(&[&words[..], &["--passphrase-file", "pass"]].concat())
        .ok();
}

#[test]
fn the_command_that_assemble_prints_runs_as_it_is() {
    // The first release, into a repository that is not there yet.
    let bench = Bench::published();
    fs::remove_dir_all(bench.path("repo")).unwrap();
    bench.tree("payload", 1);
    let pass = ["--passphrase-file", "pass"];
    let build = |id: &str, ground: &[&str]| {
        let words = [
            "release", "build", "payload", "--line", "desktop", "--id", id,
        ];
        bench.run(&[&words[..], ground].concat()).ok();
        let draft = format!("{id}.draft");
        for key in ["key-1", "key-3"] {
            let (key, out) = (
                format!("file:ceremony/{key}.pem"),
                format!("{id}.{key}.sig"),
            );
            let words = ["sign", &draft, "--key", &key, "--out", &out];
            bench
                .run_with(&[&words[..], &pass].concat(), &format!("{id}\n"))
                .ok();
        }
        let signatures = ["key-1", "key-3"].map(|key| format!("{id}.{key}.sig"));
        bench
            .run(&["assemble", &draft, &signatures[0], &signatures[1]])
            .ok()
    };
    let first = build("KB-1", &["--authority", "ceremony"]);
    let says = "publish ceremony KB-1.draft --repository repo --key file:ceremony/online.key";
    assert!(first.stderr.contains(says), "{}", first.stderr);
    follow(&bench, &first.stderr);
    // The next one, on top of it.
    let second = build("KB-2", &["--repository", "repo"]);
    let says = "publish KB-2.draft --repository repo --key file:ceremony/online.key";
    assert!(second.stderr.contains(says), "{}", second.stderr);
    follow(&bench, &second.stderr);
    // Where the online key is not, no command would run, so none is printed.
    fs::remove_file(bench.path("ceremony/online.key")).unwrap();
    let third = build("KB-3", &["--repository", "repo"]);
    assert!(
        third.stderr.contains("whoever has the repository"),
        "{}",
        third.stderr
    );
    assert!(
        !third.stderr.contains("next: patchmesh"),
        "{}",
        third.stderr
    );
}

#[test]
fn a_renewal_moves_the_timestamp_and_half_way_the_snapshot_too() {
    let bench = Bench::published();
    let before = all_files(&bench.path("repo/metadata"));
    let renewed = bench.publish(&["--json"]).ok().json();
    assert_eq!(renewed["timestamp"], 2);
    assert_eq!(renewed["published"].as_array().unwrap().len(), 0);
    assert_eq!(renewed["snapshot"], 1);
    let after = all_files(&bench.path("repo/metadata"));
    assert_eq!(after.len(), before.len(), "no new snapshot");
    bench.verify("repo").ok();
    let renewed = bench.publish(&["--json", "--snapshot-expires", "14"]);
    assert_eq!(renewed.ok().json()["snapshot"], 2);
    let after = all_files(&bench.path("repo/metadata"));
    assert_eq!(after.len(), before.len() + 1, "one new snapshot");
    bench.verify("repo").ok();
}

#[test]
fn a_snapshot_that_a_crash_left_behind_is_not_written_again() {
    let bench = Bench::published();
    bench.write("repo/metadata/9.snapshot.json", "left behind");
    let renewed = bench.publish(&["--json", "--snapshot-expires", "14"]);
    let renewed = renewed.ok().json();
    assert_eq!(renewed["snapshot"], 10);
    assert_eq!(renewed["timestamp"], 2);
    bench.verify("repo").ok();
}

#[test]
fn people_who_keep_their_keys_sign_root_and_targets_as_drafts() {
    let bench = Bench::new();
    let pass = ["--passphrase-file", "pass"];
    for name in ["ann", "bob"] {
        let out = format!("{name}.pem");
        bench
            .run(&[&["key", "new", "--out", &out][..], &pass].concat())
            .ok();
    }
    let init = [
        "root", "init", "--out", "c", "--public", "ann.pub", "--public", "bob.pub",
    ];
    bench.run(&[&init[..], &pass].concat()).ok();
    let mut said = String::new();
    for draft in ["root", "targets"] {
        let folder = format!("c/{draft}.draft");
        for name in ["ann", "bob"] {
            let (key, out) = (format!("file:{name}.pem"), format!("{draft}-{name}.sig"));
            let looked = ["sign", &folder, "--key", &key, "--dry-run", "--json"];
            let looked = bench.run(&looked).ok().json();
            let word = looked["statement"].as_str().unwrap()[..8].to_owned() + "\n";
            let sign = ["sign", &folder, "--key", &key, "--out", &out];
            bench.run_with(&[&sign[..], &pass].concat(), &word).ok();
        }
        let (ann, bob) = (format!("{draft}-ann.sig"), format!("{draft}-bob.sig"));
        let mut assemble = vec!["assemble", &folder, &ann, &bob];
        if draft == "targets" {
            assemble.extend(["--root", "c/root.draft/signed.json"]);
        }
        said.push_str(&bench.run(&assemble).ok().stderr);
    }
    // The first names what is missing, the second the command.
    assert!(said.contains("c/targets.draft has to be signed"), "{said}");
    let says = "c/root.draft c/targets.draft --repository repo --key file:c/online.key";
    assert!(said.contains(says), "{said}");
    follow(&bench, &said);
    let root = "c/root.draft/signed.json";
    bench.run(&["verify", "repo", "--root", root]).ok();
}

#[test]
fn a_fourth_active_release_needs_one_to_be_dropped() {
    let bench = Bench::published();
    bench.write("payload/f", "x");
    for id in ["KB-2026-1", "KB-2026-2", "KB-2026-3"] {
        bench.assembled("payload", id);
        bench.publish(&[&format!("{id}.draft")]).ok();
    }
    let refused = bench
        .build("payload", "KB-2026-4")
        .fails(1, "E_STATEMENT_TOO_LARGE");
    assert!(refused.stderr.contains("--drop"), "{}", refused.stderr);
    assert!(
        !bench.path("KB-2026-4.draft").exists(),
        "nothing stays of a failed build"
    );
    let build = [
        "release",
        "build",
        "payload",
        "--id",
        "KB-2026-4",
        "--line",
        "desktop",
    ];
    let options = ["--repository", "repo", "--drop", "KB-2026-1"];
    bench.run(&[&build[..], &options].concat()).ok();
    let shown = bench
        .sign("KB-2026-4.draft", "key-1", "KB-2026-4\n")
        .ok()
        .stderr;
    assert!(shown.contains("- release KB-2026-1"), "{shown}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    let before = all_files(&bench.path(""));
    let pass = ["--passphrase-file", "pass"];
    let build = [
        "release", "build", "payload", "--id", "KB-9", "--line", "desktop",
    ];
    let key = "file:ceremony/online.key";
    let publish = [
        "publish",
        "KB-1.draft",
        "--repository",
        "repo",
        "--key",
        key,
    ];
    for verb in [
        &["root", "init", "--out", "other"][..],
        &["key", "new", "--out", "k.pem"],
        &[&build[..], &["--repository", "repo"]].concat(),
        &["sign", "KB-1.draft", "--key", "file:ceremony/key-2.pem"],
        &["assemble", "KB-1.draft", "key-1.sig", "key-3.sig"],
        &[&publish[..], &pass].concat(),
    ] {
        let ran = bench.run(&[verb, &["--dry-run", "--json"]].concat()).ok();
        assert_eq!(ran.json()["dry_run"], true, "{verb:?}");
    }
    assert_eq!(all_files(&bench.path("")), before);
}

#[test]
fn secrets_are_in_no_file_but_their_own() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    for (path, bytes) in all_files(&bench.path("")) {
        let found = bytes
            .windows(PASSPHRASE.len())
            .any(|window| window == PASSPHRASE.as_bytes());
        assert_eq!(found, path.ends_with("pass"), "{}", path.display());
    }
    let repo = all_files(&bench.path("repo"));
    let key = b"PRIVATE KEY";
    assert!(
        repo.iter()
            .all(|(_, bytes)| !bytes.windows(key.len()).any(|w| w == key))
    );
    assert!(fs::metadata(bench.path("repo/metadata/timestamp.json")).is_ok());
}

#[test]
fn a_line_that_nobody_may_sign_for_is_refused_before_it_is_built() {
    let bench = Bench::published();
    bench.tree("t", 1);
    for ground in [["--repository", "repo"], ["--authority", "ceremony"]] {
        let build = ["release", "build", "t", "--id", "A", "--line", "desktopp"];
        let refused = bench.run(&[&build[..], &ground].concat());
        let refused = refused.fails(12, "E_TRUST_NOT_DELEGATED");
        assert!(
            refused.stderr.contains("delegated: release/desktop"),
            "{}",
            refused.stderr
        );
        assert!(!bench.path("A.draft").exists());
    }
}
