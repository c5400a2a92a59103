//! The transparency log: what a publication adds, and what no longer verifies.

use std::fs;

use patchmesh_trust::author::{Draft, TimestampPlan};
use patchmesh_trust::key::SecretKey;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::time::UtcTime;
use pkcs8::der::Decode as _;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use serde_json::Value;

use crate::support::{Bench, PASSPHRASE, Ran};

fn log_verify(bench: &Bench, path: &str) -> Ran {
    bench.run(&[
        "--json",
        "log",
        "verify",
        path,
        "--root",
        "ceremony/root.json",
    ])
}

fn shown(bench: &Bench) -> Value {
    bench.run(&["--json", "log", "show", "repo"]).ok().json()
}

fn documents(log: &Value) -> Vec<&str> {
    let leaves = log["leaves"].as_array().unwrap().iter();
    leaves
        .map(|leaf| leaf["document"].as_str().unwrap_or("gone"))
        .collect()
}

/// T-70.
#[test]
fn each_publication_adds_the_timestamp_before_it_and_what_is_new() {
    let bench = Bench::published();
    let log = shown(&bench);
    let first = ["1.root.json", "1.targets.json", "1.snapshot.json"];
    assert_eq!(documents(&log), first);
    bench.publish(&[]).ok();
    bench.publish(&[]).ok();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft"]).ok();
    let log = shown(&bench);
    // Timestamps lie under one name, so that the older ones are gone.
    let new = [
        "gone",
        "gone",
        "gone",
        "1.release%2Fdesktop.json",
        "2.snapshot.json",
    ];
    assert_eq!(documents(&log), [&first[..], &new].concat());
    let timestamp = fs::read(bench.path("repo/metadata/timestamp.json")).unwrap();
    let timestamp: Value = serde_json::from_slice(&timestamp).unwrap();
    let named = &timestamp["signed"]["patchmesh"]["log"];
    assert_eq!(
        (&named["size"], &named["root"]),
        (&log["size"], &log["root"])
    );
    let verified = log_verify(&bench, "repo").ok().json();
    assert_eq!(verified["size"], 8);
    assert_eq!(verified["documents"], 4);
    assert_eq!(verified["unlogged"], Value::Array(vec![]));
}

#[test]
fn a_proof_file_is_checked_with_nothing_but_the_root() {
    let bench = Bench::published();
    let out = ["--out", "targets.tlog-proof"];
    let proved = bench.run(&[&["--json", "log", "prove", "repo", "targets"], &out[..]].concat());
    assert_eq!(proved.ok().json()["index"], 1);
    fs::remove_dir_all(bench.path("repo")).unwrap();
    let verified = log_verify(&bench, "targets.tlog-proof").ok().json();
    assert_eq!(
        (&verified["kind"], &verified["size"]),
        (&"targets".into(), &3.into())
    );

    let proof = fs::read_to_string(bench.path("targets.tlog-proof")).unwrap();
    bench.write("other.tlog-proof", proof.replace("index 1", "index 2"));
    log_verify(&bench, "other.tlog-proof").fails(12, "E_TRUST_HASH");
    let foreign = bench.run(&[
        "root",
        "init",
        "--out",
        "other",
        "--passphrase-file",
        "pass",
    ]);
    foreign.ok();
    let verify = [
        "log",
        "verify",
        "targets.tlog-proof",
        "--root",
        "other/root.json",
    ];
    bench.run(&verify).fails(12, "E_TRUST_WRONG_NETWORK");
}

#[test]
fn what_is_not_in_the_log_has_no_proof() {
    let bench = Bench::published();
    let prove = ["log", "prove", "repo", "timestamp"];
    bench.run(&prove).fails(12, "E_LOG_UNLOGGED");
    bench
        .run(&["log", "prove", "repo", "release/none"])
        .fails(1, "E_NO_DOCUMENT");
    bench
        .run(&["log", "show", "payload"])
        .fails(1, "E_NOT_A_REPOSITORY");
}

#[test]
fn a_changed_log_is_refused_and_nothing_is_published_on_it() {
    let harm: [(&str, &[u8]); 3] = [
        ("repo/log/tile/entries/000.p/3", &[0, 32, 9]),
        (
            "repo/log/checkpoint",
            b"patchmesh/x\n3\nAAAA\n\n\xe2\x80\x94 a AAAAAAA=\n",
        ),
        ("repo/log/tile/0/000.p/3", &[1; 96]),
    ];
    for (file, bytes) in harm {
        let bench = Bench::published();
        assert!(bench.path(file).exists(), "{file}");
        bench.write(file, bytes);
        let verified = log_verify(&bench, "repo");
        assert_eq!(verified.code, 12, "{file}: {}", verified.stderr);
        let publishes = file.contains("/tile/0/");
        assert_eq!(bench.publish(&[]).code == 0, publishes, "{file}");
    }
    let bench = Bench::published();
    fs::remove_dir_all(bench.path("repo/log")).unwrap();
    let refused = bench.publish(&[]).fails(12, "E_LOG_DAMAGED");
    assert!(
        refused.stderr.contains("bring the folder"),
        "{}",
        refused.stderr
    );
}

/// T-71. A crash may come between checkpoint and timestamp: the log goes on from the
/// checkpoint, which nobody may have seen signed twice.
#[test]
fn a_log_that_is_ahead_of_the_timestamp_is_gone_on_with() {
    let bench = Bench::published();
    let before = fs::read(bench.path("repo/metadata/timestamp.json")).unwrap();
    bench.publish(&["--snapshot-expires", "14"]).ok();
    assert_eq!(shown(&bench)["size"], 5);
    bench.write("repo/metadata/timestamp.json", &before);
    log_verify(&bench, "repo").ok();
    bench.publish(&[]).ok();
    assert_eq!(shown(&bench)["size"], 5);
    log_verify(&bench, "repo").ok();
    let timestamp = fs::read(bench.path("repo/metadata/timestamp.json")).unwrap();
    assert_ne!(timestamp, before);
}

#[test]
fn a_repository_without_a_log_is_adopted() {
    let bench = Bench::published();
    let snapshot = fs::read(bench.path("repo/metadata/1.snapshot.json")).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = UtcTime(i64::try_from(now.unwrap().as_secs()).unwrap());
    let plan = TimestampPlan {
        version: 7,
        expires: now.plus_days(1),
        issued: now,
        snapshot: &snapshot,
        log: None,
    };
    let timestamp = sign(&bench, plan.build().unwrap());
    bench.write("repo/metadata/timestamp.json", timestamp);
    fs::remove_dir_all(bench.path("repo/log")).unwrap();
    bench.run(&["log", "show", "repo"]).fails(1, "E_NO_LOG");
    let verify = ["log", "verify", "repo", "--root", "ceremony/root.json"];
    bench.run(&verify).fails(12, "E_NO_LOG");
    bench.publish(&[]).ok();
    let log = shown(&bench);
    let adopted = ["1.root.json", "1.targets.json", "1.snapshot.json", "gone"];
    assert_eq!(documents(&log), adopted);
    log_verify(&bench, "repo").ok();
}

/// Signs with the online key of the bench.
fn sign(bench: &Bench, mut draft: Draft) -> Vec<u8> {
    let text = fs::read_to_string(bench.path("ceremony/online.key")).unwrap();
    let (_, document) = SecretDocument::from_pem(&text).unwrap();
    let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes()).unwrap();
    let plain = info.decrypt(PASSPHRASE).unwrap();
    let key = PrivateKeyInfoRef::from_der(plain.as_bytes()).unwrap();
    // An octet string of 32 bytes within the octet string.
    let seed = key.private_key.as_bytes()[2..].try_into().unwrap();
    let secret = SecretKey::from_seed(seed);
    assert_eq!(*draft.role(), RoleName::Timestamp);
    let signature = secret.sign(&draft.signing_bytes());
    draft
        .add_signature(&secret.public_key().key_id(), &signature)
        .unwrap();
    draft.bytes()
}

#[test]
fn the_parts_of_a_tile_stay_until_it_is_full() {
    let bench = Bench::published();
    for _ in 0..4 {
        bench.publish(&[]).ok();
    }
    let parts = fs::read_dir(bench.path("repo/log/tile/0/000.p")).unwrap();
    assert_eq!(parts.count(), 5);
    log_verify(&bench, "repo").ok();
}
