//! The network of one run: keys, release, origin and endpoints in their
//! namespaces.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use patchmesh_demo::authority::Authority;
use patchmesh_demo::binaries::Binaries;
use patchmesh_demo::compare::fingerprint;
use patchmesh_demo::tamper::Tamper;
use tempfile::TempDir;

use crate::keeper::Keeper;
use crate::node::{Node, Setup};
use crate::plan::Plan;
use crate::release::{self, ID, LINE};
use crate::result::Result;
use crate::space::Space;

/// The network of a run. Fields are dropped in their order.
#[derive(Debug)]
pub(crate) struct Lab {
    /// Alters what the first endpoint of the first site serves.
    pub(crate) liar: Option<Tamper>,
    /// Endpoints, site after site.
    pub(crate) nodes: Vec<Node>,
    /// The origin.
    pub(crate) origin: Node,
    /// Namespaces.
    pub(crate) space: Space,
    /// Bytes of one copy on a link.
    pub(crate) whole: u64,
    /// Chunks of the release.
    pub(crate) chunks: u32,
    content: PathBuf,
    keeper: Keeper,
    folder: TempDir,
}

impl Lab {
    /// Builds namespaces, keys and release, and starts the origin.
    pub(crate) fn build(plan: &Plan, binaries: &Binaries) -> Result<Self> {
        let mut keeper = Keeper::start()?;
        let folder = folder(plan.keep, &mut keeper)?;
        let space = Space::build(plan, &mut keeper)?;
        let at = folder.path();
        let authority = Authority::found(&binaries.patchmesh, at, LINE)?;
        let content = at.join("content");
        let (mut whole, mut chunks) = (0, 0);
        if plan.size > 0 {
            release::write(&content, plan.size, plan.seed)?;
            let index = release::publish(&authority, &content, at)?;
            whole = index.wire_bytes();
            chunks = u32::try_from(index.chunks.len())?;
        }
        let setup = Setup {
            program: &binaries.patchmeshd,
            root: &authority.root(),
            log: &plan.log,
            repository: Some(&authority.repository),
            bootstrap: None,
            line: LINE,
        };
        let place = space.origin();
        let mut origin = Node::start(&at.join("origin"), &place, 0, &setup, &mut keeper)?;
        origin.wait_until_up()?;
        Ok(Self {
            liar: None,
            nodes: Vec::new(),
            origin,
            space,
            whole,
            chunks,
            content,
            keeper,
            folder,
        })
    }

    /// Starts endpoints of these numbers, one of each site after the other.
    pub(crate) fn start_endpoints(
        &mut self,
        plan: &Plan,
        binaries: &Binaries,
        numbers: RangeInclusive<u32>,
    ) -> Result<()> {
        let status = self.origin.wait_until_up()?;
        let bootstrap = status
            .addresses
            .first()
            .ok_or("the origin listens nowhere")?;
        let root = self.folder.path().join("ceremony/root.json");
        let setup = Setup {
            program: &binaries.patchmeshd,
            root: &root,
            log: &plan.log,
            repository: None,
            bootstrap: Some(bootstrap),
            line: LINE,
        };
        for number in numbers {
            for site in 1..=plan.sites {
                let at = self.folder.path().join(format!("e{site}-{number}"));
                let place = self.space.endpoint(site, number);
                let keeper = &mut self.keeper;
                self.nodes
                    .push(Node::start(&at, &place, site, &setup, keeper)?);
            }
        }
        if plan.bad_peer && self.liar.is_none() {
            let liar = self.nodes.first().ok_or("no endpoint")?;
            self.liar = Some(Tamper::start(&liar.state()));
        }
        Ok(())
    }

    /// Endpoints whose staged files are not those that were published.
    pub(crate) fn different(&self, plan: &Plan) -> Result<Vec<String>> {
        if plan.size == 0 {
            return Ok(Vec::new());
        }
        let wanted = fingerprint(&self.content)?;
        let honest = self.nodes.iter().skip(usize::from(self.liar.is_some()));
        let other = |node: &&Node| {
            let staged = node.state().join("staging").join(LINE).join(ID);
            node.lives() && !fingerprint(&staged).is_ok_and(|found| found == wanted)
        };
        Ok(honest.filter(other).map(|node| node.name.clone()).collect())
    }

    /// The node that alters what it serves, if there is one.
    pub(crate) fn liar(&self) -> Option<&Node> {
        self.liar.as_ref().and_then(|_| self.nodes.first())
    }

    /// Chunk bytes that the origin counted as sent, site by site, without what
    /// an expelled liar fetched for itself.
    pub(crate) fn origin_sent(&self, plan: &Plan) -> Result<Vec<u64>> {
        let liar = self
            .liar()
            .and_then(|liar| Some(liar.status.as_ref()?.node));
        let mut peers = self.origin.peers()?;
        peers.retain(|peer| Some(peer.peer) != liar);
        let of_site = |site: u32| {
            let name = format!("site-{site}");
            let of_site = peers.iter().filter(|peer| peer.site == name);
            of_site.map(|peer| peer.sent.payload).sum()
        };
        Ok((1..=plan.sites).map(of_site).collect())
    }

    /// Altered chunks, and nodes that name the liar.
    pub(crate) fn lies(&self) -> Result<Option<(u32, usize)>> {
        let Some(liar) = &self.liar else {
            return Ok(None);
        };
        let first = self.nodes.first().and_then(|node| node.status.as_ref());
        let id = first.ok_or("the liar never answered")?.node;
        let mut witnesses = 0;
        for node in self.nodes.iter().skip(1).filter(|node| node.lives()) {
            let mut peers = node.peers()?.into_iter();
            witnesses += usize::from(peers.any(|p| p.peer == id && p.corrupt_chunks > 0));
        }
        Ok(Some((liar.altered(), witnesses)))
    }
}

/// A folder on tmpfs where there is one: a contended disk would be measured
/// with everything else.
fn folder(keep: bool, keeper: &mut Keeper) -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let mut folder = tempfile::Builder::new().prefix("pmlab-").tempdir_in(base)?;
    folder.disable_cleanup(keep);
    if keep {
        println!("everything lies in {}", folder.path().display());
    } else {
        keeper.folder(folder.path())?;
    }
    Ok(folder)
}
