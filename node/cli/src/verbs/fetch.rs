//! `fetch`: start it, or follow it to its end.

use patchmesh_api::answer::Answer;
use patchmesh_api::fetch::{FetchEvent, FetchKind};
use patchmesh_api::releases::Release;
use patchmesh_api::request::Request;
use serde::Serialize;

use crate::args::global::Global;
use crate::args::node::FetchArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{bytes, safe};
use crate::tree::progress::Progress;
use crate::verbs::node;

#[derive(Debug, Serialize)]
struct FetchDocument {
    message_type: &'static str,
    release: String,
    state: Option<String>,
    bytes_total: Option<u64>,
    dry_run: bool,
}

/// Fetches.
pub(crate) fn run(args: &FetchArgs, global: &Global, output: &Output) -> anyhow::Result<()> {
    if args.dry_run {
        return plan(args, global, output);
    }
    let request = Request::Fetch {
        release: args.release.clone(),
        follow: args.wait,
    };
    if args.wait {
        return follow(&request, global, output);
    }
    let Answer::Done(_) = node::ask(global, &request)? else {
        return Err(node::unexpected());
    };
    started(&args.release, None, false, output)
}

fn plan(args: &FetchArgs, global: &Global, output: &Output) -> anyhow::Result<()> {
    let request = Request::Why {
        release: args.release.clone(),
    };
    let Answer::Why(why) = node::ask(global, &request)? else {
        return Err(node::unexpected());
    };
    started(&args.release, Some(&why.release), true, output)
}

fn started(
    name: &str,
    release: Option<&Release>,
    dry_run: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let document = FetchDocument {
        message_type: if dry_run { "plan" } else { "started" },
        release: name.to_owned(),
        state: release.map(|release| release.state.word().to_owned()),
        bytes_total: release.map(|release| release.wire_bytes),
        dry_run,
    };
    output.document("patchmesh.fetch/1", &document, || match release {
        Some(release) => format!(
            "would fetch {}: {} of {} chunks are here, {} on the wire\n",
            safe(name),
            release.chunks_held,
            release.chunks_total,
            bytes(release.wire_bytes)
        ),
        None => format!("{} is being fetched\n", safe(name)),
    })
}

fn follow(request: &Request, global: &Global, output: &Output) -> anyhow::Result<()> {
    let mut client = node::connect(global)?;
    let mut progress = Progress::begin(output, "fetch", 0);
    let mut broken = None;
    let last = client.follow(request, |answer| {
        if let Answer::Fetch(event) = answer {
            progress.set(event.bytes_done, event.bytes_total);
        }
        if output.is_json() && broken.is_none() {
            broken = output.line(answer, String::new).err();
        }
    });
    drop(progress);
    if let Some(error) = broken {
        return Err(error);
    }
    let last = node::settle(last)?;
    let Answer::Fetch(event) = &last else {
        return Err(node::unexpected());
    };
    output.line(&last, || summary(event))?;
    match event.message_type {
        FetchKind::Summary => Ok(()),
        FetchKind::Error | FetchKind::Status => {
            let name = format!("{}/{}", event.line, event.id);
            let message = format!("{} failed: {}", safe(&name), safe(&event.error));
            let failure = Failure::failed("E_FETCH", message);
            Err(failure
                .hint("`patchmesh events` shows what was refused")
                .into())
        }
    }
}

fn summary(event: &FetchEvent) -> String {
    let sources = &event.received;
    format!(
        "{}/{} is {}: {} of {}; received lan {}, site {}, wan {}, origin {}\n",
        safe(&event.line),
        safe(&event.id),
        event.state.word(),
        bytes(event.bytes_done),
        bytes(event.bytes_total),
        bytes(sources.lan),
        bytes(sources.site),
        bytes(sources.wan),
        bytes(sources.origin)
    )
}
