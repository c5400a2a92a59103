//! `publish`: signed documents, annexes, indexes and packs into a repository folder.

use patchmesh_api::answer::Answer;
use patchmesh_api::client::Client;
use patchmesh_api::request::Request;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::time::UtcTime;
use serde::Serialize;

use crate::args::global::Global;
use crate::args::sign::PublishArgs;
use crate::clock;
use crate::draft::names::Names;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::files;
use crate::keys::spec;
use crate::output::Output;
use crate::repository::chain::{self, Mode, Source};
use crate::repository::input::{self, Input};
use crate::repository::log::Log;
use crate::repository::online::{self, Renewal};
use crate::repository::{lock, payloads, stops, write};
use crate::text::{push, safe};
use crate::verbs::{node, verify};

#[derive(Debug, Serialize)]
struct PublishDocument {
    repository: String,
    published: Vec<PublishedLine>,
    root: u64,
    snapshot: u64,
    timestamp: u64,
    releases: Vec<String>,
    /// Whether a local origin was told; `null` where none was found.
    refreshed: Option<bool>,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct PublishedLine {
    role: String,
    version: u64,
    release: Option<String>,
}

/// Publishes.
pub(crate) fn run(args: &PublishArgs, global: &Global, output: &Output) -> anyhow::Result<()> {
    let mut inputs = Vec::new();
    for path in &args.paths {
        inputs.extend(input::read(path)?);
    }
    let signer = spec::open(spec::parse(&args.key)?, &args.key, output)?;
    let repository = args.repository.as_path();
    let _lock = if args.dry_run {
        None
    } else {
        write::prepare(repository)?;
        Some(lock::take(repository)?)
    };
    let now = clock::now();
    let held = chain::load(repository)?;
    let fresh = fresh(args, &inputs, held.as_ref())?;
    let mut source = Source::new(repository);
    for input in &inputs {
        source.add(&input.role, input.version, input.bytes.clone());
    }
    let renewal = Renewal {
        signer: &signer,
        now,
        snapshot_days: args.snapshot_expires,
        timestamp_hours: args.timestamp_expires,
        snapshot_on_disk: write::snapshot_version_max(repository)?,
    };
    let mut log = Log::begin(repository, held.as_ref(), &inputs)?;
    let renewed = online::renew(&renewal, held.as_ref(), &inputs, &mut log)?;
    source.add(
        &RoleName::Snapshot,
        renewed.snapshot_version,
        renewed.snapshot.clone(),
    );
    source.add(
        &RoleName::Timestamp,
        renewed.timestamp_version,
        renewed.timestamp.clone(),
    );
    let verifier = check(args, &source, &inputs, now)?;
    check_kept(args, &inputs, &verifier, now)?;
    let mut refreshed = None;
    if !args.dry_run {
        for (input, _) in inputs.iter().zip(&fresh).filter(|(_, fresh)| **fresh) {
            place(args, input)?;
        }
        let snapshot = &renewed.snapshot;
        write::document(
            repository,
            &RoleName::Snapshot,
            renewed.snapshot_version,
            snapshot,
        )?;
        check_on_disk(args, &renewed, now)?;
        names(args)?;
        log.write(repository, &signer)?;
        let timestamp = &renewed.timestamp;
        write::document(
            repository,
            &RoleName::Timestamp,
            renewed.timestamp_version,
            timestamp,
        )?;
        // The timestamp names the list by now: no stop is lost on the way.
        stops::prune(repository, &verifier, output);
        refreshed = refresh(global, output);
    }
    let document = document(args, &inputs, &fresh, &verifier, refreshed);
    output.document("patchmesh.publish/1", &document, || text(&document))
}

/// Which inputs the repository does not hold yet; refuses what contradicts it.
fn fresh(
    args: &PublishArgs,
    inputs: &[Input],
    held: Option<&Verifier>,
) -> anyhow::Result<Vec<bool>> {
    let mut fresh = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        if inputs[..at]
            .iter()
            .any(|other| other.role == input.role && other.role != RoleName::Root)
        {
            let message = format!("two documents of {} at once", input.role);
            let failure = Failure::usage(message);
            return Err(failure
                .hint("publish one, then build the other on top")
                .into());
        }
        let newest = held.map_or(0, |verifier| verifier.version(&input.role));
        let same = write::is_held(&args.repository, &input.role, input.version, &input.bytes)?;
        if input.version < newest || (input.version == newest && !same) {
            let message = format!(
                "{} version {} is not above version {newest} of the repository",
                input.role, input.version
            );
            let failure = Failure::trust("E_TRUST_ROLLBACK", message);
            let hint = "build the release again, on top of what is published";
            return Err(failure.hint(hint).into());
        }
        // A run that was cut off may have left the document without its pack.
        fresh.push(!same || input.payload.is_some() || !input.annexes.is_empty());
    }
    Ok(fresh)
}

/// Walks the result through the verifier of a node, before a byte is written.
fn check(
    args: &PublishArgs,
    source: &Source,
    inputs: &[Input],
    now: UtcTime,
) -> anyhow::Result<Verifier> {
    let anchor = source.read(&RoleName::Root, 1, patchmesh_proto::limits::ROOT_LEN_MAX)?;
    let anchor = anchor.ok_or_else(|| {
        let failure = Failure::failed("E_NOT_A_REPOSITORY", "the repository has no root yet");
        failure.hint("publish the ceremony folder first")
    })?;
    let verifier = chain::walk(source, &anchor, Mode::Now(now))?;
    verify::refuse_not_current(&verifier, &args.repository, now)?;
    let releases = verifier.releases(now);
    for payload in inputs.iter().filter_map(|input| input.payload.as_ref()) {
        let (line, id) = (&payload.1.index.line, &payload.1.index.id);
        let seen = releases
            .iter()
            .any(|release| release.line == *line && release.content == payload.1.entry.content);
        if !seen {
            let message = format!("a node would not see {}/{}", safe(line), safe(id));
            return Err(Failure::trust("E_TRUST_NOT_DELEGATED", message).into());
        }
    }
    Ok(verifier)
}

/// What is listed without being brought along must lie in the repository.
fn check_kept(
    args: &PublishArgs,
    inputs: &[Input],
    verifier: &Verifier,
    now: UtcTime,
) -> anyhow::Result<()> {
    for release in verifier.releases(now) {
        let mut brought = inputs.iter().filter_map(|input| input.payload.as_ref());
        if brought.all(|(_, payload)| payload.entry.content != release.content) {
            payloads::index(&args.repository, &release)?;
        }
    }
    for annex in verifier.annexes(now) {
        let brought = inputs
            .iter()
            .find_map(|input| input.annexes.get(&annex.name));
        match brought {
            Some(bytes) => drop(
                annex
                    .open(bytes)
                    .map_err(|refused| refusal::refused(annex.name.path(), refused))?,
            ),
            None => payloads::annex(&args.repository, &annex)?,
        }
    }
    Ok(())
}

fn place(args: &PublishArgs, input: &Input) -> anyhow::Result<()> {
    if let (Some((draft, payload)), RoleName::Line(line)) = (&input.payload, &input.role) {
        write::payload(&args.repository, draft, line, payload)?;
    }
    for (name, bytes) in &input.annexes {
        write::annex(&args.repository, *name, bytes)?;
    }
    write::document(&args.repository, &input.role, input.version, &input.bytes)
}

/// The same walk over what is on disk now, only the timestamp still in memory.
fn check_on_disk(
    args: &PublishArgs,
    renewed: &online::Renewed,
    now: UtcTime,
) -> anyhow::Result<()> {
    let mut source = Source::new(&args.repository);
    let timestamp = renewed.timestamp.clone();
    source.add(&RoleName::Timestamp, renewed.timestamp_version, timestamp);
    let verifier = check(args, &source, &[], now)?;
    for release in verifier.releases(now) {
        payloads::index(&args.repository, &release)?;
    }
    for annex in verifier.annexes(now) {
        payloads::annex(&args.repository, &annex)?;
    }
    Ok(())
}

/// Names of keys travel along, for people; nothing is decided by them. A file
/// that cannot be read is left as it is: somebody may mend it.
fn names(args: &PublishArgs) -> anyhow::Result<()> {
    let mut names = match Names::read(&args.repository) {
        Ok(names) => names,
        Err(why) => {
            Output::tell(format!(
                "note: the names of keys are not published: {why:#}"
            ));
            return Ok(());
        }
    };
    for path in &args.paths {
        // Opening a draft has told of a broken one.
        names.merge(&Names::read(path).unwrap_or_default());
    }
    let path = args.repository.join(crate::draft::names::NAMES_FILE);
    files::write(&path, &names.to_bytes(), files::MODE_PUBLIC)
}

/// Tells a local origin. The publication stands whether or not it hears.
fn refresh(global: &Global, output: &Output) -> Option<bool> {
    let path = node::socket(global);
    if global.socket.is_none() && !path.exists() {
        return None;
    }
    let answer = Client::connect(&path)
        .map_err(anyhow::Error::from)
        .and_then(|mut client| client.ask(&Request::Refresh).map_err(anyhow::Error::from));
    match answer {
        Ok(Answer::Done(_)) => Some(true),
        Ok(other) => {
            output.detail(format!("the node did not refresh: {other:?}"));
            Some(false)
        }
        Err(error) => {
            output.say(format!("note: published, but no node was told: {error:#}"));
            Some(false)
        }
    }
}

fn document(
    args: &PublishArgs,
    inputs: &[Input],
    fresh: &[bool],
    verifier: &Verifier,
    refreshed: Option<bool>,
) -> PublishDocument {
    let lines = inputs.iter().zip(fresh).filter(|(_, fresh)| **fresh);
    let head = verifier.head();
    PublishDocument {
        repository: args.repository.display().to_string(),
        published: lines
            .map(|(input, _)| PublishedLine {
                role: input.role.to_string(),
                version: input.version,
                release: input
                    .payload
                    .as_ref()
                    .map(|(_, payload)| payload.index.id.clone()),
            })
            .collect(),
        root: head.root,
        snapshot: head.snapshot,
        timestamp: head.timestamp,
        releases: verifier
            .releases(clock::now())
            .iter()
            .map(|release| format!("{}/{}", release.line, release.id))
            .collect(),
        refreshed,
        dry_run: args.dry_run,
    }
}

fn text(document: &PublishDocument) -> String {
    let mut text = String::new();
    for line in &document.published {
        push(
            &mut text,
            format_args!("published {} version {}", line.role, line.version),
        );
        if let Some(release) = &line.release {
            push(&mut text, format_args!(": release {}", safe(release)));
        }
        text.push('\n');
    }
    push(
        &mut text,
        format_args!(
            "{}: timestamp {}, snapshot {}, root {}; active: {}\n",
            document.repository,
            document.timestamp,
            document.snapshot,
            document.root,
            if document.releases.is_empty() {
                "no release".to_owned()
            } else {
                safe(&document.releases.join(", "))
            }
        ),
    );
    text
}
