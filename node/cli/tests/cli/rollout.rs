//! Operations: people of their own, drafts that show what they say, and no key
//! that speaks for both parties.

use crate::support::Bench;

const REPO: [&str; 2] = ["--repository", "repo"];

/// T-12, T-51.
#[test]
fn operations_come_later_with_keys_of_their_own_and_say_what_is_shown() {
    let bench = Bench::published();
    bench.tree("payload", 1);
    bench.assembled("payload", "KB-1");
    bench.publish(&["KB-1.draft"]).ok();
    let approve = [&["rollout", "approve", "KB-1"][..], &REPO].concat();
    bench.run(&approve).fails(12, "E_TRUST_NOT_DELEGATED");
    for name in ["ops-1", "ops-2"] {
        let out = format!("ceremony/{name}.pem");
        let new = ["key", "new", "--out", &out, "--passphrase-file", "pass"];
        bench.run(&new).ok();
    }
    let add = |first: &str| {
        let words = format!("role add rollout --public {first} --public ceremony/ops-2.pub");
        let words: Vec<&str> = words.split(' ').collect();
        bench.run(&[&words[..], &["--threshold", "2"], &REPO].concat())
    };
    add("ceremony/key-1.pub").fails(12, "E_ROLES_NOT_SEPARATED");
    let drafted = add("ceremony/ops-1.pub").ok();
    assert!(
        drafted.stdout.contains("+ role rollout"),
        "{}",
        drafted.stdout
    );
    bench.accepted("targets-2.draft", &["key-1", "key-2"]);

    let drafted = bench.run(&approve).ok();
    let shown = "+ approval desktop/KB-1 (index sha256 ";
    assert!(drafted.stdout.contains(shown), "{}", drafted.stdout);
    assert!(
        drafted.stdout.contains("for every node"),
        "{}",
        drafted.stdout
    );
    bench
        .sign("rollout-1.draft", "key-1", "anything\n")
        .fails(1, "E_NOT_CONFIRMED");
    bench.accepted("rollout-1.draft", &["ops-1", "ops-2"]);
    let show = [&["rollout", "show"][..], &REPO].concat();
    let said = bench.run(&show).ok().stdout;
    assert!(
        said.contains("rollout version 1 until ") && said.contains("KB-1"),
        "{said}"
    );
    bench.verify("repo").ok();
    let annexes = bench.path("repo/targets/rollout");
    let names: Vec<_> = annexes.read_dir().unwrap().flatten().collect();
    assert!(names[0].file_name().to_str().unwrap().ends_with(".policy"));

    // An annex that was changed on its way is not signed.
    let hold = ["rollout", "hold", "KB-1", "--reason", "audit\u{1b}[2J"];
    let drafted = bench.run(&[&hold[..], &REPO].concat()).ok();
    assert!(
        drafted.stdout.contains("+ hold desktop/KB-1: audit"),
        "{}",
        drafted.stdout
    );
    assert!(!drafted.stdout.contains('\u{1b}'), "{}", drafted.stdout);
    bench.write("rollout-2.draft/policy.bin", b"\x08\x01");
    let sign = ["sign", "rollout-2.draft", "--key", "file:none", "--dry-run"];
    bench.run(&sign).fails(12, "E_TAMPERED");

    renewed(&bench);
    withdrawn_over_an_earlier_one(&bench);
}

fn renewed(bench: &Bench) {
    // A renewal says the same again; the approval is still there.
    let renew = [&["renew", "rollout"][..], &REPO, &["--out", "again.draft"]].concat();
    let drafted = bench.run(&renew).ok();
    assert!(
        drafted.stdout.contains("approval: desktop/KB-1"),
        "{}",
        drafted.stdout
    );
    bench.accepted("again.draft", &["ops-1", "ops-2"]);
    assert!(
        bench
            .run(&["rollout", "show", "repo"])
            .ok()
            .stdout
            .contains("KB-1")
    );
}

/// T-26: of two approvals for some of the same nodes the later is meant; that the
/// earlier is meant again when it goes is said to whoever drafts that, and an
/// earlier one for none but the same nodes goes at once.
fn withdrawn_over_an_earlier_one(bench: &Bench) {
    let rollout = |words: &[&str]| {
        let out = ["--out", "next.draft"];
        std::fs::remove_dir_all(bench.path("next.draft")).ok();
        bench
            .run(&[&["rollout"], words, &REPO, &out].concat())
            .ok()
            .stdout
    };
    bench.tree("payload-2", 2);
    bench.assembled("payload-2", "KB-2");
    bench.publish(&["KB-2.draft"]).ok();
    let sign = || bench.accepted("next.draft", &["ops-1", "ops-2"]);
    rollout(&["rings", "first=10", "rest=90"]);
    sign();
    let ended = [
        "approve",
        "KB-2",
        "--ring",
        "first",
        "--until",
        "2099-01-01T00:00:00Z",
    ];
    let said = rollout(&ended);
    let back = "desktop/KB-1 is approved from before: when this approval ends";
    assert!(said.contains(back), "{said}");
    sign();
    let said = rollout(&["withdraw", "KB-2"]);
    let back = "desktop/KB-1 is approved from before: without this approval";
    assert!(said.contains(back), "{said}");
    let said = rollout(&["withdraw", "KB-1"]);
    assert!(!said.contains("from before"), "{said}");
    let said = rollout(&["approve", "KB-2"]);
    assert!(said.contains("- approval desktop/KB-1"), "{said}");
}
