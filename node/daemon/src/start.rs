//! Puts a node together: store, identity, trust, engine, network, socket.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use patchmesh_api::socket::listen_path;
use patchmesh_core::config::{Config, Mode};
use patchmesh_core::engine::Engine;
use patchmesh_core::journal;
use patchmesh_core::message::Mark;
use patchmesh_core::peer::PeerId;
use patchmesh_core::record::Restored;
use patchmesh_core::rng::Seed;
use patchmesh_net::{HelloParts, Timing, address};
use patchmesh_proto::limits::{PROTOCOL_MAX, PROTOCOL_MIN, ROOT_LEN_MAX};
use patchmesh_store::{Opened, Options, Store};
use patchmesh_trust::member::Validity;
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::state::{Head, Verifier};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::apply;
use crate::chunks::contents::Contents;
use crate::chunks::corrupt::Corrupt;
use crate::clock::Clock;
use crate::config::load::Settings;
use crate::control;
use crate::drive::Ears;
use crate::drive::node::{FINISHED_MAX, Node};
use crate::drive::query::{QUERIES_MAX, Query};
use crate::identity::{self, Identity};
use crate::notices::{Notices, STORED_FILE};
use crate::origin::folder::Folder;
use crate::origin::http::Http;
use crate::origin::source::Origin;
use crate::recorder::Recorder;
use crate::staged::{self, STAGING};
use crate::troubles::Troubles;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// `trust.root` could not be read.
    #[error("failed to read trust.root {path}")]
    Root {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The root is not one that can be trusted, or the stored floors are damaged.
    #[error("failed to trust {path}: {refusal}")]
    Trust {
        /// The file.
        path: String,
        /// Why.
        refusal: Refusal,
    },
    /// `origin.repository` could not be opened.
    #[error("failed to open origin.repository {path}")]
    Repository {
        /// The folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// An entry of `net.bootstrap` is not an address with a peer.
    #[error("failed to read {0:?} in net.bootstrap: it takes /ip4/ADDRESS/tcp/PORT/p2p/ID")]
    Bootstrap(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] patchmesh_store::OpenError),
    /// The node's key.
    #[error(transparent)]
    Identity(#[from] identity::IdentityError),
    /// The network.
    #[error(transparent)]
    Net(#[from] patchmesh_net::StartError),
    /// The control socket.
    #[error(transparent)]
    Socket(#[from] patchmesh_api::socket::BindError),
}

/// A node ready to run.
pub(crate) struct Started {
    pub(crate) node: Node,
    pub(crate) ears: Ears,
}

/// Starts everything; nothing of it runs before [`crate::drive::run`].
pub(crate) fn start(settings: Settings, stop: CancellationToken) -> Result<Started, StartError> {
    let clock = Clock::start();
    let anchor = read_root(&settings.root)?;
    let contents = Contents::default();
    let (store, mut restored, damaged) = open_store(&settings, &contents)?;
    let identity = identity::load_or_make(&store, &mut restored)?;
    let origin = open_origin(&settings)?;
    let config = engine_config(&settings, PeerId(identity.key.public()))?;
    let seed = Seed(identity::random32().map_err(identity::IdentityError::Random)?);
    let begin = journal::Start {
        config,
        anchor: Arc::from(anchor),
        restored,
        seed,
        now: clock.now(),
    };
    let recorder = Recorder::start(&settings.state, &begin, settings.recorder_bytes_max);
    let mesh_id = mesh_id(&settings, &begin.anchor)?;
    let engine = start_engine(begin).map_err(|error| {
        let patchmesh_core::engine::StartError::Anchor(refusal) = error;
        trust_error(&settings.root, refusal)
    })?;
    let head = engine.view(clock.now()).head;
    let validity = identity::validity(engine.utc(clock.now()));
    let hello = hello(&identity, &mesh_id, &settings, head, validity)?;
    let net_config = net_config(&settings, identity.seed, &mesh_id, hello);
    let (net, events) = patchmesh_net::start(net_config)?;
    let (socket, queries) = listen(&settings)?;
    let (finished, finished_ears) = mpsc::channel(FINISHED_MAX);
    tracing::info!(node = %net.peer, site = settings.site, socket = %socket.display(), "started");
    let node = Node {
        settings,
        socket,
        looked_at: clock.now(),
        clock,
        engine,
        store,
        contents,
        origin,
        net,
        key: identity.key,
        validity,
        mesh_id,
        notices: damage(damaged),
        troubles: Troubles::default(),
        recorder,
        listening: Vec::new(),
        reading: None,
        fetches: BTreeMap::new(),
        corrupt: Corrupt::default(),
        serves: BTreeMap::new(),
        replies: BTreeMap::new(),
        commands_seen: 0,
        wasted: 0,
        line: VecDeque::new(),
        wake: None,
        renew_at: tokio::time::Instant::now(),
        finished,
        queries,
        stop,
        lacked: None,
        installs: BTreeMap::new(),
        unstaged: Vec::new(),
    };
    let ears = Ears {
        finished: finished_ears,
        events,
    };
    Ok(Started { node, ears })
}

fn open_store(
    settings: &Settings,
    contents: &Contents,
) -> Result<(Arc<Store>, Restored, usize), StartError> {
    let Opened {
        store,
        mut restored,
        report,
    } = Store::open(&settings.state, Options::new(settings.quota))?;
    log_report(&report);
    restore_contents(contents, &restored);
    let staging = settings.state.join(STAGING);
    staged::forget_lost(&mut restored.releases, contents, &staging);
    apply::as_on_disk(&mut restored.releases, contents, &settings.state);
    Ok((Arc::new(store), restored, report.quarantined.len()))
}

/// Each file that was put into quarantine is an event; the log names it.
fn damage(files: usize) -> Notices {
    let mut notices = Notices::default();
    for _ in 0..files {
        notices.refused(STORED_FILE, "Damaged", None);
    }
    notices
}

fn start_engine(begin: journal::Start) -> Result<Engine, patchmesh_core::engine::StartError> {
    let journal::Start {
        config,
        anchor,
        restored,
        seed,
        now,
    } = begin;
    Engine::new(config, &anchor, restored, seed, now)
}

/// Opens the control socket; its questions come through the channel.
fn listen(settings: &Settings) -> Result<(PathBuf, mpsc::Receiver<Query>), StartError> {
    let path = Some(settings.socket.as_path()).filter(|path| !path.as_os_str().is_empty());
    let path = listen_path(path, |name| std::env::var_os(name));
    let listener = control::bind(&path)?;
    let (to_driver, queries) = mpsc::channel(QUERIES_MAX);
    tokio::spawn(control::serve(listener, to_driver));
    Ok((path, queries))
}

fn read_root(path: &Path) -> Result<Vec<u8>, StartError> {
    use std::io::Read as _;
    let failed = |source| StartError::Root {
        path: path.display().to_string(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(ROOT_LEN_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

fn open_origin(settings: &Settings) -> Result<Option<Arc<Origin>>, StartError> {
    if let Some(path) = &settings.repository {
        let folder = Folder::open(path).map_err(|source| StartError::Repository {
            path: path.display().to_string(),
            source,
        })?;
        return Ok(Some(Arc::new(Origin::Folder(folder))));
    }
    Ok(settings
        .http
        .as_ref()
        .map(|base| Arc::new(Origin::Http(Http::new(base)))))
}

fn engine_config(settings: &Settings, peer: PeerId) -> Result<Config, StartError> {
    let mut bootstrap: BTreeMap<PeerId, Vec<Vec<u8>>> = BTreeMap::new();
    for text in &settings.bootstrap {
        match address::parse(text) {
            Ok((Some(peer), address)) => bootstrap.entry(peer).or_default().push(address),
            Ok((None, _)) | Err(_) => return Err(StartError::Bootstrap(text.clone())),
        }
    }
    let origin = settings.repository.is_some();
    Ok(Config {
        peer,
        site: settings.site.clone(),
        lines: if origin {
            vec!["*".to_owned()]
        } else {
            settings.lines.clone()
        },
        automatic: settings.automatic,
        mode: match (origin, &settings.http) {
            (true, _) => Mode::Origin,
            (false, Some(_)) => Mode::EndpointWithHttp,
            (false, None) => Mode::Endpoint,
        },
        weight: settings.weight,
        bootstrap: bootstrap.into_iter().collect(),
    })
}

fn restore_contents(contents: &Contents, restored: &Restored) {
    for (content, bytes) in &restored.indexes {
        match patchmesh_content::index::ReleaseIndex::decode(bytes) {
            Ok(index) => contents.insert(*content, index),
            Err(refusal) => tracing::warn!(%content, %refusal, "a stored index is unreadable"),
        }
    }
}

fn mesh_id(settings: &Settings, anchor: &[u8]) -> Result<[u8; 32], StartError> {
    Verifier::new(anchor, &settings.lines)
        .map(|verifier| verifier.mesh_id())
        .map_err(|refusal| trust_error(&settings.root, refusal))
}

fn trust_error(path: &Path, refusal: Refusal) -> StartError {
    StartError::Trust {
        path: path.display().to_string(),
        refusal,
    }
}

fn hello(
    identity: &Identity,
    mesh_id: &[u8; 32],
    settings: &Settings,
    head: Head,
    validity: Validity,
) -> Result<HelloParts, StartError> {
    let origin = settings.repository.is_some();
    let (certificate, signature) =
        identity::certificate(&identity.key, mesh_id, &settings.site, origin, validity)?;
    let protocol = (PROTOCOL_MIN, PROTOCOL_MAX);
    Ok(HelloParts {
        certificate,
        signature,
        protocol,
        head: [head.root, head.timestamp, head.snapshot],
        // The engine says it before anybody is admitted.
        mark: Mark::default(),
        addresses: Vec::new(),
    })
}

fn net_config(
    settings: &Settings,
    identity_seed: [u8; 32],
    mesh_id: &[u8; 32],
    hello: HelloParts,
) -> patchmesh_net::Config {
    patchmesh_net::Config {
        identity_seed,
        listen: settings.listen.clone(),
        hello,
        gossip_topic: patchmesh_content::id::hex(&mesh_id[..8]),
        mdns: settings.mdns,
        // An origin alone serves over the WAN.
        short_queues: settings.repository.is_some(),
        timing: Timing::default(),
    }
}

fn log_report(report: &patchmesh_store::OpenReport) {
    if report.index_rebuilt {
        tracing::warn!(
            "the index was missing or did not open; it was built again from the chunk files"
        );
    }
    if report.index_off {
        tracing::warn!("no index opens; the next start is slower");
    }
    if report.floors_damaged {
        tracing::warn!("the version floors were damaged; the file is in quarantine");
    }
    for path in &report.quarantined {
        tracing::warn!(path, "a damaged file was put into quarantine");
    }
    if report.adopted > 0 {
        tracing::info!(
            chunks = report.adopted,
            "took up chunks of an unfinished batch"
        );
    }
}
