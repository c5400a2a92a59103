//! Starts the swarm task.

use std::collections::VecDeque;
use std::time::Duration;

use libp2p::core::transport::TransportError;
use libp2p::core::upgrade::Version;
use libp2p::swarm::{self, Swarm};
use patchmesh_core::peer::PeerId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::address;
use crate::behaviour::{self, Behaviour};
use crate::command::Command;
use crate::config::Config;
use crate::event::Event;
use crate::exchange::chunk::Chunks;
use crate::exchange::control::Outboxes;
use crate::exchange::document::Documents;
use crate::gossip::Gossip;
use crate::hello::{Gate, encode};
use crate::identity::{from_libp2p, keypair};
use crate::limits::{COMMANDS_MAX, EVENTS_MAX, HELLOS_MAX, NEGOTIATING_MAX};
use crate::link::transport;
use crate::peers::Peers;
use crate::task::state::{Channels, Hellos, Task};
use crate::traffic::TrafficMeter;

/// A connection without streams is kept this long: practically for ever, yet
/// a number that clocks can add.
const IDLE_KEPT: Duration = Duration::from_hours(10 * 365 * 24);

/// A running network. It ends when [`Command::Shutdown`] comes, or when the
/// last sender of commands is dropped.
#[derive(Debug)]
pub struct Handle {
    /// This node's key.
    pub peer: PeerId,
    /// Orders; bounded, so sending waits when the task is busy. The task never
    /// waits for its events to be taken while it holds commands back.
    pub commands: mpsc::Sender<Command>,
    /// Bytes by path and by peer.
    pub traffic: TrafficMeter,
    /// Ends after the last event; panics of the task show here.
    pub task: JoinHandle<()>,
}

/// Why the network did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The text is no address, or not of a kind this build can listen on.
    #[error("failed to read {address:?} as an address to listen on")]
    Address {
        /// The text.
        address: String,
    },
    /// The certificate does not fit in a hello.
    #[error("failed to fit the certificate in a hello")]
    Hello,
    /// The operating system refused.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// Its reason.
        #[source]
        source: std::io::Error,
    },
    /// Multicast is not available.
    #[error("failed to start the search by multicast")]
    Multicast(#[source] std::io::Error),
}

/// Starts the network on the current tokio runtime.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn start(config: Config) -> Result<(Handle, mpsc::Receiver<Event>), StartError> {
    let keypair = keypair(config.identity_seed);
    let libp2p_peer = keypair.public().to_peer_id();
    let peer = from_libp2p(&libp2p_peer).expect("the key is an Ed25519 key");
    let traffic = TrafficMeter::default();
    let (command_sender, commands) = mpsc::channel(COMMANDS_MAX);
    let (events, event_receiver) = mpsc::channel(EVENTS_MAX);
    let (asks, hellos) = mpsc::channel(HELLOS_MAX);
    let ours = encode(&config.hello).ok_or(StartError::Hello)?;
    let (encoded, ours) = watch::channel(ours);

    let gate = Gate::new(ours, asks, config.timing.hello, peer);
    let transport = transport::build(&keypair, &gate, &traffic, config.short_queues);
    let behaviour = behaviour::build(&config, &keypair).map_err(StartError::Multicast)?;
    let mut swarm = Swarm::new(transport, behaviour, libp2p_peer, swarm_config());
    let listen = |address: &String| listen(&mut swarm, address);
    let claims: Result<Vec<_>, _> = config.listen.iter().map(listen).collect();
    let claims = claims?;

    let task = Task {
        swarm,
        hello: Hellos::new(config.hello, encoded, gate.turned_away()),
        chunks: Chunks::default(),
        documents: Documents::default(),
        gossip: Gossip::new(&config.gossip_topic),
        outboxes: Outboxes::default(),
        peers: Peers::new(config.timing.both_dialled),
        traffic: traffic.clone(),
        pong: config.timing.pong,
        pending: VecDeque::new(),
    };
    let channels = Channels {
        commands,
        events,
        hellos,
    };
    let handle = Handle {
        peer,
        commands: command_sender,
        traffic,
        task: tokio::spawn(async move {
            task.run(channels).await;
            drop(claims);
        }),
    };
    Ok((handle, event_receiver))
}

fn swarm_config() -> swarm::Config {
    swarm::Config::with_tokio_executor()
        // Whether a peer is kept is decided by the driver, not by silence.
        .with_idle_connection_timeout(IDLE_KEPT)
        .with_max_negotiating_inbound_streams(NEGOTIATING_MAX)
        // One round trip less per request: each stream offers one protocol.
        .with_substream_upgrade_protocol_override(Version::V1Lazy)
}

/// Listens; the claim keeps others from the same address.
fn listen(
    swarm: &mut Swarm<Behaviour>,
    address: &str,
) -> Result<Option<address::Claim>, StartError> {
    let text = || address.to_owned();
    let parsed = address
        .parse()
        .map_err(|_| StartError::Address { address: text() })?;
    let claim = address::claim(&parsed).map_err(|source| StartError::Listen {
        address: text(),
        source,
    })?;
    match swarm.listen_on(parsed) {
        Ok(_) => Ok(claim),
        Err(TransportError::MultiaddrNotSupported(_)) => {
            Err(StartError::Address { address: text() })
        }
        Err(TransportError::Other(source)) => Err(StartError::Listen {
            address: text(),
            source,
        }),
    }
}
