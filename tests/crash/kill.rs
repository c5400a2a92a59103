//! SIGKILL at random moments of a fetch: what a node said it holds, it holds.

use std::time::{Duration, Instant};

use patchmesh_demo::bound::CHUNK_WIRE_LEN_MAX;
use patchmesh_demo::compare::fingerprint;
use patchmesh_tests::bench::{Bench, is_staged, mbit, release};
use patchmesh_tests::input::{self, Numbers};

/// Kills in a normal run, and with `PATCHMESH_LONG=1`.
const KILLS: u32 = 6;
const KILLS_LONG: u32 = 50;
/// Rate of the WAN link: slow enough for a fetch to be under way at each kill.
const RATE_MBIT: u64 = 6;
/// A node that was killed answers again within this, even on a busy machine.
const RESTART_MAX: Duration = Duration::from_secs(10);
/// Fetches in flight of a node without other members, when it is killed.
const IN_FLIGHT_MAX: u64 = 16;
/// Bytes of hellos, documents and announcements in one life.
const TALK_MAX: u64 = 128 * 1024;
/// Longest life between two kills.
const LIFE_MAX_MS: u64 = 900;

/// Between two looks; each takes a little of the node's time.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What the kills cost.
#[derive(Debug, Default)]
struct Cost {
    restart_max: Duration,
    kills_in_fetch: u32,
}

#[test]
fn a_killed_node_loses_no_chunk_that_it_held() {
    let long = std::env::var_os("PATCHMESH_LONG").is_some_and(|value| value == "1");
    let kills = if long { KILLS_LONG } else { KILLS };
    let seed = 30;
    let mut numbers = Numbers::new(seed);
    let mut bench = Bench::with_sites(&[mbit(RATE_MBIT)]);
    let tree = bench.path("tree");
    // Enough for every life.
    let rate = usize::try_from(RATE_MBIT).unwrap() * 1_000_000 / 8;
    let lives = usize::try_from(kills).unwrap();
    input::tree(&tree, seed, rate * lives * 3 / 5);
    let index = bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);

    let mut cost = Cost::default();
    for _ in 0..kills {
        live_and_die(&mut bench, &mut numbers, &mut cost);
    }
    bench.until_staged("release-1");
    let staged = fingerprint(&bench.staged(0, "release-1")).unwrap();
    assert_eq!(staged, fingerprint(&tree).unwrap());
    // What the link carried in all lives: the release, what was lost with each
    // life, and the talk of each.
    let carried = bench.links[0].down_bytes();
    let more = carried.saturating_sub(index.wire_bytes());
    println!(
        "crash: seed {seed}, {kills} kills, {} of them in the fetch; longest restart {} ms; \
         the link carried {more} bytes more than the {} of the release",
        cost.kills_in_fetch,
        cost.restart_max.as_millis(),
        index.wire_bytes()
    );
    assert!(
        cost.kills_in_fetch >= kills / 2,
        "the fetch ended too early"
    );
    assert!(cost.restart_max <= RESTART_MAX, "{:?}", cost.restart_max);
    assert!(carried >= index.wire_bytes(), "{carried} bytes on the link");
    let life = IN_FLIGHT_MAX * CHUNK_WIRE_LEN_MAX + TALK_MAX;
    assert!(more <= u64::from(kills) * life + TALK_MAX, "{more} bytes");
}

/// Lets the node work for a random time, kills it, and starts it again.
fn live_and_die(bench: &mut Bench, numbers: &mut Numbers, cost: &mut Cost) {
    let life = Instant::now() + Duration::from_millis(100 + numbers.below(LIFE_MAX_MS));
    // The last look before the kill; the node lives on for a moment after it.
    let mut held = 0;
    while Instant::now() < life {
        if let Some(found) = release(&bench.endpoints[0], "release-1") {
            held = held.max(found.chunks_held);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    cost.kills_in_fetch += u32::from(!is_staged(&bench.endpoints[0], "release-1"));
    bench.endpoints[0].kill().unwrap();
    let began = Instant::now();
    bench.restart(0);
    cost.restart_max = cost.restart_max.max(began.elapsed());
    let kept = release(&bench.endpoints[0], "release-1").map_or(0, |found| found.chunks_held);
    assert!(kept >= held, "{kept} of {held} chunks are left");
}
