//! Orders of the engine, carried out.

use std::sync::Arc;
use std::time::Duration;

use patchmesh_content::id::ContentId;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_core::ids::{AskId, AskedId, FetchId, InstallId, ServeId};
use patchmesh_core::input::{Answered, Fetched, Input, Installed};
use patchmesh_core::message::{DocumentRef, Want};
use patchmesh_core::output::{Answer, Notice, Output, Source, Step};
use patchmesh_core::record::Record;
use patchmesh_core::time::Time;
use patchmesh_net::{Bytes, Command};
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::time::UtcTime;
use tokio_util::sync::CancellationToken;

use crate::apply;
use crate::chunks::contents::Known;
use crate::chunks::{intake, repair};
use crate::drive::finished::{Fetch, Finished, Reading};
use crate::drive::node::Node;
use crate::drive::query::Query;
use crate::origin::broken;
use crate::origin::http::Patience;
use crate::room::Lack;
use crate::stage::StageError;
use crate::{stage, troubles};

/// Tries of a commit, a second apart, before the node gives up a disk that fails
/// and ends: what is not durable must not become visible. A disk that is only
/// full is waited for.
const COMMIT_TRIES: u32 = 60;
/// Between two tries.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// Why a node stops in the middle of its orders.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    /// It was told to end while a fact waited for the disk.
    #[error("ended before a fact was durable")]
    Stopped,
    /// The disk did not take a fact within [`COMMIT_TRIES`].
    #[error("failed to make a fact durable")]
    NotDurable(#[source] patchmesh_store::CommitError),
}

impl Node {
    /// One order. An order that makes more work under way answers later.
    pub(crate) async fn carry(&mut self, output: Output) -> Result<(), Halt> {
        match output {
            Output::Admit { hello, verdict } => self.tell(Command::Admit { hello, verdict }).await,
            Output::Answer { asked, document } => self.answer(asked, document).await,
            Output::Ask {
                ask,
                from,
                document,
                len_max,
            } => {
                self.ask(ask, from, document, len_max).await;
            }
            Output::CancelFetch { fetch } => self.tell(Command::CancelFetch { fetch }).await,
            Output::CancelInstall { install } => self.cancel_install(install),
            Output::Cosign { head, utc } => self.cosign(head, utc),
            Output::Decline { serve, decline } => {
                self.tell(Command::Decline { serve, decline }).await;
            }
            Output::Dial { peer, addresses } => self.tell(Command::Dial { peer, addresses }).await,
            Output::Disconnect { peer, why } => self.tell(Command::Disconnect { peer, why }).await,
            Output::Fetch {
                fetch,
                from,
                want,
                by,
                idle,
            } => self.fetch(fetch, from, *want, (by, idle)).await,
            Output::Install { install, step } => self.install(install, step),
            Output::Judge { id, verdict } => self.tell(Command::Judge { id, verdict }).await,
            Output::Notify(notice) => self.notify(*notice).await,
            Output::Persist(record) => self.persist(*record).await?,
            Output::Publish { announcement } => {
                self.tell(Command::Publish { announcement }).await;
            }
            Output::Reply { id, answer } => {
                if let Some(reply) = self.replies.remove(&id) {
                    // Who asked may have hung up.
                    drop(reply.send(Ok(answer)));
                }
            }
            Output::Send { to, message } => self.tell(Command::Send { to, message }).await,
            Output::Serve { serve, want, .. } => self.serve(serve, *want),
            Output::Wait(wake) => self.wake = wake.map(|(time, _)| time),
        }
        Ok(())
    }

    async fn persist(&mut self, record: Record) -> Result<(), Halt> {
        let record = Arc::new(record);
        let mut failed = 0;
        loop {
            let (store, copy) = (self.store.clone(), record.clone());
            let commit = tokio::task::spawn_blocking(move || store.commit(&copy));
            let Err(error) = commit.await.expect("a commit does not panic") else {
                break;
            };
            if !error.is_full() {
                failed += 1;
            }
            if failed > COMMIT_TRIES {
                return Err(Halt::NotDurable(error));
            }
            self.lacks(&Lack::of_commit(&error));
            self.wait_for_room().await?;
        }
        match &*record {
            Record::Index { content, bytes } => self.learn(*content, bytes),
            Record::Forget { content } => self.forget(content),
            Record::Annex { .. }
            | Record::Cosignature { .. }
            | Record::Document { .. }
            | Record::Log { .. }
            | Record::Proof { .. }
            | Record::Release { .. }
            | Record::Stop { .. }
            | Record::StopList { .. }
            | Record::Witnessed(_) => {}
        }
        Ok(())
    }

    /// Signs as a witness what the engine decided, which is durable by now.
    fn cosign(&mut self, head: LogHead, utc: UtcTime) {
        match Cosignature::sign(&self.key, &self.mesh_id, head, utc) {
            Ok(cosignature) => self.feed(Input::Cosigned {
                cosignature: Box::new(cosignature),
            }),
            Err(refusal) => {
                tracing::error!(%refusal, "the clock is before 1970; nothing is signed");
            }
        }
    }

    /// Answers the control socket until the next try. Commands are refused: the
    /// engine takes nothing before what it knows is durable.
    async fn wait_for_room(&mut self) -> Result<(), Halt> {
        let until = tokio::time::Instant::now() + TRY_EVERY;
        self.refuse_waiting();
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Halt::Stopped),
                Some(query) = self.queries.recv() => match query {
                    Query::Command(_, reply) => self.refuse(reply),
                    Query::Corrupt(..) | Query::Events(..) | Query::Peers(_) | Query::Status(_) => {
                        self.take_query(query);
                    }
                },
                () = tokio::time::sleep_until(until) => return Ok(()),
            }
        }
    }

    /// Takes an index up that the engine verified.
    pub(crate) fn learn(&self, content: ContentId, bytes: &[u8]) {
        match ReleaseIndex::decode(bytes) {
            Ok(index) => {
                self.contents.insert(content, index);
                self.look_at_pack(content);
            }
            Err(refusal) => tracing::error!(%content, %refusal, "a verified index is unreadable"),
        }
    }

    fn forget(&mut self, content: &ContentId) {
        let Some(known) = self.contents.get(content) else {
            return;
        };
        self.trouble(&broken::about_pack(&known.index.pack), None);
        self.corrupt.forget(content);
        self.contents.remove(content);
        let (store, contents, staging) =
            (self.store.clone(), self.contents.clone(), self.staging());
        // What is in use stays in use, also where nobody lists it any more.
        let index = &known.index;
        let in_use = apply::active(&index.line, &self.settings.state);
        let in_use = in_use.is_some_and(|id| id == index.id);
        self.spawn(move || {
            if !in_use && let Err(error) = stage::unstage(&known.index, &staging) {
                tracing::warn!(error = %error, "a staged release was not removed");
            }
            if let Err(error) = store.sweep(|id| contents.lists(id)) {
                tracing::warn!(error = %error, "chunks of a forgotten release were not removed");
            }
            Finished::Input(Input::Tick)
        });
    }

    async fn ask(&self, ask: AskId, from: Source, document: Box<DocumentRef>, len_max: usize) {
        match (from, &self.origin) {
            (Source::Peer(peer), _) => {
                self.tell(Command::Ask {
                    ask,
                    peer,
                    document,
                    len_max,
                })
                .await;
            }
            (Source::Origin, Some(origin)) => {
                let origin = origin.clone();
                self.spawn(move || {
                    let (outcome, file) = origin.document(&document, len_max);
                    let about = broken::about_document(&document);
                    Finished::Document(ask, outcome, Reading::new(about, file))
                });
            }
            (Source::Origin, None) => self.spawn(move || {
                Finished::Input(Input::Answered {
                    ask,
                    outcome: Answered::Gone,
                })
            }),
        }
    }

    async fn answer(&self, asked: AskedId, document: Option<Answer>) {
        let document = match document {
            Some(Answer::Bytes(bytes)) => Some(Bytes::copy_from_slice(&bytes)),
            Some(Answer::Index(content)) => {
                let store = self.store.clone();
                let read = tokio::task::spawn_blocking(move || store.read_index(&content)).await;
                read.ok().and_then(Result::ok).flatten().map(Bytes::from)
            }
            None => None,
        };
        self.tell(Command::Answer { asked, document }).await;
    }

    async fn fetch(
        &mut self,
        fetch: FetchId,
        from: Source,
        want: Want,
        (by, idle): (Time, patchmesh_core::time::Duration),
    ) {
        let within = by.since(self.clock.now().mono);
        match from {
            Source::Peer(peer) => {
                let from = Some(peer);
                self.fetches.insert(fetch, Fetch { want, from });
                let want = Box::new(want);
                self.tell(Command::Fetch {
                    fetch,
                    peer,
                    want,
                    within,
                    idle,
                })
                .await;
            }
            Source::Origin => {
                let place = self.contents.place(&want.content, want.chunk);
                let (origin, store) = (self.origin.clone(), self.store.clone());
                let [within, idle] = [within, idle].map(|time| Duration::from_micros(time.0));
                let patience = Patience { within, idle };
                self.spawn(move || {
                    let frame = origin.zip(place).and_then(|(origin, place)| {
                        origin.frame(&place, patience).map(|frame| (place, frame))
                    });
                    match frame {
                        Some((place, frame)) => {
                            let from = None;
                            let taken = intake::take(&store, &place, &frame);
                            Finished::Taken(fetch, Fetch { want, from }, taken)
                        }
                        None => Finished::Input(Input::Fetched {
                            fetch,
                            outcome: Fetched::Stalled,
                        }),
                    }
                });
            }
        }
    }

    fn serve(&mut self, serve: ServeId, want: Want) {
        self.serves.insert(serve, want);
        let place = self.contents.place(&want.content, want.chunk);
        let folder = self
            .settings
            .repository
            .as_ref()
            .and_then(|_| self.origin.clone());
        let store = self.store.clone();
        self.spawn(move || {
            let frame = place.and_then(|place| match folder {
                Some(folder) => folder.frame(&place, Patience::ENDLESS),
                None => store.read_chunk(&place.entry.id).ok().flatten(),
            });
            Finished::Read(serve, frame.map(Bytes::from))
        });
    }

    /// Stages or applies on a blocking thread.
    pub(crate) fn install(&mut self, install: InstallId, step: Step) {
        let known = self.contents.get(&step.release().content);
        match step {
            Step::Stage { .. } => self.stage(install, step, known),
            Step::Apply { .. } => self.apply(install, known),
        }
    }

    fn apply(&self, install: InstallId, known: Option<Arc<Known>>) {
        let state = self.settings.state.clone();
        self.spawn(move || {
            let Some(known) = known else {
                let why = "failed to apply: the index is missing".to_owned();
                return Finished::Applied(install, Installed::Failed(why), None);
            };
            match apply::apply(&known.index, &state) {
                Ok(()) => Finished::Applied(install, Installed::Passed, None),
                Err(error) => {
                    let outcome = Installed::Failed(error.to_string());
                    Finished::Applied(install, outcome, error.code())
                }
            }
        });
    }

    fn stage(&mut self, install: InstallId, step: Step, known: Option<Arc<Known>>) {
        let (store, staging) = (self.store.clone(), self.staging());
        let ended = CancellationToken::new();
        self.installs.insert(install, ended.clone());
        self.spawn(move || {
            let release = step.release();
            let Some(known) = known else {
                let why = "failed to stage: the index is missing".to_owned();
                return Finished::Staged(install, Installed::Failed(why), Vec::new());
            };
            let Err(error) = stage::stage(&store, &known.index, &staging, &ended) else {
                return Finished::Staged(install, Installed::Passed, Vec::new());
            };
            if error.is_full() {
                return Finished::NoRoomToStage(install, step);
            }
            let damaged = if error.is_damage() {
                repair::withdraw(&store, &known.index)
            } else {
                Vec::new()
            };
            if !damaged.is_empty() {
                let chunks = damaged.len();
                tracing::warn!(
                    chunks,
                    release = release.id,
                    "stored chunks were altered on disk and are fetched again"
                );
            }
            let damaged = damaged.into_iter().map(|chunk| (release.content, chunk));
            let outcome = Installed::Failed(error.to_string());
            let damaged = damaged.collect();
            Finished::Staged(install, outcome, damaged)
        });
    }

    /// Ends a stage step at its next file; one that waits for room at once.
    fn cancel_install(&mut self, install: InstallId) {
        if let Some(ended) = self.installs.get(&install) {
            ended.cancel();
        }
        let waiting = self.unstaged.len();
        self.unstaged.retain(|(other, _)| *other != install);
        if self.unstaged.len() < waiting {
            self.installs.remove(&install);
            let outcome = Installed::Failed(StageError::Ended.to_string());
            self.feed(Input::Installed { install, outcome });
        }
    }

    async fn notify(&mut self, notice: Notice) {
        if let Notice::HeadMoved(head) = &notice {
            self.tell(Command::SetHead(*head)).await;
        }
        if let Notice::Frozen(frozen) = &notice {
            let found = troubles::frozen(frozen, &self.settings.state);
            self.trouble("equivocation", found);
        }
        if let Notice::FloorsLost(lost) = &notice {
            self.trouble("floors", lost.then(troubles::floors_lost));
        }
        if let Notice::Stops { standing, mark } = &notice {
            self.trouble("stops", troubles::stops(standing));
            self.tell(Command::SetMark(*mark)).await;
        }
        if let Notice::LogReplaced(replaced) = &notice {
            let found = replaced.as_ref().map(troubles::log_replaced);
            self.trouble("log", found);
        }
        if let Notice::OtherLogs(others) = &notice {
            self.trouble("other-logs", troubles::other_logs(others));
        }
        if let Notice::WitnessSilent(silent) = &notice {
            self.trouble("witness", silent.map(troubles::witness_silent));
        }
        if let Notice::Withheld(withheld) = &notice {
            self.trouble("withheld", troubles::withheld(withheld));
        }
        if let Notice::Refused {
            code, from: None, ..
        } = &notice
        {
            self.refused_document(code);
        }
        self.notices.take(notice);
    }
}
