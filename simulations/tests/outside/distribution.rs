//! O1: minimum distribution time. Kumar and Ross, HotWeb 2006; Kurose and Ross,
//! chapter 2: F = 15 Gbit, source 30 Mbit/s, download 2 Mbit/s.

use patchmesh_simulations::planner::bound::formulas::{client_server, minimum_distribution};
use patchmesh_simulations::planner::bound::limits::{Way, limits};
use patchmesh_simulations::planner::fluid::policy::{limits_of, policy};
use patchmesh_simulations::planner::scenario::parse::{named_policy, scenario};
use patchmesh_simulations::planner::world::build::world;
use patchmesh_simulations::planner::world::site::World;

const FILE: f64 = 15e9;
const SOURCE: f64 = 30e6;
const DOWN: f64 = 2e6;
const PEERS: [f64; 3] = [10.0, 100.0, 1000.0];
/// Upload rate in bit/s, and the seconds for each number of peers; 0 is
/// client and server.
const TABLE: [(f64, [f64; 3]); 4] = [
    (0.0, [7_500.0, 50_000.0, 500_000.0]),
    (300e3, [7_500.0, 25_000.0, 45_454.5]),
    (700e3, [7_500.0, 15_000.0, 20_547.9]),
    (2e6, [7_500.0, 7_500.0, 7_500.0]),
];

/// Every peer is a site of its own.
fn peers(count: f64, up: f64) -> World {
    let text = format!(
        "schema = 1\nscenario = {{ name = \"o1\", horizon = \"30d\" }}\n\
         origin = {{ uplink = \"30 Mbit/s\" }}\n\
         [[site_class]]\nname = \"peer\"\ncount = {count}\nendpoints = 1\n\
         wan = {{ down = \"2 Mbit/s\", up = \"{up} bit/s\", rtt = \"0 ms\" }}\n\
         [[release]]\nname = \"r\"\nsize = \"15 Gbit\"\n"
    );
    let none = |_: &str| Err(String::new());
    world(&scenario("o1", &text, &none).unwrap(), "o1").unwrap()
}

fn last(world: &World, name: &str) -> f64 {
    let way = named_policy(name).unwrap();
    let (run, _) = policy(world, &way, &limits_of(world, &way), &|_| 1.0, (1, false));
    run.sites
        .iter()
        .flat_map(|site| &site.ends)
        .copied()
        .fold(0.0, f64::max)
}

#[test]
fn the_formulas_give_all_twelve() {
    for (up, expected) in TABLE {
        for (peers, expected) in PEERS.iter().zip(expected) {
            let found = if up > 0.0 {
                minimum_distribution(FILE, SOURCE, *peers, DOWN, up)
            } else {
                client_server(FILE, SOURCE, *peers, DOWN)
            };
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} {expected}");
        }
    }
}

#[test]
fn the_bound_of_a_world_gives_all_twelve() {
    for (up, expected) in TABLE {
        for (count, expected) in PEERS.iter().zip(expected) {
            let way = if up > 0.0 { Way::Relay } else { Way::Each };
            let found = limits(&peers(*count, up.max(1.0)), way).end();
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} {expected}");
        }
    }
}

#[test]
fn direct_ends_at_the_first_row_and_no_swarm_below_its_cell() {
    for (at, count) in PEERS.iter().enumerate() {
        let found = last(&peers(*count, 300e3), "direct");
        assert!((found / TABLE[0].1[at] - 1.0).abs() < 1e-3, "{found}");
        for (up, expected) in &TABLE[1..] {
            let found = last(&peers(*count, *up), "bittorrent");
            assert!(found >= expected[at] * (1.0 - 1e-5), "{up} {count} {found}");
            assert!(found <= expected[at] * 1.06, "{up} {count} {found}");
        }
    }
}
