//! Everything the rollout machine can ask for.

use patchmesh_content::id::ContentId;

use crate::ids::InstallId;
use crate::output::{Notice, Step};
use crate::record::Record;

/// One order. `Persist`, `Notify` and `Install` are outputs of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Do a step on this host; answered by `Event::Installed`.
    Install {
        /// Pairs the answer.
        install: InstallId,
        /// What.
        step: Step,
    },
    /// End a step as soon as may be; it is still answered.
    Cancel {
        /// The order.
        install: InstallId,
    },
    /// Fetch no more of a content; what is held stays.
    Halt {
        /// Name of the content.
        content: ContentId,
    },
    /// The index of a given-up content is wanted again.
    NeedIndex {
        /// Name of the content.
        content: ContentId,
    },
    /// Something people, metrics or watchers may want to know.
    Notify(Notice),
    /// Make a fact durable before anything that follows.
    Persist(Record),
    /// Let go of a content: chunks, and its index if `unlisted` is not set,
    /// because an unlisted one is gone from the catalog already.
    Remove {
        /// Name of the content.
        content: ContentId,
        /// It is no longer listed.
        unlisted: bool,
    },
    /// Fetch what is missing of a content, and keep it whole.
    Want {
        /// Name of the content.
        content: ContentId,
    },
}
