//! The program as it is started: what it says before a run, and what it refuses.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{self, Command};

use patchmesh_content::id::PeerId;
use patchmesh_core::config::{Config, Mode};
use patchmesh_core::engine::Engine;
use patchmesh_core::input::Input;
use patchmesh_core::journal::{Recorder, Start};
use patchmesh_core::output::Output;
use patchmesh_core::record::Restored;
use patchmesh_core::rng::Seed;
use patchmesh_core::time::{Now, Time};
use patchmesh_simulations::planner::report::ran::Ran;
use patchmesh_simulations::publisher::{Publisher, UTC};

fn plan(folder: &Path, text: &str, more: &[&str]) -> process::Output {
    std::fs::write(folder.join("s.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchmesh-sim"));
    command.current_dir(folder).args(["plan", "s.toml"]);
    command.args(more).output().unwrap()
}

fn scenario(head: &str, sites: u32, endpoints: u32, size: &str) -> String {
    format!(
        "schema = 1\nscenario = {{ name = \"m\", {head} }}\norigin = {{ cdn = true }}\n\
         [[site_class]]\nname = \"s\"\ncount = {sites}\nendpoints = {endpoints}\n\
         wan = {{ down = \"20 Mbit/s\", up = \"5 Mbit/s\" }}\n\
         [[release]]\nname = \"r\"\nsize = {size:?}\n"
    )
}

/// The estimate of memory against what was resident, in flows and in the engine.
#[test]
fn memory_is_about_what_was_estimated() {
    let policy = |kind: &str| format!("[[policy]]\nkind = {kind:?}\n");
    let laptops = "[[endpoint_class]]\nname = \"e\"\npresence = \"office-laptop\"\n";
    let flows = scenario("horizon = \"7d\"", 1000, 50, "2 GiB") + laptops;
    let flows = flows + &policy("direct");
    let engine = "fidelity = \"full\", unit = \"1 MiB\"";
    let engine = scenario(engine, 2, 120, "24 MiB") + &policy("patchmesh");
    for text in [flows, engine] {
        let folder = tempfile::tempdir().unwrap();
        let ran = plan(folder.path(), &text, &["--out", "o", "--threads", "2"]);
        assert!(ran.status.success(), "{ran:?}");
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(said.contains("estimate: "), "{said}");
        let ran = std::fs::read_to_string(folder.path().join("o/run.json")).unwrap();
        let ran: Ran = serde_json::from_str(&ran).unwrap();
        let Some(peak) = ran.peak_rss_bytes else {
            continue;
        };
        let ratio = ran.estimated_bytes / f64::from(u32::try_from(peak).unwrap());
        assert!((0.6..2.5).contains(&ratio), "{ran:?}");
    }
}

#[test]
fn what_does_not_fit_into_memory_is_refused_before_it_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let large = scenario("fidelity = \"full\"", 200_000, 20, "2 GiB");
    let refused = plan(folder.path(), &large, &["--max-memory", "64 MB"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("more than 64 MB"), "{said}");
    assert!(said.contains("hint: no fidelity fits"), "{said}");
    let engine = scenario("fidelity = \"sampled\"", 2, 4000, "2 GiB");
    let refused = plan(folder.path(), &engine, &["--max-memory", "64 MB"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("hint: --fidelity fluid"), "{said}");
}

/// A recording of two ticks: listed, one of them shown with the state after it, and one
/// that is not there refused.
#[test]
fn a_recording_is_stepped_through() {
    let bytes = ticks(2);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.rec"), &bytes).unwrap();
    let replay = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchmesh-sim"));
        command.current_dir(folder.path()).args(["replay", "r.rec"]);
        let done = command.args(more).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8(said).unwrap())
    };
    assert_eq!(replay(&[]), (Some(0), "2 inputs replayed\n".to_owned()));
    let (code, said) = replay(&["--list"]);
    assert_eq!(
        (code, said.matches(" Tick -> ").count()),
        (Some(0), 2),
        "{said}"
    );
    let (code, said) = replay(&["--step", "1"]);
    assert_eq!(code, Some(0));
    for part in [
        "input 1 at 2000000 us",
        "  Tick\n",
        "output Wait",
        "state View {",
        "releases: []",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, said) = replay(&["--step", "2"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("no input 2: there are 2"), "{said}");
}

/// What a node writes that sees so many ticks, a second apart.
fn ticks(count: u64) -> Vec<u8> {
    let at = |secs: u64| Now {
        mono: Time(secs * 1_000_000),
        utc: UTC,
    };
    let start = Start {
        config: Config {
            peer: PeerId([1; 32]),
            site: "s".to_owned(),
            lines: Vec::new(),
            automatic: true,
            mode: Mode::Endpoint,
            weight: 4,
            bootstrap: Vec::new(),
        },
        anchor: Publisher::new().anchor,
        restored: Restored::default(),
        seed: Seed([1; 32]),
        now: at(0),
    };
    let (mut recorder, mut bytes) = Recorder::start(&start);
    let Start {
        config,
        anchor,
        restored,
        seed,
        now,
    } = start;
    let mut engine = Engine::new(config, &anchor, restored, seed, now).unwrap();
    let drain = |engine: &mut Engine, recorder: &mut Recorder| loop {
        let output = engine.poll();
        recorder.output(&output);
        if matches!(output, Output::Wait(_)) {
            return;
        }
    };
    drain(&mut engine, &mut recorder);
    for secs in 1..=count {
        bytes.extend(recorder.input(&Input::Tick, at(secs)).unwrap());
        engine.handle(Input::Tick, at(secs));
        drain(&mut engine, &mut recorder);
    }
    bytes
}
