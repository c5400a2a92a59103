//! A whole network on loopback: authority, origin, sites behind links.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::runtime::Runtime;

use crate::authority::Authority;
use crate::binaries::Binaries;
use crate::fleet::{Daemon, Role};
use crate::relay::{Rates, Relay};
use crate::warden::Warden;

/// A running network. Dropping it ends every process.
#[derive(Debug)]
pub struct Network {
    /// Keys and repository.
    pub authority: Authority,
    /// The origin.
    pub origin: Daemon,
    /// Endpoints of all sites.
    pub endpoints: Vec<Daemon>,
    /// One link a site, in the order of the sites.
    pub links: Vec<(String, Relay)>,
    /// What endpoints connect to, a site each.
    bootstraps: Vec<String>,
    folder: PathBuf,
    settings: Vec<(String, String)>,
    binaries: Binaries,
    warden: Warden,
    // Last: links live on it.
    _runtime: Runtime,
}

/// Shape of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Sites.
    pub sites: u32,
    /// Endpoints in each.
    pub nodes: u32,
    /// Rates of each WAN link.
    pub rates: Rates,
    /// Nodes listen for QUIC too, and endpoints reach the origin by it.
    pub quic: bool,
}

impl Network {
    /// Makes keys, starts the origin and opens the links; no endpoint yet.
    pub fn found(
        binaries: &Binaries,
        warden: Warden,
        folder: &Path,
        shape: &Shape,
        line: &str,
    ) -> Result<Self> {
        let mut warden = warden;
        let authority = Authority::found(&binaries.patchmesh, folder, line)?;
        let root = authority.root();
        let role = Role::Origin {
            repository: authority.repository.clone(),
        };
        let at = folder.join("origin");
        let mut origin = Daemon::prepare(&binaries.patchmeshd, &at, &root, &role)?;
        origin.settings = listen(shape);
        origin.restart(&mut warden)?;
        let origin_at = Origin::of(
            &origin
                .wait_until_listening(1 + usize::from(shape.quic))?
                .addresses,
        )?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("no runtime for the WAN links")?;
        let mut links = Vec::new();
        let mut bootstraps = Vec::new();
        for number in 1..=shape.sites {
            let relay = runtime.block_on(origin_at.link(shape))?;
            bootstraps.push(origin_at.beyond(&relay, shape));
            links.push((format!("site-{number}"), relay));
        }
        Ok(Self {
            authority,
            origin,
            endpoints: Vec::new(),
            links,
            bootstraps,
            folder: folder.to_owned(),
            settings: listen(shape),
            binaries: binaries.clone(),
            warden,
            _runtime: runtime,
        })
    }

    /// Starts one more endpoint in a site, counted from 0; does not wait.
    pub fn add_endpoint(&mut self, site: usize) -> Result<()> {
        let (name, _) = self.links.get(site).context("no such site")?;
        let number = self
            .endpoints
            .iter()
            .filter(|node| node.site == *name)
            .count()
            + 1;
        let folder = self.folder.join(format!("{name}-node-{number}"));
        let role = Role::Endpoint {
            site: name.clone(),
            bootstrap: self.bootstraps[site].clone(),
            line: self.authority.line.clone(),
        };
        let root = self.authority.root();
        let mut node = Daemon::prepare(&self.binaries.patchmeshd, &folder, &root, &role)?;
        node.settings.clone_from(&self.settings);
        node.restart(&mut self.warden)?;
        self.endpoints.push(node);
        Ok(())
    }

    /// Starts all endpoints of a shape and waits until each answers.
    pub fn fill(&mut self, shape: &Shape) -> Result<()> {
        for _ in 0..shape.nodes {
            for site in 0..self.links.len() {
                self.add_endpoint(site)?;
            }
        }
        self.endpoints
            .iter_mut()
            .try_for_each(|node| node.wait_until_up().map(drop))
    }

    /// Starts a killed endpoint again.
    pub fn restart(&mut self, endpoint: usize) -> Result<()> {
        let node = self
            .endpoints
            .get_mut(endpoint)
            .context("no such endpoint")?;
        node.restart(&mut self.warden)?;
        node.wait_until_up().map(drop)
    }

    /// Builds, signs with two of three, assembles and publishes a release.
    pub fn release(&self, content: &Path, id: &str) -> Result<()> {
        let draft = self.authority.build(content, id, &self.folder)?;
        let signatures = [
            self.authority.sign(&draft, id, 1)?,
            self.authority.sign(&draft, id, 2)?,
        ];
        self.authority.assemble(&draft, &signatures)?;
        self.authority.publish(&draft, Some(&self.origin.socket()))
    }
}

/// Where nodes listen, as a setting of theirs; TCP alone is the default here.
fn listen(shape: &Shape) -> Vec<(String, String)> {
    let both = r#"["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"]"#;
    let setting = ("PATCHMESH_NET__LISTEN".to_owned(), both.to_owned());
    shape.quic.then_some(setting).into_iter().collect()
}

/// Where the origin listens.
struct Origin {
    peer: String,
    tcp: u16,
    udp: Option<u16>,
}

impl Origin {
    fn of(addresses: &[String]) -> Result<Self> {
        let found = addresses.iter().find_map(|at| port_and_peer(at).ok());
        let (tcp, peer) = found.context("the origin listens nowhere")?;
        let udp = addresses.iter().find_map(|at| {
            let port = at.strip_prefix("/ip4/127.0.0.1/udp/")?;
            port.split_once("/quic-v1")?.0.parse().ok()
        });
        Ok(Self { peer, tcp, udp })
    }

    async fn link(&self, shape: &Shape) -> Result<Relay> {
        let mut relay = Relay::open(([127, 0, 0, 1], self.tcp).into(), shape.rates).await?;
        if shape.quic {
            let udp = self.udp.context("the origin does not listen for QUIC")?;
            relay.carry_udp(([127, 0, 0, 1], udp).into()).await?;
        }
        Ok(relay)
    }

    /// Its address as a site sees it.
    fn beyond(&self, link: &Relay, shape: &Shape) -> String {
        let (port, peer) = (link.address.port(), &self.peer);
        if shape.quic {
            format!("/ip4/127.0.0.1/udp/{port}/quic-v1/p2p/{peer}")
        } else {
            format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}")
        }
    }
}

/// Port and peer id of `/ip4/…/tcp/PORT/p2p/ID`.
pub fn port_and_peer(address: &str) -> Result<(u16, String)> {
    let parts: Vec<&str> = address.split('/').collect();
    match parts.as_slice() {
        ["", "ip4", _, "tcp", port, "p2p", peer] => Ok((
            port.parse().context("no port in an address")?,
            (*peer).to_owned(),
        )),
        _ => bail!("an address of another form: {address}"),
    }
}
