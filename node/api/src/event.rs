//! Recent events and counted refusals.

use patchmesh_content::id::PeerId;
use serde::{Deserialize, Serialize};

/// Recent events, oldest first, at most `limits::EVENTS_MAX`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Events {
    /// The events.
    pub events: Vec<Event>,
    /// Refusals since the node started, by code.
    pub refusals: Vec<RefusalCount>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "field names are the schema's")]
pub struct Event {
    /// Sequence number, from 1; an equal event that repeats gets a new one.
    pub seq: u64,
    /// When it happened last, in seconds since 1970 UTC.
    pub at: i64,
    /// What happened.
    pub event: EventKind,
    /// Stable code of a refusal or score; else empty.
    #[serde(default)]
    pub code: String,
    /// What was refused (a role, `gossip`, `hello`, `index`, `chunk`,
    /// `cosignature`), else empty.
    #[serde(default)]
    pub what: String,
    /// The peer it came from or is about.
    #[serde(default)]
    pub peer: Option<PeerId>,
    /// The release it is about, as `<line>/<id>` or `<id>`; else empty.
    #[serde(default)]
    pub release: String,
    /// For people; may be empty.
    #[serde(default)]
    pub detail: String,
    /// How often an equal event happened in a row.
    pub count: u64,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A witness has cosigned a higher head of the log.
    Cosigned,
    /// New verified metadata.
    HeadMoved,
    /// A peer misbehaved.
    PeerScored,
    /// A document, message, chunk or peer was refused.
    Refused,
    /// A release changed its state on this host.
    Release,
    /// Something keeps the node from its work; `status` says how long it lasts.
    Trouble,
    /// Something came that has to wait for something else.
    Waiting,
    /// Anything that a newer node reports and this program does not know.
    #[serde(other)]
    Other,
}

/// How often a code was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalCount {
    /// What was refused: a role, `gossip`, `hello`, `index`, `chunk`.
    pub what: String,
    /// Stable code.
    pub code: String,
    /// Times.
    pub count: u64,
    /// What to do about it; may be empty.
    #[serde(default)]
    pub hint: String,
}
