//! O2: uplink sharing. Mundinger, Weber, Weiss, J. Scheduling 11 (2008): N users
//! and a server of equal upload capacity, a file in M parts.

use patchmesh_simulations::planner::bound::formulas::uplink_slots;

#[test]
fn the_formula_gives_the_table() {
    let parts = [1, 16, 256, 2048];
    for (users, expected) in [
        (10, [4.0, 1.1875, 1.011_72, 1.001_46]),
        (100, [7.0, 1.375, 1.023_44, 1.002_93]),
        (1_000, [10.0, 1.5625, 1.035_16, 1.004_39]),
        (100_000, [17.0, 2.0, 1.0625, 1.007_81]),
    ] {
        for (parts, expected) in parts.into_iter().zip(expected) {
            let slots = uplink_slots(users, parts);
            let time = f64::from(u32::try_from(slots).unwrap()) / parts as f64;
            assert!(
                (time / expected - 1.0).abs() < 1e-5,
                "{users} {parts} {time}"
            );
        }
    }
}

/// A central schedule for N = 2^k - 1 users: nodes are corners of a cube; in
/// each slot every node sends along one dimension, in turn, the newest part
/// that its partner lacks; the server sends one part after the other.
fn schedule(users: usize, parts: usize) -> usize {
    let nodes = users + 1;
    let dimensions = nodes.ilog2() as usize;
    let mut held = vec![vec![false; parts]; nodes];
    held[0] = vec![true; parts];
    let mut slots = 0;
    while held.iter().any(|node| node.contains(&false)) {
        let dimension = 1 << (slots % dimensions);
        let before = held.clone();
        for (node, have) in before.iter().enumerate() {
            let partner = node ^ dimension;
            let newest = if node == 0 {
                Some(slots.min(parts - 1))
            } else {
                (0..parts)
                    .rev()
                    .find(|part| have[*part] && !before[partner][*part])
            };
            if let Some(part) = newest {
                held[partner][part] = true;
            }
        }
        slots += 1;
        assert!(slots < 10_000);
    }
    slots
}

#[test]
fn a_central_schedule_reaches_it() {
    for (users, parts) in [(1, 4), (3, 8), (7, 16), (15, 16), (1_023, 256)] {
        let least = uplink_slots(users as u64, parts as u64);
        assert_eq!(schedule(users, parts) as u64, least, "{users} {parts}");
    }
    assert_eq!((uplink_slots(15, 16), uplink_slots(1_023, 256)), (19, 265));
}
