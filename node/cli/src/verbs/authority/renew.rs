//! `renew`: the same again, for longer; and what expires when.

use std::path::{Path, PathBuf};

use patchmesh_proto::limits::{ROOT_LEN_MAX, TARGETS_LEN_MAX};
use patchmesh_trust::author::Draft;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::time::UtcTime;
use serde::Serialize;

use crate::args::authority::{ANNEX_DAYS, LINE_DAYS, ROOT_DAYS, RenewArgs, TARGETS_DAYS};
use crate::clock;
use crate::draft::authority::Authority;
use crate::draft::drafts::{self, About, Planned};
use crate::draft::ground::Ground;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::files;
use crate::output::Output;
use crate::text::{safe, table};
use crate::verbs::authority::root_rotate;
use crate::verbs::next_step;

/// How long a document holds, and where its draft goes.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// Days.
    pub(crate) days: u32,
    /// Folder of the draft, where it was chosen.
    pub(crate) out: Option<PathBuf>,
}

impl Term {
    fn of(args: &RenewArgs, days: u32) -> Self {
        Self {
            days: args.expires.unwrap_or(days),
            out: args.place.out.clone(),
        }
    }

    fn expires(&self) -> UtcTime {
        clock::now().plus_days(i64::from(self.days))
    }
}

/// Drafts, or lists.
pub(crate) fn run(args: &RenewArgs, output: &Output) -> anyhow::Result<()> {
    let ground = Ground::open(&args.ground)?;
    let Some(role) = &args.role else {
        return list(&ground, args, output);
    };
    let role: RoleName = role.parse().map_err(|_| {
        let failure = Failure::usage(format!("there is no role {}", safe(role)));
        failure.hint("root, targets, rollout, membership, or release/LINE")
    })?;
    let planned = match &role {
        RoleName::Root => root(&ground, &Term::of(args, ROOT_DAYS))?,
        RoleName::Targets => {
            let term = Term::of(args, TARGETS_DAYS);
            targets(&ground, args.root.as_deref(), &term)?
        }
        RoleName::Line(name) => {
            let term = Term::of(args, LINE_DAYS);
            line(&ground, name, &args.drops, args.targets.as_deref(), &term)?
        }
        RoleName::Rollout | RoleName::Membership => {
            let term = Term::of(args, ANNEX_DAYS);
            annexes(&ground, &role, args.targets.as_deref(), &term)?
        }
        RoleName::Snapshot | RoleName::Timestamp | RoleName::Delegated(_) => {
            let failure = Failure::usage(format!("{role} is signed by the online key"));
            return Err(failure.hint(renewed_by(&ground, args, &role)).into());
        }
    };
    let about = About {
        action: "renew",
        notes: Vec::new(),
        dry_run: args.place.dry_run,
    };
    drafts::write(about, vec![planned], &ground.names, output)
}

fn root(ground: &Ground, term: &Term) -> anyhow::Result<Planned> {
    let mut plan = ground.root_plan()?;
    plan.version = plan.version.saturating_add(1);
    plan.expires = term.expires();
    root_rotate::root(ground, &plan, term.out.as_deref())
}

fn targets(ground: &Ground, next: Option<&Path>, term: &Term) -> anyhow::Result<Planned> {
    let mut plan = ground.targets_plan()?;
    plan.version = plan.version.saturating_add(1);
    plan.expires = term.expires();
    let statement = plan.build();
    let statement = statement.map_err(|error| refusal::author(&error, &ground.names))?;
    let mut authority = Authority {
        root: Some(ground.root.clone()),
        previous: Some(ground.targets()?.to_vec()),
        ..Authority::default()
    };
    if let Some(path) = next {
        authority.root_before = authority.root.take();
        authority.root = Some(files::read(path, ROOT_LEN_MAX)?);
    }
    planned(statement, authority, term, ground)
}

/// The statement of a line again, without some of its releases.
pub(crate) fn line(
    ground: &Ground,
    name: &str,
    drops: &[String],
    next: Option<&Path>,
    term: &Term,
) -> anyhow::Result<Planned> {
    let held = ground.statement(name)?;
    let held = held.ok_or_else(|| {
        let failure = Failure::usage(format!("{} has no statement yet", safe(name)));
        failure.hint("patchmesh release build")
    })?;
    let mut plan = ground.line_plan(name, &held)?;
    for drop in drops {
        let before = plan.releases.len();
        plan.releases.retain(|entry| entry.id != *drop);
        if plan.releases.len() == before {
            let message = format!("{} is not active in {name}", safe(drop));
            return Err(Failure::usage(message).into());
        }
    }
    plan.version = plan.version.saturating_add(1);
    plan.expires = term.expires();
    let statement = plan.build();
    let statement = statement.map_err(|error| refusal::author(&error, &ground.names))?;
    let mut authority = Authority {
        root: Some(ground.root.clone()),
        targets: Some(ground.targets()?.to_vec()),
        previous: Some(held),
        ..Authority::default()
    };
    if let Some(path) = next {
        authority.targets_before = authority.targets.take();
        authority.targets = Some(files::read(path, TARGETS_LEN_MAX)?);
    }
    planned(statement, authority, term, ground)
}

/// The statement of rollout or membership again, with the same annexes.
fn annexes(
    ground: &Ground,
    role: &RoleName,
    next: Option<&Path>,
    term: &Term,
) -> anyhow::Result<Planned> {
    let held = ground.annexes(role)?;
    if held.is_empty() {
        let failure = Failure::usage(format!("{role} has no statement yet"));
        return Err(failure.hint(next_step::first_statement(role)).into());
    }
    let mut planned = ground.with_annexes(role, held, term.expires(), term.out.as_deref())?;
    if let Some(path) = next {
        let authority = &mut planned.authority;
        authority.targets_before = authority.targets.take();
        authority.targets = Some(files::read(path, TARGETS_LEN_MAX)?);
        authority.check_previous(role, &ground.names)?;
    }
    Ok(planned)
}

/// The document before is checked here as signers will check it.
fn planned(
    statement: Draft,
    authority: Authority,
    term: &Term,
    ground: &Ground,
) -> anyhow::Result<Planned> {
    authority.check_previous(statement.role(), &ground.names)?;
    Ok(Planned::new(statement, authority, term.out.as_deref()))
}

#[derive(Debug, Serialize)]
struct RenewDocument {
    action: &'static str,
    documents: Vec<Expiry>,
}

#[derive(Debug, Serialize)]
struct Expiry {
    role: String,
    version: u64,
    expires: String,
    /// Negative once it has expired.
    days_left: i64,
    renew: String,
}

/// The command that renews a document, as it can be typed here. Without a
/// repository only what the online key signs is asked for.
fn renewed_by(ground: &Ground, args: &RenewArgs, role: &RoleName) -> String {
    let command = |path: &PathBuf| match role {
        RoleName::Snapshot | RoleName::Timestamp => next_step::publish(&[], path, &ground.root),
        RoleName::Root
        | RoleName::Targets
        | RoleName::Line(_)
        | RoleName::Rollout
        | RoleName::Membership
        | RoleName::Delegated(_) => Some(next_step::renew(role, path)),
    };
    let command = args.ground.repository.as_ref().and_then(command);
    command.unwrap_or_else(|| next_step::ONLINE_ELSEWHERE.to_owned())
}

fn list(ground: &Ground, args: &RenewArgs, output: &Output) -> anyhow::Result<()> {
    let verifier = ground.verifier().ok_or_else(|| {
        let failure = Failure::usage("what expires when stands in the repository");
        failure.hint("name the repository with --repository")
    })?;
    let now = clock::now();
    let documents = verifier.expiries().into_iter().map(|(role, at)| Expiry {
        version: verifier.version(&role),
        expires: clock::shown(at),
        days_left: at.0.saturating_sub(now.0).div_euclid(86_400),
        renew: renewed_by(ground, args, &role),
        role: role.to_string(),
    });
    let document = RenewDocument {
        action: "list",
        documents: documents.collect(),
    };
    output.document("patchmesh.renew/1", &document, || {
        let rows = document.documents.iter().map(|one| {
            let days = format!("{} d", one.days_left);
            let version = one.version.to_string();
            let (role, expires, renew) = (&one.role, &one.expires, &one.renew);
            vec![role.clone(), version, expires.clone(), days, renew.clone()]
        });
        let head = ["ROLE", "VERSION", "EXPIRES", "LEFT", "RENEWED BY"];
        let head = vec![head.map(str::to_owned).to_vec()];
        table(&head.into_iter().chain(rows).collect::<Vec<_>>())
    })
}
