//! `events`: what happened lately, one line each.

use std::thread;
use std::time::Duration;

use patchmesh_api::answer::Answer;
use patchmesh_api::event::{Event, EventKind, Events};
use patchmesh_api::request::Request;
use patchmesh_trust::time::UtcTime;
use serde::Serialize;

use crate::args::global::Global;
use crate::args::node::EventsArgs;
use crate::clock;
use crate::output::Output;
use crate::text::{safe, short};
use crate::verbs::node;

/// How often `--follow` asks again.
const ASK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize)]
struct EventDocument<'a> {
    #[serde(flatten)]
    event: &'a Event,
}

/// Shows events; each is one document.
pub(crate) fn run(args: &EventsArgs, global: &Global, output: &Output) -> anyhow::Result<()> {
    let mut client = node::connect(global)?;
    let mut since = args.since;
    loop {
        let answer = node::settle(client.ask(&Request::Events { since }))?;
        let Answer::Events(events) = answer else {
            return Err(node::unexpected());
        };
        for event in &events.events {
            since = since.max(event.seq);
            let document = EventDocument { event };
            output.document("patchmesh.event/1", &document, || text(event))?;
        }
        if !args.follow {
            return refusals(&events, output);
        }
        thread::sleep(ASK_EVERY);
    }
}

fn refusals(events: &Events, output: &Output) -> anyhow::Result<()> {
    for refusal in &events.refusals {
        output.document("patchmesh.refusal/1", refusal, || {
            let (what, code) = (safe(&refusal.what), safe(&refusal.code));
            format!(
                "refused since the start: {} x {code} ({what}){}\n",
                refusal.count,
                node::hint_text(&refusal.hint)
            )
        })?;
    }
    Ok(())
}

fn text(event: &Event) -> String {
    let kind = match event.event {
        EventKind::Cosigned => "cosigned",
        EventKind::HeadMoved => "head-moved",
        EventKind::Other => "other",
        EventKind::PeerScored => "peer-scored",
        EventKind::Refused => "refused",
        EventKind::Release => "release",
        EventKind::Trouble => "trouble",
        EventKind::Waiting => "waiting",
    };
    let peer = event.peer.map(|peer| short(&peer.to_hex()).to_owned());
    let parts = [
        safe(&event.what),
        safe(&event.code),
        peer.unwrap_or_default(),
        safe(&event.release),
        safe(&event.detail),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let times = if event.count > 1 {
        format!(" x{}", event.count)
    } else {
        String::new()
    };
    let at = clock::shown(UtcTime(event.at));
    format!("{at}  {kind}{times}  {}\n", parts.join("  "))
}
