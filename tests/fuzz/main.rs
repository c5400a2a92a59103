//! Replays what is kept for every parser, and changed copies of it.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected, wherever it stands"
)]

mod configuration;
mod make;
mod verdicts;

use patchmesh_tests::fuzz::{corpus, local, metadata, mutate, wire};

/// Changed inputs of each target, unless `PATCHMESH_FUZZ` states another number.
const CASES: u32 = 256;

/// How many changed inputs a target is given.
fn cases() -> u32 {
    let stated = std::env::var("PATCHMESH_FUZZ").ok();
    stated.map_or(CASES, |text| text.parse().expect("a number of inputs"))
}

fn run(name: &str, target: fn(&[u8])) {
    let inputs = corpus::inputs(name);
    target(&[]);
    for input in &inputs {
        target(input);
    }
    let cases = cases();
    mutate::run(target, &inputs, cases);
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
    annex: metadata::annex,
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
    stops: metadata::stops,
    targets: metadata::targets,
    timestamp: metadata::timestamp,
    want: wire::want,
}
