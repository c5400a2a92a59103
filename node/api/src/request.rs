//! What can be asked of a node.

use serde::{Deserialize, Serialize};

/// One request. Releases are named `<id>` or `<line>/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Request {
    /// Recent events; answered by `Answer::Events`.
    Events {
        /// Only events with a higher sequence number; 0 for all remembered.
        #[serde(default)]
        since: u64,
    },
    /// Fetch a release now, wanted by policy or not.
    Fetch {
        /// The release.
        release: String,
        /// Stream `Answer::Fetch` lines until it is staged or has failed;
        /// otherwise the answer is `Answer::Done` once it is under way.
        #[serde(default)]
        follow: bool,
    },
    /// Forget a release: give up its chunks. Answered by `Answer::Done`.
    Forget {
        /// The release.
        release: String,
    },
    /// Known peers; answered by `Answer::Peers`.
    Peers,
    /// The repository folder or the HTTP origin of the node changed. Answered by
    /// `Answer::Done` once the node has begun to look.
    Refresh,
    /// Known releases; answered by `Answer::Releases`.
    Releases,
    /// Take an emergency stop and pass it on; answered by `Answer::Done` once it
    /// is durable here, or `Answer::Refused` with the verifier's code.
    Stop {
        /// The signed stop, as its file holds it, in hexadecimal.
        stop: String,
    },
    /// The node on one screen; answered by `Answer::Status`.
    Status,
    /// Why a release waits; answered by `Answer::Why`.
    Why {
        /// The release.
        release: String,
    },
}
