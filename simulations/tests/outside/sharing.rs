//! O3: processor sharing (M/G/1-PS): the mean response is (E[S]/C)/(1 - rho),
//! whatever the sizes; a job of size x takes x/(C(1 - rho)).

use patchmesh_simulations::planner::fluid::each::Each;
use patchmesh_simulations::planner::scenario::parse::scenario;
use patchmesh_simulations::planner::world::build::world;
use patchmesh_simulations::planner::world::chance::Chance;
use patchmesh_simulations::planner::world::site::{Host, Site};
use patchmesh_simulations::planner::world::steps::Steps;

const MEAN: f64 = 2.5e6;

/// A link of 100 Mbit/s; each host is a job with its size and its arrival.
fn jobs(seed: u64, rate: f64, constant: bool, count: usize) -> (Site, Vec<f64>, f64) {
    let text = "schema = 1\nscenario = { name = \"o3\", horizon = \"300d\" }\n\
                origin = { cdn = true }\n\
                [[site_class]]\nname = \"s\"\ncount = 1\nendpoints = 1\n\
                wan = { down = \"100 Mbit/s\", up = \"1 Mbit/s\", rtt = \"0 ms\" }\n\
                lan = { nic = \"100 Gbit/s\" }\n\
                [[release]]\nname = \"r\"\nsize = \"250 MB\"\n";
    let none = |_: &str| Err(String::new());
    let built = world(&scenario("o3", text, &none).unwrap(), "o3").unwrap();
    let mut site = built.sites[0].clone();
    let mut chance = Chance::new(seed, 1, 1);
    let (mut now, mut sizes) = (0.0, Vec::new());
    site.hosts = (0..count)
        .map(|_| {
            now += chance.waiting() / rate;
            let size = if constant {
                MEAN
            } else {
                MEAN * chance.waiting()
            };
            sizes.push(size);
            Host {
                wireless: false,
                overlap: 1.0 - size / built.size,
                ring: 0,
                start: now,
                on: Box::new([(0.0, built.horizon)]),
            }
        })
        .collect();
    (site, sizes, built.size)
}

/// Mean response, and the mean of jobs between 4.9 and 5.1 MB.
fn response(seed: u64, rate: f64, constant: bool, count: usize) -> (f64, f64) {
    let (site, sizes, size) = jobs(seed, rate, constant, count);
    let free = Steps::constant(f64::INFINITY);
    let mut link = Each::new(&site, size, 1.0, &free);
    link.run(300.0 * 86_400.0, f64::INFINITY);
    let run = link.finish(1.0);
    let took: Vec<f64> = run
        .ends
        .iter()
        .zip(&site.hosts)
        .map(|(end, host)| end - host.start)
        .collect();
    let mean = took.iter().sum::<f64>() / took.len() as f64;
    let five: Vec<f64> = took
        .iter()
        .zip(&sizes)
        .filter(|(_, size)| (4.9e6..5.1e6).contains(*size))
        .map(|(took, _)| *took)
        .collect();
    (mean, five.iter().sum::<f64>() / five.len().max(1) as f64)
}

/// The whole check: 5 seeds of 300,000 jobs. Some seconds when optimised.
#[test]
#[ignore = "long tier"]
fn means_are_those_of_the_theory_in_full() {
    check(5, 300_000, [0.01, 0.015, 0.03], 0.05);
}

/// The same with fewer jobs, and the slack that these need.
#[test]
fn means_are_those_of_the_theory() {
    check(2, 40_000, [0.02, 0.06, 0.12], 0.15);
}

fn check(seeds: u64, count: usize, slack: [f64; 3], slack_five: f64) {
    for (at, (rate, expected)) in [(2.5, 0.4), (4.0, 1.0), (4.5, 2.0)].into_iter().enumerate() {
        for constant in [false, true] {
            let each = (1..=seeds).map(|seed| response(seed, rate, constant, count));
            let (mut mean, mut five) = (0.0, 0.0);
            for (all, some) in each {
                mean += all / seeds as f64;
                five += some / seeds as f64;
            }
            println!("O3 {rate} {constant}: {mean:.4} expected {expected}");
            assert!(
                (mean / expected - 1.0).abs() < slack[at],
                "{rate} {constant} {mean}"
            );
            if !constant && at == 1 {
                println!("O3 5 MB: {five:.4} expected 2.0");
                assert!((five / 2.0 - 1.0).abs() < slack_five, "{five}");
            }
        }
    }
}
