//! `key replace`: everything that must be signed when a key is lost.

use std::path::Path;

use patchmesh_trust::author::{Draft, RootPlan, TargetsPlan};
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::role::RoleName;

use crate::args::authority::{ANNEX_DAYS, KeyReplaceArgs, LINE_DAYS, ROOT_DAYS, TARGETS_DAYS};
use crate::clock;
use crate::draft::drafts::{self, About, Planned};
use crate::draft::edits::{self, Edit};
use crate::draft::ground::{Ground, stands};
use crate::draft::names::Names;
use crate::failure::Failure;
use crate::files;
use crate::output::Output;
use crate::verbs::authority::{line, renew, root_rotate};
use crate::verbs::next_step;

/// Drafts root, targets and statements, as far as they rest on the key.
pub(crate) fn run(args: &KeyReplaceArgs, output: &Output) -> anyhow::Result<()> {
    files::refuse_existing(&args.out)?;
    let mut ground = Ground::open(&args.ground)?;
    let known = ground.names.clone();
    let new = edits::public(&args.new, &mut ground.names)?;
    let mut planned = Vec::new();
    let mut notes = Vec::new();
    let before = ground.root_plan()?;
    let root = next_root(&before, args, &new, &known)?;
    if let Some(root) = &root {
        planned.push(root_rotate::root(
            &ground,
            root,
            Some(&args.out.join("root.draft")),
        )?);
    }
    let root = root.unwrap_or_else(|| before.clone());
    let targets_before = ground.targets_plan()?;
    let mut targets = targets_before.clone();
    let lines = replace_in_lines(&mut targets, args, &new, &known)?;
    let roles = replace_beside(&mut targets, args, &new, &known)?;
    let stood = stands(&RoleName::Targets, ground.targets()?, &root.targets);
    if !lines.is_empty() || !roles.is_empty() || !stood {
        targets.version = targets.version.saturating_add(1);
        targets.expires = clock::now().plus_days(i64::from(TARGETS_DAYS));
        let out = args.out.join("targets.draft");
        planned.push(line::targets(&ground, &targets, Some(&out))?);
    }
    for line in lines {
        planned.extend(statement(&ground, &targets, &line, args)?);
    }
    for role in roles {
        planned.extend(annexes(&ground, &targets, &role, args)?);
    }
    if planned.is_empty() {
        return Err(edits::no_key(&args.old, "the network").into());
    }
    notes.extend(root_rotate::online_note(&before, &root));
    notes.push(together(args, &ground, &planned));
    let about = About {
        action: "replace",
        notes,
        dry_run: args.dry_run,
    };
    drafts::write(about, planned, &ground.names, output)
}

/// How all of them are published.
fn together(args: &KeyReplaceArgs, ground: &Ground, planned: &[Planned]) -> String {
    let statements = planned.iter().map(|plan| &plan.statement);
    let mut roots = statements.filter(|statement| *statement.role() == RoleName::Root);
    let root = roots.next().map(Draft::bytes);
    let root = root.as_ref().unwrap_or(&ground.root);
    let paths: Vec<&Path> = planned.iter().map(|plan| plan.out.as_path()).collect();
    let repository = args.ground.repository.as_deref();
    match repository.and_then(|repository| next_step::publish(&paths, repository, root)) {
        Some(command) => format!("once assembled, all are published at once: {command}"),
        None => "once assembled, whoever has the repository and its online key publishes all of \
                 them at once; `patchmesh publish --help` says how"
            .to_owned(),
    }
}

fn next_root(
    before: &RootPlan,
    args: &KeyReplaceArgs,
    new: &PublicKey,
    names: &Names,
) -> anyhow::Result<Option<RootPlan>> {
    let edits = root_rotate::replace(before, &args.old, new, names)?;
    if edits.is_empty() {
        return Ok(None);
    }
    root_rotate::next(before, &edits, ROOT_DAYS).map(Some)
}

/// The lines whose keys changed.
fn replace_in_lines(
    plan: &mut TargetsPlan,
    args: &KeyReplaceArgs,
    new: &PublicKey,
    names: &Names,
) -> anyhow::Result<Vec<String>> {
    let mut changed = Vec::new();
    for line in &mut plan.lines {
        if let Some(id) = edits::find(&args.old, &line.keys, names)? {
            let role = format!("release/{}", line.line);
            let edits = [Edit::Remove(id), Edit::Add(new.clone())];
            line.keys = edits::apply(&role, &line.keys, &edits)?;
            changed.push(line.line.clone());
        }
    }
    Ok(changed)
}

/// The roles beside the lines whose keys changed.
fn replace_beside(
    plan: &mut TargetsPlan,
    args: &KeyReplaceArgs,
    new: &PublicKey,
    names: &Names,
) -> anyhow::Result<Vec<RoleName>> {
    let mut changed = Vec::new();
    let beside = [
        (RoleName::Rollout, &mut plan.rollout),
        (RoleName::Membership, &mut plan.membership),
    ];
    for (role, keys) in beside {
        let Some(held) = keys else { continue };
        if let Some(id) = edits::find(&args.old, held, names)? {
            let edits = [Edit::Remove(id), Edit::Add(new.clone())];
            *held = edits::apply(&role.to_string(), held, &edits)?;
            changed.push(role);
        }
    }
    Ok(changed)
}

/// The statement of rollout or membership again, if the key that goes was needed
/// for it.
fn annexes(
    ground: &Ground,
    targets: &TargetsPlan,
    role: &RoleName,
    args: &KeyReplaceArgs,
) -> anyhow::Result<Option<Planned>> {
    let statement = ground.verifier().and_then(|held| held.document(role, None));
    let keys = targets.keys_of(role);
    let stood = statement.zip(keys);
    if stood.is_none_or(|(statement, keys)| stands(role, &statement, keys)) {
        return Ok(None);
    }
    let held = ground.annexes(role)?;
    let expires = clock::now().plus_days(i64::from(ANNEX_DAYS));
    let out = args.out.join(format!("{role}.draft"));
    ground
        .with_annexes(role, held, expires, Some(&out))
        .map(Some)
}

/// The statement of a line again, if the key that goes was needed for it.
fn statement(
    ground: &Ground,
    targets: &TargetsPlan,
    line: &str,
    args: &KeyReplaceArgs,
) -> anyhow::Result<Option<Planned>> {
    let keys = targets.lines.iter().find(|one| one.line == line);
    let keys = keys.ok_or_else(|| Failure::usage("the line is not delegated"))?;
    let Some(held) = ground.statement(line)? else {
        return Ok(None);
    };
    if stands(&RoleName::Line(line.to_owned()), &held, &keys.keys) {
        return Ok(None);
    }
    let out = args.out.join(format!("release-{line}.draft"));
    let term = renew::Term {
        days: LINE_DAYS,
        out: Some(out),
    };
    renew::line(ground, line, &[], None, &term).map(Some)
}
