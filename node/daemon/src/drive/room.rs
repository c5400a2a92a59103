//! A node without room: what it says of it, and how it goes on.

use std::time::Instant;

use patchmesh_api::answer::Answer;
use patchmesh_api::codes;
use patchmesh_api::trouble::Trouble;
use patchmesh_core::input::{HostChange, Input};
use patchmesh_core::output::Reply;
use tokio::sync::oneshot;

use crate::drive::node::Node;
use crate::drive::turn::LOOK_EVERY;
use crate::room::{ABOUT, DISK_FAILED, DISK_FULL, Lack, ROOM_BYTES, STORE_FULL};

impl Node {
    /// Something found no room: a trouble from now on.
    pub(crate) fn lacks(&mut self, lack: &Lack) {
        self.lacked = Some(Instant::now());
        let releases = self.engine.view(self.clock.now()).releases;
        let usage = self.store.usage();
        let found = lack.found(&self.settings.state, &usage, &releases);
        self.trouble(ABOUT, Some(found));
    }

    /// Lets work go on where there is room again. The trouble is over once
    /// nothing has missed room for a while.
    pub(crate) fn look_for_room(&mut self) {
        let usage = self.store.usage();
        if !usage.has_room(ROOM_BYTES) {
            return;
        }
        self.feed(Input::Host(HostChange::Room(true)));
        let free = usage.disk_free_bytes.unwrap_or(u64::MAX);
        for (install, step) in std::mem::take(&mut self.unstaged) {
            let known = self.contents.get(&step.release().content);
            let needed = known.map_or(0, |known| known.index.total_bytes());
            if free >= needed.saturating_add(ROOM_BYTES) {
                self.install(install, step);
            } else {
                self.unstaged.push((install, step));
            }
        }
        let lately = self.lacked.is_some_and(|at| at.elapsed() < LOOK_EVERY);
        if !lately && self.unstaged.is_empty() {
            self.lacked = None;
            self.trouble(ABOUT, None);
        }
    }

    /// Refuses the commands that wait for the engine while it waits for the disk.
    pub(crate) fn refuse_waiting(&mut self) {
        for (_, reply) in std::mem::take(&mut self.replies) {
            self.refuse(reply);
        }
    }

    /// Refuses a command for want of room.
    pub(crate) fn refuse(&self, reply: oneshot::Sender<Result<Reply, Answer>>) {
        if let Some(trouble) = self.troubles.about(ABOUT) {
            // Who asked may have hung up.
            drop(reply.send(Err(refused(trouble))));
        }
    }
}

/// A trouble about room, as the refusal of what it keeps from being done.
pub(crate) fn refused(trouble: &Trouble) -> Answer {
    let code = match trouble.code.as_str() {
        DISK_FULL => codes::DISK_FULL,
        STORE_FULL => codes::STORE_FULL,
        _ => codes::DISK_FAILED,
    };
    Answer::refused(code, &trouble.detail, &trouble.hint)
}

/// Whether a trouble is about room.
pub(crate) fn is_about_room(trouble: &Trouble) -> bool {
    [DISK_FULL, STORE_FULL, DISK_FAILED].contains(&trouble.code.as_str())
}
