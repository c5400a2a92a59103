//! `root rotate`: the next root with other keys or thresholds.

use std::path::Path;

use patchmesh_trust::author::RootPlan;
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::threshold::RoleKeys;

use crate::args::authority::RotateArgs;
use crate::clock;
use crate::draft::authority::Authority;
use crate::draft::drafts::{self, About, Planned};
use crate::draft::edits::{self, Edit};
use crate::draft::ground::{Ground, stands};
use crate::draft::names::Names;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::safe;

/// Drafts a rotation.
pub(crate) fn run(args: &RotateArgs, output: &Output) -> anyhow::Result<()> {
    let mut ground = Ground::open(&args.ground)?;
    let before = ground.root_plan()?;
    let edits = read(args, &before, &mut ground.names)?;
    if edits.is_empty() {
        let failure = Failure::usage("a rotation changes something");
        let hint = "the same keys for longer: patchmesh renew root";
        return Err(failure.hint(hint).into());
    }
    let plan = next(&before, &edits, args.expires)?;
    let about = About {
        action: "rotate",
        notes: notes(&ground, &before, &plan),
        dry_run: args.place.dry_run,
    };
    let planned = root(&ground, &plan, args.place.out.as_deref())?;
    drafts::write(about, vec![planned], &ground.names, output)
}

/// The root after this one, for so many days. The changes of one role stand
/// beside each other.
pub(crate) fn next(
    before: &RootPlan,
    edits: &[(String, Edit)],
    days: u32,
) -> anyhow::Result<RootPlan> {
    let mut plan = before.clone();
    for group in edits.chunk_by(|a, b| a.0 == b.0) {
        let role = &group[0].0;
        let changes: Vec<Edit> = group.iter().map(|(_, edit)| edit.clone()).collect();
        let keys = role_keys(&mut plan, role)?;
        *keys = edits::apply(role, keys, &changes)?;
    }
    plan.version = before.version.saturating_add(1);
    plan.expires = clock::now().plus_days(i64::from(days));
    Ok(plan)
}

/// The draft of a root.
pub(crate) fn root(
    ground: &Ground,
    plan: &RootPlan,
    out: Option<&Path>,
) -> anyhow::Result<Planned> {
    let targets = ground.targets_if_there().map(|_| ground.targets_plan());
    edits::refuse_mixed(plan, targets.transpose()?.as_ref())?;
    let statement = plan.build();
    let statement = statement.map_err(|error| refusal::author(&error, &ground.names))?;
    let authority = Authority {
        root: Some(ground.root.clone()),
        previous: Some(ground.root.clone()),
        ..Authority::default()
    };
    Ok(Planned::new(statement, authority, out))
}

/// What else has to be done for the network to go on under the next root.
fn notes(ground: &Ground, before: &RootPlan, after: &RootPlan) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(targets) = ground.targets_if_there()
        && !stands(&RoleName::Targets, targets, &after.targets)
    {
        notes.push(
            "the targets no longer stand under this root; sign them again (patchmesh renew \
             targets --root SIGNED-ROOT) and publish both at once"
                .to_owned(),
        );
    }
    notes.extend(online_note(before, after));
    notes
}

/// Whether an online key goes: what it signed is then signed with another.
pub(crate) fn online_note(before: &RootPlan, after: &RootPlan) -> Option<String> {
    let gone = |old: &RoleKeys, new: &RoleKeys| {
        let has = |id: &str| new.keys().any(|(other, _)| other == id);
        old.keys().any(|(id, _)| !has(id))
    };
    let goes = gone(&before.timestamp, &after.timestamp) || gone(&before.snapshot, &after.snapshot);
    goes.then(|| "publish with the online key that the new root names".to_owned())
}

/// All changes, those of one role beside each other.
fn read(
    args: &RotateArgs,
    root: &RootPlan,
    names: &mut Names,
) -> anyhow::Result<Vec<(String, Edit)>> {
    let mut edits = Vec::new();
    for text in &args.replace {
        let (key, file) = split(text, "KEY=FILE.pub")?;
        let public = edits::public(Path::new(file), names)?;
        let replaced = replace(root, key, &public, names)?;
        if replaced.is_empty() {
            return Err(edits::no_key(key, "the root").into());
        }
        edits.extend(replaced);
    }
    for text in &args.remove {
        let (roles, key) = split(text, "ROLE=KEY")?;
        for role in roles.split(',') {
            let keys = role_keys(&mut root.clone(), role)?.clone();
            let id = edits::find(key, &keys, names)?;
            let id = id.ok_or_else(|| edits::no_key(key, role))?;
            edits.push((role.to_owned(), Edit::Remove(id)));
        }
    }
    for text in &args.add {
        let (roles, file) = split(text, "ROLE=FILE.pub")?;
        let public = edits::public(Path::new(file), names)?;
        let added = roles.split(',').map(str::to_owned);
        edits.extend(added.map(|role| (role, Edit::Add(public.clone()))));
    }
    for text in &args.threshold {
        let (roles, count) = split(text, "ROLE=M")?;
        let count = count.parse();
        let count = count.map_err(|_| Failure::usage("a threshold is a number"))?;
        let changed = roles.split(',').map(str::to_owned);
        edits.extend(changed.map(|role| (role, Edit::Threshold(count))));
    }
    edits.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(edits)
}

/// Another key in the place of one, in every role of the root that lists it.
pub(crate) fn replace(
    root: &RootPlan,
    key: &str,
    public: &PublicKey,
    names: &Names,
) -> anyhow::Result<Vec<(String, Edit)>> {
    let mut edits = Vec::new();
    for role in ["root", "targets", "snapshot", "timestamp"] {
        let keys = role_keys(&mut root.clone(), role)?.clone();
        if let Some(id) = edits::find(key, &keys, names)? {
            edits.push((role.to_owned(), Edit::Remove(id)));
            edits.push((role.to_owned(), Edit::Add(public.clone())));
        }
    }
    Ok(edits)
}

/// The key list of a role of the root.
pub(crate) fn role_keys<'a>(
    plan: &'a mut RootPlan,
    role: &str,
) -> anyhow::Result<&'a mut RoleKeys> {
    match role {
        "root" => Ok(&mut plan.root),
        "targets" => Ok(&mut plan.targets),
        "snapshot" => Ok(&mut plan.snapshot),
        "timestamp" => Ok(&mut plan.timestamp),
        other => {
            let failure = Failure::usage(format!("the root lists no role {}", safe(other)));
            let hint = "root, targets, snapshot, timestamp; release lines: patchmesh line rotate";
            Err(failure.hint(hint).into())
        }
    }
}

fn split<'a>(text: &'a str, form: &str) -> anyhow::Result<(&'a str, &'a str)> {
    let parts = text.split_once('=');
    parts.ok_or_else(|| Failure::usage(format!("{} is not {form}", safe(text))).into())
}
