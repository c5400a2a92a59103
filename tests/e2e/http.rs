//! A plain web server as the origin.

use patchmesh_api::answer::Answer;
use patchmesh_api::request::Request;
use patchmesh_demo::compare::fingerprint;
use patchmesh_demo::fleet::Role;
use patchmesh_demo::measure::ratio;
use patchmesh_tests::bench::{Bench, address, site_name};
use patchmesh_tests::forge::LINE;
use patchmesh_tests::input;
use patchmesh_tests::web::Web;

/// Copies that a site may take from an origin that cannot coordinate it.
const COPIES_MAX: f64 = 1.1;

#[test]
fn a_site_takes_one_copy_from_a_plain_web_server() {
    let mut bench = Bench::new();
    bench.forge.keep_log();
    bench.forge.publish();
    let tree = bench.path("tree");
    input::tree(&tree, 7, 4_000_000);
    let web = Web::serve(&bench.forge.repository);
    let mut first = None;
    for number in 1..=2 {
        let role = Role::HttpEndpoint {
            site: site_name(0),
            http: web.base.clone(),
            bootstrap: first.clone(),
            line: LINE.to_owned(),
        };
        let folder = bench.path(&format!("node-{number}"));
        let node = bench.daemon(&folder, &role, &[]);
        first = first.or_else(|| Some(address(&node)));
        bench.endpoints.push(node);
    }
    let index = bench.forge.release(&tree, "release-1");
    let looks = bench.endpoints[0].ask(&Request::Refresh);
    assert!(matches!(looks, Ok(Answer::Done(_))), "{looks:?}");
    bench.until_staged("release-1");
    let wanted = fingerprint(&tree).unwrap();
    for endpoint in 0..2 {
        let staged = bench.staged(endpoint, "release-1");
        assert_eq!(fingerprint(&staged).unwrap(), wanted);
    }
    let counted: u64 = bench
        .endpoints
        .iter()
        .map(|node| node.status().unwrap().received.origin.payload)
        .sum();
    let copies = ratio(web.pack_bytes(), index.wire_bytes());
    println!("http: {copies:.3} copies");
    assert!((1.0..=COPIES_MAX).contains(&copies), "{copies}");
    assert_eq!(counted, web.pack_bytes(), "nodes and server count alike");
}
