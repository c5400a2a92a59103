//! Everything that can happen to the rollout machine.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::id::ContentId;
use patchmesh_trust::release::Release;
use patchmesh_trust::verified::Verified;

use crate::ids::InstallId;
use crate::input::Installed;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Every chunk of a content is held.
    Complete {
        /// Name of the content.
        content: ContentId,
    },
    /// A chunk of a content is missing again.
    Damaged {
        /// Name of the content.
        content: ContentId,
    },
    /// A user wants this release now.
    Fetch {
        /// Name of the content.
        content: ContentId,
    },
    /// A user gives this release up.
    Forget {
        /// Name of the content.
        content: ContentId,
    },
    /// The index of a listed release is at hand.
    Indexed {
        /// Name of the content.
        content: ContentId,
    },
    /// Answer to `Action::Install`.
    Installed {
        /// The order.
        install: InstallId,
        /// What came of it.
        outcome: Installed,
    },
    /// The listed releases.
    Listed {
        /// All of them.
        releases: BTreeMap<ContentId, Verified<Release>>,
        /// Those that may be installed: named by statements that hold now.
        usable: BTreeMap<ContentId, Verified<Release>>,
        /// Those that may be applied now.
        open: BTreeSet<ContentId>,
        /// Those that a stop names.
        stopped: BTreeSet<ContentId>,
        /// Whether a stop ends every installation.
        installs_stopped: bool,
        /// Whether what is not listed is known not to be.
        complete: bool,
    },
}
