//! Server of the control socket: one thread of conversation per connection,
//! every line capped before it is read as JSON.

use std::path::Path;
use std::time::Duration;

use patchmesh_api::answer::{Answer, Done};
use patchmesh_api::codes;
use patchmesh_api::fetch::{FetchEvent, FetchKind};
use patchmesh_api::limits::{PROGRESS_INTERVAL, REQUEST_LEN_MAX};
use patchmesh_api::line::{decode_request, encode_answer};
use patchmesh_api::releases::{Release, ReleaseState, Releases, Why};
use patchmesh_api::request::Request;
use patchmesh_api::socket::{self, BindError};
use patchmesh_api::status::{Mode, Sources, Status};
use patchmesh_core::input::Command;
use patchmesh_core::output::Reply;
use patchmesh_trust::key::unhex;
use patchmesh_trust::stop::signed::SignedStop;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::drive::query::Query;
use crate::drive::room::{is_about_room, refused};

/// Conversations at one time; more are told so and closed at once.
const CONVERSATIONS_MAX: usize = 32;
/// A client that sends no whole line for this long is let go.
const IDLE_MAX: Duration = Duration::from_mins(10);

/// Listens at the socket path.
pub(crate) fn bind(path: &Path) -> Result<UnixListener, BindError> {
    let failed = |source| BindError::Io {
        path: path.to_owned(),
        source,
    };
    let listener = socket::bind(path)?;
    listener.set_nonblocking(true).map_err(failed)?;
    UnixListener::from_std(listener).map_err(failed)
}

/// Accepts conversations until the node ends.
pub(crate) async fn serve(listener: UnixListener, queries: mpsc::Sender<Query>) {
    let slots = std::sync::Arc::new(Semaphore::new(CONVERSATIONS_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(error = %error, "the control socket refused a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            turn_away(&stream);
            continue;
        };
        let queries = queries.clone();
        tokio::spawn(async move {
            if let Err(error) = converse(stream, &queries).await {
                tracing::debug!(error = %error, "a conversation broke off");
            }
            drop(slot);
        });
    }
}

/// Says that there is no room. A fresh socket takes a short line without a wait;
/// where it does not, the closed connection has to say it.
fn turn_away(stream: &UnixStream) {
    let text = format!("{CONVERSATIONS_MAX} conversations are open");
    let hint = "end one that is idle, or try again later";
    let answer = Answer::refused(codes::BUSY, text, hint);
    drop(stream.try_write(&encode_answer(&answer)));
}

async fn converse(stream: UnixStream, queries: &mpsc::Sender<Query>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let mut capped = (&mut reader).take(REQUEST_LEN_MAX as u64 + 1);
        let read = tokio::time::timeout(IDLE_MAX, capped.read_until(b'\n', &mut line)).await;
        if read.map_err(|_| std::io::ErrorKind::TimedOut)?? == 0 {
            return Ok(());
        }
        let request = match decode_request(line.trim_ascii_end()) {
            Ok(request) => request,
            Err(refusal) => {
                let answer =
                    Answer::refused(codes::BAD_REQUEST, refusal.to_string(), refusal.hint());
                writer.write_all(&encode_answer(&answer)).await?;
                return Ok(());
            }
        };
        if let Request::Fetch {
            release,
            follow: true,
        } = &request
        {
            follow(release, queries, &mut writer).await?;
            continue;
        }
        let answer = answer(request, queries).await;
        writer.write_all(&encode_answer(&answer)).await?;
    }
}

async fn answer(request: Request, queries: &mpsc::Sender<Query>) -> Answer {
    let answer = match request {
        Request::Events { since } => ask(queries, |to| Query::Events(since, to)).await,
        Request::Fetch { release, .. } => {
            command(
                queries,
                Command::Fetch {
                    release: release.clone(),
                },
                "fetch",
                &release,
            )
            .await
        }
        Request::Forget { release } => {
            command(
                queries,
                Command::Forget {
                    release: release.clone(),
                },
                "forget",
                &release,
            )
            .await
        }
        Request::Peers => ask(queries, Query::Peers).await,
        Request::Refresh => command(queries, Command::Refresh, "refresh", "").await,
        Request::Releases => status(queries).await.map(|status| {
            Answer::Releases(Releases {
                releases: status.releases,
            })
        }),
        Request::Stop { stop } => send_stop(&stop, queries).await,
        Request::Status => status(queries)
            .await
            .map(|status| Answer::Status(Box::new(status))),
        Request::Why { release } => why(&release, queries).await,
    };
    answer.unwrap_or_else(ending)
}

async fn why(name: &str, queries: &mpsc::Sender<Query>) -> Option<Answer> {
    let status = status(queries).await?;
    let Some(release) = find(status.releases, name) else {
        return Some(unknown(name));
    };
    let content = release.content;
    let corrupt = ask(queries, |to| Query::Corrupt(content, to)).await?;
    let why = Why::of(release, status.troubles).with_corrupt(corrupt);
    Some(Answer::Why(Box::new(why)))
}

async fn send_stop(stop: &str, queries: &mpsc::Sender<Query>) -> Option<Answer> {
    let Some(bytes) = unhex(stop).filter(|bytes| bytes.len() <= SignedStop::LEN_MAX) else {
        let hint = "send the file that `patchmesh stop make` made";
        return Some(Answer::refused(codes::BAD_REQUEST, "this is no stop", hint));
    };
    command(queries, Command::Stop { bytes }, "stop", "").await
}

async fn command(
    queries: &mpsc::Sender<Query>,
    command: Command,
    verb: &str,
    release: &str,
) -> Option<Answer> {
    Some(
        match ask(queries, |to| Query::Command(command, to)).await? {
            Ok(Reply::Done) => Answer::Done(Done {
                verb: verb.to_owned(),
            }),
            Ok(Reply::NoSource) => Answer::refused(
                codes::NOT_ORIGIN,
                "this node has neither a repository nor an HTTP origin to look at",
                "ask the origin, or the node with `origin.http`; others hear of news by themselves",
            ),
            Ok(Reply::Refused(refusal)) => Answer::refused(
                codes::TRUST,
                format!("the stop was refused as {refusal}"),
                refusal.advice(),
            ),
            Ok(Reply::UnknownRelease) => unknown(release),
            Err(refused) => refused,
        },
    )
}

/// Streams progress until the release is staged or has failed.
async fn follow(
    name: &str,
    queries: &mpsc::Sender<Query>,
    writer: &mut tokio::net::unix::OwnedWriteHalf,
) -> std::io::Result<()> {
    if status(queries)
        .await
        .is_some_and(|status| status.mode == Mode::Origin)
    {
        let text = "an origin serves releases and stages none";
        let answer = Answer::refused(codes::FAILED, text, "ask an endpoint");
        return writer.write_all(&encode_answer(&answer)).await;
    }
    let start = Command::Fetch {
        release: name.to_owned(),
    };
    let started = command(queries, start, "fetch", name)
        .await
        .unwrap_or_else(ending);
    if !matches!(started, Answer::Done(_)) {
        return writer.write_all(&encode_answer(&started)).await;
    }
    let began = tokio::time::Instant::now();
    let mut first: Option<(Sources, u64)> = None;
    loop {
        let Some(status) = status(queries).await else {
            return writer.write_all(&encode_answer(&ending())).await;
        };
        let now = sources(&status);
        let Some(release) = find(status.releases, name) else {
            return writer.write_all(&encode_answer(&unknown(name))).await;
        };
        if !release.state.is_staged()
            && let Some(trouble) = status.troubles.iter().find(|one| is_about_room(one))
        {
            return writer.write_all(&encode_answer(&refused(trouble))).await;
        }
        let done = done_bytes(&release);
        let (base, base_done) = *first.get_or_insert((now, done));
        let rate = (done - base_done.min(done)) / began.elapsed().as_secs().max(1);
        let mut event = progress(release, &now, &base);
        event.seconds_remaining = (event.bytes_total - done).checked_div(rate);
        if event.message_type == FetchKind::Error {
            event
                .error
                .push_str("failed to stage: `patchmesh events` says why");
        }
        let last = event.is_last();
        writer
            .write_all(&encode_answer(&Answer::Fetch(event)))
            .await?;
        if last {
            return Ok(());
        }
        tokio::time::sleep(PROGRESS_INTERVAL).await;
    }
}

fn progress(release: Release, now: &Sources, base: &Sources) -> FetchEvent {
    FetchEvent {
        message_type: match release.state {
            ReleaseState::Failed => FetchKind::Error,
            ReleaseState::Fetching | ReleaseState::Known => FetchKind::Status,
            ReleaseState::Staged | ReleaseState::Applying | ReleaseState::Good => {
                FetchKind::Summary
            }
        },
        bytes_done: done_bytes(&release),
        bytes_total: release.wire_bytes,
        line: release.line,
        id: release.id,
        state: release.state,
        chunks_held: release.chunks_held,
        chunks_total: release.chunks_total,
        seconds_remaining: None,
        received: Sources {
            lan: now.lan - base.lan.min(now.lan),
            site: now.site - base.site.min(now.site),
            wan: now.wan - base.wan.min(now.wan),
            origin: now.origin - base.origin.min(now.origin),
        },
        waiting_on: release.waiting_on,
        error: String::new(),
    }
}

/// Wire bytes held, from the share of chunks held.
fn done_bytes(release: &Release) -> u64 {
    if release.chunks_held == release.chunks_total {
        return release.wire_bytes;
    }
    let product = u128::from(release.wire_bytes) * u128::from(release.chunks_held);
    u64::try_from(product / u128::from(release.chunks_total.max(1))).unwrap_or(u64::MAX)
}

fn sources(status: &Status) -> Sources {
    Sources {
        lan: status.received.lan.payload,
        site: status.received.site.payload,
        wan: status.received.wan.payload,
        origin: status.received.origin.payload,
    }
}

async fn status(queries: &mpsc::Sender<Query>) -> Option<Status> {
    ask(queries, Query::Status).await.map(|status| *status)
}

async fn ask<T>(
    queries: &mpsc::Sender<Query>,
    query: impl FnOnce(oneshot::Sender<T>) -> Query,
) -> Option<T> {
    let (to, from) = oneshot::channel();
    queries.send(query(to)).await.ok()?;
    from.await.ok()
}

/// A release by `<id>` or `<line>/<id>`.
fn find(releases: Vec<Release>, name: &str) -> Option<Release> {
    let is = |release: &Release| match name.split_once('/') {
        Some((line, id)) => release.line == line && release.id == id,
        None => release.id == name,
    };
    releases.into_iter().find(is)
}

fn unknown(release: &str) -> Answer {
    Answer::refused(
        codes::UNKNOWN_RELEASE,
        format!("no release {release:?} is known here"),
        "`patchmesh releases` lists them; `patchmesh status` says whether metadata arrived",
    )
}

fn ending() -> Answer {
    Answer::refused(codes::FAILED, "the node is ending", "")
}
