//! Backups: complete, without plain keys, and proved by restoring.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Bench, all_files};

const PASS: [&str; 2] = ["--passphrase-file", "pass"];

#[test]
fn a_ceremony_comes_back_byte_for_byte_and_every_key_opens() {
    let bench = Bench::published();
    bench.write("ceremony/notes.txt", "not part of it");
    let created = bench
        .run(&["backup", "create", "ceremony", "--out", "c.backup"])
        .ok();
    assert!(
        created.stdout.contains("left out: notes.txt"),
        "{}",
        created.stdout
    );
    let verify = ["backup", "verify", "c.backup", "--against", "ceremony"];
    let verified = bench
        .run(&[&verify[..], &PASS, &["--json"]].concat())
        .ok()
        .json();
    let files = verified["files"].as_array().unwrap();
    let key = |name: &str| files.iter().find(|file| file["name"] == name).unwrap();
    for name in ["key-1.pem", "key-2.pem", "key-3.pem"] {
        assert_eq!(key(name)["state"], "opened", "{name}");
        assert_eq!(
            key(name)["roles"].to_string(),
            r#"["root","targets","release/desktop"]"#
        );
    }
    assert_eq!(
        key("online.key")["roles"].to_string(),
        r#"["snapshot","timestamp"]"#
    );

    bench
        .run(&["backup", "restore", "c.backup", "--out", "again"])
        .ok();
    let strip = |name: &str| {
        let folder = bench.path(name);
        let all = all_files(&folder).into_iter();
        let all = all.map(|(path, bytes)| (path.strip_prefix(&folder).unwrap().to_owned(), bytes));
        all.filter(|(path, _)| !path.ends_with("notes.txt"))
            .collect::<Vec<_>>()
    };
    assert_eq!(strip("again"), strip("ceremony"));
    let mode = |name: &str| fs::metadata(bench.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("again"), mode("again/key-1.pem")), (0o700, 0o600));
    assert_eq!(mode("c.backup"), 0o600);
    let left = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let own = left.filter(|entry| entry.path().join("online.key").exists());
    assert_eq!(own.count(), 0, "the scratch folder is left");
}

#[test]
fn a_damaged_or_hostile_backup_is_refused() {
    let bench = Bench::published();
    bench
        .run(&["backup", "create", "ceremony", "--out", "c.backup"])
        .ok();
    let text = fs::read_to_string(bench.path("c.backup")).unwrap();
    let verify = |name: &str| bench.run(&[&["backup", "verify", name][..], &PASS].concat());
    let restore = |name: &str| bench.run(&["backup", "restore", name, "--out", "r"]);

    let at = text.find("\"hex\": \"").unwrap() + 20;
    let flipped = if text.as_bytes()[at] == b'0' {
        "1"
    } else {
        "0"
    };
    let mut flip = text.clone();
    flip.replace_range(at..=at, flipped);
    bench.write("flip.backup", flip);
    verify("flip.backup").fails(1, "E_BACKUP_DAMAGED");
    restore("flip.backup").fails(1, "E_BACKUP_DAMAGED");
    bench.write("cut.backup", &text[..text.len() / 2]);
    verify("cut.backup").fails(1, "E_NOT_A_BACKUP");
    for name in ["../root.json", "/root.json", ".ssh/root.json", "key-2.pem"] {
        bench.write(
            "evil.backup",
            text.replace("\"root.json\"", &format!("\"{name}\"")),
        );
        restore("evil.backup").fails(1, "E_BACKUP_DAMAGED");
        verify("evil.backup").fails(1, "E_BACKUP_DAMAGED");
    }
    assert!(!bench.path("r").exists() && !bench.path("root.json").exists());

    bench.write_secret("wrong", "another passphrase");
    let wrong = ["backup", "verify", "c.backup", "--passphrase-file", "wrong"];
    bench.run(&wrong).fails(1, "E_PASSPHRASE");
    let skip = ["key-1.pem", "key-2.pem", "key-3.pem", "online.key"];
    let skip = skip.map(|name| ["--skip-key", name]).concat();
    let skipped = bench.run(&[&wrong[..], &skip].concat()).ok();
    assert!(skipped.stdout.contains("not opened"), "{}", skipped.stdout);
    bench.write("ceremony/names.json", "{}");
    let against = ["backup", "verify", "c.backup", "--against", "ceremony"];
    bench
        .run(&[&against[..], &PASS].concat())
        .fails(1, "E_BACKUP_DIFFERS");
}

#[test]
fn a_plain_key_gets_into_no_backup() {
    let bench = Bench::published();
    let plain = "-----BEGIN PRIVATE KEY-----\nMC4CAQA=\n-----END PRIVATE KEY-----\n";
    bench.write_secret("ceremony/plain.pem", plain);
    let create = ["backup", "create", "ceremony", "--out", "c.backup"];
    bench.run(&create).fails(1, "E_KEY_PLAIN");
    assert!(!bench.path("c.backup").exists());
}

#[test]
fn a_folder_with_more_than_a_ceremony_is_no_backup() {
    let bench = Bench::published();
    let create = ["backup", "create", "ceremony", "--out", "c.backup"];
    for name in ["a", "b"] {
        bench.write(&format!("ceremony/{name}.json"), vec![b' '; 5 << 20]);
    }
    let refused = bench.run(&create).fails(1, "E_BACKUP_TOO_LARGE");
    assert!(refused.stderr.contains("move away"), "{}", refused.stderr);
    assert!(!bench.path("c.backup").exists());
    fs::remove_file(bench.path("ceremony/b.json")).unwrap();
    bench.run(&create).ok();
}
