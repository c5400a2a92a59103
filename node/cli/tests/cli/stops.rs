//! Emergency stops: one key makes them, the threshold of membership ends them.

use crate::support::Bench;

const REPO: [&str; 2] = ["--repository", "repo"];

fn make(bench: &Bench, what: &[&str], out: &str, typed: &str) -> crate::support::Ran {
    let key = [
        "--key",
        "file:ceremony/stop.pem",
        "--passphrase-file",
        "pass",
    ];
    let words = [
        &["stop", "make"],
        what,
        &["--reason", "bad\u{1b}[2J", "--out", out],
        &key,
    ];
    bench.run_with(&words.concat(), typed)
}

/// T-27, T-28.
#[test]
fn one_key_stops_and_the_threshold_takes_over_and_lifts() {
    let bench = Bench::published();
    for name in ["stop", "member-1", "member-2"] {
        let out = format!("ceremony/{name}.pem");
        bench
            .run(&["key", "new", "--out", &out, "--passphrase-file", "pass"])
            .ok();
    }
    let root = ["--root", "ceremony/root.json"];
    let release = [&["desktop/KB-1"], &root[..]].concat();
    make(&bench, &release, "a.stop", "KB-2\n").fails(1, "E_NOT_CONFIRMED");
    let made = make(&bench, &release, "a.stop", "KB-1\n").ok();
    assert!(
        made.stdout.contains("release desktop/KB-1 is stopped"),
        "{}",
        made.stdout
    );
    assert!(!made.stdout.contains('\u{1b}'), "{}", made.stdout);
    let all = [&["--all-installs"], &root[..]].concat();
    make(&bench, &all, "b.stop", "all-installs\n").ok();
    let strange = [&["KB-1"], &root[..]].concat();
    make(&bench, &strange, "c.stop", "").fails(2, "LINE/ID");
    let listed = [&["desktop/KB-1"], &REPO[..]].concat();
    make(&bench, &listed, "c.stop", "KB-1\n").fails(12, "E_SIG_UNKNOWN_KEY");

    members_let_one_key_stop(&bench);
    let members = ["member-1", "member-2"];
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft"]).ok();
    // With a repository the id is enough, as it is for an approval.
    let by_id = [&["KB-1"], &REPO[..]].concat();
    let made = make(&bench, &by_id, "c.stop", "KB-1\n").ok();
    assert!(made.stdout.contains("desktop/KB-1"), "{}", made.stdout);
    bench
        .run(&[&["stop", "publish", "c.stop"], &REPO[..]].concat())
        .ok();
    assert!(bench.path("repo/stops.bin").exists());

    let shown = bench.run(&["stop", "show", "c.stop", "--json"]).ok().json();
    let id = shown["id"].as_str().unwrap();
    let fold = ["membership", "revocations", "--fold", "c.stop"];
    let drafted = bench.run(&[&fold[..], &REPO].concat()).ok();
    let named = "standing stop release desktop/KB-1 is stopped: bad";
    assert!(drafted.stdout.contains(named), "{}", drafted.stdout);
    bench.accepted("membership-2.draft", &members);
    // What the threshold has taken over is no longer handed out as one key's.
    assert_eq!(std::fs::read(bench.path("repo/stops.bin")).unwrap(), b"");
    let lift = ["membership", "revocations", "--lift", id];
    let drafted = bench.run(&[&lift[..], &REPO].concat()).ok();
    assert!(
        drafted.stdout.contains(&format!("- {named}")),
        "{}",
        drafted.stdout
    );
    bench.accepted("membership-3.draft", &members);
    let show = [&["membership", "show"], &REPO[..]].concat();
    let shown = bench.run(&show).ok().stdout;
    assert!(!shown.contains("KB-1"));
    assert_eq!(
        bench.run(&["membership", "show", "repo"]).ok().stdout,
        shown
    );
    bench.verify("repo").ok();
}

/// Membership comes into being, and says whose key may stop.
fn members_let_one_key_stop(bench: &Bench) {
    let add = "role add membership --threshold 2 --public ceremony/member-1.pub \
               --public ceremony/member-2.pub";
    let add: Vec<&str> = add.split_whitespace().collect();
    bench.run(&[&add[..], &REPO].concat()).ok();
    bench.accepted("targets-2.draft", &["key-1", "key-2"]);
    let keys = [
        "membership",
        "keys",
        "--add-revocation",
        "ceremony/stop.pub",
    ];
    let drafted = bench.run(&[&keys[..], &REPO].concat()).ok();
    assert!(
        drafted.stdout.contains("may stop, alone"),
        "{}",
        drafted.stdout
    );
    bench.accepted("membership-1.draft", &["member-1", "member-2"]);
}
