//! The counters agree with what a proxy in the middle counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use patchmesh_core::ids::FetchId;
use patchmesh_core::peer::{Address, Path};
use patchmesh_core::time::Duration;
use patchmesh_net::{Bytes, Command, Event, FetchOutcome, address};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, tcp};

use crate::harness::{Node, connect_at, noise, want};

/// Passes bytes on, counts them, and can stop passing without closing.
#[derive(Clone)]
pub(crate) struct Proxy {
    at: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    to_listener: AtomicU64,
    to_dialer: AtomicU64,
    frozen: AtomicBool,
}

impl Proxy {
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let proxy = Self {
            at,
            state: state.clone(),
        };
        tokio::spawn(async move {
            while let Ok((dialer, _)) = listener.accept().await {
                let listener = TcpStream::connect(target).await.unwrap();
                let (dialer_read, dialer_write) = dialer.into_split();
                let (listener_read, listener_write) = listener.into_split();
                let (up, down) = (state.clone(), state.clone());
                tokio::spawn(async move {
                    pass(dialer_read, listener_write, &up.to_listener, &up.frozen).await;
                });
                tokio::spawn(async move {
                    pass(listener_read, dialer_write, &down.to_dialer, &down.frozen).await;
                });
            }
        });
        proxy
    }

    pub(crate) fn address(&self) -> Address {
        address::from_socket(self.at)
    }

    pub(crate) fn freeze(&self) {
        self.state.frozen.store(true, Ordering::SeqCst);
    }
}

async fn pass(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    count: &AtomicU64,
    frozen: &AtomicBool,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if frozen.load(Ordering::SeqCst) {
            // Holds both sockets: nobody sees an end.
            std::future::pending::<()>().await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        count.fetch_add(read as u64, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counters_agree_with_a_proxy_that_counts() {
    const CHUNKS: u64 = 40;
    const LEN: usize = 128 * 1024;
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    let proxy = Proxy::start(address::socket(&b.address).unwrap()).await;
    connect_at(&mut a, &mut b, proxy.address(), Path::Wan).await;
    for id in 0..CHUNKS {
        a.send(Command::Fetch {
            fetch: FetchId(id),
            peer: b.peer(),
            want: Box::new(want(0)),
            within: Duration::secs(30),
            idle: Duration::secs(30),
        })
        .await;
        let serve = b
            .wait(|event| match event {
                Event::Requested { serve, .. } => Some(*serve),
                _ => None,
            })
            .await;
        let bytes = Bytes::from(noise(LEN, id));
        b.send(Command::ServeBytes { serve, bytes }).await;
        a.wait(|event| match event {
            Event::Fetched { outcome, .. } => {
                assert!(matches!(outcome, FetchOutcome::Frame(_)), "{outcome:?}");
                Some(())
            }
            _ => None,
        })
        .await;
    }
    for _ in 0..CHUNKS {
        b.wait(|event| matches!(event, Event::Served { .. }).then_some(()))
            .await;
    }

    let payload = CHUNKS * LEN as u64;
    let (of_a, of_b) = (a.handle.traffic.read(), b.handle.traffic.read());
    assert_eq!(of_a.payload_received.wan, payload);
    assert_eq!(of_b.payload_sent.wan, payload);
    assert_eq!(of_a.received.total(), of_a.received.wan);
    let to_dialer = proxy.state.to_dialer.load(Ordering::SeqCst);
    let to_listener = proxy.state.to_listener.load(Ordering::SeqCst);
    assert_close(of_a.received.wan, to_dialer);
    assert_close(of_b.sent.wan, to_dialer);
    assert_close(of_a.sent.wan, to_listener);
    assert_close(of_b.received.wan, to_listener);
    assert!(to_dialer > payload, "the proxy saw all of the payload");

    let by_peer = a.handle.traffic.peers()[&b.peer()];
    assert_close(by_peer.received, to_dialer);
    assert_eq!(by_peer.payload_received, payload);
    assert_eq!(by_peer.payload_sent, 0);
}

/// Within 1 %; what is in flight between the counters is the difference.
fn assert_close(counted: u64, passed: u64) {
    let apart = counted.abs_diff(passed);
    assert!(apart * 100 <= passed, "counted {counted}, passed {passed}");
}
