//! Key files and passphrases.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::{Bench, PASSPHRASE};

fn new_key(bench: &Bench) {
    let arguments = ["key", "new", "--out", "k.pem", "--passphrase-file", "pass"];
    bench.run(&arguments).ok();
}

#[test]
fn a_key_file_is_encrypted_private_and_never_replaced() {
    let bench = Bench::new();
    new_key(&bench);
    let mode = fs::metadata(bench.path("k.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(bench.path("k.pem")).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let again = ["key", "new", "--out", "k.pem", "--passphrase-file", "pass"];
    bench.run(&again).fails(1, "E_EXISTS");
    let shown = bench.run(&["key", "show", "k.pem", "--json"]).ok().json();
    assert_eq!(shown["keyid"].as_str().unwrap().len(), 64);
    assert_eq!(shown["name"], "k");
}

#[test]
fn openssl_opens_a_key_file_and_finds_the_same_public_key() {
    let bench = Bench::new();
    new_key(&bench);
    let pass = format!("file:{}", bench.path("pass").display());
    let asked = Command::new("openssl")
        .args(["pkey", "-noout", "-text", "-passin", &pass, "-in"])
        .arg(bench.path("k.pem"))
        .output();
    let Ok(asked) = asked else {
        return; // no openssl on this machine: nothing to compare with
    };
    let text = String::from_utf8_lossy(&asked.stdout).replace([':', ' ', '\n'], "");
    let public: serde_json::Value =
        serde_json::from_slice(&fs::read(bench.path("k.pub")).unwrap()).unwrap();
    let public = public["key"]["keyval"]["public"].as_str().unwrap();
    assert!(
        text.contains(public),
        "{text} {}",
        String::from_utf8_lossy(&asked.stderr)
    );
}

#[test]
fn a_passphrase_may_come_from_a_descriptor() {
    let bench = Bench::new();
    let arguments = ["key", "new", "--out", "k.pem", "--passphrase-fd", "0"];
    bench.run_with(&arguments, &format!("{PASSPHRASE}\n")).ok();
    assert!(bench.path("k.pub").exists());
}

#[test]
fn an_open_passphrase_file_and_a_short_passphrase_are_refused() {
    let bench = Bench::new();
    bench.write("open", PASSPHRASE);
    fs::set_permissions(bench.path("open"), fs::Permissions::from_mode(0o644)).unwrap();
    let arguments = ["key", "new", "--out", "k.pem", "--passphrase-file"];
    let refused = bench.run(&[&arguments[..], &["open"]].concat());
    let refused = refused.fails(1, "E_SECRET_MODE");
    assert!(refused.stderr.contains("chmod 600"), "{}", refused.stderr);
    bench.write_secret("short", "seven77\n");
    let refused = bench.run(&[&arguments[..], &["short"]].concat());
    refused.fails(1, "E_PASSPHRASE");
    assert!(!bench.path("k.pem").exists());
}

#[test]
fn a_ceremony_with_a_bad_passphrase_leaves_nothing() {
    let bench = Bench::new();
    bench.write_secret("short", "seven77");
    let init = ["root", "init", "--out", "c", "--passphrase-file"];
    bench
        .run(&[&init[..], &["short"]].concat())
        .fails(1, "E_PASSPHRASE");
    assert!(!bench.path("c").exists());
    bench.run(&[&init[..], &["pass"]].concat()).ok();
}

#[test]
fn without_a_terminal_and_a_file_nothing_is_asked() {
    let bench = Bench::new();
    let refused = bench
        .run(&["key", "new", "--out", "k.pem"])
        .fails(2, "E_USAGE");
    assert!(
        refused.stderr.contains("--passphrase-file"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_wrong_passphrase_signs_nothing() {
    let bench = Bench::published();
    bench.write("payload/f", "x");
    bench.build("payload", "KB-1").ok();
    bench.write_secret("wrong", "incorrect horse");
    let key = "file:ceremony/key-1.pem";
    let sign = [
        "sign",
        "KB-1.draft",
        "--key",
        key,
        "--passphrase-file",
        "wrong",
    ];
    let refused = bench.run_with(&sign, "KB-1\n").fails(1, "E_PASSPHRASE");
    assert!(!refused.stderr.contains("incorrect horse"));
}

#[test]
fn a_plain_key_file_and_an_open_one_are_refused() {
    let bench = Bench::published();
    bench.write("payload/f", "x");
    bench.build("payload", "KB-1").ok();
    let plain =
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    bench.write_secret("plain.pem", plain);
    let pass = ["--passphrase-file", "pass"];
    let sign = ["sign", "KB-1.draft", "--key", "file:plain.pem"];
    bench
        .run_with(&[&sign[..], &pass].concat(), "KB-1\n")
        .fails(1, "E_KEY_PLAIN");
    let key = bench.path("ceremony/key-1.pem");
    fs::set_permissions(key, fs::Permissions::from_mode(0o640)).unwrap();
    bench
        .sign("KB-1.draft", "key-1", "KB-1\n")
        .fails(1, "E_SECRET_MODE");
}

/// Runs openssl in the folder; `None` where there is none.
fn openssl(bench: &Bench, arguments: &[&str]) -> Option<()> {
    let mut command = Command::new("openssl");
    let ran = command.current_dir(bench.path("")).args(arguments).output();
    ran.ok().map(|ran| assert!(ran.status.success(), "{ran:?}"))
}

/// A tool that signs its standard input with `NAME.key`.
fn write_tool(bench: &Bench, name: &str, command: &str) {
    let script = format!("#!/bin/sh\nset -e\ncat > {name}.in\n{command}\n");
    bench.write(name, script);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(bench.path(name), mode).unwrap();
}

#[test]
fn keys_behind_tools_hold_a_whole_ceremony() {
    let bench = Bench::new();
    let ed25519 = ["genpkey", "-algorithm", "ed25519", "-out", "ed.key"];
    let p256 = [
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ];
    if openssl(&bench, &ed25519).is_none() {
        return; // no openssl on this machine: no tool to ask
    }
    openssl(&bench, &[&p256[..], &["-out", "ec.key"]].concat());
    let sign = "openssl pkeyutl -sign -rawin -inkey ed.key -in ed.in";
    write_tool(&bench, "ed", sign);
    write_tool(&bench, "ec", "openssl dgst -sha256 -sign ec.key ec.in");
    for name in ["ed", "ec"] {
        let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
        openssl(&bench, &["pkey", "-in", &key, "-pubout", "-out", &pem]);
        let out = format!("{name}.pub");
        bench.run(&["key", "import", &pem, "--out", &out]).ok();
    }
    let init = [
        "root", "init", "--out", "c", "--public", "ed.pub", "--public", "ec.pub",
    ];
    bench
        .run(&[&init[..], &["--passphrase-file", "pass"]].concat())
        .ok();
    let draft = "c/root.draft";
    let looked = [
        "sign",
        draft,
        "--key",
        "exec:./ed",
        "--public",
        "ed.pub",
        "--dry-run",
    ];
    let looked = bench.run(&[&looked[..], &["--json"]].concat()).ok().json();
    let word = looked["statement"].as_str().unwrap()[..8].to_owned() + "\n";
    for name in ["ed", "ec"] {
        let (key, public) = (format!("exec:./{name}"), format!("{name}.pub"));
        let out = format!("{name}.sig");
        let sign = [
            "sign", draft, "--key", &key, "--public", &public, "--out", &out,
        ];
        bench.run_with(&sign, &word).ok();
    }
    bench.run(&["assemble", draft, "ed.sig", "ec.sig"]).ok();
    let wrong = ["sign", draft, "--key", "exec:./ed", "--public", "ec.pub"];
    bench.run_with(&wrong, &word).fails(12, "E_SIG_BAD");
    let dies = ["sign", draft, "--key", "exec:false", "--public", "ec.pub"];
    bench.run_with(&dies, &word).fails(1, "E_KEY_TOOL");
}

#[test]
fn an_unknown_kind_of_key_gives_a_hint() {
    let bench = Bench::published();
    bench.write("payload/f", "x");
    bench.build("payload", "KB-1").ok();
    let refused = bench.run(&["sign", "KB-1.draft", "--key", "ceremony/key-1.pem"]);
    let refused = refused.fails(2, "E_USAGE");
    assert!(
        refused.stderr.contains("--key file:ceremony/key-1.pem"),
        "{}",
        refused.stderr
    );
    for key in ["pkcs11:x", "ssh-agent:", "exec:tool", "exec: "] {
        let refused = bench.run(&["sign", "KB-1.draft", "--key", key]);
        refused.fails(2, "E_USAGE");
    }
}
