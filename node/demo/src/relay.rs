//! A WAN link in user space: everything between a site and the origin, over TCP
//! or UDP, passes through one rate in each direction and is counted.

mod direction;
mod udp;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

use crate::relay::direction::Direction;
use crate::relay::udp::Link;

/// Bytes that pass at a time: small enough that connections share the link
/// fairly, large enough for the timer of the runtime.
const STEP: usize = 8 * 1024;
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
        let link = Link::new(socket, origin, self.down.clone(), self.up.clone());
        self.tasks.push(tokio::spawn(link.carry()));
        Ok(())
    }

    /// Bytes that passed towards the site.
    pub fn down_bytes(&self) -> u64 {
        self.down.bytes()
    }

    /// Bytes that passed towards the origin.
    pub fn up_bytes(&self) -> u64 {
        self.up.bytes()
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

#[cfg(test)]
mod tests;
