//! What the control socket asks of the driver.

use patchmesh_api::answer::Answer;
use patchmesh_api::releases::CorruptChunk;
use patchmesh_api::status::Status;
use patchmesh_content::id::ContentId;
use patchmesh_core::input::Command;
use patchmesh_core::output::Reply;
use tokio::sync::oneshot;

/// One question; the answer goes through its channel.
pub(crate) enum Query {
    /// A command for the engine, which may be refused before it gets there.
    Command(Command, oneshot::Sender<Result<Reply, Answer>>),
    /// Chunks of a content that were found altered.
    Corrupt(ContentId, oneshot::Sender<Vec<CorruptChunk>>),
    /// Recent events above this sequence number.
    Events(u64, oneshot::Sender<Answer>),
    /// Known peers.
    Peers(oneshot::Sender<Answer>),
    /// The node on one screen.
    Status(oneshot::Sender<Box<Status>>),
}

/// Questions waiting for the driver.
pub(crate) const QUERIES_MAX: usize = 64;
