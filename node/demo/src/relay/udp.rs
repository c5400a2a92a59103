//! Packets over a link. What waits for the link waits in the kernel's buffer of
//! the socket it came to, and is lost when that is full, as in a router.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::relay::direction::Direction;

/// The longest packet.
const PACKET_MAX: usize = 65_535;
/// Addresses of a site that are told apart; the one that was silent longest
/// makes room for another.
const FLOWS_MAX: usize = 256;

/// One link's way for packets.
pub(super) struct Link {
    site: Arc<UdpSocket>,
    origin: SocketAddr,
    down: Arc<Direction>,
    up: Arc<Direction>,
    flows: BTreeMap<SocketAddr, Flow>,
}

/// One address of the site, as the origin sees it: a socket of its own.
struct Flow {
    far: Arc<UdpSocket>,
    back: JoinHandle<()>,
    used: Instant,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.back.abort();
    }
}

impl Link {
    pub(super) fn new(
        site: UdpSocket,
        origin: SocketAddr,
        down: Arc<Direction>,
        up: Arc<Direction>,
    ) -> Self {
        Self {
            site: Arc::new(site),
            origin,
            down,
            up,
            flows: BTreeMap::new(),
        }
    }

    /// Carries packets until it is dropped.
    pub(super) async fn carry(mut self) {
        let mut buffer = vec![0; PACKET_MAX];
        loop {
            // An error here is news of a packet that did not arrive; the
            // socket stays usable.
            let Ok((length, from)) = self.site.recv_from(&mut buffer).await else {
                continue;
            };
            let Ok(far) = self.flow(from).await else {
                continue;
            };
            self.up.wait_for(length).await;
            // A packet that can't be sent is lost, and its sender knows.
            far.send(&buffer[..length]).await.ok();
        }
    }

    async fn flow(&mut self, from: SocketAddr) -> std::io::Result<Arc<UdpSocket>> {
        let now = Instant::now();
        if let Some(flow) = self.flows.get_mut(&from) {
            flow.used = now;
            return Ok(flow.far.clone());
        }
        if self.flows.len() >= FLOWS_MAX {
            let oldest = self.flows.iter().min_by_key(|(_, flow)| flow.used);
            let oldest = oldest.map(|(address, _)| *address);
            oldest.and_then(|address| self.flows.remove(&address));
        }
        let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        far.connect(self.origin).await?;
        let far = Arc::new(far);
        let back = back(far.clone(), self.site.clone(), from, self.down.clone());
        let flow = Flow {
            far: far.clone(),
            back: tokio::spawn(back),
            used: now,
        };
        self.flows.insert(from, flow);
        Ok(far)
    }
}

/// What comes back from the origin for one address.
async fn back(far: Arc<UdpSocket>, site: Arc<UdpSocket>, to: SocketAddr, down: Arc<Direction>) {
    let mut buffer = vec![0; PACKET_MAX];
    loop {
        let Ok(length) = far.recv(&mut buffer).await else {
            continue;
        };
        down.wait_for(length).await;
        site.send_to(&buffer[..length], to).await.ok();
    }
}
