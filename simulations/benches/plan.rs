//! What plans take as endpoints grow: wall and processor time, peak memory, bytes for
//! each endpoint. Runs the program on scenarios of `scenarios/` with other counts; `ROWS`
//! names the rows that are wanted, such as `ROWS=1k,10k`.
#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for a terminal, with small numbers"
)]

use std::path::Path;
use std::process::Command;

use patchmesh_simulations::planner::report::ran::Ran;

const GROWTH: &str = include_str!("../scenarios/growth.toml");
const REFERENCE: &str = include_str!("../scenarios/reference.toml");

/// Name of a row, its scenario, and what is replaced in it.
type Row = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const ROWS: [Row; 6] = [
    ("1k", GROWTH, &[("count = 2000", "count = 20")]),
    ("10k", GROWTH, &[("count = 2000", "count = 200")]),
    ("100k", GROWTH, &[]),
    (
        "1m-sampled",
        GROWTH,
        &[
            ("count = 2000", "count = 20000"),
            ("\"full\"", "\"sampled\""),
        ],
    ),
    (
        "reference-sampled",
        REFERENCE,
        &[("\"full\"", "\"sampled\", per_class = 1")],
    ),
    ("reference-fluid", REFERENCE, &[("\"full\"", "\"fluid\"")]),
];

fn main() {
    let wanted = std::env::var("ROWS").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    println!(
        "{:<18} {:>9} {:>7} {:>9} {:>10} {:>10} {:>10} {:>12}",
        "row", "endpoints", "sites", "wall s", "cpu s", "peak MB", "est. MB", "B/endpoint"
    );
    let mut full: Vec<(f64, f64)> = Vec::new();
    for (name, scenario, changes) in ROWS {
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let mut text = scenario.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{name}: no {from}");
            text = text.replacen(from, to, 1);
        }
        let ran = run(&text);
        let (endpoints, peak) = (ran.endpoints as f64, ran.peak_rss_bytes.unwrap_or(0) as f64);
        println!(
            "{name:<18} {:>9} {:>7} {:>9.1} {:>10.1} {:>10.1} {:>10.1} {:>12.0}",
            ran.endpoints,
            ran.sites,
            ran.wall_secs.unwrap_or(0.0),
            ran.processor_secs.unwrap_or(0.0),
            peak / 1e6,
            ran.estimated_bytes / 1e6,
            peak / endpoints
        );
        if ran.fidelity == "full" {
            full.push((endpoints, peak));
        }
    }
    if let [.., (few, before), (many, after)] = full[..] {
        let each = (after - before) / (many - few);
        println!("{each:.0} bytes for each endpoint more, from {few} to {many}");
    }
}

/// Runs the program on a scenario.
fn run(text: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("s.toml"), text).unwrap();
    let mut program = Command::new(Path::new(env!("CARGO_BIN_EXE_patchmesh-sim")));
    program.current_dir(folder.path());
    let program = program.args(["plan", "s.toml", "--out", "out", "--silent"]);
    let done = program.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let ran = std::fs::read_to_string(at("out/run.json")).unwrap();
    serde_json::from_str(&ran).unwrap()
}
