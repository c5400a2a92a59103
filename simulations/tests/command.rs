//! The program as it is started: what it says before a run, and what it refuses.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

use patchmesh_simulations::planner::report::ran::Ran;

fn plan(folder: &Path, text: &str, more: &[&str]) -> Output {
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
