//! What keeps a node from its work is said by the node itself.

use std::net::TcpListener;
use std::time::Duration;

use patchmesh_api::answer::Answer;
use patchmesh_api::event::EventKind;
use patchmesh_api::request::Request;
use patchmesh_demo::fleet::{Daemon, Role};
use patchmesh_tests::bench::{Bench, FAST, address, programs, site_name};
use patchmesh_tests::forge::{Forge, LINE};
use patchmesh_tests::input;
use patchmesh_tests::told::{patchmesh, said, trouble};
use patchmesh_tests::until::until;
use patchmesh_tests::web::{Trick, Web};

const SOON: Duration = Duration::from_secs(40);

#[test]
fn an_http_origin_that_is_down_is_named_with_what_to_do() {
    let mut bench = Bench::new();
    // A port that was free a moment ago: nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let node = endpoint_of(&mut bench, &base);
    let trouble = trouble(&node, "OriginUnreachable");
    assert!(trouble.detail.contains(&base), "{trouble:?}");
    assert!(trouble.hint.contains("is the server up"), "{trouble:?}");
    assert!(events(&node).contains(&"OriginUnreachable".to_owned()));
    let log = node.log();
    assert!(log.contains("WARN") && log.contains(&base), "{log}");
    assert_eq!(log.matches("OriginUnreachable").count(), 1, "{log}");
    let shown = said(&patchmesh(&node, &["status"]));
    assert!(
        shown.contains(&format!("! OriginUnreachable: {base}")),
        "{shown}"
    );
}

#[test]
fn a_release_line_that_the_network_has_not_is_named() {
    let mut bench = Bench::new();
    let web = Web::serve(&bench.forge.repository);
    let node = endpoint_of_line(&mut bench, &web.base, "dekstop");
    let trouble = trouble(&node, "UnknownLine");
    assert!(trouble.detail.contains("no release line is named dekstop"));
    assert!(trouble.detail.contains(LINE), "{trouble:?}");
    let shown = said(&patchmesh(&node, &["status"]));
    assert!(shown.contains("! UnknownLine: "), "{shown}");
}

#[test]
fn a_web_server_without_range_is_named_until_it_answers_ranges() {
    let mut bench = Bench::new();
    let tree = bench.path("tree");
    input::tree(&tree, 51, 500_000);
    let web = Web::serve(&bench.forge.repository);
    bench.forge.release(&tree, "release-1");
    web.trick(".pack", Trick::NoRange);
    let node = endpoint_of(&mut bench, &web.base);
    let trouble = trouble(&node, "OriginNoRange");
    assert!(trouble.hint.contains("206"), "{trouble:?}");
    let shown = said(&patchmesh(&node, &["why", "release-1"]));
    assert!(shown.contains("! OriginNoRange: "), "{shown}");

    web.relent();
    bench.endpoints.push(node);
    bench.until_staged("release-1");
    let node = &bench.endpoints[0];
    until("it is over", SOON, || {
        node.status().unwrap().troubles.is_empty().then_some(())
    });
}

#[test]
fn a_node_of_another_network_says_so_itself() {
    let mut bench = Bench::with_sites(&[FAST]);
    let role = Role::Endpoint {
        site: site_name(0),
        bootstrap: address(bench.origin()),
        line: LINE.to_owned(),
    };
    let root = bench.path("other.root.json");
    std::fs::write(&root, Forge::foreign_root()).unwrap();
    let folder = bench.path("stranger");
    let program = &programs().patchmeshd;
    let mut node = Daemon::prepare(program, &folder, &root, &role).unwrap();
    node.restart(&mut bench.warden).unwrap();
    node.wait_until_up().unwrap();
    let trouble = trouble(&node, "TurnedAway");
    assert!(
        trouble.detail.contains(&address(bench.origin())),
        "{trouble:?}"
    );
    assert!(trouble.hint.contains("WrongNetwork"), "{trouble:?}");
    assert!(events(&node).contains(&"TurnedAway".to_owned()));
    assert!(node.log().contains("TurnedAway"));
    assert!(said(&patchmesh(&node, &["status"])).contains("! TurnedAway: "));
}

/// An endpoint with this web address as its only source.
fn endpoint_of(bench: &mut Bench, http: &str) -> Daemon {
    endpoint_of_line(bench, http, LINE)
}

fn endpoint_of_line(bench: &mut Bench, http: &str, line: &str) -> Daemon {
    let role = Role::HttpEndpoint {
        site: site_name(0),
        http: http.to_owned(),
        bootstrap: None,
        line: line.to_owned(),
    };
    let folder = bench.path("node-1");
    bench.daemon(&folder, &role, &[])
}

/// Codes of troubles in the node's events.
fn events(node: &Daemon) -> Vec<String> {
    let Answer::Events(told) = node.ask(&Request::Events { since: 0 }).unwrap() else {
        panic!("events are answered by events")
    };
    let troubles = told.events.into_iter();
    let troubles = troubles.filter(|event| event.event == EventKind::Trouble);
    troubles.map(|event| event.code).collect()
}
