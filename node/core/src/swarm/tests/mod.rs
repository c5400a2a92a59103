//! Networks of machines: figures, faults and hostile members.

mod world;

use crate::time::{Duration, Time};
use world::{Setup, World};

fn report(name: &str, world: &World, from: Time) -> (f64, f64) {
    let size = world.size();
    let ideal =
        (size / world.setup.site_down).max(size * world.setup.sites as f64 / world.setup.origin_up);
    let copies = world.wan_bytes.iter().fold(0f64, |a, b| a.max(*b)) / size;
    let last = world
        .nodes
        .iter()
        .filter_map(|n| n.done)
        .max()
        .unwrap_or(Time(0));
    let time = last.since(from).0 as f64 / 1e6 / ideal;
    println!(
        "{name}: copies {copies:.4}, last {time:.4} x T* of {ideal:.1} s, split {}",
        world.nodes[0].swarm.counters().split_chunks
    );
    (copies, time)
}

#[test]
fn four_sites_of_five_start_together() {
    let mut world = World::new(Setup::new(1, 4, 5, 512));
    let from = world.now;
    let start = std::time::UNIX_EPOCH.elapsed().unwrap();
    assert!(world.run(from.plus(Duration::secs(300))));
    let cpu = std::time::UNIX_EPOCH.elapsed().unwrap() - start;
    world.check();
    let (copies, time) = report("4 x 5", &world, from);
    println!(
        "{:?} per delivered chunk, world included",
        cpu / u32::try_from(world.delivered).unwrap()
    );
    assert!(copies <= 1.03 && time <= 1.10);
}
