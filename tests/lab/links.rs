//! Counters of the WAN links, read where they enter the sites. They count
//! frames of 14 bytes Ethernet, IP and TCP with their payload.

use std::process::Command;

use serde_json::Value;

use crate::result::Result;

/// Bytes of one WAN link since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Link {
    /// Towards the site.
    pub(crate) down: u64,
    /// From the site.
    pub(crate) up: u64,
    /// Frames that found the queue towards the site full.
    pub(crate) dropped: u64,
}

/// Links of all sites, in their order.
pub(crate) fn read(core: &str, sites: u32) -> Result<Vec<Link>> {
    let links = json("ip", core, &["-s", "link"])?;
    let queues = json("tc", core, &["-s", "qdisc"])?;
    let find = |all: &Value, key: &str, name: &str| -> Value {
        let all = all.as_array().into_iter().flatten();
        let mut all = all.filter(|entry| entry[key] == name);
        all.next().cloned().unwrap_or_default()
    };
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    (1..=sites)
        .map(|site| {
            let name = format!("s{site}");
            let link = find(&links, "ifname", &name);
            let queue = find(&queues, "dev", &name);
            let down = link["stats64"]["tx"]["bytes"].as_u64();
            Ok(Link {
                down: down.ok_or_else(|| format!("{name} has no counters"))?,
                up: number(&link["stats64"]["rx"]["bytes"]),
                dropped: number(&queue["drops"]),
            })
        })
        .collect()
}

fn json(program: &str, namespace: &str, arguments: &[&str]) -> Result<Value> {
    let mut command = Command::new(program);
    command.args(["-n", namespace, "-j"]).args(arguments);
    Ok(serde_json::from_slice(&command.output()?.stdout)?)
}
