//! A WAN link in user space: everything between a site and the origin, over TCP
//! or UDP, passes through one rate in each direction and is counted.

mod udp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Bytes that pass at a time: small enough that connections share the link
/// fairly, large enough for the timer of the runtime.
const STEP: usize = 8 * 1024;
/// How far the link may fall behind its rate before it forgives the difference.
const CATCH_UP: Duration = Duration::from_millis(20);

/// One link; it ends when dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where the site connects to.
    pub address: SocketAddr,
    down: Arc<Direction>,
    up: Arc<Direction>,
    tasks: Vec<JoinHandle<()>>,
}

/// Rates of a link in bit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Towards the site.
    pub down: u64,
    /// Towards the origin.
    pub up: u64,
}

impl Relay {
    /// Opens a link to the origin's address.
    pub async fn open(origin: SocketAddr, rates: Rates) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.context("failed to open a WAN link")?;
        let address = listener.local_addr().context("failed to open a WAN link")?;
        let down = Arc::new(Direction::new(rates.down));
        let up = Arc::new(Direction::new(rates.up));
        let accept = tokio::spawn(accept(listener, origin, down.clone(), up.clone()));
        Ok(Self {
            address,
            down,
            up,
            tasks: vec![accept],
        })
    }

    /// Carries packets to this address of the origin too; the site sends them
    /// to the link's address, port and all.
    pub async fn carry_udp(&mut self, origin: SocketAddr) -> Result<()> {
        let socket = UdpSocket::bind(self.address).await;
        let socket = socket.context("failed to open a WAN link for packets")?;
        let link = udp::Link::new(socket, origin, self.down.clone(), self.up.clone());
        self.tasks.push(tokio::spawn(link.carry()));
        Ok(())
    }

    /// Bytes that passed towards the site.
    pub fn down_bytes(&self) -> u64 {
        self.down.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that passed towards the origin.
    pub fn up_bytes(&self) -> u64 {
        self.up.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(
    listener: TcpListener,
    origin: SocketAddr,
    down: Arc<Direction>,
    up: Arc<Direction>,
) {
    while let Ok((site, _)) = listener.accept().await {
        let (down, up) = (down.clone(), up.clone());
        tokio::spawn(async move {
            // A connection that fails ends; its nodes dial again.
            let Ok(far) = TcpStream::connect(origin).await else {
                return;
            };
            if site.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
                return;
            }
            let (site_read, site_write) = site.into_split();
            let (far_read, far_write) = far.into_split();
            let upward = tokio::spawn(pass(site_read, far_write, up));
            pass(far_read, site_write, down).await;
            upward.abort();
        });
    }
}

/// Passes bytes on until either side ends.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, direction: Arc<Direction>) {
    let mut buffer = vec![0; STEP];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        direction.wait_for(read).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// One direction: a clock that says when the link is free again.
#[derive(Debug)]
struct Direction {
    bits_per_sec: u64,
    free: Mutex<Instant>,
    bytes: AtomicU64,
}

impl Direction {
    fn new(bits_per_sec: u64) -> Self {
        Self {
            bits_per_sec,
            free: Mutex::new(Instant::now()),
            bytes: AtomicU64::new(0),
        }
    }

    /// Waits until the link has carried `bytes` more, and counts them; first
    /// come, first served.
    async fn wait_for(&self, bytes: usize) {
        let until = {
            let mut free = self.free.lock().await;
            let now = Instant::now();
            let start = (*free).max(now - CATCH_UP);
            let bits = bytes as u64 * 8;
            *free = start + Duration::from_nanos(bits * 1_000_000_000 / self.bits_per_sec.max(1));
            *free
        };
        sleep_until(until).await;
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
