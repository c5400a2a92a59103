//! Real nodes follow an authority that changes its keys, lines and expiries with
//! the verbs of the command line.

use std::path::PathBuf;
use std::time::Duration;

use patchmesh_api::answer::Answer;
use patchmesh_api::request::Request;
use patchmesh_api::status::TrustState;
use patchmesh_demo::fleet::Daemon;
use patchmesh_tests::bench::{Bench, FAST, is_staged};
use patchmesh_tests::ceremony::Ceremony;
use patchmesh_tests::input;
use patchmesh_tests::until::until;

const SOON: Duration = Duration::from_secs(40);
const LINES: (&str, &str) = ("PATCHMESH_RELEASES__LINES", r#"["desktop", "server"]"#);

/// A network of this authority, with these settings of its origin.
fn network(ceremony: &Ceremony, bench: &mut Bench, settings: &[(&str, &str)]) {
    bench.forge.repository = ceremony.repository();
    bench.start_origin();
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let origin = bench.origin.as_mut().unwrap();
    origin.settings = settings.iter().map(own).collect();
    origin.terminate().unwrap();
    origin.restart(&mut bench.warden).unwrap();
    origin.wait_until_up().unwrap();
    bench.open_site(FAST);
}

fn socket(bench: &Bench) -> PathBuf {
    bench.origin().socket()
}

fn follows(node: &Daemon, root: u64) {
    until(&format!("root {root} is there"), SOON, || {
        let status = node.status().ok()?;
        let current = status.trust.state == TrustState::Current;
        (current && status.head.root == root).then_some(())
    });
}

fn stages(node: &Daemon, id: &str) {
    until(&format!("{id} is staged"), SOON, || {
        is_staged(node, id).then_some(())
    });
}

#[test]
fn nodes_follow_rotations_a_lost_key_and_a_new_line_also_after_being_away() {
    let mut bench = Bench::new();
    let mut ceremony = Ceremony::found(&bench.path("authority"));
    network(&ceremony, &mut bench, &[]);
    let tree = bench.path("tree");
    input::tree(&tree, 3, 200_000);
    bench.add(0, 2, &[LINES]);
    let draft = ceremony.release(&tree, "desktop/D-1", &["key-1", "key-2"]);
    ceremony.publish(&[&draft], Some(&socket(&bench)));
    stages(&bench.endpoints[0], "D-1");
    stages(&bench.endpoints[1], "D-1");
    bench.endpoints[1].kill().unwrap();

    // Three rotations while the second node is away: another person, a lost
    // key in every role, and another online key.
    ceremony.key("dan");
    ceremony.draft(&["root", "rotate", "--add", "root,targets=c/dan.pub"]);
    ceremony.sign("root-2.draft", &["key-2", "key-3"]);
    ceremony.publish(&["root-2.draft"], Some(&socket(&bench)));
    follows(&bench.endpoints[0], 2);

    ceremony.key("new-1");
    ceremony.draft(&["key", "replace", "key-1", "c/new-1.pub", "--out", "lost"]);
    let drafts = [
        "lost/root.draft",
        "lost/targets.draft",
        "lost/release-desktop.draft",
    ];
    for draft in drafts {
        ceremony.sign(draft, &["key-2", "key-3"]);
    }
    ceremony.publish(&drafts, Some(&socket(&bench)));
    follows(&bench.endpoints[0], 3);
    assert!(
        is_staged(&bench.endpoints[0], "D-1"),
        "the release stands as before"
    );

    ceremony.key("online-2");
    ceremony.draft(&["root", "rotate", "--replace", "online=c/online-2.pub"]);
    ceremony.sign("root-4.draft", &["new-1", "dan"]);
    ceremony.online = "c/online-2.pem".to_owned();
    ceremony.publish(&["root-4.draft"], Some(&socket(&bench)));
    follows(&bench.endpoints[0], 4);

    // A line that did not exist when the nodes started, signed by its own.
    ceremony.draft(&[
        "line",
        "add",
        "server",
        "--public",
        "c/dan.pub",
        "--threshold",
        "1",
    ]);
    ceremony.sign("targets-3.draft", &["key-3", "new-1"]);
    ceremony.publish(&["targets-3.draft"], Some(&socket(&bench)));
    let draft = ceremony.release(&tree, "server/S-1", &["dan"]);
    ceremony.publish(&[&draft], Some(&socket(&bench)));
    stages(&bench.endpoints[0], "S-1");
    ceremony.draft(&["renew", "release/desktop"]);
    ceremony.sign("desktop-3.draft", &["new-1", "key-3"]);
    ceremony.publish(&["desktop-3.draft"], Some(&socket(&bench)));

    catches_up(&mut bench);
}

/// The second node was away for all of it.
fn catches_up(bench: &mut Bench) {
    bench.restart(1);
    follows(&bench.endpoints[1], 4);
    stages(&bench.endpoints[1], "S-1");
    assert!(is_staged(&bench.endpoints[1], "D-1"));
    let heads = || {
        let heads = bench
            .endpoints
            .iter()
            .map(|node| node.status().unwrap().head);
        heads.collect::<Vec<_>>()
    };
    until("both hold the same", SOON, || {
        let heads = heads();
        (heads[0] == heads[1]).then_some(())
    });
}

#[test]
fn an_origin_with_the_online_key_renews_by_itself_and_says_when_it_cannot() {
    let mut bench = Bench::new();
    let ceremony = Ceremony::found(&bench.path("authority"));
    let key = format!("file:{}", ceremony.path(&ceremony.online).display());
    let passphrase = ceremony.path("pass").display().to_string();
    let settings = [
        ("PATCHMESH_ORIGIN__ONLINE_KEY", key.as_str()),
        ("PATCHMESH_ORIGIN__PASSPHRASE_FILE", passphrase.as_str()),
        ("PATCHMESH_ORIGIN__RENEW_SECONDS", "1"),
    ];
    network(&ceremony, &mut bench, &settings);
    bench.add(0, 1, &[]);
    let head = || bench.endpoints[0].status().unwrap().head;
    let first = until("a timestamp came", SOON, || {
        Some(head()).filter(|head| head.snapshot > 0)
    });
    let later = until("three renewals came", SOON, || {
        Some(head()).filter(|head| head.timestamp >= first.timestamp + 3)
    });
    assert_eq!(later.snapshot, first.snapshot, "a fresh snapshot is kept");

    std::fs::rename(ceremony.path("pass"), ceremony.path("gone")).unwrap();
    let trouble = until("the origin says so", SOON, || {
        let troubles = bench.origin().status().ok()?.troubles;
        troubles.into_iter().find(|one| one.code == "RenewalFailed")
    });
    assert!(trouble.detail.contains("pass"), "{trouble:?}");
    std::fs::rename(ceremony.path("gone"), ceremony.path("pass")).unwrap();
    until("it is over", SOON, || {
        let troubles = bench.origin().status().ok()?.troubles;
        troubles.is_empty().then_some(())
    });
    let Answer::Events(events) = bench.origin().ask(&Request::Events { since: 0 }).unwrap() else {
        panic!("no events")
    };
    assert!(
        events
            .events
            .iter()
            .any(|event| event.code == "RenewalFailed")
    );
}
