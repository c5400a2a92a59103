//! Replays what is kept for every parser, and changed copies of it.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected, wherever it stands"
)]

mod configuration;
mod make;
mod verdicts;

use patchmesh_tests::fuzz::{corpus, local, metadata, mutate, wire};

/// Changed inputs of each target.
const CASES: u32 = 256;

fn run(name: &str, target: fn(&[u8])) {
    let inputs = corpus::inputs(name);
    target(&[]);
    for input in &inputs {
        target(input);
    }
    mutate::run(target, &inputs, CASES);
}

macro_rules! targets {
    ($($name:ident: $target:path,)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name), $target);
        })*
    };
}

targets! {
    announcement: wire::announcement,
    answer: wire::answer,
    answer_line: local::answer_line,
    certificate: wire::certificate,
    chunk: wire::chunk,
    cosignature: wire::cosignature,
    document: wire::document,
    floors: metadata::floors,
    frame: wire::frame,
    hello: wire::hello,
    index: wire::index,
    journal: local::journal,
    json: metadata::json,
    line: metadata::line,
    path: local::path,
    proof: metadata::proof,
    public_key: metadata::public_key,
    request: local::request,
    role: metadata::role,
    root: metadata::root,
    snapshot: metadata::snapshot,
    targets: metadata::targets,
    timestamp: metadata::timestamp,
    want: wire::want,
}
