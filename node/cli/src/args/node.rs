//! Verbs that need a node on the control socket.

use clap::{Args, ValueEnum};
use patchmesh_api::releases::ReleaseState;

/// Arguments of `events`.
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Only events with a higher sequence number.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub(crate) since: u64,
    /// Go on until interrupted.
    #[arg(long)]
    pub(crate) follow: bool,
}

/// Arguments of `fetch`.
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// The release, as ID or LINE/ID.
    pub(crate) release: String,
    /// Show progress and return when it is staged or has failed; a release that
    /// is not known yet is waited for.
    #[arg(long)]
    pub(crate) wait: bool,
    /// With --wait: how long a release may take to become known to the node.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "wait")]
    pub(crate) timeout: u64,
    /// Only say what would be fetched.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `peers`.
#[derive(Debug, Args)]
pub(crate) struct PeersArgs {
    /// Only peers of this site.
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Only peers in this state.
    #[arg(long)]
    pub(crate) state: Option<PeerState>,
    /// Order of the lines.
    #[arg(long, default_value = "peer")]
    pub(crate) sort: PeerSort,
}

/// States of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeerState {
    /// A connection stands.
    Connected,
    /// No connection stands.
    Disconnected,
    /// Refused for its behaviour.
    Refused,
}

/// Orders of peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeerSort {
    /// Most bytes in both directions first.
    Bytes,
    /// By id.
    Peer,
    /// By site, then id.
    Site,
}

/// Arguments of `releases`.
#[derive(Debug, Args)]
pub(crate) struct ReleasesArgs {
    /// Only releases of this line.
    #[arg(long)]
    pub(crate) line: Option<String>,
    /// Only releases in this state.
    #[arg(long, value_parser = release_state)]
    pub(crate) state: Option<ReleaseState>,
}

/// Arguments of `why`.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The release, as ID or LINE/ID.
    pub(crate) release: String,
}

fn release_state(text: &str) -> Result<ReleaseState, String> {
    let all = [
        ReleaseState::Applying,
        ReleaseState::Failed,
        ReleaseState::Fetching,
        ReleaseState::Good,
        ReleaseState::Known,
        ReleaseState::Staged,
    ];
    let found = all.into_iter().find(|state| state.word() == text);
    found.ok_or_else(|| "expected failed, fetching, known or staged".to_owned())
}
