//! The disk alters a stop that a node holds.

use std::fs;
use std::path::PathBuf;

use patchmesh_api::answer::Answer;
use patchmesh_demo::fleet::Daemon;
use patchmesh_tests::bench::refusals;
use patchmesh_tests::until::until;

use crate::halt::stops::{STOPPERS, bench_with, of, send, stopped};
use crate::support::SOON;

fn file(node: &Daemon) -> PathBuf {
    let mut files = fs::read_dir(node.state().join("trust/stops")).unwrap();
    let found = files.find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension()
            .is_some_and(|end| end == "stop")
            .then_some(path)
    });
    found.unwrap()
}

/// M-14: it is said, it is not believed, and a peer gives the genuine one again.
#[test]
fn a_stop_that_the_disk_altered_is_told_of_and_asked_for_again() {
    let mut bench = bench_with(1);
    let stop = bench.forge.stop(1, of("release-1"), STOPPERS[0]);
    until("the node knows who may stop", SOON, || {
        let answer = send(&bench.endpoints[0], &stop);
        matches!(answer, Answer::Done(_)).then_some(())
    });
    until("the origin has it too", SOON, || {
        stopped(bench.origin()).then_some(())
    });
    let genuine = fs::read(file(&bench.endpoints[0])).unwrap();
    let of_signature = genuine
        .windows(64)
        .position(|bytes| bytes == stop.signature);
    let cases = [
        (10, "stored file", "Damaged"),
        (of_signature.unwrap(), "stored stop", "BadSignature"),
    ];
    for (at, what, code) in cases {
        bench.endpoints[0].kill().unwrap();
        let path = file(&bench.endpoints[0]);
        let mut altered = genuine.clone();
        altered[at] ^= 1;
        fs::write(&path, altered).unwrap();
        bench.restart(0);
        let node = &bench.endpoints[0];
        until("it is said", SOON, || {
            (refusals(node, what, code) > 0).then_some(())
        });
        until("the genuine one is there again", SOON, || {
            let back = fs::read(&path).is_ok_and(|bytes| bytes == genuine);
            (back && stopped(node)).then_some(())
        });
        assert_eq!(refusals(bench.origin(), "stop", "BadSignature"), 0);
    }
}
