//! The releases that a node knows.

use patchmesh_content::id::{ChunkId, ContentId, PeerId};
use serde::{Deserialize, Serialize};

use crate::trouble::Trouble;

/// Known releases, in ascending order of line and id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Releases {
    /// The releases.
    pub releases: Vec<Release>,
}

/// One release on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Release line.
    pub line: String,
    /// Release id.
    pub id: String,
    /// BLAKE3 of the release index.
    pub content: ContentId,
    /// Severity word; empty if not stated.
    pub severity: String,
    /// State on this host.
    pub state: ReleaseState,
    /// Chunks held.
    pub chunks_held: u32,
    /// Chunks of the release; 0 while the index is missing.
    pub chunks_total: u32,
    /// Bytes of one copy on a link.
    pub wire_bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// What it waits on; empty once it is in use, or staged where nobody could
    /// approve it.
    pub waiting_on: Vec<WaitingOn>,
}

/// State of a release on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseState {
    /// It is being put into use.
    Applying,
    /// Staging or applying failed.
    Failed,
    /// Being fetched.
    Fetching,
    /// It is in use on this host.
    Good,
    /// Listed by verified metadata.
    Known,
    /// Every file is staged and equal to its signed hashes.
    Staged,
}

/// What a release waits on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "on")]
pub enum WaitingOn {
    /// The apply step on this host.
    Applying,
    /// An approval of operations for it.
    Approval,
    /// Chunks.
    Chunks {
        /// Chunks held.
        held: u32,
        /// Chunks of the release.
        total: u32,
    },
    /// Witnesses that cosign what it rests on.
    Cosignatures {
        /// Witnesses that did.
        keys: u32,
        /// Witnesses that are asked for.
        keys_asked: u32,
        /// Sites that these stand in.
        sites: u32,
        /// Sites that are asked for.
        sites_asked: u32,
    },
    /// Free space in the store or on the disk.
    Disk,
    /// The keys of a role that was signed twice are changed.
    Frozen,
    /// The end of a hold.
    Hold {
        /// Why operations hold it.
        reason: String,
    },
    /// The release index.
    Index,
    /// A log that holds its statement.
    Log,
    /// Trusted metadata that is not expired.
    Metadata,
    /// Another release of its line, which was approved later.
    Newer {
        /// Its id.
        id: String,
    },
    /// An approval of its own index: another one of this id is approved.
    OtherIndex,
    /// Not wanted by policy; a fetch command starts it.
    Policy,
    /// An approval for the ring of this node.
    Ring {
        /// The ring; empty without rings.
        ring: String,
    },
    /// A statement of operations that is not expired, and its policy.
    Rollout,
    /// Keys of a line and of operations that differ.
    Separation {
        /// The line.
        line: String,
    },
    /// A peer or origin that has what is missing.
    Source,
    /// The stage step on this host.
    Staging,
    /// The end of an emergency stop.
    Stop {
        /// What is stopped, why, by whom and when.
        detail: String,
    },
    /// The time at which its approval begins.
    Window {
        /// Seconds since 1970.
        from: i64,
        /// The same for people.
        at: String,
    },
    /// A reason of a newer node that this program does not know.
    #[serde(other)]
    Unknown,
}

/// Why a release waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// One sentence for people.
    pub sentence: String,
    /// The release, with the list of what it waits on.
    pub release: Release,
    /// What keeps the node from its work; empty once the release is staged.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
    /// Chunks that were found altered since the node started, oldest first, at
    /// most [`crate::limits::CORRUPT_MAX`] of a release.
    #[serde(default)]
    pub corrupt: Vec<CorruptChunk>,
}

/// A chunk that was not what was signed. It was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorruptChunk {
    /// Its index in the release.
    pub chunk: u32,
    /// What it has to be.
    pub id: ChunkId,
    /// Where it was found.
    pub found: CorruptPlace,
    /// The peer that sent it, where it was received from one.
    #[serde(default)]
    pub peer: Option<PeerId>,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// Whether a sound one is here since.
    pub mended: bool,
}

/// Where an altered chunk was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorruptPlace {
    /// In the store or the published folder of this node: altered, cut, gone, or
    /// not readable.
    Disk,
    /// In what an HTTP origin sent.
    Origin,
    /// In what a peer sent.
    Peer,
    /// A place of a newer node that this program does not know.
    #[serde(other)]
    Unknown,
}

impl ReleaseState {
    /// Whether every file is staged, whatever comes after that.
    pub fn is_staged(self) -> bool {
        match self {
            Self::Applying | Self::Good | Self::Staged => true,
            Self::Failed | Self::Fetching | Self::Known => false,
        }
    }

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applying => "applying",
            Self::Failed => "failed",
            Self::Fetching => "fetching",
            Self::Good => "good",
            Self::Known => "known",
            Self::Staged => "staged",
        }
    }
}

impl WaitingOn {
    /// A fragment that completes "it waits for ...".
    pub fn fragment(&self) -> String {
        match self {
            Self::Chunks { held, total } => {
                format!("chunks ({held} of {total} are here)")
            }
            Self::Applying => "the apply step on this host".to_owned(),
            Self::Approval => "an approval by operations".to_owned(),
            Self::Cosignatures {
                keys,
                keys_asked,
                sites,
                sites_asked,
            } => format!(
                "cosignatures: cosigned by {keys} of {keys_asked} witnesses, {sites} of \
                 {sites_asked} sites"
            ),
            Self::Frozen => {
                "new keys: a role was signed twice, `patchmesh status` says which".to_owned()
            }
            Self::Hold { reason } => format!("the end of a hold: {}", reason.escape_debug()),
            Self::Newer { id } => format!("nothing: {id} of its line was approved later"),
            Self::OtherIndex => {
                "an approval of its own index: another one of this id is approved".to_owned()
            }
            Self::Ring { ring } if ring.is_empty() => {
                "an approval for nodes without a ring".to_owned()
            }
            Self::Ring { ring } => format!("an approval for its ring here, {ring}"),
            Self::Rollout => {
                "a statement of operations that is not expired, and its policy".to_owned()
            }
            Self::Separation { line } => format!(
                "separate keys: roles not separated, one key speaks for release/{line} and for \
                 rollout"
            ),
            Self::Window { at, .. } => format!("{at}, when its approval begins"),
            Self::Disk => "free space in the store".to_owned(),
            Self::Index => "its release index".to_owned(),
            Self::Log => {
                "its statement in the log: what is not in the log is not staged".to_owned()
            }
            Self::Metadata => "trusted metadata that is not expired".to_owned(),
            Self::Policy => "a command: the policy of this node does not want it".to_owned(),
            Self::Source => "a peer or origin that has what is missing".to_owned(),
            Self::Staging => "the stage step on this host".to_owned(),
            Self::Stop { detail } => format!("the threshold to lift a stop: {detail}"),
            Self::Unknown => "something that this program does not know".to_owned(),
        }
    }
}

impl Why {
    /// Explains a release of a node with these troubles.
    pub fn of(release: Release, mut troubles: Vec<Trouble>) -> Self {
        if release.state.is_staged() {
            troubles.clear();
        }
        let name = format!("{}/{}", release.line, release.id);
        let waits: Vec<String> = release.waiting_on.iter().map(WaitingOn::fragment).collect();
        let sentence = match (release.state, waits.is_empty()) {
            (ReleaseState::Good, _) => format!("{name} is in use on this host"),
            (ReleaseState::Applying, _) => format!("{name} is being put into use"),
            (ReleaseState::Staged, true) => {
                format!("{name} waits for nothing: every file is staged and verified")
            }
            (ReleaseState::Staged, false) => {
                format!(
                    "{name} is staged and verified; it waits for {}",
                    waits.join(", and for ")
                )
            }
            (ReleaseState::Failed, true) => {
                format!("{name} failed to stage or apply; `patchmesh events` says why")
            }
            (ReleaseState::Fetching | ReleaseState::Known, true) => {
                format!("{name} is {} and waits for nothing", release.state.word())
            }
            (_, false) => format!("{name} waits for {}", waits.join(", and for ")),
        };
        Self {
            sentence,
            release,
            troubles,
            corrupt: Vec::new(),
        }
    }

    /// The same with the chunks of it that were found altered.
    #[must_use]
    pub fn with_corrupt(mut self, corrupt: Vec<CorruptChunk>) -> Self {
        self.corrupt = corrupt;
        self
    }
}
