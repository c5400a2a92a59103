//! Physical limits: no schedule ends earlier, since every byte has to pass the
//! slowest link on its way once, and no site takes fewer bytes.

use patchmesh_core::time::Duration;

use crate::plan::Plan;

/// What a world cannot beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Bytes to move to each site: F.
    pub bytes: u64,
    /// Earliest end: T*, without relay between sites.
    pub earliest: Duration,
}

/// F and T* of a plan: the origin's uplink carries a copy for each site, each
/// site's line and each node's port carry one.
pub fn bound(plan: &Plan) -> Bound {
    let bytes = plan.wire_bytes();
    let sites = plan.sites.len() as u64;
    let secs = |bits_per_sec: u64, copies: u64| {
        let bits = bytes.saturating_mul(8).saturating_mul(copies);
        Duration(bits.saturating_mul(1_000_000) / bits_per_sec.max(1))
    };
    let lines = plan.sites.iter().map(|site| secs(site.down, 1));
    let terms = lines.chain([secs(plan.origin_up, sites), secs(plan.lan, 1)]);
    Bound {
        bytes,
        earliest: terms.max().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Site;

    #[test]
    fn the_slowest_line_or_the_origin_is_the_limit() {
        let site = |down| Site {
            nodes: 5,
            down,
            up: 5_000_000,
        };
        let mut plan = Plan::quiet(1);
        plan.chunks = vec![(0, 160)];
        plan.sites = vec![site(20_000_000), site(8_000_000)];
        plan.origin_up = 100_000_000;
        // 160 chunks of 64 KiB are 10,485,760 bytes.
        assert_eq!(bound(&plan).bytes, 10_485_760);
        assert_eq!(bound(&plan).earliest, Duration(10_485_760));
        plan.origin_up = 10_000_000;
        assert_eq!(bound(&plan).earliest, Duration(16_777_216));
    }
}
