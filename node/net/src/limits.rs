//! Every bound of the adapter, each with its reason. Bounds of the wire are in
//! `patchmesh_proto::limits`.

/// Commands waiting for the swarm task.
pub const COMMANDS_MAX: usize = 1024;
/// Events handed over and not yet taken by the driver.
pub const EVENTS_MAX: usize = 256;
/// Events the swarm task holds back before it stops reading the network; one
/// control frame or command may add its own on top.
pub const EVENTS_PENDING_MAX: usize = 1024;
/// Hellos waiting for a verdict; as many as connections that may be pending.
pub const HELLOS_MAX: usize = 64;
/// Connections in the making, each way.
pub const CONNECTIONS_PENDING_MAX: u32 = 64;
/// Connections to one peer: two when both dial at once.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 2;
/// Connections in all: twice the peers of the core.
pub const CONNECTIONS_MAX: u32 = 512;
/// Chunk requests on one connection, both directions together: three times
/// what an origin serves at one time to all.
pub const CHUNK_STREAMS_MAX: usize = 768;
/// Control frames on one connection, both directions together: an honest node
/// has one under way; each may hold a full frame in memory.
pub const CONTROL_STREAMS_MAX: usize = 8;
/// Document requests on one connection, both directions together: four times
/// what the core asks for at one time.
pub const DOCUMENT_STREAMS_MAX: usize = 64;
/// Streams of one connection over all protocols.
pub const STREAMS_PER_CONNECTION_MAX: usize = 2048;
/// Inbound streams of one connection that have not named their protocol yet:
/// as many as the other side may open before the first is taken.
pub const NEGOTIATING_MAX: usize = 256;
/// Gossip messages waiting for a verdict; more are ignored.
pub const GOSSIP_PENDING_MAX: usize = 256;
/// Chunk and document requests of peers waiting for an answer; more are refused.
pub const REQUESTED_MAX: usize = 1024;
/// Messages waiting for one peer; a peer that lets more pile up is disconnected,
/// since dropping one would make its view of this node wrong.
pub const CONTROL_QUEUE_MAX: usize = 8192;
/// Bytes of messages waiting for one peer.
pub const CONTROL_QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Departed peers whose byte totals are remembered.
pub const TRAFFIC_PEERS_MAX: usize = 1024;
/// Addresses of a peer tried in one dial.
pub const DIAL_ADDRESSES_MAX: usize = 8;
/// Addresses found by multicast that one event reports of a peer.
pub const DISCOVERED_ADDRESSES_MAX: usize = 8;
