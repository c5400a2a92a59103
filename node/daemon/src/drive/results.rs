//! Finished work, turned into inputs of the engine.

use patchmesh_content::geometry::ChunkIndex;
use patchmesh_content::id::ContentId;
use patchmesh_core::ids::ServeId;
use patchmesh_core::input::{Answered, Fetched, HostChange, Input};
use patchmesh_core::message::{Decline, DeclineReason};
use patchmesh_core::time::Duration;
use patchmesh_net::Command;
use patchmesh_store::SyncError;

use crate::chunks::corrupt::Found;
use crate::drive::finished::{Fetch, Finished};
use crate::drive::node::Node;
use crate::room::Lack;

impl Node {
    /// Turns finished work into inputs of the engine.
    pub(crate) async fn take_finished(&mut self, finished: Finished) {
        self.take_news();
        match finished {
            Finished::Applied(install, outcome, code) => {
                if let Some(code) = code {
                    self.notices.refused("staged-tree", code, None);
                }
                self.feed(Input::Installed { install, outcome });
            }
            Finished::Document(ask, outcome, reading) => {
                // One that was not read is told by the reading itself.
                self.reading = matches!(outcome, Answered::Bytes(_)).then_some(reading);
                self.feed(Input::Answered { ask, outcome });
            }
            Finished::Input(input) => self.feed(input),
            Finished::Read(serve, Some(bytes)) => {
                self.tell(Command::ServeBytes { serve, bytes }).await;
            }
            Finished::Read(serve, None) => self.gone(serve).await,
            Finished::NoRoomToStage(install, step) => {
                self.lacks(&Lack::Disk);
                self.unstaged.push((install, step));
            }
            Finished::Renewed(renewed) => self.renewed(&renewed),
            Finished::Staged(install, outcome, damaged) => {
                // First what is missing now: the failure is then one to repair.
                for (content, chunk) in damaged {
                    self.damaged(content, chunk);
                }
                self.installs.remove(&install);
                self.feed(Input::Installed { install, outcome });
            }
            Finished::Looked | Finished::Synced(Ok(_)) => {}
            Finished::Synced(Err(error)) => self.lost(&error),
            Finished::Taken(fetch, known, taken) => {
                self.wasted += taken.wasted;
                self.note_chunk(&known, &taken.outcome);
                self.feed(Input::Fetched {
                    fetch,
                    outcome: taken.outcome,
                });
                if let Some(lack) = taken.lack {
                    self.lacks(&lack);
                    self.feed(Input::Host(HostChange::Room(false)));
                }
            }
        }
    }

    /// A chunk that the engine wanted served is not readable any more.
    async fn gone(&mut self, serve: ServeId) {
        let decline = Decline {
            reason: DeclineReason::Gone,
            retry_after: Duration::secs(1),
            holders: Vec::new(),
        };
        self.tell(Command::Decline {
            serve,
            decline: Box::new(decline),
        })
        .await;
        if let Some(want) = self.serves.remove(&serve) {
            self.damaged(want.content, want.chunk);
        }
        self.feed(Input::Served { serve, bytes: 0 });
    }

    /// A chunk at rest was missing or altered, and is out of the store.
    fn damaged(&mut self, content: ContentId, chunk: ChunkIndex) {
        self.notices.refused("stored-chunk", "Damaged", None);
        if let Some(place) = self.contents.place(&content, chunk) {
            let id = place.entry.id;
            self.corrupt.note((content, chunk), id, Found::Disk);
        }
        self.feed(Input::Damaged { content, chunk });
    }

    /// Remembers a received chunk that was altered, and that a sound one came.
    fn note_chunk(&mut self, known: &Fetch, outcome: &Fetched) {
        let Fetch { want, from } = known;
        let Some(place) = self.contents.place(&want.content, want.chunk) else {
            return;
        };
        let id = place.entry.id;
        if *outcome == Fetched::Held {
            self.corrupt.mended(&id);
        } else if *outcome == Fetched::Corrupt {
            let found = from.map_or(Found::Origin, Found::Peer);
            self.corrupt.note((want.content, want.chunk), id, found);
        }
    }

    /// Chunks that could not be made durable are no longer held.
    fn lost(&mut self, error: &SyncError) {
        self.lacks(&Lack::of_sync(error));
        for id in &error.lost {
            for (content, chunk) in self.contents.positions(id) {
                self.feed(Input::Damaged { content, chunk });
            }
        }
        self.feed(Input::Host(HostChange::Room(false)));
    }
}
