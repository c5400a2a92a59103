//! What a rollout cost: the nodes' own counters and the counters of the WAN
//! links, between two moments.

use anyhow::Result;
use serde::Serialize;

use crate::fleet::Daemon;
use crate::relay::Relay;

/// Counters of one site at one moment, in bytes since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counters {
    /// Chunk frames that its nodes received over the WAN.
    pub wan_payload: u64,
    /// All bytes that its nodes received over the WAN.
    pub wan_transport: u64,
    /// Chunk frames that its nodes received from each other.
    pub lan_payload: u64,
    /// All bytes that passed its WAN link towards it.
    pub link_down: u64,
    /// All bytes that passed its WAN link towards the origin.
    pub link_up: u64,
    /// Chunk bytes received in vain.
    pub wasted: u64,
}

impl Counters {
    /// Reads the counters of a site's living, honest nodes and its link.
    pub fn read(fleet: &[Daemon], site: &str, link: &Relay) -> Result<Self> {
        let mut sum = Self {
            link_down: link.down_bytes(),
            link_up: link.up_bytes(),
            ..Self::default()
        };
        for node in fleet
            .iter()
            .filter(|node| node.site == site && node.pid().is_some() && !node.altered)
        {
            let status = node.status()?;
            let received = status.received;
            sum.wan_payload += received.origin.payload + received.wan.payload;
            sum.wan_transport += received.origin.transport + received.wan.transport;
            sum.lan_payload += received.lan.payload + received.site.payload;
            sum.wasted += status.wasted_bytes;
        }
        Ok(sum)
    }

    #[must_use]
    /// What was added since an earlier moment.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            wan_payload: self.wan_payload.saturating_sub(earlier.wan_payload),
            wan_transport: self.wan_transport.saturating_sub(earlier.wan_transport),
            lan_payload: self.lan_payload.saturating_sub(earlier.lan_payload),
            link_down: self.link_down.saturating_sub(earlier.link_down),
            link_up: self.link_up.saturating_sub(earlier.link_up),
            wasted: self.wasted.saturating_sub(earlier.wasted),
        }
    }

    /// How far the nodes' counter of WAN bytes is from the link's, as a share.
    pub fn disagreement(&self) -> f64 {
        ratio(self.link_down.abs_diff(self.wan_transport), self.link_down)
    }
}

/// One number over another; 0 over nothing.
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "byte counts are far below 2^52")]
    let (part, whole) = (part as f64, whole as f64);
    part / whole
}

/// Bytes for people, in MB of 10^6.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", ratio(bytes, 1_000_000))
}
