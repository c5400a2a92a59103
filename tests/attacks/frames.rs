//! Bytes that are not of the protocol, from inside and outside the gate.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use patchmesh_demo::compare::fingerprint;
use patchmesh_demo::network::port_and_peer;
use patchmesh_tests::bench::{Bench, FAST, address, refusals};
use patchmesh_tests::hostile::Guise;
use patchmesh_tests::input;
use patchmesh_tests::raw::{End, connect, enter, instead_of_hello, stream};
use patchmesh_tests::until::until;

use crate::support::{GROWTH_MAX_KIB, SOON, member, memory_kib};

const CONTROL: &str = "/patchmesh/control/1";
const CHUNK: &str = "/patchmesh/chunk/1";
const DOCUMENT: &str = "/patchmesh/document/1";
/// A length of 2^31 as a varint.
const GIANT: [u8; 5] = [0x80, 0x80, 0x80, 0x80, 0x08];
/// Connections of a flood.
const FLOOD: usize = 300;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_member_that_breaks_the_protocol_is_refused_and_the_node_goes_on() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let node = &bench.endpoints[0];
    let to = address(node);
    let before = memory_kib(node);
    // A frame of 60,000 bytes that holds 30,000 empty messages.
    let crowd = [&[0xe0, 0xd4, 0x03][..], &[0x0a, 0x00].repeat(30_000)].concat();
    // One byte longer than a frame may be.
    let long = [&[0x81, 0x80, 0x04][..], &vec![0; 64 * 1024 + 1]].concat();
    let cases: [(&str, Vec<u8>, &str); 6] = [
        (CONTROL, vec![5, 0xff, 0xff, 0xff, 0xff, 0xff], "malformed"),
        (CONTROL, GIANT.to_vec(), "too-large"),
        (CONTROL, long, "too-large"),
        (CONTROL, crowd, "too-many-elements"),
        (CHUNK, GIANT.to_vec(), "too-large"),
        (DOCUMENT, vec![3, 1, 2, 3], "malformed"),
    ];
    let mut seed = 40;
    for (protocol, bytes, code) in cases {
        seed += 1;
        let guise = member(&bench, seed);
        let count = refusals(node, "message", code);
        let end = runtime().block_on(async {
            let mut muxer = connect(seed, &to).await;
            assert!(enter(&mut muxer, &guise).await, "{protocol}: not let in");
            stream(&mut muxer, protocol, &bytes).await
        });
        assert_eq!(end, End::Closed, "{protocol} {code}");
        until("the breach is counted", SOON, || {
            (refusals(node, "message", code) > count).then_some(())
        });
    }
    let growth = memory_kib(node).saturating_sub(before);
    println!("frames: memory grew by {growth} KiB");
    assert!(growth <= GROWTH_MAX_KIB, "{growth} KiB");
    goes_on(&mut bench);
}

#[test]
fn a_flood_of_connections_and_broken_hellos_leaves_the_node_up() {
    let mut bench = Bench::with_sites(&[FAST]);
    bench.add(0, 1, &[]);
    let node = &bench.endpoints[0];
    let to = address(node);
    let before = memory_kib(node);
    let too_long = [&[0x81, 0x20][..], &[0; 4097]].concat();
    let hellos = [GIANT.to_vec(), vec![4, 1, 2, 3, 4], too_long];
    for (seed, hello) in (60..).zip(hellos) {
        let end = runtime().block_on(async {
            let mut muxer = connect(seed, &to).await;
            instead_of_hello(&mut muxer, &hello).await
        });
        assert_eq!(end, End::Closed, "{hello:?}");
    }
    let (port, _) = port_and_peer(&to).unwrap();
    let mut crowd: Vec<TcpStream> = (0..FLOOD)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
        .collect();
    for (number, stream) in crowd.iter_mut().enumerate() {
        // Half of them are silent, half send what is no handshake. One that is
        // closed already takes no more.
        if number % 2 == 0 {
            drop(stream.write_all(&[0x55; 512]));
        }
    }
    let began = Instant::now();
    for stream in &mut crowd {
        stream.set_read_timeout(Some(SOON)).unwrap();
        let end = stream.read_to_end(&mut Vec::new());
        let timed_out = end.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "an outsider was kept");
    }
    assert!(began.elapsed() < SOON + Duration::from_secs(5));
    let growth = memory_kib(node).saturating_sub(before);
    println!(
        "flood: memory grew by {growth} KiB, closed in {:?}",
        began.elapsed()
    );
    assert!(growth <= GROWTH_MAX_KIB, "{growth} KiB");
    let guise: Guise = member(&bench, 70);
    let let_in = runtime().block_on(async {
        let mut muxer = connect(70, &to).await;
        enter(&mut muxer, &guise).await
    });
    assert!(let_in, "a member comes in after the flood");
    goes_on(&mut bench);
}

/// The node still takes a release.
fn goes_on(bench: &mut Bench) {
    let tree = bench.path("tree");
    input::tree(&tree, 25, 200_000);
    bench.release(&tree, "release-1");
    bench.until_staged("release-1");
    assert_eq!(
        fingerprint(&bench.staged(0, "release-1")).unwrap(),
        fingerprint(&tree).unwrap()
    );
}
