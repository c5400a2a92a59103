//! A stop that comes while a release is being staged.

use std::path::Path;
use std::time::{Duration, Instant};

use patchmesh_api::releases::ReleaseState;
use patchmesh_tests::bench::{is_staged, release};
use patchmesh_tests::until::until;

use crate::halt::stops::{STOPPERS, bench_with, of, stop_at, waits_on_stop};
use crate::support::SOON;

/// Files of the tree: staging them takes seconds, so that the stop comes midway.
const FILES: usize = 12_000;

fn many_files(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for number in 0..FILES {
        let path = folder.join(format!("part-{number:05}"));
        std::fs::write(path, number.to_string()).unwrap();
    }
}

/// Names in the staging folder of the line, also those of work in progress.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.collect()
}

/// T-29: the stage under way is ended, nothing half is left, and another
/// release of the line goes on.
#[test]
fn attack_stop_in_the_middle_of_a_stage() {
    let mut bench = bench_with(1);
    let stop = bench.forge.stop(1, of("many"), STOPPERS[0]);
    let tree = bench.path("many");
    many_files(&tree);
    bench.release(&tree, "many");
    let node = &bench.endpoints[0];
    let line = bench.staged(0, "many").parent().unwrap().to_owned();
    let began = Instant::now();
    let mut seen = 0;
    while seen < FILES / 10 {
        assert!(began.elapsed() < SOON, "staging begins");
        std::thread::sleep(Duration::from_millis(1));
        seen = names(&line.join(".many.new")).len();
    }
    let began = Instant::now();
    stop_at(node, &stop);
    until("nothing is left of it", SOON, || {
        names(&line).is_empty().then_some(())
    });
    let took = began.elapsed();
    let stopped = until("it waits for the end of the stop", SOON, || {
        let release = release(node, "many")?;
        waits_on_stop(&release).then_some(release)
    });
    println!("stop midway: {seen} of {FILES} files were there, all gone after {took:?}");
    assert!(seen < FILES, "the stage was under way");
    assert_eq!(stopped.state, ReleaseState::Fetching);
    assert_eq!(
        stopped.chunks_held, stopped.chunks_total,
        "what is held stays"
    );
    assert!(!bench.staged(0, "many").exists());

    let other = bench.path("other");
    patchmesh_tests::input::tree(&other, 94, 50_000);
    bench.release(&other, "other");
    until("the other release goes on", SOON, || {
        is_staged(&bench.endpoints[0], "other").then_some(())
    });
    bench.restart(0);
    until("the stop outlives a restart", SOON, || {
        waits_on_stop(&release(&bench.endpoints[0], "many")?).then_some(())
    });
    assert_eq!(names(&line), ["other"]);
}
