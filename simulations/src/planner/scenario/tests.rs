//! What a scenario may say, and how wrong ones are refused.

use crate::planner::problem::Problem;
use crate::planner::scenario::example::{EXAMPLE, around_table};
use crate::planner::scenario::model::{Fidelity, Kind, Scenario};
use crate::planner::scenario::parse::scenario;
use crate::planner::scenario::quick::Quick;
use crate::planner::world::build::world;

const TABLE: &str = "id,endpoints,wan_down[Mbit/s],price,utc_offset\n\
                     berlin,40,100,0.02 EUR/GB,+01:00\n\
                     \"essen, west\",,20,,\n";

fn read(text: &str) -> Result<Scenario, Problem> {
    let open = |path: &str| match path {
        "sites.csv" => Ok(TABLE.to_owned()),
        "bad.csv" => Ok("id,wan_down\nx,20\n".to_owned()),
        "odd.csv" => Ok("id,wan_donw\nx,20 Mbit/s\n".to_owned()),
        _ => Err(format!("{path} is not there")),
    };
    scenario("t.toml", text, &open)
}

const GOOD: &str = r#"schema = 1
scenario = { name = "t", fidelity = "full" }
origin = { uplink = "1 Gbit/s" }
[[site_class]]
name = "branch"
count = 3
endpoints = 10
wan = { down = "20 Mbit/s", up = "5 Mbit/s" }
[[release]]
name = "r"
size = "1 GiB"
"#;

#[test]
fn the_example_and_its_relatives_parse() {
    let example = read(EXAMPLE).unwrap();
    assert_eq!(example.policies.len(), 6);
    assert_eq!((example.start.weekday, example.start.second), (1, 32_400));
    assert_eq!(example.site_classes[0].limit.hours, Some((8, 18)));
    assert_eq!(example.sites[0].line.down, 1e9);
    let around = read(&around_table("sites.csv", "id,endpoints,wan_down[Mbit/s]")).unwrap();
    assert_eq!(around.sites.len(), 2);
    assert_eq!(
        (around.sites[0].endpoints, around.sites[0].line.down),
        (Some(40), 100e6)
    );
    assert_eq!(around.sites[1].id, "essen, west");
    assert_eq!(
        (around.sites[1].endpoints, around.sites[0].utc_offset),
        (None, 3600)
    );
    let quick = Quick {
        sites: 200,
        endpoints: 30,
        wan: "20 Mbit/s".to_owned(),
        up: None,
        size: "2 GiB".to_owned(),
        origin: "1 Gbit/s".to_owned(),
        share: 0.5,
        deadline: Some("4h".to_owned()),
        fidelity: "sampled".to_owned(),
    };
    let quick = read(&quick.scenario()).unwrap();
    assert_eq!(
        (quick.site_classes[0].count, quick.site_classes[0].line.up),
        (200, 5e6)
    );
    assert_eq!(
        (quick.fidelity, quick.releases[0].deadline),
        (Fidelity::Sampled, Some(14_400.0))
    );
    assert_eq!(quick.policies.last().unwrap().kind, Kind::Patchmesh);
}

/// What is written, by what it is replaced; line and place of the error, and a
/// part of what is said.
type Slip = (
    &'static str,
    &'static str,
    usize,
    &'static str,
    &'static str,
);

const SLIPS: &[Slip] = &[
    ("down =", "dwon =", 8, "site_class[0].wan.dwon", "`down`"),
    (
        "count = 3",
        "count = 3\ncuont = 4",
        7,
        "site_class[0].cuont",
        "`count`",
    ),
    ("20 Mbit/s", "20", 8, "site_class[0].wan.down", "no unit"),
    (
        "20 Mbit/s",
        "20 MiB",
        8,
        "site_class[0].wan.down",
        "no unit of a rate",
    ),
    (
        "20 Mbit/s",
        "99999 Gbit/s",
        8,
        "site_class[0].wan.down",
        "faster",
    ),
    ("schema = 1", "schema = 2", 1, "schema", "schema = 1"),
    (
        "endpoints = 10",
        "endpoints = 0",
        7,
        "site_class[0].endpoints",
        "impossible",
    ),
    (
        "endpoints = 10",
        "endpoints = \"x\"",
        7,
        "site_class[0].endpoints",
        "whole number",
    ),
    (
        "count = 3",
        "count = 0",
        4,
        "site_class",
        "no site is of the class",
    ),
    (
        "count = 3",
        "limit = { share = 30 }",
        6,
        "site_class[0].limit.share",
        "0.30",
    ),
    (
        "count = 3",
        "background = \"x\"",
        6,
        "site_class[0].background",
        "unknown profile",
    ),
    (
        "count = 3",
        "lan = { wifi = \"1 Mbit/s\" }",
        6,
        "site_class[0].lan.wifi",
        "no effect",
    ),
    (
        "name = \"r\"",
        "name = \"r\"\nrings = [{ name = \"a\", share = 0.5 }]",
        11,
        "release[0].rings",
        "add up to",
    ),
    (
        "[[release]]",
        "[[policy]]\nkind = \"pachmesh\"\n[[release]]",
        10,
        "policy[0].kind",
        "did you mean `patchmesh`",
    ),
    ("count = 3", "count = 3 3", 6, "", ""),
    (
        "20 Mbit/s",
        "20 Mb/s",
        8,
        "site_class[0].wan.down",
        "bits or bytes?",
    ),
    (
        "20 Mbit/s",
        "2,5 Mbit/s",
        8,
        "site_class[0].wan.down",
        "a point, not a comma",
    ),
    (
        "count = 3",
        "count = -3",
        6,
        "site_class[0].count",
        "found -3",
    ),
    ("count = 3", "count = 3\ncount = 4", 7, "", "say it once"),
    (
        "fidelity = \"full\"",
        "start = \"2026-02-29T09:00\"",
        2,
        "scenario.start",
        "no local time",
    ),
    (
        "fidelity = \"full\"",
        "start = 2026-02-28T09:00:00",
        2,
        "scenario.start",
        "in quotes",
    ),
    (
        "name = \"r\"",
        "name = \"r\"\ndeadline = \"8d\"",
        9,
        "release",
        "after the horizon",
    ),
    (
        "name = \"r\"",
        "name = \"r\"\ndeadline = \"0h\"",
        11,
        "release[0].deadline",
        "is over before",
    ),
    (
        "name = \"r\"",
        "name = \"r\"\nrings = [{ name = \"a\", share = \"50%\" }]",
        11,
        "release[0].rings[0].share",
        "without quotes",
    ),
    (
        "[[release]]",
        "[[fault]]\nkind = \"origin_down\"\nat = \"8d\"\nfor = \"1h\"\n[[release]]",
        9,
        "",
        "after the horizon",
    ),
    (
        "[[release]]",
        "[[fault]]\nkind = \"wan-down\"\n[[release]]",
        10,
        "fault[0].kind",
        "`wan_down`",
    ),
    (
        "[[release]]",
        "[[policy]]\nkind = \"grouped\"\ncopies = \"2\"\n[[release]]",
        11,
        "policy[0].copies",
        "without quotes",
    ),
    (
        "name = \"r\"",
        "name = \"r\"\noverlap = 0.5",
        11,
        "release[0].overlap",
        "no effect",
    ),
    (
        "[[release]]",
        "[[release]]\nname = \"r\"\nsize = \"1 MB\"\n[[release]]",
        13,
        "release[1].name",
        "is used twice",
    ),
    (
        "up = \"5 Mbit/s\"",
        "up = \"5 Mbit/s\", price = \"1 USD/GB\"",
        8,
        "site_class[0].wan.price",
        "USD among prices in EUR",
    ),
    (
        "up = \"5 Mbit/s\"",
        "up = \"5 Mbit/s\", overrun = \"1 EUR/GB\"",
        8,
        "site_class[0].wan.overrun",
        "without `quota`",
    ),
    (
        "count = 3",
        "limit = { hours = \"08-18\" }",
        6,
        "site_class[0].limit.share",
        "is missing",
    ),
    (
        "[[release]]",
        "sites = 3\n[[release]]",
        9,
        "site_class[0].sites",
        "unknown key",
    ),
];

#[test]
fn errors_name_line_place_and_cure() {
    for (from, to, line, place, part) in SLIPS {
        let text = GOOD.replacen(*from, to, 1);
        let problem = read(&text).unwrap_err();
        let shown = problem.to_string();
        assert_eq!(
            (problem.line, problem.place.as_str()),
            (*line, *place),
            "{shown}"
        );
        assert!(shown.contains(*part), "{shown}");
    }
}

#[test]
fn errors_in_tables_name_row_and_column() {
    let table = |name: &str| {
        let sites = format!("sites = {{ csv = \"{name}\" }}\n[[site_class]]");
        read(&GOOD.replacen("[[site_class]]", &sites, 1)).unwrap_err()
    };
    let bad = table("bad.csv");
    assert_eq!(
        (bad.file.as_str(), bad.line, bad.place.as_str()),
        ("bad.csv", 2, "wan_down")
    );
    assert!(table("odd.csv").hint.contains("`wan_down`"));
    assert_eq!(
        (table("none.csv").line, table("none.csv").place.as_str()),
        (4, "sites.csv")
    );
}

#[test]
fn sites_that_cannot_be_reached_are_refused() {
    for (from, to) in [
        ("count = 3", "count = 3\nlimit = { share = 0.0 }"),
        (
            "[[release]]",
            "[[fault]]\nkind = \"wan_down\"\nsites = [\"branch\"]\nfor = \"30d\"\n[[release]]",
        ),
    ] {
        let cut = read(&GOOD.replacen(from, to, 1)).unwrap();
        let problem = world(&cut, "t.toml").unwrap_err();
        assert!(problem.says.contains("branch-0001"), "{problem}");
        assert_eq!(problem.line, 4, "{problem}");
    }
    let fault = "[[fault]]\nkind = \"wan_down\"\nsites = [\"brnach\"]\nfor = \"1h\"\n";
    let refused = |more: &str| {
        let more = format!("{more}[[release]]");
        let wrong = read(&GOOD.replacen("[[release]]", &more, 1)).unwrap();
        world(&wrong, "t.toml").unwrap_err()
    };
    let problem = refused(fault);
    assert_eq!(problem.line, 9, "{problem}");
    assert!(problem.hint.contains("`branch`"), "{problem}");
    let site = "[[site]]\nid = \"x\"\nclass = \"branch\"\n";
    let problem = refused(&format!("{site}{site}"));
    assert_eq!(problem.line, 12, "{problem}");
    let problem = refused(&site.replace("\"x\"", "\"branch-0002\""));
    assert!(problem.hint.contains("NAME-0001"), "{problem}");
    let problem = refused("[[fault]]\nkind = \"origin_down\"\nfor = \"7d\"\n");
    assert!(problem.says.contains("the origin cannot"), "{problem}");
}

#[test]
fn no_text_makes_the_reader_panic() {
    let mut chance = crate::planner::world::chance::Chance::new(1, 2, 3);
    for _ in 0..300 {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        for _ in 0..3 {
            let at = (chance.unit() * bytes.len() as f64) as usize;
            let byte = b"0[]{}=\".-\n9a"[(chance.unit() * 12.0) as usize];
            if chance.unit() < 0.5 {
                bytes[at] = byte;
            } else {
                bytes.remove(at);
            }
        }
        if let Ok(scenario) = read(&String::from_utf8_lossy(&bytes)) {
            // What is accepted can be built.
            if let Ok(world) = world(&scenario, "t.toml") {
                assert!(world.hosts() > 0);
            }
        }
    }
}
