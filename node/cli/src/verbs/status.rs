//! `status`: the node on one screen.

use patchmesh_api::answer::Answer;
use patchmesh_api::request::Request;
use patchmesh_api::status::{ByteCount, RecorderState, RecorderUse, Status, TrustState};
use patchmesh_trust::time::UtcTime;

use crate::args::global::Global;
use crate::clock;
use crate::output::{Output, Tone};
use crate::text::{bytes, push, safe, short, table};
use crate::verbs::node;

/// Shows the status.
pub(crate) fn run(global: &Global, output: &Output) -> anyhow::Result<()> {
    let answer = node::ask(global, &Request::Status)?;
    let Answer::Status(status) = &answer else {
        return Err(node::unexpected());
    };
    let text = text(status, output);
    output.line(&answer, || text)
}

fn text(status: &Status, output: &Output) -> String {
    let ready = if status.ready {
        output.paint(Tone::Good, "ready")
    } else {
        output.paint(Tone::Bad, "not ready")
    };
    let site = if status.site.is_empty() {
        "none".to_owned()
    } else {
        safe(&status.site)
    };
    let mut text = format!(
        "{ready}  {} {}  up {} s\n",
        status.mode.word(),
        safe(&status.version),
        status.uptime_seconds
    );
    let quota = match status.store.quota_bytes {
        0 => "no quota".to_owned(),
        quota => format!("of {}", bytes(quota)),
    };
    let rows = [
        ("node", short(&status.node.to_hex()).to_owned()),
        ("site", site),
        ("trust", trust(status)),
        (
            "peers",
            format!(
                "{} connected of {}",
                status.peers.connected, status.peers.known
            ),
        ),
        (
            "store",
            format!("{} {quota}", bytes(status.store.used_bytes)),
        ),
        ("wasted", bytes(status.wasted_bytes)),
        ("recorder", recorder(&status.recorder)),
    ];
    let addresses = status.addresses.iter().map(|one| ("address", safe(one)));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .chain(addresses)
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    text.push_str(&table(&rows));
    text.push_str(&node::troubles_text(&status.troubles));
    text.push_str(&witnesses(status));
    text.push_str(&traffic(status));
    if !status.releases.is_empty() {
        text.push_str(&node::releases_text(&status.releases));
    }
    for name in &status.unlisted {
        let line = format_args!("in use, and no longer listed: {}\n", safe(name));
        push(&mut text, line);
    }
    for refusal in &status.refusals {
        push(
            &mut text,
            format_args!(
                "refused {} x {} ({}){}\n",
                refusal.count,
                safe(&refusal.code),
                safe(&refusal.what),
                node::hint_text(&refusal.hint)
            ),
        );
    }
    text
}

fn trust(status: &Status) -> String {
    let head = status.head;
    let versions = format!(
        "root {}, timestamp {}, snapshot {}",
        head.root, head.timestamp, head.snapshot
    );
    let since = status.trust.since.map(|since| clock::shown(UtcTime(since)));
    let state = status.trust.state.word();
    match (status.trust.state, since) {
        (TrustState::Frozen | TrustState::Recovering | TrustState::Stale, Some(since)) => {
            format!(
                "{state} since {since} {}; {versions}",
                safe(&status.trust.reason)
            )
        }
        (_, _) => {
            format!("{state}; {versions}")
        }
    }
}

fn recorder(used: &RecorderUse) -> String {
    let size = format!("{} of {}", bytes(used.bytes), bytes(used.bytes_max));
    match used.state {
        RecorderState::Failed => format!("stopped at {size}: the disk failed, the log says how"),
        RecorderState::Full => format!("full, {size}: a restart begins a new recording"),
        RecorderState::Off => "off".to_owned(),
        RecorderState::Recording => size,
    }
}

/// Which leaves of the log each witness has seen; empty without witnesses.
fn witnesses(status: &Status) -> String {
    if status.witnesses.is_empty() {
        return String::new();
    }
    let head = ["WITNESS", "SITE", "COSIGNED", "AT"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    for one in &status.witnesses {
        let mut seen = format!("{} of {} leaves", one.size, status.log_size);
        if one.other_size > 0 {
            push(
                &mut seen,
                format_args!("; {} of another log", one.other_size),
            );
        }
        let at = match one.size {
            0 => String::new(),
            _ => clock::shown(UtcTime(one.at)),
        };
        let node = short(&one.node.to_hex()).to_owned();
        rows.push(vec![node, safe(&one.site), seen, at]);
    }
    table(&rows)
}

fn traffic(status: &Status) -> String {
    let head = ["BYTES", "LAN", "SITE", "WAN", "ORIGIN"];
    let (received, sent) = (&status.received, &status.sent);
    let cell = |count: &ByteCount| format!("{} ({})", bytes(count.payload), bytes(count.transport));
    let rows = [
        head.map(str::to_owned),
        [
            "received".to_owned(),
            cell(&received.lan),
            cell(&received.site),
            cell(&received.wan),
            cell(&received.origin),
        ],
        [
            "sent".to_owned(),
            cell(&sent.lan),
            cell(&sent.site),
            cell(&sent.wan),
            String::new(),
        ],
    ];
    let rows: Vec<Vec<String>> = rows.map(|row| row.to_vec()).to_vec();
    table(&rows)
}
