//! A network of real nodes on loopback with a publisher in this process. A few
//! run at a time; dropping one ends every process of it.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use libp2p::identity::Keypair;
use patchmesh_api::releases::{Release, ReleaseState};
use patchmesh_content::id::PeerId;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_demo::binaries::Binaries;
use patchmesh_demo::fleet::{Daemon, Role};
use patchmesh_demo::measure::Counters;
use patchmesh_demo::network::port_and_peer;
use patchmesh_demo::relay::{Rates, Relay};
use patchmesh_demo::warden::Warden;
use patchmesh_demo::watch::{Completion, until_staged};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::forge::{Forge, LINE};
use crate::web::Web;

/// A WAN link that is not the bottleneck of a test.
pub const FAST: Rates = mbit(50);
/// No rollout of a test takes longer, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A link of this many megabits a second, both ways.
pub const fn mbit(number: u64) -> Rates {
    Rates {
        down: number * 1_000_000,
        up: number * 1_000_000,
    }
}

/// The built programs; built at the first call.
///
/// # Panics
/// If they do not build.
pub fn programs() -> &'static Binaries {
    static FOUND: OnceLock<Binaries> = OnceLock::new();
    FOUND.get_or_init(|| Binaries::find(false).expect("the programs build"))
}

/// Networks of one test program at a time: their nodes wait for each other and
/// for timers most of the time, and leave two cores idle one by one.
const NETWORKS_MAX: usize = 3;

/// How many run, and who waits for one of them to end.
static RUNNING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// The right to run a network; given back when dropped.
#[derive(Debug)]
pub struct Turn(());

/// Waits until there is room for one more network of this program.
pub fn turn() -> Turn {
    let mut running = RUNNING
        .1
        .wait_while(running(), |running| *running >= NETWORKS_MAX)
        .unwrap_or_else(PoisonError::into_inner);
    *running += 1;
    Turn(())
}

impl Drop for Turn {
    fn drop(&mut self) {
        *running() -= 1;
        RUNNING.1.notify_one();
    }
}

fn running() -> MutexGuard<'static, usize> {
    RUNNING.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A network.
#[derive(Debug)]
pub struct Bench {
    /// Endpoints of all sites.
    pub endpoints: Vec<Daemon>,
    /// The origin; `None` until [`Self::start_origin`].
    pub origin: Option<Daemon>,
    /// The publisher.
    pub forge: Forge,
    /// One WAN link a site.
    pub links: Vec<Relay>,
    /// Ends what a killed test leaves.
    pub warden: Warden,
    bootstraps: Vec<String>,
    folder: TempDir,
    runtime: Runtime,
    _turn: Turn,
}

impl Bench {
    /// A publisher with an empty repository; no process yet.
    ///
    /// # Panics
    /// If the machine has no room for it.
    pub fn new() -> Self {
        let turn = turn();
        let folder = tempfile::Builder::new().prefix("pm-").tempdir_in(memory());
        let folder = folder.expect("a temporary folder");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        Self {
            endpoints: Vec::new(),
            origin: None,
            forge: Forge::found(&folder.path().join("repository")),
            links: Vec::new(),
            warden: Warden::start(&programs().demo).expect("a warden"),
            bootstraps: Vec::new(),
            folder,
            runtime: runtime.expect("a runtime"),
            _turn: turn,
        }
    }

    /// The same with an origin, and a WAN link for each of these rates.
    ///
    /// # Panics
    /// If the origin does not start.
    pub fn with_sites(rates: &[Rates]) -> Self {
        let mut bench = Self::new();
        bench.start_origin();
        for rate in rates {
            bench.open_site(*rate);
        }
        bench
    }

    /// A folder of the network.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the origin, which serves the publisher's folder.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_origin(&mut self) {
        let role = Role::Origin {
            repository: self.forge.repository.clone(),
        };
        let folder = self.path("origin");
        let origin = self.daemon(&folder, &role, &[]);
        self.origin = Some(origin);
    }

    /// The origin.
    ///
    /// # Panics
    /// Before it was started.
    pub fn origin(&self) -> &Daemon {
        self.origin.as_ref().expect("the origin was started")
    }

    /// Opens a WAN link for one more site.
    ///
    /// # Panics
    /// If there is no port for it.
    pub fn open_site(&mut self, rates: Rates) {
        let address = address(self.origin());
        let (port, peer) = port_and_peer(&address).expect("an address of loopback");
        let origin = ([127, 0, 0, 1], port).into();
        let link = self.runtime.block_on(Relay::open(origin, rates));
        let link = link.expect("a WAN link");
        let port = link.address.port();
        self.bootstraps
            .push(format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}"));
        self.links.push(link);
    }

    /// Starts endpoints in a site, counted from 0, with these settings, and
    /// waits until they answer.
    ///
    /// # Panics
    /// If one does not start.
    pub fn add(&mut self, site: usize, nodes: usize, settings: &[(&str, &str)]) {
        for _ in 0..nodes {
            let number = self.endpoints.len() + 1;
            let role = Role::Endpoint {
                site: site_name(site),
                bootstrap: self.bootstraps[site].clone(),
                line: LINE.to_owned(),
            };
            let folder = self.path(&format!("node-{number}"));
            let daemon = self.daemon(&folder, &role, settings);
            self.endpoints.push(daemon);
        }
    }

    /// Starts endpoints of the first site all at once, and waits until they answer.
    ///
    /// # Panics
    /// If one does not start.
    pub fn add_at_once(&mut self, nodes: usize) {
        let first = self.endpoints.len();
        let role = Role::Endpoint {
            site: site_name(0),
            bootstrap: self.bootstraps[0].clone(),
            line: LINE.to_owned(),
        };
        for number in first + 1..=first + nodes {
            let folder = self.path(&format!("node-{number}"));
            let daemon = self.started(&folder, &role, &[]);
            self.endpoints.push(daemon);
        }
        for node in &mut self.endpoints[first..] {
            node.wait_until_up().expect("a node answers");
        }
    }

    /// Starts an endpoint of the first site that knows nobody: only who dials
    /// it is there. It wants this line.
    ///
    /// # Panics
    /// If it does not start.
    pub fn add_lonely(&mut self, line: &str) {
        self.add_endpoint(&Role::Endpoint {
            site: site_name(0),
            bootstrap: nowhere(),
            line: line.to_owned(),
        });
    }

    /// Starts an endpoint of the first site whose origin is a web server over
    /// the publisher's folder, and which may know an endpoint.
    ///
    /// # Panics
    /// If it does not start.
    pub fn add_of_web(&mut self, web: &Web, neighbour: Option<usize>) {
        self.add_endpoint(&Role::HttpEndpoint {
            site: site_name(0),
            http: web.base.clone(),
            bootstrap: neighbour.map(|number| address(&self.endpoints[number])),
            line: LINE.to_owned(),
        });
    }

    fn add_endpoint(&mut self, role: &Role) {
        let number = self.endpoints.len() + 1;
        let folder = self.path(&format!("node-{number}"));
        let daemon = self.daemon(&folder, role, &[]);
        self.endpoints.push(daemon);
    }

    /// Starts one node and waits until it answers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn daemon(&mut self, folder: &Path, role: &Role, settings: &[(&str, &str)]) -> Daemon {
        let mut daemon = self.started(folder, role, settings);
        daemon.wait_until_up().expect("a node answers");
        daemon
    }

    fn started(&mut self, folder: &Path, role: &Role, settings: &[(&str, &str)]) -> Daemon {
        let root = self.forge.root_path();
        let program = &programs().patchmeshd;
        let mut daemon =
            Daemon::prepare(program, folder, &root, role).expect("a folder for a node");
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        daemon.settings = settings.iter().map(own).collect();
        daemon.restart(&mut self.warden).expect("a node starts");
        daemon
    }

    /// Starts an endpoint again and waits until it answers.
    ///
    /// # Panics
    /// If it does not.
    pub fn restart(&mut self, endpoint: usize) {
        let node = &mut self.endpoints[endpoint];
        node.restart(&mut self.warden).expect("a node starts again");
        node.wait_until_up().expect("a node answers again");
    }

    /// Publishes a release of a tree and tells the origin.
    ///
    /// # Panics
    /// If the origin does not take it.
    pub fn release(&mut self, tree: &Path, id: &str) -> ReleaseIndex {
        let index = self.forge.release(tree, id);
        self.refresh();
        index
    }

    /// Tells the origin, if there is one, that its folder changed.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn refresh(&self) {
        if let Some(origin) = &self.origin {
            let request = patchmesh_api::request::Request::Refresh;
            origin.ask(&request).expect("the origin answers");
        }
    }

    /// Waits until every running endpoint has staged a release.
    ///
    /// # Panics
    /// If one does not.
    pub fn until_staged(&mut self, id: &str) -> Completion {
        let done = until_staged(&mut self.endpoints, id, PATIENCE, |_, _| Ok(()));
        done.unwrap_or_else(|error| panic!("{error:#}; {}", self.last_words()))
    }

    /// What every endpoint said last.
    pub fn last_words(&self) -> String {
        let all = self.endpoints.iter().chain(&self.origin);
        let words = all.map(|node| format!("{}: {}", node.name, node.last_words()));
        words.collect::<Vec<_>>().join("\n")
    }

    /// Counters of a site.
    ///
    /// # Panics
    /// If a node does not answer.
    pub fn counters(&self, site: usize) -> Counters {
        let read = Counters::read(&self.endpoints, &site_name(site), &self.links[site]);
        read.expect("the nodes answer")
    }

    /// Folder of a release that an endpoint has staged.
    pub fn staged(&self, endpoint: usize, id: &str) -> PathBuf {
        self.endpoints[endpoint].staging().join(LINE).join(id)
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

/// What a test network may write; containers often have 64 MB of memory folder.
const MEMORY_MIN: u64 = 2 << 30;

/// A folder in memory where the system has one with room: nodes wait for the
/// disk at each document, and no test on a network asks what outlives a power
/// cut.
fn memory() -> PathBuf {
    let shared = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(shared).map_or(0, |of| of.f_bavail * of.f_frsize);
    if room >= MEMORY_MIN {
        shared.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// An address with a key at which nobody is.
fn nowhere() -> String {
    let nobody = Keypair::ed25519_from_bytes([255; 32]).expect("any seed is a key");
    format!("/ip4/127.0.0.1/tcp/1/p2p/{}", nobody.public().to_peer_id())
}

/// Name of a site, counted from 0.
pub fn site_name(site: usize) -> String {
    format!("site-{}", site + 1)
}

/// First address of a node, with its peer.
///
/// # Panics
/// If the node does not answer.
pub fn address(node: &Daemon) -> String {
    let status = node.status().expect("the node answers");
    let address = status.addresses.first();
    address.expect("the node listens").clone()
}

/// Key of a node.
///
/// # Panics
/// If the node does not answer.
pub fn peer(node: &Daemon) -> PeerId {
    node.status().expect("the node answers").node
}

/// What a node says of a release; `None` while it does not know it.
pub fn release(node: &Daemon, id: &str) -> Option<Release> {
    let status = node.status().ok()?;
    status.releases.into_iter().find(|found| found.id == id)
}

/// Whether a node has staged a release.
pub fn is_staged(node: &Daemon, id: &str) -> bool {
    release(node, id).is_some_and(|release| release.state == ReleaseState::Staged)
}

/// How often a node refused something, all kinds of this code together.
///
/// # Panics
/// If the node does not answer.
pub fn refusals(node: &Daemon, what: &str, code: &str) -> u64 {
    let status = node.status().expect("the node answers");
    let matching = status
        .refusals
        .iter()
        .filter(|count| count.what == what && count.code == code);
    matching.map(|count| count.count).sum()
}
