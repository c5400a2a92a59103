//! `role add`, `role rotate`: the next targets, with other people for rollout or
//! membership.

use patchmesh_trust::author::TargetsPlan;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::threshold::RoleKeys;

use crate::args::rollout::{RoleAddArgs, RoleRotateArgs, RoleVerb, SideRole};
use crate::draft::authority::find_role;
use crate::draft::drafts::About;
use crate::draft::edits;
use crate::draft::ground::{Ground, stands};
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::authority::line;

/// Drafts.
pub(crate) fn run(verb: &RoleVerb, output: &Output) -> anyhow::Result<()> {
    match verb {
        RoleVerb::Add(args) => add(args, output),
        RoleVerb::Rotate(args) => rotate(args, output),
    }
}

fn name(role: SideRole) -> RoleName {
    match role {
        SideRole::Rollout => RoleName::Rollout,
        SideRole::Membership => RoleName::Membership,
    }
}

fn place(plan: &mut TargetsPlan, role: SideRole) -> &mut Option<RoleKeys> {
    match role {
        SideRole::Rollout => &mut plan.rollout,
        SideRole::Membership => &mut plan.membership,
    }
}

fn add(args: &RoleAddArgs, output: &Output) -> anyhow::Result<()> {
    let mut ground = Ground::open(&args.ground)?;
    let mut plan = ground.targets_plan()?;
    let role = name(args.role);
    let place = place(&mut plan, args.role);
    if place.is_some() {
        let message = format!("{role} has people already");
        let hint = format!("their keys: patchmesh role rotate {role}");
        return Err(Failure::usage(message).hint(hint).into());
    }
    *place = Some(line::people(&args.public, args.threshold, &mut ground)?);
    let about = About {
        action: "role-add",
        notes: Vec::new(),
        dry_run: args.draft.place.dry_run,
    };
    line::finish(about, &ground, plan, &args.draft, output)
}

fn rotate(args: &RoleRotateArgs, output: &Output) -> anyhow::Result<()> {
    let mut ground = Ground::open(&args.ground)?;
    let mut plan = ground.targets_plan()?;
    let role = name(args.role);
    let held = find_role(&plan, &role)?;
    let keys = line::changed(&role.to_string(), held, &args.keys, &mut ground)?;
    let mut notes = Vec::new();
    let statement = ground
        .verifier()
        .and_then(|held| held.document(&role, None));
    if statement.is_some_and(|statement| !stands(&role, &statement, &keys)) {
        notes.push(format!(
            "the statement of {role} no longer stands; sign it again (patchmesh renew {role} \
             --targets SIGNED-TARGETS) and publish both at once"
        ));
    }
    *place(&mut plan, args.role) = Some(keys);
    edits::refuse_mixed(&ground.root_plan()?, Some(&plan))?;
    let about = About {
        action: "role-rotate",
        notes,
        dry_run: args.draft.place.dry_run,
    };
    line::finish(about, &ground, plan, &args.draft, output)
}
