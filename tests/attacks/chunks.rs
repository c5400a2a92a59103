//! A member of the site that promises every chunk and delivers other bytes.

use patchmesh_core::message::Message;
use patchmesh_demo::compare::fingerprint;
use patchmesh_net::{Bytes, Command, Event};
use patchmesh_tests::bench::{Bench, mbit, peer};
use patchmesh_tests::hostile::Hostile;
use patchmesh_tests::input::{self, Numbers};
use patchmesh_tests::until::until;

use crate::support::{SOON, member};

#[test]
fn attack_20_chunk_poison() {
    let mut bench = Bench::with_sites(&[mbit(8)]);
    bench.add(0, 2, &[]);
    let tree = bench.path("tree");
    input::tree(&tree, 23, 2_000_000);
    let index = bench.forge.build(&tree, "release-1");
    let lengths: Vec<u32> = index.chunks.iter().map(|chunk| chunk.wire_len).collect();
    let attacker = Hostile::start(&member(&bench, 33), liar(lengths));
    for node in &bench.endpoints {
        attacker.dial(node);
        let id = peer(node);
        until("the liar is let in", SOON, || {
            attacker.is_up(id).then_some(())
        });
    }
    bench.release(&tree, "release-1");
    bench.until_staged("release-1");

    let wanted = fingerprint(&tree).unwrap();
    let mut named = 0;
    for endpoint in 0..2 {
        let staged = bench.staged(endpoint, "release-1");
        assert_eq!(fingerprint(&staged).unwrap(), wanted);
        let node = &bench.endpoints[endpoint];
        for found in node.peers().unwrap() {
            let corrupt = found.corrupt_chunks;
            assert!(
                found.peer == attacker.peer || corrupt == 0,
                "an honest peer is blamed"
            );
            named += u32::from(found.peer == attacker.peer && corrupt > 0 && found.refused);
        }
        let vain = node.status().unwrap().wasted_bytes;
        assert!(vain <= index.wire_bytes(), "{vain} bytes in vain");
    }
    let served = attacker.count(|event| matches!(event, Event::Served { .. }));
    println!("{served} wrong chunks served, named by {named} nodes");
    assert!(served > 0, "nobody asked the liar");
    assert!(named > 0, "nobody names the liar");
}

/// Says that it has all of what it hears of, and answers with noise.
fn liar(lengths: Vec<u32>) -> impl FnMut(&Event) -> Vec<Command> {
    let mut numbers = Numbers::new(24);
    move |event| match event {
        Event::Message { from, message } => match **message {
            Message::Interest { content } | Message::Have { content, .. } => {
                let have = Message::Have {
                    content,
                    all: true,
                    words: Vec::new(),
                };
                vec![Command::Send {
                    to: *from,
                    message: Box::new(have),
                }]
            }
            Message::Claim { .. }
            | Message::Head(_)
            | Message::Introduce(_)
            | Message::Release { .. } => Vec::new(),
        },
        Event::Requested { serve, want, .. } => {
            let len = lengths.get(want.chunk.0 as usize).copied().unwrap_or(1);
            vec![Command::ServeBytes {
                serve: *serve,
                bytes: Bytes::from(numbers.noise(len as usize)),
            }]
        }
        _ => Vec::new(),
    }
}
