//! What a node answers. Each variant is one schema.

use serde::{Deserialize, Serialize};

use crate::event::Events;
use crate::fetch::FetchEvent;
use crate::peers::Peers;
use crate::releases::{Releases, Why};
use crate::status::Status;

/// One answer line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "schema")]
pub enum Answer {
    /// The command was carried out or is under way.
    #[serde(rename = "patchmesh.done/1")]
    Done(Done),
    /// Recent events.
    #[serde(rename = "patchmesh.events/1")]
    Events(Events),
    /// Progress or end of a fetch.
    #[serde(rename = "patchmesh.fetch/1")]
    Fetch(FetchEvent),
    /// Known peers.
    #[serde(rename = "patchmesh.peers/1")]
    Peers(Peers),
    /// The request was refused.
    #[serde(rename = "patchmesh.refused/1")]
    Refused(Refused),
    /// Known releases.
    #[serde(rename = "patchmesh.releases/1")]
    Releases(Releases),
    /// The node on one screen.
    #[serde(rename = "patchmesh.status/1")]
    Status(Box<Status>),
    /// Why a release waits.
    #[serde(rename = "patchmesh.why/1")]
    Why(Box<Why>),
}

impl Answer {
    /// A refusal with one of the codes in [`crate::codes`].
    pub fn refused(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused(Refused {
            code: code.to_owned(),
            message: message.into(),
            hint: hint.into(),
        })
    }

    /// Whether no further line follows for this request.
    pub fn is_last(&self) -> bool {
        match self {
            Self::Fetch(event) => event.is_last(),
            Self::Done(_)
            | Self::Events(_)
            | Self::Peers(_)
            | Self::Refused(_)
            | Self::Releases(_)
            | Self::Status(_)
            | Self::Why(_) => true,
        }
    }
}

/// The command was carried out or is under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Done {
    /// The verb of the request.
    pub verb: String,
}

/// The request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Stable code, see [`crate::codes`].
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// What to try next; may be empty.
    #[serde(default)]
    pub hint: String,
}
