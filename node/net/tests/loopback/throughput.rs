//! Measures instead of checking: run with `--ignored --nocapture`.

use std::time::Instant;

use patchmesh_core::ids::FetchId;
use patchmesh_core::time::Duration;
use patchmesh_net::{Bytes, Command, Event, FetchOutcome};

use crate::harness::{Node, noise, pair, want};

/// Requests under way at a time.
const OUTSTANDING: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: takes a minute and both cores"]
async fn throughput_on_the_loopback_interface() {
    let idle_kib = status_kib("VmRSS:");
    let (mut a, mut b) = pair().await;
    println!(
        "memory: {} KiB before, {} KiB with two connected nodes",
        idle_kib,
        status_kib("VmRSS:")
    );
    for (len, total) in [(128 << 10, 1_u32 << 29), (512 << 10, 1 << 29)] {
        let count = u64::from(total / len);
        let bytes = Bytes::from(noise(len as usize, 1));
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let asker = ask_all(&mut a, b.peer(), count);
        let holder = serve_all(&mut b, &bytes, count);
        tokio::join!(asker, holder);
        let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        println!(
            "{} KiB chunks: {:.0} MB/s, {:.2} CPU seconds per GiB for both nodes",
            len >> 10,
            f64::from(total) / wall / 1e6,
            cpu / f64::from(total) * f64::from(1 << 30)
        );
    }
    println!("peak memory: {} KiB", status_kib("VmHWM:"));
}

async fn ask_all(node: &mut Node, peer: patchmesh_core::peer::PeerId, count: u64) {
    let order = |id| Command::Fetch {
        fetch: FetchId(id),
        peer,
        want: Box::new(want(0)),
        within: Duration::secs(60),
    };
    for id in 0..OUTSTANDING.min(count) {
        node.send(order(id)).await;
    }
    for id in OUTSTANDING..count + OUTSTANDING {
        node.wait(|event| match event {
            Event::Fetched { outcome, .. } => {
                assert!(matches!(outcome, FetchOutcome::Frame(_)), "{outcome:?}");
                Some(())
            }
            _ => None,
        })
        .await;
        if id < count {
            node.send(order(id)).await;
        }
    }
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
        node.seen.clear();
    }
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split(' ').collect();
    // User and system time, in ticks of a hundredth of a second.
    (fields[12].parse::<f64>().unwrap() + fields[13].parse::<f64>().unwrap()) / 100.0
}

fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}
