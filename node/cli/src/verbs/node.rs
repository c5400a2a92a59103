//! Verbs that ask a node: the connection, and what its refusals mean.

use std::path::PathBuf;

use anyhow::Context as _;
use patchmesh_api::answer::{Answer, Refused};
use patchmesh_api::client::{AskError, Client};
use patchmesh_api::codes;
use patchmesh_api::exit;
use patchmesh_api::peers::{Peer, Peers};
use patchmesh_api::releases::{CorruptChunk, CorruptPlace, Release, Releases, WaitingOn};
use patchmesh_api::request::Request;
use patchmesh_api::socket::find_path;
use patchmesh_api::trouble::Trouble;
use patchmesh_content::id::PeerId;
use patchmesh_trust::time::UtcTime;

use crate::args::global::Global;
use crate::args::node::{PeerSort, PeerState, PeersArgs, ReleasesArgs};
use crate::clock;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{bytes, push, safe, short, table};

/// Where the node listens.
pub(crate) fn socket(global: &Global) -> PathBuf {
    find_path(global.socket.as_deref(), |name| std::env::var_os(name))
}

/// Connects, or ends with exit 15.
pub(crate) fn connect(global: &Global) -> anyhow::Result<Client> {
    let path = socket(global);
    Client::connect(&path).map_err(|error| {
        let reason = std::error::Error::source(&error).map(ToString::to_string);
        let message = format!(
            "no node answers at {} ({})",
            path.display(),
            reason.unwrap_or_default()
        );
        let failure = Failure::no_node(message);
        failure
            .hint("is patchmeshd running? --socket names another place")
            .into()
    })
}

/// Asks for one answer; a refusal becomes the end of the program.
pub(crate) fn ask(global: &Global, request: &Request) -> anyhow::Result<Answer> {
    let mut client = connect(global)?;
    settle(client.ask(request))
}

/// What came of a conversation.
pub(crate) fn settle(answer: Result<Answer, AskError>) -> anyhow::Result<Answer> {
    match answer {
        Ok(Answer::Refused(refused)) => Err(refusal(&refused).into()),
        Ok(answer) => Ok(answer),
        Err(AskError::Closed) => {
            Err(Failure::no_node("the node closed the connection before it answered").into())
        }
        Err(error @ AskError::Silent) => Err(Failure::no_node(error.to_string())
            .hint(
                "its log says what it is busy with; a disk that is slow or full is the usual cause",
            )
            .into()),
        Err(error @ (AskError::Io(_) | AskError::Line(_))) => Err(error).context("no answer"),
    }
}

fn refusal(refused: &Refused) -> Failure {
    let code = match refused.code.as_str() {
        codes::BUSY => exit::BUSY,
        codes::NOT_JOINED => exit::NOT_JOINED,
        codes::TRUST => exit::TRUST,
        codes::BAD_REQUEST => exit::USAGE,
        _ => exit::FAILED,
    };
    let id = safe(&refused.code);
    Failure::with_code(code, &id, safe(&refused.message)).hint(safe(&refused.hint))
}

/// An answer of another kind than the request asks for.
pub(crate) fn unexpected() -> anyhow::Error {
    anyhow::anyhow!("the node answered something else than it was asked")
}

/// `refresh`
pub(crate) fn refresh(global: &Global, output: &Output) -> anyhow::Result<()> {
    let answer = ask(global, &Request::Refresh)?;
    if !matches!(answer, Answer::Done(_)) {
        return Err(unexpected());
    }
    output.line(&answer, || "the node looks now\n".to_owned())
}

/// `peers`
pub(crate) fn peers(args: &PeersArgs, global: &Global, output: &Output) -> anyhow::Result<()> {
    let Answer::Peers(mut peers) = ask(global, &Request::Peers)? else {
        return Err(unexpected());
    };
    peers.peers.retain(|peer| {
        let site = args.site.as_ref().is_none_or(|site| *site == peer.site);
        let state = args.state.is_none_or(|state| match state {
            PeerState::Connected => peer.connected,
            PeerState::Disconnected => !peer.connected,
            PeerState::Refused => peer.refused,
        });
        site && state
    });
    sort(&mut peers, args.sort);
    let text = peers_text(&peers);
    output.line(&Answer::Peers(peers), || text)
}

fn sort(peers: &mut Peers, by: PeerSort) {
    let total = |peer: &Peer| {
        let received = peer.received.transport;
        received.saturating_add(peer.sent.transport)
    };
    match by {
        PeerSort::Bytes => peers
            .peers
            .sort_by_key(|peer| std::cmp::Reverse(total(peer))),
        PeerSort::Peer => peers.peers.sort_by_key(|peer| peer.peer),
        PeerSort::Site => peers
            .peers
            .sort_by_key(|peer| (peer.site.clone(), peer.peer)),
    }
}

fn peers_text(peers: &Peers) -> String {
    let head = [
        "PEER", "SITE", "PATH", "STATE", "RECEIVED", "SENT", "CORRUPT", "STALLED",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for peer in &peers.peers {
        let state = match (peer.refused, peer.connected) {
            (true, _) => "refused",
            (false, true) => "connected",
            (false, false) => "away",
        };
        let site = if peer.origin {
            "origin".to_owned()
        } else {
            safe(&peer.site)
        };
        rows.push(vec![
            short(&peer.peer.to_hex()).to_owned(),
            site,
            peer.path.word().to_owned(),
            state.to_owned(),
            bytes(peer.received.payload),
            bytes(peer.sent.payload),
            peer.corrupt_chunks.to_string(),
            peer.stalled.to_string(),
        ]);
    }
    table(&rows)
}

/// `releases`
pub(crate) fn releases(
    args: &ReleasesArgs,
    global: &Global,
    output: &Output,
) -> anyhow::Result<()> {
    let Answer::Releases(Releases { mut releases }) = ask(global, &Request::Releases)? else {
        return Err(unexpected());
    };
    releases.retain(|release| {
        let line = args.line.as_ref().is_none_or(|line| *line == release.line);
        line && args.state.is_none_or(|state| state == release.state)
    });
    let text = releases_text(&releases);
    output.line(&Answer::Releases(Releases { releases }), || text)
}

/// A table of releases.
pub(crate) fn releases_text(releases: &[Release]) -> String {
    let head = [
        "RELEASE",
        "SEVERITY",
        "STATE",
        "CHUNKS",
        "WIRE",
        "SIZE",
        "WAITS FOR",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for release in releases {
        let waits = release.waiting_on.iter().map(WaitingOn::fragment);
        rows.push(vec![
            safe(&format!("{}/{}", release.line, release.id)),
            safe(&release.severity),
            release.state.word().to_owned(),
            format!("{}/{}", release.chunks_held, release.chunks_total),
            bytes(release.wire_bytes),
            bytes(release.total_bytes),
            waits.collect::<Vec<_>>().join("; "),
        ]);
    }
    table(&rows)
}

/// `why`
pub(crate) fn why(release: &str, global: &Global, output: &Output) -> anyhow::Result<()> {
    let request = Request::Why {
        release: release.to_owned(),
    };
    let answer = ask(global, &request)?;
    let Answer::Why(why) = &answer else {
        return Err(unexpected());
    };
    let mut text = format!("{}\n", safe(&why.sentence));
    for on in &why.release.waiting_on {
        push(&mut text, format_args!("  - {}\n", on.fragment()));
    }
    text.push_str(&troubles_text(&why.troubles));
    for chunk in &why.corrupt {
        text.push_str(&corrupt_text(chunk));
    }
    output.line(&answer, || text)
}

/// One line for an altered chunk.
fn corrupt_text(chunk: &CorruptChunk) -> String {
    let id = chunk.id.to_hex();
    let peer = chunk.peer.map(PeerId::to_hex);
    let found = match (chunk.found, &peer) {
        (CorruptPlace::Peer, Some(peer)) => format!("came altered from peer {}", short(peer)),
        (CorruptPlace::Disk, _) => "was damaged on the disk of this node".to_owned(),
        (CorruptPlace::Origin, _) => "came altered from the HTTP origin".to_owned(),
        (CorruptPlace::Peer | CorruptPlace::Unknown, _) => "was found altered".to_owned(),
    };
    let since = if chunk.mended {
        "and was replaced by a sound one"
    } else {
        "and is not replaced yet"
    };
    let at = clock::shown(UtcTime(chunk.at));
    format!(
        "{at}  chunk {} ({}) {found} {since}\n",
        chunk.chunk,
        short(&id)
    )
}

/// Advice behind what it is about.
pub(crate) fn hint_text(hint: &str) -> String {
    if hint.is_empty() {
        return String::new();
    }
    format!("; {}", safe(hint))
}

/// One line for each trouble.
pub(crate) fn troubles_text(troubles: &[Trouble]) -> String {
    let line = |trouble: &Trouble| {
        let (code, detail) = (safe(&trouble.code), safe(&trouble.detail));
        format!("! {code}: {detail}; {}\n", safe(&trouble.hint))
    };
    troubles.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_node_is_no_node_and_the_hint_names_the_disk() {
        let error = settle(Err(AskError::Silent)).unwrap_err();
        let failure = Failure::of(&error);
        assert_eq!((failure.code, failure.id.as_str()), (15, "E_NO_NODE"));
        assert!(failure.hint.contains("disk"), "{}", failure.hint);
    }
}
