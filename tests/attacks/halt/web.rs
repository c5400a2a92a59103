//! Stops in the folder of a plain web server, which checks nothing.

use std::path::PathBuf;

use patchmesh_tests::bench::{Bench, refusals};
use patchmesh_tests::input;
use patchmesh_tests::until::until;
use patchmesh_tests::web::Web;
use patchmesh_trust::layout::STOPS;
use patchmesh_trust::stop::signed::{SignedStop, write_file};

use crate::halt::stops::{STOPPERS, STRANGER, of, stopped, waits_on_stop};
use crate::support::{SOON, memory_kib, until_newest};

/// A file of stops that is longer than any: 64 MB.
const GIANT: usize = 64_000_000;
/// Memory that reading it may cost.
const GROWTH_MAX_KIB: u64 = 16 * 1024;

/// A node looks at a web server every half a minute, and when it starts.
fn look_again(bench: &mut Bench) {
    bench.endpoints[0].kill().unwrap();
    bench.restart(0);
}

fn write(bench: &Bench, stops: &[SignedStop]) {
    bench.forge.write(STOPS, &write_file(stops).unwrap());
}

/// T-28: what is genuine counts whatever stands beside it; a file that is none,
/// or is too long, is refused with a code and ends nothing.
#[test]
fn attack_stops_of_a_web_server() {
    let mut bench = Bench::new();
    bench.forge.let_stop(&STOPPERS);
    let tree = bench.path("tree");
    input::tree(&tree, 91, 100_000);
    bench.forge.release(&tree, "release-1");
    let web = Web::serve(&bench.forge.repository);
    bench.add_of_web(&web, None);
    until_newest(&bench);
    bench.until_staged("release-1");

    let file: PathBuf = bench.forge.repository.join(STOPS);
    bench.forge.write(STOPS, &[0xff; 300]);
    look_again(&mut bench);
    until("what is no file of stops is refused", SOON, || {
        (refusals(&bench.endpoints[0], "stops", "Malformed") > 0).then_some(())
    });
    std::fs::File::create(&file)
        .unwrap()
        .set_len(GIANT as u64)
        .unwrap();
    look_again(&mut bench);
    let before = memory_kib(&bench.endpoints[0]);
    until("a file that is too long is said to be", SOON, || {
        let troubles = bench.endpoints[0].status().unwrap().troubles;
        let told = |one: &patchmesh_api::trouble::Trouble| {
            one.code == "OriginBroken" && one.detail.contains(STOPS)
        };
        troubles.iter().any(told).then_some(())
    });
    let growth = memory_kib(&bench.endpoints[0]).saturating_sub(before);
    assert!(growth <= GROWTH_MAX_KIB, "{growth} KiB");
    assert!(!stopped(&bench.endpoints[0]));

    // A genuine one between two forged ones.
    let genuine = bench.forge.stop(1, of("release-2"), STOPPERS[0]);
    let mut altered = bench.forge.stop(2, of("release-1"), STOPPERS[0]);
    altered.signature[0] ^= 1;
    let stranger = bench.forge.stop(3, of("release-1"), STRANGER);
    write(&bench, &[altered, genuine, stranger]);
    look_again(&mut bench);
    until("the genuine one counts", SOON, || {
        stopped(&bench.endpoints[0]).then_some(())
    });
    let status = bench.endpoints[0].status().unwrap();
    let kept = std::fs::read_dir(bench.endpoints[0].state().join("trust/stops")).unwrap();
    assert_eq!(kept.count(), 1, "and no other");
    assert!(status.troubles.iter().all(|one| one.code != "OriginBroken"));
    for code in ["BadSignature", "UnknownKey"] {
        until("each of the others was refused", SOON, || {
            (refusals(&bench.endpoints[0], "stop", code) > 0).then_some(())
        });
    }

    // A damaged file afterwards takes nothing away.
    bench.forge.write(STOPS, b"\x0a\xff\xff\xff\xff\x0f");
    input::change(&tree, 92);
    bench.forge.release(&tree, "release-2");
    look_again(&mut bench);
    until("the release is known and stopped", SOON, || {
        let release = patchmesh_tests::bench::release(&bench.endpoints[0], "release-2")?;
        waits_on_stop(&release).then_some(())
    });
    let other = bench.path("other");
    input::tree(&other, 93, 50_000);
    bench.forge.release(&other, "release-3");
    look_again(&mut bench);
    until("what nothing stops goes on", SOON, || {
        patchmesh_tests::bench::is_staged(&bench.endpoints[0], "release-3").then_some(())
    });
    println!(
        "stops of a web server: 1 of 3 stops taken; {GIANT} bytes \
         cost {growth} KiB"
    );
}
