//! Several releases in one plan: one after the other, on the same lines.
#![allow(
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    reason = "tests with small numbers"
)]

use patchmesh_simulations::planner::report::csv;
use patchmesh_simulations::planner::report::html::page::page;
use patchmesh_simulations::planner::report::summary::{Summary, summary};
use patchmesh_simulations::planner::report::table::table;
use patchmesh_simulations::planner::run::{Plan, plan};
use patchmesh_simulations::planner::scenario::parse::scenario;

const MB: f64 = 1e6;

/// Sites of four endpoints, a line of 1 MB/s each; `a` has 100 MB, `b` 50 MB of which
/// `a` brings a fifth.
fn two(head: &str, sites: u32, origin: &str, at: &str) -> String {
    format!(
        "schema = 1\nscenario = {{ name = \"two\", horizon = \"2h\"{head} }}\n\
         origin = {{ {origin} }}\n[[site_class]]\nname = \"s\"\ncount = {sites}\n\
         endpoints = 4\nwan = {{ down = \"8 Mbit/s\", up = \"8 Mbit/s\", rtt = \"0 ms\" }}\n\
         lan = {{ nic = \"10 Gbit/s\", fabric = \"100 Gbit/s\" }}\n\
         [[release]]\nname = \"b\"\nsize = \"50 MB\"\nat = {at:?}\noverlap = 0.2\n\
         deadline = \"160s\"\n[[release]]\nname = \"a\"\nsize = \"100 MB\"\n\
         deadline = \"10s\"\n"
    )
}

fn run(text: &str, threads: usize) -> Plan {
    let none = |_: &str| Err(String::new());
    let scenario = scenario("t.toml", text, &none).unwrap();
    plan(scenario, "t.toml", threads, &|_| {}).unwrap()
}

fn of(summary: &Summary, policy: &str, release: usize) -> (f64, f64, f64) {
    let policy = summary.policies.iter().find(|one| one.policy == policy);
    let one = &policy.unwrap().releases[release].figures;
    (
        one.wan_down / MB,
        one.wan_minimum / MB,
        one.done[3].unwrap(),
    )
}

#[test]
fn the_second_has_the_line_when_the_first_has_left_it() {
    // Out at the same time, out while the first is under way, and long after it.
    for (at, end) in [("1s", 140.0), ("60s", 140.0), ("200s", 240.0)] {
        let plan = run(&two("", 1, "cdn = true", at), 1);
        let found = summary(&plan);
        for policy in ["cache", "patchmesh"] {
            let (a, b) = (of(&found, policy, 0), of(&found, policy, 1));
            assert!((a.2 - 100.0).abs() < 0.5, "{policy} {a:?}");
            assert!((b.2 - end).abs() < 0.7, "{policy} {at} {b:?}");
            assert!(
                (a.0 - 100.0).abs() < 1e-6 && (b.0 - 40.0).abs() < 1e-6,
                "{a:?} {b:?}"
            );
            assert_eq!((a.1, b.1), (a.0, b.0));
        }
        // Each endpoint for itself: four times the bytes, the second after the first.
        let (a, b) = (of(&found, "direct", 0), of(&found, "direct", 1));
        assert!((a.0 - 400.0).abs() < 1e-6 && (b.0 - 160.0).abs() < 1e-6);
        assert!((b.2 - 560.0).abs() < 1e-3, "{b:?}");
    }
}

#[test]
fn all_of_them_together_are_the_sum_and_the_last() {
    let plan = run(&two("", 3, "cdn = true", "60s"), 2);
    let found = summary(&plan);
    assert_eq!((found.release.as_str(), found.size), ("a + b", 150_000_000));
    assert_eq!(found.policies.len(), 6);
    for policy in &found.policies {
        let each: Vec<_> = policy.releases.iter().map(|one| &one.figures).collect();
        let sum: f64 = each.iter().map(|one| one.wan_down).sum();
        assert!((policy.wan_down - sum).abs() < 1.0);
        assert_eq!(policy.done[3], each[1].done[3]);
        assert!((policy.wan_minimum / MB - 3.0 * 140.0).abs() < 1e-6);
        assert_eq!(
            (policy.never, policy.releases[1].deadline),
            (0, Some(220.0))
        );
        assert_eq!(policy.late_sites, 3, "nobody has the first after 10 s");
    }
    let way = found.policies.iter().find(|one| one.policy == "patchmesh");
    let way = way.unwrap();
    // None of the first in time, all of the second.
    assert_eq!(way.on_time, Some(0.5));
    assert!(
        way.by_site[0]
            .late
            .as_ref()
            .unwrap()
            .starts_with("a: 4 of 4")
    );
    assert_eq!(csv::sites(&found).unwrap().lines().count(), 1 + 6 * 2 * 3);
    let shown = table(&found);
    assert!(
        shown.contains("RELEASE") && shown.contains("3.67 min"),
        "{shown}"
    );
    let html = page(&plan, &found, "");
    assert!(html.contains("Completion of b") && html.contains("<h2>Releases</h2>"));
    let again: Summary = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(again.policies[5].releases[0].release, "a");
}

#[test]
fn a_short_origin_serves_one_after_the_other_too() {
    // Ten lines of 1 MB/s on an uplink of 2: 1,400 MB need 700 s.
    let found = summary(&run(&two("", 10, "uplink = \"16 Mbit/s\"", "60s"), 2));
    for policy in ["cache", "patchmesh"] {
        let (a, b) = (of(&found, policy, 0), of(&found, policy, 1));
        assert!((500.0..505.0).contains(&a.2), "{policy} {a:?}");
        assert!((700.0..707.0).contains(&b.2), "{policy} {b:?}");
    }
}

#[test]
fn the_engine_takes_them_one_after_the_other_with_any_number_of_threads() {
    let head = ", fidelity = \"full\", unit = \"1 MiB\"";
    let text = two(head, 3, "uplink = \"20 Mbit/s\"", "60s") + "[[policy]]\nkind = \"patchmesh\"\n";
    let one = summary(&run(&text, 1));
    let (a, b) = (of(&one, "patchmesh", 0), of(&one, "patchmesh", 1));
    // 300 MB over an uplink of 2.5 MB/s, then 120 MB more.
    assert!((120.0..140.0).contains(&a.2), "{a:?}");
    assert!((168.0..195.0).contains(&b.2), "{b:?}");
    assert!(b.0 < 1.1 * b.1, "{b:?}");
    for threads in [2, 3] {
        assert_eq!(summary(&run(&text, threads)), one);
    }
}
