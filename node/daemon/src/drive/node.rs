//! Everything one running node consists of.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use patchmesh_api::answer::Answer;
use patchmesh_core::engine::Engine;
use patchmesh_core::ids::{CommandId, FetchId, InstallId, ServeId};
use patchmesh_core::input::Input;
use patchmesh_core::message::Want;
use patchmesh_core::output::{Reply, Step};
use patchmesh_core::peer::Address;
use patchmesh_core::time::{Now, Time};
use patchmesh_net::Command;
use patchmesh_store::Store;
use patchmesh_trust::key::NodeKey;
use patchmesh_trust::member::Validity;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::chunks::contents::Contents;
use crate::chunks::corrupt::Corrupt;
use crate::clock::Clock;
use crate::config::load::Settings;
use crate::drive::finished::{Fetch, Finished, Reading};
use crate::drive::query::Query;
use crate::notices::Notices;
use crate::origin::renewal::Renewed;
use crate::origin::source::Origin;
use crate::recorder::Recorder;
use crate::staged::STAGING;
use crate::troubles::{self, Found, Troubles};

/// Finished work waiting for the driver: above the sum of what the engine can
/// have under way at one time.
pub(crate) const FINISHED_MAX: usize = 1024;

/// Longer than any renewal takes.
const RENEWAL_MAX: Duration = Duration::from_hours(1);

/// A running node.
pub(crate) struct Node {
    pub(crate) settings: Settings,
    /// Where the control socket lies; removed at the end.
    pub(crate) socket: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) engine: Engine,
    pub(crate) store: Arc<Store>,
    pub(crate) contents: Contents,
    pub(crate) origin: Option<Arc<Origin>>,
    pub(crate) net: patchmesh_net::Handle,
    pub(crate) notices: Notices,
    pub(crate) troubles: Troubles,
    pub(crate) recorder: Recorder,
    /// The key of this node; it signs what a witness signs.
    pub(crate) key: NodeKey,
    /// When its certificate holds.
    pub(crate) validity: Validity,
    /// Id of the network: SHA-256 of the signed part of its first root.
    pub(crate) mesh_id: [u8; 32],
    /// Addresses this node listens on.
    pub(crate) listening: Vec<Address>,
    /// The document of the origin that the engine takes now.
    pub(crate) reading: Option<Reading>,
    /// Fetches from peers under way.
    pub(crate) fetches: BTreeMap<FetchId, Fetch>,
    /// Chunks that were found altered.
    pub(crate) corrupt: Corrupt,
    /// Serves handed to the network or to a reading task.
    pub(crate) serves: BTreeMap<ServeId, Want>,
    /// Commands waiting for their reply.
    pub(crate) replies: BTreeMap<CommandId, oneshot::Sender<Result<Reply, Answer>>>,
    pub(crate) commands_seen: u64,
    /// Chunk bytes received in vain.
    pub(crate) wasted: u64,
    /// The clocks when they were last looked at.
    pub(crate) looked_at: Now,
    /// Inputs in line for the engine.
    pub(crate) line: VecDeque<Input>,
    /// When the engine wants its next tick.
    pub(crate) wake: Option<Time>,
    /// When the repository's timestamp is renewed next; far away while that is
    /// under way.
    pub(crate) renew_at: tokio::time::Instant,
    /// Where blocking tasks report.
    pub(crate) finished: mpsc::Sender<Finished>,
    /// Questions of the control socket; they are answered while a full disk
    /// holds everything else up.
    pub(crate) queries: mpsc::Receiver<Query>,
    /// Ends the node.
    pub(crate) stop: CancellationToken,
    /// When something last found no room.
    pub(crate) lacked: Option<Instant>,
    /// Ends a stage step under way.
    pub(crate) installs: BTreeMap<InstallId, CancellationToken>,
    /// Stage steps that wait for room.
    pub(crate) unstaged: Vec<(InstallId, Step)>,
}

impl Node {
    /// Folder of staged releases.
    pub(crate) fn staging(&self) -> PathBuf {
        self.settings.state.join(STAGING)
    }

    /// Hands an order to the network. The network never waits for its events
    /// to be taken while it holds commands back, so this cannot lock up. Once
    /// it has ended there is nobody to tell; the driver sees its end itself.
    pub(crate) async fn tell(&self, command: Command) {
        if self.net.commands.send(command).await.is_err() {
            tracing::debug!("the network has ended");
        }
    }

    /// Takes up what is known now about one thing.
    pub(crate) fn trouble(&mut self, about: &str, found: Option<Found>) {
        if let Some(trouble) = self.troubles.set(about, found, Instant::now()) {
            self.notices.trouble(&trouble);
        }
    }

    /// Whether the wanted release lines are ones of the network. An origin gives
    /// out all.
    pub(crate) fn look_at_lines(&mut self) {
        if matches!(self.origin.as_deref(), Some(Origin::Folder(_))) {
            return;
        }
        if let Some(there) = self.engine.delegated_lines() {
            let found = troubles::unknown_lines(&self.settings.lines, &there);
            self.trouble("lines", found);
        }
    }

    /// Begins to renew the repository's timestamp, if that is this node's to do.
    pub(crate) fn renew(&mut self) {
        let Some(renewal) = self.settings.renewal.clone() else {
            return;
        };
        self.renew_at += RENEWAL_MAX;
        let (socket, finished) = (self.socket.clone(), self.finished.clone());
        tokio::spawn(async move {
            let renewed = renewal.run(socket).await;
            if finished.send(Finished::Renewed(renewed)).await.is_err() {
                tracing::debug!("the node ended before its timestamp was renewed");
            }
        });
    }

    /// Takes up what came of a renewal, and plans the next.
    pub(crate) fn renewed(&mut self, renewed: &Renewed) {
        self.trouble("renewal", renewed.trouble());
        if let Some(renewal) = &self.settings.renewal {
            self.renew_at = tokio::time::Instant::now() + renewal.next_after(renewed);
        }
    }

    /// Runs work on a blocking thread and reports what comes of it.
    pub(crate) fn spawn(&self, work: impl FnOnce() -> Finished + Send + 'static) {
        let finished = self.finished.clone();
        tokio::task::spawn_blocking(move || {
            if finished.blocking_send(work()).is_err() {
                tracing::debug!("the node ended before its work was done");
            }
        });
    }
}
