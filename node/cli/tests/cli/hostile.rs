//! Tampered drafts, foreign keys, used versions: exit 12.

use std::fs;

use crate::support::{Bench, all_files};

fn flip(bench: &Bench, name: &str, at: usize) {
    let path = bench.path(name);
    let mut bytes = fs::read(&path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn assembled() -> Bench {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench
}

#[test]
fn a_changed_index_is_refused_by_every_verb() {
    let bench = assembled();
    flip(&bench, "KB-1.draft/index.bin", 40);
    bench
        .sign("KB-1.draft", "key-2", "KB-1\n")
        .fails(12, "E_TAMPERED");
    let assemble = ["assemble", "KB-1.draft", "key-1.sig", "key-3.sig"];
    bench.run(&assemble).fails(12, "E_TAMPERED");
    bench.verify("KB-1.draft").fails(12, "E_TAMPERED");
    bench.publish(&["KB-1.draft"]).fails(12, "E_TAMPERED");
}

#[test]
fn a_changed_pack_is_never_published() {
    let bench = assembled();
    let before = fs::read(bench.path("repo/metadata/timestamp.json")).unwrap();
    flip(&bench, "KB-1.draft/pack.bin", 1000);
    bench.verify("KB-1.draft").fails(12, "E_TAMPERED");
    bench.publish(&["KB-1.draft"]).fails(12, "E_TAMPERED");
    let after = fs::read(bench.path("repo/metadata/timestamp.json")).unwrap();
    assert_eq!(before, after);
    let left = all_files(&bench.path("repo/packs"));
    assert!(left.is_empty(), "no pack, and no scratch file");
    bench.verify("repo").ok();
}

#[test]
fn a_pack_that_stayed_behind_is_asked_for() {
    let bench = assembled();
    fs::remove_file(bench.path("KB-1.draft/pack.bin")).unwrap();
    bench.verify("KB-1.draft").ok();
    bench.publish(&["KB-1.draft"]).fails(1, "E_NO_PACK");
}

#[test]
fn a_statement_changed_after_signing_fits_no_signature() {
    let bench = assembled();
    let path = bench.path("KB-1.draft/statement.json");
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replace("\"sev\":\"critical\"", "\"sev\":\"low\"");
    assert_ne!(text, changed);
    fs::write(&path, changed).unwrap();
    let assemble = ["assemble", "KB-1.draft", "key-1.sig", "key-3.sig"];
    bench.run(&assemble).fails(12, "E_");
    bench.publish(&["KB-1.draft"]).fails(12, "E_TAMPERED");
}

#[test]
fn a_changed_signature_is_named() {
    let bench = assembled();
    let text = fs::read_to_string(bench.path("key-1.sig")).unwrap();
    let at = text.find("\"sig\":\"").unwrap() + 7;
    let other = if &text[at..=at] == "0" { "1" } else { "0" };
    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    fs::write(bench.path("key-1.sig"), changed).unwrap();
    let assemble = ["assemble", "KB-1.draft", "key-1.sig", "key-3.sig"];
    let refused = bench.run(&assemble).fails(12, "E_SIG_BAD");
    assert!(refused.stderr.contains("key-1"), "{}", refused.stderr);
}

#[test]
fn a_signature_of_another_release_is_refused() {
    let bench = assembled();
    bench.build("payload", "KB-2").ok();
    let assemble = ["assemble", "KB-2.draft", "key-1.sig", "key-3.sig"];
    bench.run(&assemble).fails(12, "E_OTHER_STATEMENT");
}

#[test]
fn one_signature_twice_counts_once() {
    let bench = assembled();
    fs::remove_file(bench.path("KB-1.draft/signed.json")).unwrap();
    let assemble = ["assemble", "KB-1.draft", "key-1.sig", "key-1.sig"];
    bench.run(&assemble).fails(12, "E_SIG_THRESHOLD");
}

#[test]
fn the_online_key_signs_no_release_and_a_persons_key_no_timestamp() {
    let bench = assembled();
    let pass = ["--passphrase-file", "pass"];
    let sign = ["sign", "KB-1.draft", "--key", "file:ceremony/online.key"];
    let refused = bench.run_with(&[&sign[..], &pass].concat(), "KB-1\n");
    refused.fails(12, "E_SIG_UNKNOWN_KEY");
    let key = "file:ceremony/key-1.pem";
    let publish = [
        "publish",
        "KB-1.draft",
        "--repository",
        "repo",
        "--key",
        key,
    ];
    let refused = bench.run(&[&publish[..], &pass].concat());
    refused.fails(12, "E_SIG_UNKNOWN_KEY");
}

#[test]
fn another_id_typed_signs_nothing() {
    let bench = assembled();
    for typed in ["KB-2\n", "y\n", "yes\n", "\n", ""] {
        bench
            .sign("KB-1.draft", "key-2", typed)
            .fails(1, "E_NOT_CONFIRMED");
    }
    assert!(!bench.path("key-2.sig").exists());
}

#[test]
fn a_version_that_the_repository_holds_is_refused() {
    let bench = assembled();
    fs::rename(bench.path("KB-1.draft"), bench.path("first.draft")).unwrap();
    bench.write("payload/other", "other");
    bench.assembled("payload", "KB-1b");
    bench.publish(&["first.draft"]).ok();
    bench.publish(&["KB-1b.draft"]).fails(12, "E_VERSION_HELD");
    bench.publish(&["first.draft"]).ok();
    bench.verify("repo").ok();
}

#[test]
fn a_foreign_root_opens_nothing() {
    let bench = assembled();
    bench.publish(&["KB-1.draft"]).ok();
    let init = [
        "root",
        "init",
        "--out",
        "foreign",
        "--passphrase-file",
        "pass",
    ];
    bench.run(&init).ok();
    let root = ["--root", "foreign/root.json"];
    bench
        .run(&[&["verify", "repo"][..], &root].concat())
        .fails(12, "E_SIG");
    bench
        .run(&[&["verify", "KB-1.draft"][..], &root].concat())
        .fails(12, "E_");
    bench.publish(&["foreign"]).fails(12, "E_VERSION_HELD");
}

#[test]
fn a_changed_repository_does_not_verify() {
    for name in ["packs", "targets", "metadata"] {
        let bench = assembled();
        bench.publish(&["KB-1.draft"]).ok();
        let mut files = all_files(&bench.path("repo").join(name));
        files.retain(|(path, _)| !path.ends_with("1.root.json"));
        files.sort();
        let (path, mut bytes) = files.pop().unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let refused = bench.verify("repo");
        assert_eq!(refused.code, 12, "{}: {}", path.display(), refused.stderr);
    }
}

#[test]
fn the_lock_of_another_run_ends_with_busy() {
    let bench = assembled();
    let lock = fs::File::options()
        .write(true)
        .open(bench.path("repo/.lock"))
        .unwrap();
    lock.lock().unwrap();
    bench.publish(&["KB-1.draft"]).fails(11, "E_BUSY");
    // Not dropped: a program that another test starts may have a copy of it.
    lock.unlock().unwrap();
    bench.publish(&["KB-1.draft"]).ok();
}

#[test]
fn a_signature_replaces_a_signature_and_nothing_else() {
    let bench = assembled();
    bench.sign("KB-1.draft", "key-1", "KB-1\n").ok();
    let sign = |out: &str| {
        let key = ["sign", "KB-1.draft", "--key", "file:ceremony/key-2.pem"];
        let rest = ["--passphrase-file", "pass", "--out", out];
        bench.run_with(&[&key[..], &rest].concat(), "KB-1\n")
    };
    let key = fs::read(bench.path("ceremony/key-1.pem")).unwrap();
    std::os::unix::fs::symlink("nowhere", bench.path("dangling")).unwrap();
    for out in ["ceremony/key-1.pem", "payload", "dangling"] {
        sign(out).fails(1, "E_EXISTS");
    }
    assert_eq!(fs::read(bench.path("ceremony/key-1.pem")).unwrap(), key);
    sign("key-1.sig").ok();
}

#[test]
fn a_folder_of_other_files_becomes_no_repository() {
    let bench = assembled();
    bench.write("mounted/lost+found/x", "");
    let key = ["--key", "file:ceremony/online.key"];
    let pass = ["--passphrase-file", "pass", "--repository"];
    let publish = |into: &str| {
        let what = ["publish", "ceremony", "KB-1.draft"];
        bench.run(&[&what[..], &key, &pass, &[into]].concat())
    };
    let before = all_files(&bench.path("payload"));
    publish("payload").fails(1, "E_NOT_A_REPOSITORY");
    assert_eq!(all_files(&bench.path("payload")), before);
    publish("mounted").ok();
}

#[test]
fn control_characters_of_a_name_never_reach_the_terminal() {
    let bench = assembled();
    let names = bench.path("KB-1.draft/names.json");
    let text = fs::read_to_string(&names).unwrap();
    let hostile = text.replace("key-2", "\\u001b[2Jkey\\u202e-2");
    fs::write(&names, hostile).unwrap();
    let refused = bench.run(&["assemble", "KB-1.draft", "key-1.sig"]);
    let refused = refused.fails(12, "E_SIG_THRESHOLD");
    assert!(!refused.stderr.contains('\u{1b}') && !refused.stderr.contains('\u{202e}'));
    assert!(
        refused.stderr.contains("\\u{1b}[2Jkey\\u{202e}-2"),
        "{}",
        refused.stderr
    );
}

#[test]
fn names_that_cannot_be_read_are_told_and_stop_nobody() {
    let bench = assembled();
    bench.write("KB-1.draft/names.json", "{\"a\":");
    let names = "names.json holds no names of keys";
    let root = ["--root", "ceremony/root.json"];
    let look = ["verify", "KB-1.draft"];
    let looked = bench.run(&[&look[..], &root].concat()).ok();
    assert_eq!(looked.stderr.matches(names).count(), 1, "{}", looked.stderr);
    let sign = ["sign", "KB-1.draft", "--key", "file:ceremony/key-1.pem"];
    let looked = bench.run(&[&sign[..], &["--dry-run"]].concat()).ok();
    assert_eq!(looked.stderr.matches(names).count(), 1, "{}", looked.stderr);
    // What stands in the repository is not written over.
    bench.write("repo/names.json", "{\"b\":");
    let published = bench.publish(&["KB-1.draft"]).ok();
    for folder in ["KB-1.draft", "repo"] {
        let note = format!("{folder}/{names}");
        let count = published.stderr.matches(&note).count();
        assert_eq!(count, 1, "{}", published.stderr);
    }
    let left = fs::read_to_string(bench.path("repo/names.json")).unwrap();
    assert_eq!(left, "{\"b\":");
}

/// Whatever is given as a proof: no panic, a stable id, exit 12.
#[test]
fn a_proof_that_is_none_is_refused() {
    let bench = Bench::published();
    let timestamp = fs::read(bench.path("repo/metadata/timestamp.json")).unwrap();
    for (bytes, id) in [
        (Vec::new(), "E_TRUST_MALFORMED"),
        (b"no proof".to_vec(), "E_TRUST_MALFORMED"),
        (timestamp, "E_TRUST_MALFORMED"),
        (vec![0x1a; 3 << 20], "E_TRUST_TOO_LARGE"),
    ] {
        bench.write("p.proof", bytes);
        let verify = ["verify-proof", "p.proof", "--root", "ceremony/root.json"];
        bench.run(&verify).fails(12, id);
    }
}
