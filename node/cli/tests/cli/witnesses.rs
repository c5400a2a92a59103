//! Witnesses: who is one, how many are asked for, and what they signed.

use std::fs;

use patchmesh_content::id::hex;
use patchmesh_trust::key::NodeKey;
use patchmesh_trust::log::checkpoint;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::time::UtcTime;

use crate::support::{Bench, Ran};

const MEMBERS: [&str; 2] = ["member-1", "member-2"];

fn node(number: u8) -> String {
    hex(&NodeKey::from_seed([number; 32]).public())
}

fn keys(bench: &Bench, words: &[&str]) -> Ran {
    let verb = ["membership", "keys", "--repository", "repo"];
    bench.run(&[&verb[..], words].concat())
}

/// T-75, T-78.
#[test]
fn nodes_are_named_as_witnesses_and_asked_for() {
    let bench = Bench::published();
    for name in MEMBERS {
        let out = format!("ceremony/{name}.pem");
        bench
            .run(&["key", "new", "--out", &out, "--passphrase-file", "pass"])
            .ok();
    }
    let add = "role add membership --threshold 2 --public ceremony/member-1.pub --public \
               ceremony/member-2.pub --repository repo";
    let add: Vec<&str> = add.split_whitespace().collect();
    bench.run(&add).ok();
    bench.accepted("targets-2.draft", &["key-1", "key-2"]);

    // The first key of RFC 8032, section 7.1, and its PeerId.
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let paris = "/ip4/192.0.2.1/tcp/7400/p2p/12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV";
    let [first, second] = [format!("{paris}@paris"), format!("{}@rome", node(2))];
    let both = ["--add-witness", &first, "--add-witness", &second];
    let asked = |text| keys(&bench, &[&both[..], &["--cosignatures", text]].concat());
    asked("3/2").fails(2, "3 of 2 witnesses in 2 of 2 sites");
    asked("2/3").fails(2, "in 3 of 2 sites");
    asked("0/0").fails(2, "is not possible");
    asked("two").fails(2, "no WITNESSES/SITES");
    let twice = [&both[..], &both[2..]].concat();
    keys(&bench, &twice).fails(2, "a witness twice");
    keys(&bench, &["--add-witness", "paris"]).fails(2, "no NODE@SITE");
    let no_site = format!("{}@", node(2));
    keys(&bench, &["--add-witness", &no_site]).fails(2, "no NODE@SITE");
    keys(&bench, &[]).fails(2, "nothing to add");

    let drafted = asked("2/2").ok();
    let shown = [
        format!("node {key} witnesses in paris"),
        format!("node {} witnesses in rome", node(2)),
        "2 witnesses of 2 sites before an apply".to_owned(),
    ];
    for text in &shown {
        assert!(drafted.stdout.contains(text), "{}", drafted.stdout);
    }
    bench.accepted("membership-1.draft", &MEMBERS);
    let show = ["membership", "show", "--repository", "repo"];
    let now = bench.run(&show).ok().stdout;
    assert!(shown.iter().all(|text| now.contains(text)), "{now}");

    let fewer = ["--remove-witness", paris];
    keys(&bench, &fewer).fails(2, "2 of 1 witnesses");
    keys(&bench, &["--remove-witness", &node(3)]).fails(2, "lists no key");
    let none = [&fewer[..], &["--cosignatures", "none"]].concat();
    let drafted = keys(&bench, &none).ok();
    let gone = format!("- key {}", shown[0]);
    assert!(drafted.stdout.contains(&gone), "{}", drafted.stdout);
    bench.accepted("membership-2.draft", &MEMBERS);
    let now = bench.run(&show).ok().stdout;
    assert!(
        !now.contains("paris") && !now.contains("before an apply"),
        "{now}"
    );
    bench.verify("repo").ok();
}

/// T-75: a checkpoint with lines of witnesses is checked with nothing but the
/// root and their ids.
#[test]
fn cosigned_checkpoints_are_checked_offline() {
    let bench = Bench::published();
    let root = fs::read(bench.path("ceremony/root.json")).unwrap();
    let mesh_id = Verifier::new(&root, &[]).unwrap().mesh_id();
    let note = fs::read_to_string(bench.path("repo/log/checkpoint")).unwrap();
    let plan = patchmesh_trust::author::RootPlan::read(&root).unwrap();
    let online: Vec<_> = plan.timestamp.keys().map(|(_, key)| key.clone()).collect();
    let head = checkpoint::open(note.as_bytes(), &checkpoint::origin(&mesh_id), &online).unwrap();
    let line = |number: u8| {
        let key = NodeKey::from_seed([number; 32]);
        let signed = Cosignature::sign(&key, &mesh_id, head, UtcTime(1_800_000_000));
        signed.unwrap().line()
    };
    bench.write("plain.note", &note);
    bench.write("cosigned.note", format!("{note}{}{}", line(1), line(2)));
    let verify = |path: &str, witnesses: &[&str]| {
        let mut words = vec![
            "--json",
            "log",
            "verify",
            path,
            "--root",
            "ceremony/root.json",
        ];
        for witness in witnesses {
            words.extend(["--witness", witness]);
        }
        bench.run(&words)
    };
    let (one, two, three) = (node(1), node(2), node(3));
    let checked = verify("cosigned.note", &[&one, &two]).ok().json();
    assert_eq!(
        (&checked["what"], &checked["size"]),
        (&"checkpoint".into(), &3.into())
    );
    assert_eq!(checked["cosigned"][1]["witness"], *two);
    assert_eq!(checked["cosigned"][0]["at"], "2027-01-15T08:00:00Z");
    verify("plain.note", &[]).ok();
    verify("plain.note", &[&one]).fails(12, "E_LOG_UNCOSIGNED");
    verify("cosigned.note", &[&one, &three]).fails(12, "E_LOG_UNCOSIGNED");
    verify("cosigned.note", &["nobody"]).fails(2, "names no node");

    // In the place of the repository's own, and in a proof made with it.
    fs::copy(
        bench.path("cosigned.note"),
        bench.path("repo/log/checkpoint"),
    )
    .unwrap();
    verify("repo", &[&two]).ok();
    verify("repo", &[&three]).fails(12, "E_LOG_UNCOSIGNED");
    bench
        .run(&["log", "prove", "repo", "targets", "--out", "t.tlog-proof"])
        .ok();
    let checked = verify("t.tlog-proof", &[&one]).ok().json();
    assert_eq!(checked["cosigned"][0]["witness"], *one);
    let bent = line(1).replace('A', "B");
    bench.write("bent.note", format!("{note}{bent}"));
    let refused = verify("bent.note", &[&one]);
    assert_eq!(refused.code, 12, "{}", refused.stderr);
}
