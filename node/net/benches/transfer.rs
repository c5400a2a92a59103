//! Chunks between two nodes on the loopback interface, encrypted, framed and
//! asked for one by one, beside the same bytes over plain TCP.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "what a test harness may do, its bench may too"
)]

#[path = "../tests/loopback/harness.rs"]
#[expect(dead_code, reason = "the bench needs a part of it")]
mod harness;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harness::{Node, noise, pair, want};
use patchmesh_core::ids::FetchId;
use patchmesh_core::peer::PeerId;
use patchmesh_core::time::Duration as Within;
use patchmesh_net::{Bytes, Command, Event, FetchOutcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Requests under way at a time.
const OUTSTANDING: u64 = 4;
/// Bytes of one pass.
const TOTAL: u64 = 32 << 20;

fn transfer(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    for kib in [128, 512] {
        let len = kib << 10;
        let count = TOTAL / len;
        let bytes = Bytes::from(noise(usize::try_from(len).expect("a short chunk"), 1));
        let mut group = criterion.benchmark_group(format!("transfer of {kib} KiB chunks"));
        group.throughput(Throughput::Bytes(TOTAL)).sample_size(10);
        group.bench_function("limit: plain TCP", |b| {
            b.iter_custom(|passes| runtime.block_on(plain(&bytes, passes * count)));
        });
        let (mut a, mut b) = runtime.block_on(pair());
        let mut next = 0;
        group.bench_function("two nodes", |bench| {
            bench.iter_custom(|passes| {
                let chunks = passes * count;
                let ids = next..next + chunks;
                next += chunks;
                runtime.block_on(between((&mut a, &mut b), &bytes, ids))
            });
        });
    }
}

/// Sends the chunk so often over a TCP connection; the time until all is read.
async fn plain(bytes: &Bytes, count: u64) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("a port");
    let mut far = TcpStream::connect(address).await.expect("a connection");
    let (mut near, _) = listener.accept().await.expect("a connection");
    let bytes = bytes.clone();
    let start = Instant::now();
    let send = tokio::spawn(async move {
        for _ in 0..count {
            far.write_all(&bytes).await.expect("a reader");
        }
    });
    let mut buffer = vec![0; 64 << 10];
    while near.read(&mut buffer).await.expect("a writer") > 0 {}
    send.await.expect("all is sent");
    start.elapsed()
}

async fn between(
    (a, b): (&mut Node, &mut Node),
    bytes: &Bytes,
    ids: std::ops::Range<u64>,
) -> Duration {
    let start = Instant::now();
    let peer = b.peer();
    let serve = serve_all(b, bytes, ids.end - ids.start);
    tokio::join!(ask_all(a, peer, ids), serve);
    start.elapsed()
}

async fn ask_all(node: &mut Node, peer: PeerId, ids: std::ops::Range<u64>) {
    let order = |id| Command::Fetch {
        fetch: FetchId(id),
        peer,
        want: Box::new(want(0)),
        within: Within::secs(60),
        idle: Within::secs(60),
    };
    let mut open = 0;
    for id in ids {
        node.send(order(id)).await;
        open += 1;
        if open == OUTSTANDING {
            answered(node).await;
            open -= 1;
        }
    }
    for _ in 0..open {
        answered(node).await;
    }
}

async fn answered(node: &mut Node) {
    node.wait(|event| match event {
        Event::Fetched { outcome, .. } => {
            assert!(matches!(outcome, FetchOutcome::Frame(_)), "{outcome:?}");
            Some(())
        }
        _ => None,
    })
    .await;
    node.seen.clear();
}

async fn serve_all(node: &mut Node, bytes: &Bytes, count: u64) {
    for _ in 0..count {
        let serve = node
            .wait(|event| match event {
                Event::Requested { serve, .. } => Some(*serve),
                _ => None,
            })
            .await;
        let bytes = bytes.clone();
        node.send(Command::ServeBytes { serve, bytes }).await;
        node.seen
            .retain(|event| matches!(event, Event::Requested { .. }));
    }
}

criterion_group!(benches, transfer);
criterion_main!(benches);
