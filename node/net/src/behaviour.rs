//! The protocols of an admitted connection, put together.

use std::io;
use std::time::Duration;

use libp2p::connection_limits::ConnectionLimits;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{connection_limits, identify, mdns, ping};

use crate::config::{Config, Timing};
use crate::exchange::chunk_codec::{self, ChunkCodec};
use crate::exchange::control::{self, ControlCodec};
use crate::exchange::document_codec::{self, DocumentCodec};
use crate::gossip::{self, Gossipsub};
use crate::limits::{
    CHUNK_STREAMS_MAX, CONNECTIONS_MAX, CONNECTIONS_PENDING_MAX, CONNECTIONS_PER_PEER_MAX,
    CONTROL_STREAMS_MAX, DOCUMENT_STREAMS_MAX,
};

/// Name of the family of protocols, as identify shows it.
const FAMILY: &str = "/patchmesh/1";
/// A backstop only: fetches have deadlines of their own, and every other
/// stream must make progress.
const STREAM_TIME_MAX: Duration = Duration::from_hours(1);
/// Repeating what the hello said brings nothing.
const IDENTIFY_INTERVAL: Duration = Duration::from_hours(1);
/// A joint boot of a branch makes answers grow with the square of its hosts;
/// after that a question now and then is enough.
const MULTICAST_INTERVAL: Duration = Duration::from_mins(30);
/// How long a multicast record is good; a little over two questions.
const MULTICAST_TTL: Duration = Duration::from_mins(65);

/// All protocols; each sees admitted connections only.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    /// First, so that a connection over the limit costs the others nothing.
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) chunk: request_response::Behaviour<ChunkCodec>,
    pub(crate) control: request_response::Behaviour<ControlCodec>,
    pub(crate) document: request_response::Behaviour<DocumentCodec>,
    pub(crate) gossip: Gossipsub,
    pub(crate) identify: identify::Behaviour,
    pub(crate) mdns: Toggle<mdns::tokio::Behaviour>,
    pub(crate) ping: ping::Behaviour,
}

/// Puts the protocols together; fails where multicast is not available.
pub(crate) fn build(config: &Config, keypair: &Keypair) -> io::Result<Behaviour> {
    let Timing {
        ping,
        pong,
        progress,
        chunk_progress,
        ..
    } = config.timing;
    let requests = |streams| {
        request_response::Config::default()
            .with_request_timeout(STREAM_TIME_MAX)
            .with_max_concurrent_streams(streams)
    };
    let both = ProtocolSupport::Full;
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(CONNECTIONS_PENDING_MAX))
        .with_max_pending_outgoing(Some(CONNECTIONS_PENDING_MAX))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX))
        .with_max_established(Some(CONNECTIONS_MAX));
    let about = identify::Config::new(FAMILY.to_owned(), keypair.public())
        .with_agent_version(concat!("patchmesh/", env!("CARGO_PKG_VERSION")).to_owned())
        .with_interval(IDENTIFY_INTERVAL)
        .with_cache_size(0);
    let multicast = || {
        let config = mdns::Config {
            ttl: MULTICAST_TTL,
            query_interval: MULTICAST_INTERVAL,
            enable_ipv6: false,
        };
        mdns::tokio::Behaviour::new(config, keypair.public().to_peer_id())
    };
    Ok(Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        chunk: request_response::Behaviour::with_codec(
            ChunkCodec::new(chunk_progress),
            [(chunk_codec::PROTOCOL, both.clone())],
            requests(CHUNK_STREAMS_MAX),
        ),
        control: request_response::Behaviour::with_codec(
            ControlCodec::new(progress),
            [(control::PROTOCOL, both.clone())],
            requests(CONTROL_STREAMS_MAX),
        ),
        document: request_response::Behaviour::with_codec(
            DocumentCodec::new(progress),
            [(document_codec::PROTOCOL, both)],
            requests(DOCUMENT_STREAMS_MAX),
        ),
        gossip: gossip::behaviour(&config.gossip_topic),
        identify: identify::Behaviour::new(about),
        mdns: Toggle::from(config.mdns.then(multicast).transpose()?),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(ping).with_timeout(pong)),
    })
}
