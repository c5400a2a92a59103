//! `stop`: emergency stops with one key.

use std::path::{Path, PathBuf};

use patchmesh_api::answer::Answer;
use patchmesh_api::request::Request;
use patchmesh_content::id::{PeerId, hex, unhex32};
use patchmesh_proto::limits::ROOT_LEN_MAX;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::layout::STOPS;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::stop::signed::{SignedStop, Stop, Subject, key_id, release, signing_bytes};
use patchmesh_trust::time::UtcTime;
use serde::Serialize;

use crate::args::global::Global;
use crate::args::stop::{MakeStopArgs, StopVerb};
use crate::clock;
use crate::draft::annexes::{body, in_repository};
use crate::draft::refusal::refused;
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC};
use crate::keys::pem;
use crate::keys::spec;
use crate::output::Output;
use crate::repository::{chain, lock, stops};
use crate::text::safe;
use crate::verbs::node;

#[derive(Debug, Serialize)]
struct StopDocument {
    id: String,
    stops: String,
    reason: String,
    issued: String,
    network: String,
    key: Option<String>,
    file: Option<String>,
    dry_run: bool,
}

/// Makes, sends, publishes or shows a stop.
pub(crate) fn run(verb: &StopVerb, global: &Global, output: &Output) -> anyhow::Result<()> {
    match verb {
        StopVerb::Make(args) => make(args, output),
        StopVerb::Publish { file, repository } => publish(file, repository, output),
        StopVerb::Send { file } => send(file, global, output),
        StopVerb::Show { file } => show(file, output),
    }
}

fn make(args: &MakeStopArgs, output: &Output) -> anyhow::Result<()> {
    let key = spec::parse(&args.key)?;
    let (mesh_id, keys) = network(args)?;
    let (subject, word) = subject(args)?;
    let mut id = [0; 16];
    pem::fill(&mut id)?;
    let stop = Stop {
        mesh_id,
        id,
        subject,
        issued: clock::now(),
        reason: args.reason.clone(),
    };
    let payload = stop.payload();
    let payload = payload.map_err(|refusal| {
        let failure = Failure::usage(format!("no node would read this stop ({refusal})"));
        failure.hint("at most 16 releases or nodes, and a reason of 256 bytes")
    })?;
    Output::tell(text(&stop));
    if args.dry_run {
        return print(&stop, None, None, true, output);
    }
    spec::check(&key)?;
    let typed = output.ask(&format!("type {word} to stop it: "))?;
    if typed != word {
        let failure = Failure::failed("E_NOT_CONFIRMED", format!("{word} was not typed"));
        return Err(failure
            .hint("look once more at what would be stopped")
            .into());
    }
    let holder = spec::open(key, &args.key, output)?;
    let public = holder.public_key();
    if keys.is_some_and(|keys| !keys.contains(&public)) {
        let message = format!(
            "{} is no revocation key of this network",
            safe(&holder.name)
        );
        return Err(Failure::trust("E_SIG_UNKNOWN_KEY", message).into());
    }
    let signed = SignedStop {
        signature: holder.sign(&signing_bytes(&payload))?,
        key: key_id(&public),
        payload,
    };
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{}.stop", hex(&stop.id))));
    files::write_new(&out, &signed.encode(), MODE_PUBLIC)?;
    output.say(format!(
        "signed as {}; next: patchmesh stop send {1}, or patchmesh stop publish {1} \
         --repository REPO",
        safe(&holder.name),
        out.display()
    ));
    print(&stop, Some(&signed.key), Some(&out), false, output)
}

/// Id of the network, and who may stop, where a repository says so.
fn network(args: &MakeStopArgs) -> anyhow::Result<([u8; 32], Option<Vec<PublicKey>>)> {
    if let Some(folder) = &args.repository {
        let verifier = chain::existing(folder)?;
        let keys = may_stop(folder, &verifier)?;
        return Ok((verifier.mesh_id(), Some(keys)));
    }
    let path = args.root.as_deref();
    let path = path.ok_or_else(|| Failure::usage("--root is missing"))?;
    let root = files::read(path, ROOT_LEN_MAX)?;
    let verifier = Verifier::new(&root, &[]).map_err(|refusal| refused("the root", refusal))?;
    if verifier.head().root != 1 {
        let failure = Failure::usage("only the first root says which network it is");
        return Err(failure
            .hint("metadata/1.root.json of the repository")
            .into());
    }
    Ok((verifier.mesh_id(), None))
}

/// Keys that may stop, as the repository says.
fn may_stop(repository: &Path, verifier: &Verifier) -> anyhow::Result<Vec<PublicKey>> {
    let annexes = in_repository(repository, verifier, None)?;
    Ok(match body(&annexes, AnnexName::Keys)? {
        Some(AnnexBody::Keys(keys)) => keys.revocation,
        _ => Vec::new(),
    })
}

/// What ends, and what a person types to say so.
fn subject(args: &MakeStopArgs) -> anyhow::Result<(Subject, String)> {
    if args.all_installs {
        return Ok((Subject::AllInstalls, "all-installs".to_owned()));
    }
    if let Some(first) = args.node.first() {
        let nodes = args.node.iter().map(|text| {
            let node = unhex32(text).map(PeerId);
            node.ok_or_else(|| {
                let failure = Failure::usage(format!("{} is no node", safe(text)));
                failure.hint("its public key, as `patchmesh peers` shows it")
            })
        });
        let nodes = nodes.collect::<Result<_, _>>()?;
        return Ok((Subject::Nodes(nodes), first.chars().take(8).collect()));
    }
    let listed = listed(args.repository.as_deref())?;
    let releases = args.releases.iter().map(|name| {
        let mut of_id = listed.iter().filter(|(_, id)| id == name);
        let found = match (of_id.next(), of_id.next()) {
            (Some(one), None) => Some(one.clone()),
            _ => release(name.as_bytes()).ok(),
        };
        found.ok_or_else(|| {
            let failure = Failure::usage(format!("{} names no release", safe(name)));
            failure.hint("write it as LINE/ID, or name a --repository in which one line lists it")
        })
    });
    let releases: Vec<_> = releases.collect::<Result<_, _>>()?;
    let first = releases.first().map(|(_, id)| id.clone());
    let first = first.ok_or_else(|| Failure::usage("nothing to stop is named"))?;
    Ok((Subject::Releases(releases.into_iter().collect()), first))
}

/// Line and id of every release that a repository lists, expired or not: who is
/// in a hurry types the id. What is not listed is named in full.
fn listed(repository: Option<&Path>) -> anyhow::Result<Vec<(String, String)>> {
    let Some(repository) = repository else {
        return Ok(Vec::new());
    };
    let releases = chain::existing(repository)?.releases(UtcTime(i64::MIN));
    let named = releases.iter();
    Ok(named
        .map(|one| (one.line.clone(), one.id.clone()))
        .collect())
}

fn text(stop: &Stop) -> String {
    let reason = if stop.reason.is_empty() {
        "(none)".to_owned()
    } else {
        safe(&stop.reason)
    };
    format!(
        "{} stopped\n  stop     {}\n  reason   {reason}\n  issued   {}\n  network  {}",
        stop.subject,
        hex(&stop.id),
        clock::shown(stop.issued),
        hex(&stop.mesh_id)
    )
}

/// Reads the file of one stop.
pub(crate) fn read(path: &Path) -> anyhow::Result<(SignedStop, Stop)> {
    let bytes = files::read(path, SignedStop::LEN_MAX)?;
    let signed = SignedStop::decode(&bytes);
    let read = signed.and_then(|signed| Ok((Stop::read(&signed.payload)?, signed)));
    let (stop, signed) = read.map_err(|refusal| refused("the stop", refusal))?;
    Ok((signed, stop))
}

fn show(file: &Path, output: &Output) -> anyhow::Result<()> {
    let (signed, stop) = read(file)?;
    print(&stop, Some(&signed.key), Some(file), false, output)
}

fn send(file: &Path, global: &Global, output: &Output) -> anyhow::Result<()> {
    let (signed, stop) = read(file)?;
    let request = Request::Stop {
        stop: hex(&signed.encode()),
    };
    let Answer::Done(_) = node::ask(global, &request)? else {
        return Err(node::unexpected());
    };
    output.say("the node has it and passes it on");
    print(&stop, Some(&signed.key), Some(file), false, output)
}

fn publish(file: &Path, repository: &Path, output: &Output) -> anyhow::Result<()> {
    let (signed, stop) = read(file)?;
    let verifier = chain::existing(repository)?;
    if stop.mesh_id != verifier.mesh_id() {
        let refusal = patchmesh_trust::refusal::Refusal::WrongNetwork;
        return Err(refused("the stop", refusal).into());
    }
    let judged = signed.verify(&may_stop(repository, &verifier)?, &stop.mesh_id);
    judged.map_err(|refusal| refused("the stop", refusal))?;
    let _lock = lock::take(repository)?;
    let path = repository.join(STOPS);
    let mut held = stops::read(repository)?;
    if !held.iter().any(|one| one.name() == signed.name()) {
        held.push(signed.clone());
    }
    stops::write(repository, &held)?;
    output.say("published; origins hand it out within seconds, HTTP origins at each poll");
    print(&stop, Some(&signed.key), Some(&path), false, output)
}

fn print(
    stop: &Stop,
    key: Option<&[u8; 32]>,
    file: Option<&Path>,
    dry_run: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let document = StopDocument {
        id: hex(&stop.id),
        stops: stop.subject.to_string(),
        reason: stop.reason.clone(),
        issued: clock::shown(stop.issued),
        network: hex(&stop.mesh_id),
        key: key.map(|key| hex(key)),
        file: file.map(|file| file.display().to_string()),
        dry_run,
    };
    output.document("patchmesh.stop/1", &document, || {
        let by = key.map_or_else(String::new, |key| format!("\n  key      {}", hex(key)));
        format!("{}{by}\n", text(stop))
    })
}
