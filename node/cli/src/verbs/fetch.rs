//! `fetch`: start it, or follow it to its end.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use patchmesh_api::answer::Answer;
use patchmesh_api::client::AskError;
use patchmesh_api::codes;
use patchmesh_api::fetch::{FetchEvent, FetchKind};
use patchmesh_api::releases::Release;
use patchmesh_api::request::Request;
use patchmesh_api::status::Sources;
use serde::Serialize;

use crate::args::global::Global;
use crate::args::node::FetchArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{bytes, safe};
use crate::tree::progress::Progress;
use crate::verbs::node;

/// Between two questions about a release that is not known yet.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// Longest wait that can be asked for: a day.
const TIMEOUT_SECS_MAX: u64 = 24 * 3600;

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
        return follow(args, &request, global, output);
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

fn follow(
    args: &FetchArgs,
    request: &Request,
    global: &Global,
    output: &Output,
) -> anyhow::Result<()> {
    let mut client = node::connect(global)?;
    let mut progress = Progress::begin(output, "fetch", 0);
    let mut broken = None;
    let mut lines = 0;
    let patience = Patience::of(args, output);
    let last = loop {
        let last = client.follow(request, |answer| {
            lines += 1;
            if let Answer::Fetch(event) = answer {
                progress.set(event.bytes_done, event.bytes_total);
            }
            if output.is_json() && broken.is_none() {
                broken = output.line(answer, String::new).err();
            }
        });
        if lines > 0 || !patience.lasts(&last) {
            break last;
        }
    };
    drop(progress);
    if let Some(error) = broken {
        return Err(error);
    }
    let last = node::settle(last)?;
    let Answer::Fetch(event) = &last else {
        return Err(node::unexpected());
    };
    let already = lines == 0 && event.received == Sources::default();
    output.line(&last, || summary(event, already))?;
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

/// Waits for a release to become known: right after a start or a publication
/// the news are on their way.
struct Patience<'a> {
    output: &'a Output,
    release: &'a str,
    until: Instant,
    said: Cell<bool>,
}

impl<'a> Patience<'a> {
    fn of(args: &'a FetchArgs, output: &'a Output) -> Self {
        let timeout = Duration::from_secs(args.timeout.min(TIMEOUT_SECS_MAX));
        Self {
            output,
            release: &args.release,
            until: Instant::now() + timeout,
            said: Cell::new(false),
        }
    }

    /// Whether to ask again, after a while.
    fn lasts(&self, answer: &Result<Answer, AskError>) -> bool {
        let unknown = matches!(answer, Ok(Answer::Refused(refused))
            if refused.code == codes::UNKNOWN_RELEASE);
        if !unknown || Instant::now() >= self.until {
            return false;
        }
        if !self.said.replace(true) {
            let release = safe(self.release);
            self.output
                .say(format!("waiting until {release} is known to the node"));
        }
        thread::sleep(ASK_EVERY);
        true
    }
}

fn summary(event: &FetchEvent, already: bool) -> String {
    if already && event.state.is_staged() {
        return format!(
            "{}/{} was staged before: {} on the wire, every file verified; nothing was fetched\n",
            safe(&event.line),
            safe(&event.id),
            bytes(event.bytes_total)
        );
    }
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
