//! Results of blocking work, on their way back to the engine.

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::{ContentId, PeerId};
use patchmesh_core::ids::{AskId, FetchId, InstallId, ServeId};
use patchmesh_core::input::{Answered, Input, Installed};
use patchmesh_core::message::Want;
use patchmesh_core::output::Step;
use patchmesh_net::Bytes;
use patchmesh_store::{SyncError, Synced};

use crate::chunks::intake::Taken;
use crate::origin::renewal::Renewed;

/// What a blocking task reports.
pub(crate) enum Finished {
    /// An apply step ended; the code says what it refused, if anything.
    Applied(InstallId, Installed, Option<&'static str>),
    /// A document of the origin.
    Document(AskId, Answered, Reading),
    /// A look at the origin's files, which noted what it saw.
    Looked,
    /// An input as it is.
    Input(Input),
    /// The disk is too full for a stage step, which waits.
    NoRoomToStage(InstallId, Step),
    /// The bytes of a chunk that a peer asked for; `None` where it is gone.
    Read(ServeId, Option<Bytes>),
    /// The repository's timestamp was renewed, or not.
    Renewed(Renewed),
    /// A stage step ended; the chunks that it found damaged are out of the store.
    Staged(InstallId, Installed, Vec<(ContentId, ChunkIndex)>),
    /// A batch of chunks was made durable, or not.
    Synced(Result<Synced, SyncError>),
    /// A fetched frame went through the intake.
    Taken(FetchId, Fetch, Taken),
}

/// A fetch under way: what is wanted, and from which peer; `None` is the origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetch {
    pub(crate) want: Want,
    pub(crate) from: Option<PeerId>,
}

/// A document of the origin on its way through the engine.
#[derive(Debug)]
pub(crate) struct Reading {
    /// What a trouble with it is about.
    pub(crate) about: String,
    /// The file or address that it was read from.
    pub(crate) file: String,
    /// Whether the engine refused it.
    pub(crate) refused: bool,
}

impl Reading {
    /// A document that was read from this file or address.
    pub(crate) fn new(about: String, file: String) -> Self {
        Self {
            about,
            file,
            refused: false,
        }
    }
}
