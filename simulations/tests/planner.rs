//! The planner as its users meet it: the same figures for any number of
//! threads, the engine within its bound, files that stand by themselves.
#![allow(
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    reason = "tests with small numbers"
)]

use patchmesh_simulations::planner::bound::monitor::check;
use patchmesh_simulations::planner::compare::{differences, limit, read, table};
use patchmesh_simulations::planner::fluid::policy::{limits_of, policy};
use patchmesh_simulations::planner::full::site::SiteWorld;
use patchmesh_simulations::planner::full::unit::Units;
use patchmesh_simulations::planner::report::folder::{FILES, write};
use patchmesh_simulations::planner::report::summary::{Summary, summary};
use patchmesh_simulations::planner::run::{Plan, plan};
use patchmesh_simulations::planner::scenario::example::EXAMPLE;
use patchmesh_simulations::planner::scenario::model::{Fidelity, Scenario};
use patchmesh_simulations::planner::scenario::parse::scenario;
use patchmesh_simulations::planner::sweep::{Sweep, points};
use patchmesh_simulations::planner::world::build::world;

/// Thin lines, an origin that is short, laptops, and a cut.
const SMALL: &str = r#"schema = 1
[scenario]
name = "small"
seed = 5
start = "2026-12-07T07:00"
horizon = "2d"
fidelity = "full"
unit = "512 KiB"
[origin]
uplink = "40 Mbit/s"
[[policy]]
kind = "patchmesh"
[[endpoint_class]]
name = "desktop"
share = 0.5
[[endpoint_class]]
name = "laptop"
share = 0.5
presence = "office-laptop"
[[site_class]]
name = "branch"
count = 6
endpoints = { min = 2, median = 5, max = 9 }
wan = { down = "10 Mbit/s", up = "2 Mbit/s", rtt = "20 ms" }
lan = { wifi_share = 0.4, wifi = "100 Mbit/s" }
[[fault]]
kind = "wan_down"
sites = ["branch-0003"]
at = "2min"
for = "20min"
[[release]]
name = "r"
size = "48 MiB"
deadline = "4h"
versions = [{ share = 0.5, overlap = 0.25 }, { share = 0.5 }]
"#;

fn parsed(text: &str) -> Scenario {
    let none = |_: &str| Err(String::new());
    scenario("t.toml", text, &none).unwrap()
}

fn run(scenario: Scenario, threads: usize) -> Plan {
    plan(scenario, "t.toml", threads, &|_| {}).unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for fidelity in [Fidelity::Full, Fidelity::Sampled, Fidelity::Fluid] {
        let mut scenario = parsed(SMALL);
        scenario.fidelity = fidelity;
        scenario.per_class = 3;
        let one = serde_json::to_string(&summary(&run(scenario.clone(), 1))).unwrap();
        for threads in [2, 3, 8] {
            let other = summary(&run(scenario.clone(), threads));
            assert_eq!(
                serde_json::to_string(&other).unwrap(),
                one,
                "{fidelity:?} {threads}"
            );
        }
    }
}

#[test]
fn the_engine_moves_about_one_copy_and_everybody_who_is_there_gets_it() {
    let plan = run(parsed(SMALL), 2);
    let summary = summary(&plan);
    let policy = &summary.policies[0];
    assert_eq!((policy.never, policy.engine_sites), (0, 6));
    assert!(policy.copies[0] < 1.1, "{:?}", policy.copies);
    // The line of this site is down from minute 2 to minute 22.
    let cut = policy
        .by_site
        .iter()
        .find(|site| site.site == "branch-0003")
        .unwrap();
    assert!(
        cut.bound > 1320.0 && cut.last.unwrap() >= cut.bound,
        "{cut:?}"
    );
}

#[test]
fn who_is_off_comes_late_or_never_and_headers_make_lines_thinner() {
    let fault = |more: &str| format!("{SMALL}[[fault]]\nkind = \"off\"\n{more}");
    let late = fault("sites = [\"branch\"]\nendpoints = 1\nat = \"0s\"\nfor = \"13h\"\n");
    let plan_late = run(parsed(&late), 2);
    for (site, got) in plan_late
        .world
        .sites
        .iter()
        .zip(&plan_late.entries[0].run.sites)
    {
        let first = site.hosts.last().unwrap().first();
        assert!(first >= 13.0 * 3600.0, "{first}");
        assert!(*got.ends.last().unwrap() >= first);
    }
    let gone = fault("sites = [\"branch-0001\"]\nendpoints = 1\nat = \"1s\"\n");
    let gone = summary(&run(parsed(&gone), 2));
    assert_eq!(gone.policies[0].never, 1);
    let framed = parsed(&SMALL.replace("unit = ", "framing = 0.25\nunit = "));
    assert!((run(framed, 1).world.sites[0].down - 1e6).abs() < 1e-6);
    let unknown = fault("sites = [\"nowhere\"]\nendpoints = 1\n");
    let unknown = plan(parsed(&unknown), "t.toml", 1, &|_| {}).unwrap_err();
    assert!(unknown.to_string().contains("`nowhere`"), "{unknown}");
    let none = |_: &str| Err(String::new());
    let countless = scenario("t.toml", &fault("sites = [\"branch\"]\n"), &none).unwrap_err();
    assert!(countless.to_string().contains("endpoints"), "{countless}");
}

#[test]
fn a_night_in_which_nobody_lacks_anything_costs_no_events() {
    let steps = |hours: u32| {
        let off = format!(
            "[[fault]]\nkind = \"off\"\nsites = [\"branch-0001\"]\nendpoints = 1\n\
             for = \"{hours}h\"\n"
        );
        let text = SMALL.replace("presence = \"office-laptop\"", "") + &off;
        let world = world(&parsed(&text), "t.toml").unwrap();
        let units = Units::new(world.size, Some(512 << 10), 10);
        let site = &world.sites[0];
        let mut engine = SiteWorld::new(site, &units, &site.down_free, world.seed);
        engine.run(world.horizon);
        assert!(engine.outcome().ends.iter().all(|end| end.is_finite()));
        engine.steps
    };
    let (soon, late) = (steps(2), steps(40));
    assert!(late < soon + soon / 10, "{soon} {late}");
}

#[test]
fn a_run_that_beats_the_bound_is_found() {
    let mut plan = run(parsed(SMALL), 2);
    let entry = &mut plan.entries[0];
    assert_eq!(check(&plan.world, &entry.limits, &entry.run), Ok(()));
    entry.run.sites[1].wan_down *= 0.5;
    let beaten = check(&plan.world, &entry.limits, &entry.run).unwrap_err();
    assert_eq!(
        (beaten.site.as_str(), beaten.term),
        ("branch-0002", "WAN bytes")
    );
    entry.run.sites[1].wan_down *= 2.0;
    entry.run.sites[2]
        .ends
        .iter_mut()
        .for_each(|end| *end *= 0.1);
    let beaten = check(&plan.world, &entry.limits, &entry.run).unwrap_err();
    assert_eq!(beaten.site, "branch-0003");
}

#[test]
fn a_late_joiner_costs_the_line_nothing_while_a_holder_is_on() {
    let rings =
        "rings = [{ name = \"a\", share = 0.5 }, { name = \"b\", share = 0.5, at = \"20h\" }]";
    let text = SMALL.replace("fidelity = \"full\"", "fidelity = \"fluid\"") + rings;
    let plan = run(parsed(&text), 1);
    let summary = summary(&plan);
    for (site, world) in summary.policies[0].by_site.iter().zip(&plan.world.sites) {
        let always = world
            .hosts
            .iter()
            .any(|host| host.on.len() == 1 && host.start < 1.0);
        assert!(!always || site.copies < 1.0 + 1e-9, "{site:?}");
    }
}

#[test]
fn the_example_runs_and_its_page_needs_nothing_from_outside() {
    let mut example = parsed(EXAMPLE);
    example.site_classes[0].count = 20;
    example.site_classes[1].count = 5;
    example.sites[0].id = "head <script>&'\"".to_owned();
    let plan = run(example, 2);
    let summary = summary(&plan);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &plan, &summary, EXAMPLE).unwrap();
    let texts: Vec<String> = FILES
        .iter()
        .map(|name| std::fs::read_to_string(folder.path().join(name)).unwrap())
        .collect();
    let page = &texts[3];
    for outside in [
        "http:", "https:", "src=", "@import", "url(", "<link", "<script>",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg viewBox='0 0 480").count(), 6);
    assert_eq!(page.matches("<polyline class='curve").count(), 12);
    assert!(page.len() < 2_000_000);
    assert_eq!(texts[1].lines().count(), 1 + 6 * 35);
    assert!(texts[2].lines().count() > 100);
    let again: Summary = read("result.json", &texts[0]).unwrap();
    assert_eq!(again.policies.len(), 6);
    assert!(read("x", "{}").is_err());
    let (text, good) = table(&summary, &again, Some(1e-9));
    assert!(good, "{text}");
}

#[test]
fn what_if_changes_one_thing_and_compare_finds_it() {
    let mut base = parsed(SMALL);
    base.fidelity = Fidelity::Fluid;
    let sweeps = ["wan=5mbit,20mbit", "size=24MiB,48MiB"].map(|text| Sweep::parse(text).unwrap());
    let points = points(&base, &sweeps).unwrap();
    assert_eq!(points.len(), 4);
    assert_eq!(points[1].0, "wan=5mbit, size=48MiB");
    let results: Vec<Summary> = points
        .into_iter()
        .map(|(_, scenario)| summary(&run(scenario, 1)))
        .collect();
    let halves = differences(&results[1], &results[0]);
    let wan = halves
        .iter()
        .find(|difference| difference.figure == "WAN bytes")
        .unwrap();
    assert!((wan.relative() + 0.5).abs() < 1e-9, "{wan:?}");
    assert!(!table(&results[1], &results[0], Some(limit("5 %").unwrap())).1);
    assert!(Sweep::parse("wna=1").unwrap_err().contains("`wan`"));
    assert!(Sweep::parse("wan=").is_err() && limit("x").is_err());
}

/// The figures of the last release; renewed with each.
#[test]
fn figures_are_those_of_the_last_release() {
    let now = summary(&run(parsed(include_str!("../scenarios/baseline.toml")), 2));
    let before = include_str!("../scenarios/baseline.json");
    let before = read("baseline.json", before).unwrap();
    let (text, good) = table(&before, &now, Some(limit("2 %").unwrap()));
    assert!(good, "{text}");
    assert_eq!(before.policies.len(), 6);
}

/// A pilot that has the release goes home for a week; those whose ring begins then
/// fetch it once more over the line, together, and do not wait for the pilot.
#[test]
fn nobody_waits_a_week_for_a_holder_while_the_line_is_free() {
    let text = SMALL
        .replace("fidelity = \"full\"", "fidelity = \"fluid\"")
        .replace("horizon = \"2d\"", "horizon = \"8d\"")
        .replace("presence = \"office-laptop\"", "")
        .replace("count = 6", "count = 1")
        .replace("{ min = 2, median = 5, max = 9 }", "20");
    let (text, _) = text.split_once("[[fault]]").unwrap();
    let rings =
        "rings = [{ name = \"a\", share = 0.05 }, { name = \"b\", share = 0.95, at = \"20h\" }]";
    let text = format!("{text}[[release]]\nname = \"r\"\nsize = \"48 MiB\"\n{rings}\n");
    let plan = plan_of_pilots(&text);
    let site = &plan.world.sites[0];
    let ends = &plan.entries[0].run.sites[0];
    let alone = 48.0 * 1_048_576.0 / site.down;
    for (host, end) in site.hosts.iter().zip(&ends.ends) {
        assert!(*end < host.first() + 2.0 * alone, "{host:?} {end}");
    }
    assert!((ends.wan_down / (48.0 * 1_048_576.0) - 2.0).abs() < 1e-6);
}

/// One pilot, who is off from hour 10 to day 7: an outage takes the last endpoint of a
/// site, so a seed is looked for that puts the pilot there.
fn plan_of_pilots(text: &str) -> Plan {
    let seed = |seed: u64| text.replace("seed = 5", &format!("seed = {seed}"));
    let fits = |at: &u64| {
        let world = world(&parsed(&seed(*at)), "t.toml").unwrap();
        let hosts = world.sites[0].hosts.iter();
        let pilots: Vec<usize> = hosts
            .enumerate()
            .filter_map(|(at, host)| (host.ring == 0).then_some(at))
            .collect();
        pilots == [world.sites[0].hosts.len() - 1]
    };
    let found = (1..500).find(fits).unwrap();
    let pilot = "[[fault]]\nkind = \"off\"\nsites = [\"branch\"]\nendpoints = 1\n\
                 at = \"10h\"\nfor = \"158h\"\n";
    run(parsed(&(seed(found) + pilot)), 1)
}

/// What is new comes from the origin: a swarm gets nothing while it is cut, and no site
/// is ahead of what it has sent.
#[test]
fn a_swarm_waits_for_its_origin() {
    let text = |sites: u32, more: &str| {
        format!(
            "schema = 1\nscenario = {{ name = \"o\" }}\norigin = {{ uplink = \"8 Mbit/s\" }}\n\
             [[policy]]\nkind = \"bittorrent\"\n[[policy]]\nkind = \"bittorrent\"\nlocal = 30\n\
             [[site_class]]\nname = \"s\"\ncount = {sites}\nendpoints = 4\n\
             wan = {{ down = \"80 Mbit/s\", up = \"80 Mbit/s\" }}\n{more}\
             [[release]]\nname = \"r\"\nsize = \"100 MB\"\n"
        )
    };
    let cut = "[[fault]]\nkind = \"origin_down\"\nat = \"10s\"\nfor = \"1h\"\n";
    for (more, least) in [("", 100.0), (cut, 3700.0)] {
        for sites in [1, 10] {
            // A run that is faster than what is possible is refused.
            let found = summary(&run(parsed(&text(sites, more)), 1));
            for policy in &found.policies {
                let end = policy.done[3].unwrap();
                assert!(
                    (least..least + 60.0).contains(&end),
                    "{} {end}",
                    policy.policy
                );
            }
        }
    }
}

/// A part of 36 endpoints on 75 Mbit/s of air, which the line could fill many times, with
/// real chunks: what waits for the air is late for all alike, so nobody doubts a holder
/// for it, and nobody goes over the line.
#[test]
fn a_full_medium_makes_a_site_slow_and_no_second_copy() {
    // T* leaves out that what one wireless endpoint has from another crosses the air twice.
    for (share, most) in [("0.53", 1.5), ("0.8", 1.35), ("1.0", 2.1)] {
        let text = SMALL
            .replace("presence = \"office-laptop\"", "")
            .replace("512 KiB", "128 KiB")
            .replace("count = 6", "count = 1")
            .replace("{ min = 2, median = 5, max = 9 }", "36")
            .replace(
                "share = 0.4, wifi = \"100 M",
                &format!("share = {share}, wifi = \"75 M"),
            );
        let (text, _) = text.split_once("[[fault]]").unwrap();
        let release = "[[release]]\nname = \"r\"\nsize = \"64 MiB\"\n";
        let found = summary(&run(parsed(&format!("{text}{release}")), 1));
        let policy = &found.policies[0];
        assert!(policy.copies[0] < 1.02, "{share}: {:?}", policy.copies);
        let last = policy.done[3].unwrap() / policy.bound;
        assert!((1.0..most).contains(&last), "{share}: {last}");
    }
}

#[test]
fn who_comes_late_waits_for_the_origin_as_well() {
    let text = "schema = 1\nscenario = { name = \"o\" }\norigin = { uplink = \"80 Mbit/s\" }\n\
        [[policy]]\nkind = \"patchmesh\"\n[[site_class]]\nname = \"s\"\ncount = 1\n\
        endpoints = 4\nwan = { down = \"8 Mbit/s\", up = \"8 Mbit/s\", rtt = \"0 ms\" }\n\
        [[release]]\nname = \"r\"\nsize = \"60 MB\"\n\
        [[fault]]\nkind = \"origin_down\"\nat = \"620s\"\nfor = \"100s\"\n";
    let scenario = parsed(text);
    let mut world = world(&scenario, "t.toml").unwrap();
    // The first has it and goes; the others come 20 s before the cut.
    let hosts = &mut world.sites[0].hosts;
    hosts[0].on = Box::new([(0.0, 100.0)]);
    for host in &mut hosts[1..] {
        host.on = Box::new([(600.0, 9000.0)]);
    }
    let way = &scenario.policies[0];
    let (got, _) = policy(&world, way, &limits_of(&world, way), &|_| 1.0, (1, false));
    let site = &got.sites[0];
    assert!((site.ends[0] - 60.0).abs() < 0.5, "{:?}", site.ends);
    for end in &site.ends[1..] {
        assert!((760.0..760.6).contains(end), "{:?}", site.ends);
    }
    assert!((site.wan_down / 60e6 - 2.0).abs() < 1e-6);
}
