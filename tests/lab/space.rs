//! Network namespaces: origin, core, one router a site, endpoints; links
//! between them, shaped where they are WAN. Nothing leads out of them.

use std::process::Command;

use crate::keeper::Keeper;
use crate::namespace::{delete, run};
use crate::plan::Plan;
use crate::result::Result;

/// First part of the names of all namespaces of all laboratories.
const PREFIX: &str = "pmlab";
/// Largest frame on a link, in bytes.
const FRAME_LEN: u64 = 1514;

/// A network of namespaces.
#[derive(Debug)]
pub(crate) struct Space {
    prefix: String,
}

/// Name and address of one place for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Namespace.
    pub(crate) namespace: String,
    /// IPv4 address in it.
    pub(crate) address: String,
}

/// Says why namespaces or shaping can't be had here.
pub(crate) fn probe() -> Result<()> {
    let name = format!("{PREFIX}{}-probe", std::process::id());
    run(&format!("ip netns add {name}"))?;
    let shaped = run(&format!(
        "ip -n {name} link add name one type veth peer name two"
    ))
    .and_then(|()| shape(&name, "one", 20_000_000));
    run(&format!("ip netns del {name}"))?;
    shaped
}

impl Space {
    /// Builds everything; leftovers of laboratories that are gone are removed.
    pub(crate) fn build(plan: &Plan, keeper: &mut Keeper) -> Result<Self> {
        sweep()?;
        let space = Self {
            prefix: format!("{PREFIX}{}", std::process::id()),
        };
        let core = space.name("core");
        let origin = space.name("origin");
        for name in [&core, &origin] {
            add(name, keeper)?;
        }
        run(&format!(
            "ip netns exec {core} sysctl -qw net.ipv4.ip_forward=1"
        ))?;
        join(
            (&core, "origin", "10.77.0.1"),
            (&origin, "uplink", "10.77.0.2"),
        )?;
        run(&format!("ip -n {origin} route add default via 10.77.0.1"))?;
        shape(&origin, "uplink", plan.origin)?;
        for site in 1..=plan.sites {
            space.build_site(plan, site, keeper)?;
        }
        Ok(space)
    }

    fn build_site(&self, plan: &Plan, site: u32, keeper: &mut Keeper) -> Result<()> {
        let core = self.core();
        let router = self.name(&format!("r{site}"));
        add(&router, keeper)?;
        run(&format!(
            "ip netns exec {router} sysctl -qw net.ipv4.ip_forward=1"
        ))?;
        let down = format!("s{site}");
        let (near, far) = (format!("10.77.{site}.1"), format!("10.77.{site}.2"));
        join((&core, &down, &near), (&router, "wan", &far))?;
        let rate = if site == 1 {
            plan.slow_down
        } else {
            plan.wan_down
        };
        shape(&core, &down, rate)?;
        shape(&router, "wan", plan.wan_up)?;
        run(&format!(
            "ip -n {core} route add 10.78.{site}.0/24 via {far}"
        ))?;
        run(&format!("ip -n {router} route add default via {near}"))?;
        run(&format!("ip -n {router} link add name lan type bridge"))?;
        run(&format!(
            "ip -n {router} addr add 10.78.{site}.1/24 dev lan"
        ))?;
        run(&format!("ip -n {router} link set dev lan up"))?;
        for node in 1..=plan.nodes {
            let place = self.endpoint(site, node);
            let name = &place.namespace;
            add(name, keeper)?;
            let port = format!("e{node}");
            run(&format!(
                "ip link add name {port} netns {router} type veth peer name lan netns {name}"
            ))?;
            run(&format!("ip -n {router} link set dev {port} master lan up"))?;
            run(&format!(
                "ip -n {name} addr add {}/24 brd + dev lan",
                place.address
            ))?;
            run(&format!("ip -n {name} link set dev lan up"))?;
            run(&format!(
                "ip -n {name} route add default via 10.78.{site}.1"
            ))?;
        }
        Ok(())
    }

    /// The namespace whose interfaces `s1`, `s2`, .. lead to the sites.
    pub(crate) fn core(&self) -> String {
        self.name("core")
    }

    /// Where the origin lives.
    pub(crate) fn origin(&self) -> Place {
        Place {
            namespace: self.name("origin"),
            address: "10.77.0.2".to_owned(),
        }
    }

    /// Where an endpoint lives; both numbers count from 1.
    pub(crate) fn endpoint(&self, site: u32, node: u32) -> Place {
        Place {
            namespace: self.name(&format!("e{site}-{node}")),
            address: format!("10.78.{site}.{}", 10 + node),
        }
    }

    fn name(&self, part: &str) -> String {
        format!("{}-{part}", self.prefix)
    }
}

fn add(name: &str, keeper: &mut Keeper) -> Result<()> {
    // Told first: between the two lines the keeper would forget it.
    keeper.namespace(name)?;
    run(&format!("ip netns add {name}"))?;
    run(&format!("ip -n {name} link set lo up"))
}

/// A cable between two namespaces: name, interface and address of each end.
fn join(one: (&str, &str, &str), two: (&str, &str, &str)) -> Result<()> {
    run(&format!(
        "ip link add name {} netns {} type veth peer name {} netns {}",
        one.1, one.0, two.1, two.0
    ))?;
    for (name, interface, address) in [one, two] {
        run(&format!(
            "ip -n {name} addr add {address}/24 dev {interface}"
        ))?;
        run(&format!("ip -n {name} link set dev {interface} up"))?;
    }
    Ok(())
}

/// Shapes what leaves an interface: burst of 2 ms, queue of 100 ms. Without
/// large segments, so that every header is shaped and counted.
fn shape(name: &str, interface: &str, rate: u64) -> Result<()> {
    let burst = (rate / 8 / 500).max(2 * FRAME_LEN);
    run(&format!(
        "ip -n {name} link set dev {interface} gso_max_segs 1"
    ))?;
    run(&format!(
        "tc -n {name} qdisc add dev {interface} root tbf rate {rate}bit burst {burst}b \
         latency 100ms"
    ))
}

/// Deletes namespaces of laboratories whose process is gone.
fn sweep() -> Result<()> {
    let output = Command::new("ip").args(["netns", "list"]).output()?;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('-'))
            .map(|(owner, _)| owner);
        let Some(owner) = owner.filter(|owner| owner.parse::<u32>().is_ok()) else {
            continue;
        };
        if !std::path::Path::new("/proc").join(owner).exists() {
            delete(name)?;
        }
    }
    Ok(())
}
