//! Worlds without and with faults.

use super::*;

#[test]
fn a_quiet_world_moves_one_copy_per_site_in_about_the_least_time() {
    let report = run(Plan::quiet(1)).unwrap();
    assert!(report.copies_per_mille <= 1_010, "{report:?}");
    assert!(report.end_per_mille <= 2_500, "{report:?}");
    // Index 4,000 bytes, metadata 3,300 bytes. Members that do not yet know of
    // each other ask on their own.
    assert!(report.document_bytes <= 3 * 7_300, "{report:?}");
}

// Apart, so that processors share the work.

#[test]
fn fifty_seeds_keep_every_promise() {
    keep_every_promise(0..50);
}

#[test]
fn fifty_more_seeds_keep_every_promise() {
    keep_every_promise(50..100);
}

#[test]
fn a_third_fifty_seeds_keep_every_promise() {
    keep_every_promise(100..150);
}

#[test]
fn a_fourth_fifty_seeds_keep_every_promise() {
    keep_every_promise(150..200);
}

fn keep_every_promise(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if let Err(failure) = run(Plan::faulty(seed)) {
            for event in &failure.events {
                println!("{event}");
            }
            panic!(
                "seed {seed} at {} us: {:?}; again: patchmesh-sim fault --seed {seed}",
                failure.at.0, failure.broken
            );
        }
    }
}

#[test]
fn a_seed_runs_twice_alike() {
    for seed in [3, 11] {
        assert_eq!(run(Plan::faulty(seed)), run(Plan::faulty(seed)));
    }
}
