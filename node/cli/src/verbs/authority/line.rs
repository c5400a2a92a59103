//! `line add`, `line rotate`: the next targets.

use std::path::{Path, PathBuf};

use patchmesh_trust::author::{LineKeys, TargetsPlan};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::threshold::RoleKeys;

use crate::args::authority::{
    KeyChangeArgs, LineAddArgs, LineRotateArgs, LineVerb, TargetsDraftArgs,
};
use crate::clock;
use crate::draft::authority::{Authority, refuse_bad_line};
use crate::draft::drafts::{self, About, Planned};
use crate::draft::edits::{self, Edit};
use crate::draft::ground::{Ground, stands};
use crate::draft::refusal;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::safe;

/// Drafts.
pub(crate) fn run(verb: &LineVerb, output: &Output) -> anyhow::Result<()> {
    match verb {
        LineVerb::Add(args) => add(args, output),
        LineVerb::Rotate(args) => rotate(args, output),
    }
}

fn add(args: &LineAddArgs, output: &Output) -> anyhow::Result<()> {
    refuse_bad_line(&args.line)?;
    let mut ground = Ground::open(&args.ground)?;
    let mut plan = ground.targets_plan()?;
    if plan.lines.iter().any(|one| one.line == args.line) {
        let message = format!("the line {} is there already", args.line);
        let hint = "its keys: patchmesh line rotate";
        return Err(Failure::usage(message).hint(hint).into());
    }
    let keys = match args.threshold {
        None => ground.root_plan()?.targets,
        Some(threshold) => people(&args.public, threshold, &mut ground)?,
    };
    let line = args.line.clone();
    plan.lines.push(LineKeys { line, keys });
    let about = About {
        action: "line-add",
        notes: Vec::new(),
        dry_run: args.draft.place.dry_run,
    };
    finish(about, &ground, plan, &args.draft, output)
}

fn rotate(args: &LineRotateArgs, output: &Output) -> anyhow::Result<()> {
    let mut ground = Ground::open(&args.ground)?;
    let mut plan = ground.targets_plan()?;
    let role = format!("release/{}", args.line);
    let line = plan.lines.iter_mut().find(|one| one.line == args.line);
    let line = line.ok_or_else(|| {
        let message = format!("there is no line {}", safe(&args.line));
        Failure::usage(message).hint("patchmesh line add")
    })?;
    line.keys = changed(&role, &line.keys, &args.keys, &mut ground)?;
    let keys = line.keys.clone();
    let mut notes = Vec::new();
    if let Some(statement) = ground.statement(&args.line)?
        && !stands(&RoleName::Line(args.line.clone()), &statement, &keys)
    {
        notes.push(format!(
            "the statement of {0} no longer stands; sign it again (patchmesh renew release/{0} \
             --targets SIGNED-TARGETS) and publish both at once",
            args.line
        ));
    }
    let about = About {
        action: "line-rotate",
        notes,
        dry_run: args.draft.place.dry_run,
    };
    finish(about, &ground, plan, &args.draft, output)
}

/// Keys of people who were given one by one.
pub(crate) fn people(
    public: &[PathBuf],
    threshold: u32,
    ground: &mut Ground,
) -> anyhow::Result<RoleKeys> {
    let mut keys = Vec::new();
    for path in public {
        keys.push(edits::public(path, &mut ground.names)?);
    }
    Ok(edits::all(&keys, threshold)?)
}

/// A changed list of keys.
pub(crate) fn changed(
    role: &str,
    keys: &RoleKeys,
    change: &KeyChangeArgs,
    ground: &mut Ground,
) -> anyhow::Result<RoleKeys> {
    let mut edits = Vec::new();
    for text in &change.remove {
        let id = edits::find(text, keys, &ground.names)?;
        let id = id.ok_or_else(|| edits::no_key(text, role))?;
        edits.push(Edit::Remove(id));
    }
    for path in &change.add {
        edits.push(Edit::Add(edits::public(path, &mut ground.names)?));
    }
    edits.extend(change.threshold.map(Edit::Threshold));
    if edits.is_empty() {
        return Err(Failure::usage("a rotation changes something").into());
    }
    edits::apply(role, keys, &edits)
}

/// Drafts the next targets.
pub(crate) fn finish(
    about: About,
    ground: &Ground,
    mut plan: TargetsPlan,
    draft: &TargetsDraftArgs,
    output: &Output,
) -> anyhow::Result<()> {
    plan.version = plan.version.saturating_add(1);
    plan.expires = clock::now().plus_days(i64::from(draft.expires));
    let planned = targets(ground, &plan, draft.place.out.as_deref())?;
    drafts::write(about, vec![planned], &ground.names, output)
}

/// The draft of the next targets.
pub(crate) fn targets(
    ground: &Ground,
    plan: &TargetsPlan,
    out: Option<&Path>,
) -> anyhow::Result<Planned> {
    edits::refuse_mixed(&ground.root_plan()?, Some(plan))?;
    let statement = plan.build();
    let statement = statement.map_err(|error| refusal::author(&error, &ground.names))?;
    let authority = Authority {
        root: Some(ground.root.clone()),
        previous: Some(ground.targets()?.to_vec()),
        ..Authority::default()
    };
    Ok(Planned::new(statement, authority, out))
}
