//! The flight recording of a real node, lived again by the simulator's engine.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use patchmesh_api::status::RecorderState;
use patchmesh_tests::bench::{Bench, FAST};
use patchmesh_tests::input;
use patchmesh_tests::until::until;

#[test]
fn the_recording_of_a_node_that_fetched_a_release_replays() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 41, 2_000_000);
    bench.release(&tree, "release-1");
    bench.add(0, 2, &[]);
    bench.until_staged("release-1");
    let status = bench.endpoints[0].status().unwrap();
    assert_eq!(status.recorder.state, RecorderState::Recording);
    bench.endpoints[0].terminate().unwrap();

    let file = bench.endpoints[0].state().join("recorder/flight.rec");
    let recording = fs::read(&file).unwrap();
    let replayed = replay(&file);
    let said = String::from_utf8_lossy(&replayed.stdout);
    assert!(replayed.status.success(), "{replayed:?}");
    println!("{} bytes: {said}", recording.len());
    let inputs: u64 = said.split(' ').next().unwrap().parse().unwrap();
    assert!(inputs > 50, "{said}");
    assert!(!said.contains("incomplete"), "{said}");

    let bent = bench.path("bent.rec");
    let mut numbers = input::Numbers::new(42);
    for _ in 0..5 {
        let mut bytes = recording.clone();
        let at = usize::try_from(numbers.below(bytes.len() as u64)).unwrap();
        bytes[at] ^= 1;
        fs::write(&bent, &bytes).unwrap();
        let refused = replay(&bent);
        assert_eq!(refused.status.code(), Some(2), "byte {at}: {refused:?}");
        assert!(!refused.stderr.is_empty());
    }
}

#[test]
fn sigkill_loses_no_more_than_the_last_second_of_a_recording() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 44, 500_000);
    bench.release(&tree, "release-1");
    bench.add(0, 1, &[]);
    bench.until_staged("release-1");
    let node = &mut bench.endpoints[0];
    let recorded = node.status().unwrap().recorder.bytes;
    let file = node.state().join("recorder/flight.rec");
    until("it is on disk", Duration::from_secs(3), || {
        (fs::metadata(&file).unwrap().len() >= recorded).then_some(())
    });
    node.kill().unwrap();
    let replayed = replay(&file);
    assert!(replayed.status.success(), "{replayed:?}");
}

#[test]
fn a_full_recording_ends_says_so_and_still_replays() {
    let mut bench = Bench::with_sites(&[FAST]);
    let tree = bench.path("tree");
    input::tree(&tree, 43, 2_000_000);
    bench.release(&tree, "release-1");
    bench.add(0, 1, &[("PATCHMESH_RECORDER__SIZE", "8 KiB")]);
    bench.until_staged("release-1");
    let used = until("it is full", Duration::from_secs(30), || {
        let used = bench.endpoints[0].status().unwrap().recorder;
        (used.state == RecorderState::Full).then_some(used)
    });
    assert!(used.bytes <= used.bytes_max, "{used:?}");
    assert!(bench.endpoints[0].log().contains("recording is full"));
    let file = bench.endpoints[0].state().join("recorder/flight.rec");
    assert_eq!(fs::metadata(&file).unwrap().len(), used.bytes);
    assert!(replay(&file).status.success());

    // The next start keeps it and begins another.
    bench.endpoints[0].terminate().unwrap();
    bench.endpoints[0].settings.clear();
    bench.restart(0);
    let before = file.with_file_name("flight.before.rec");
    assert_eq!(fs::metadata(before).unwrap().len(), used.bytes);
    let used = bench.endpoints[0].status().unwrap().recorder;
    assert!(used.bytes > 0, "{used:?}");
}

/// `patchmesh-sim replay`, out of `PATCHMESH_BIN_DIR` or run by cargo.
fn replay(file: &Path) -> Output {
    let mut command = if let Some(folder) = std::env::var_os("PATCHMESH_BIN_DIR") {
        Command::new(Path::new(&folder).join("patchmesh-sim"))
    } else {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap());
        for (name, _) in std::env::vars() {
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(name);
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        cargo.current_dir(root);
        cargo.args(["run", "--quiet", "--package", "patchmesh-simulations"]);
        cargo.args(["--bin", "patchmesh-sim", "--"]);
        cargo
    };
    command.arg("replay").arg(file).stdin(Stdio::null());
    command.output().unwrap()
}
