//! What the attacks share.

use std::fs;
use std::path::Path;
use std::time::Duration;

use patchmesh_api::answer::Answer;
use patchmesh_api::event::Event as EventOfNode;
use patchmesh_api::request::Request;
use patchmesh_demo::fleet::{Daemon, Role};
use patchmesh_net::{Command, Event};
use patchmesh_tests::bench::{Bench, site_name};
use patchmesh_tests::forge::LINE;
use patchmesh_tests::hostile::{Guise, document};
use patchmesh_tests::web::Web;

/// No effect of an attack takes longer to be seen.
pub(crate) const SOON: Duration = Duration::from_secs(40);
/// Memory that an attack may cost a node.
pub(crate) const GROWTH_MAX_KIB: u64 = 64 * 1024;

/// A member of the first site.
pub(crate) fn member(bench: &Bench, seed: u8) -> Guise {
    Guise {
        seed,
        mesh_id: bench.forge.mesh_id(),
        site: site_name(0),
        head: [1, 0, 0],
    }
}

/// Resident memory of a node, in KiB.
pub(crate) fn memory_kib(node: &Daemon) -> u64 {
    let path = format!("/proc/{}/status", node.pid().unwrap());
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}

/// An endpoint whose only source is a web server over the publisher's folder.
pub(crate) fn of_web(bench: &mut Bench, web: &Web) {
    let role = Role::HttpEndpoint {
        site: site_name(0),
        http: web.base.clone(),
        bootstrap: None,
        line: LINE.to_owned(),
    };
    let folder = bench.path("node-1");
    let node = bench.daemon(&folder, &role, &[]);
    bench.endpoints.push(node);
}

/// What a node remembers of late.
pub(crate) fn events(node: &Daemon) -> Vec<EventOfNode> {
    match node.ask(&Request::Events { since: 0 }).unwrap() {
        Answer::Events(told) => told.events,
        other => panic!("events are answered by events, not {other:?}"),
    }
}

/// Answers every question for a document out of a folder.
pub(crate) fn serve(folder: &Path) -> impl FnMut(&Event) -> Vec<Command> + use<> {
    let folder = folder.to_owned();
    move |event| match event {
        Event::Asked {
            asked,
            document: wanted,
            ..
        } => vec![Command::Answer {
            asked: *asked,
            document: document(&folder, wanted),
        }],
        _ => Vec::new(),
    }
}
