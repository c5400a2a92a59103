//! `rollout`: the next statement of operations, or what the present one says.

use std::collections::BTreeSet;
use std::path::Path;

use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::policy::{Approval, Hold, HoldScope, Policy, REASON_LEN_MAX, Ring};
use patchmesh_trust::release::Release;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::time::UtcTime;
use patchmesh_trust::verified::Verified;
use serde::Serialize;

use crate::args::rollout::{ApproveArgs, HeldArgs, RolloutVerb, StatementArgs};
use crate::clock;
use crate::draft::annexes::{self, Annexes};
use crate::draft::authority::{find_role, refuse_bad_line};
use crate::draft::compare_annexes::facts;
use crate::draft::drafts::{self, About};
use crate::draft::ground::Ground;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{push, safe};

/// Drafts, or shows.
pub(crate) fn run(verb: &RolloutVerb, output: &Output) -> anyhow::Result<()> {
    let (action, statement) = match verb {
        RolloutVerb::Approve(args) => ("rollout-approve", &args.statement),
        RolloutVerb::Hold(args) => ("rollout-hold", &args.statement),
        RolloutVerb::Resume(args) => ("rollout-resume", &args.statement),
        RolloutVerb::Rings(args) => ("rollout-rings", &args.statement),
        RolloutVerb::Withdraw(args) => ("rollout-withdraw", &args.statement),
        RolloutVerb::Show(args) => return show(args.repository()?, output),
    };
    let ground = Ground::in_repository(&statement.repository)?;
    let mut policy = policy(&ground)?;
    let mut notes = forget_unlisted(&ground, &mut policy);
    match verb {
        RolloutVerb::Approve(args) => notes.extend(approve(&ground, &mut policy, args)?),
        RolloutVerb::Hold(args) => hold(&ground, &mut policy, &args.held, &args.reason)?,
        RolloutVerb::Resume(args) => resume(&ground, &mut policy, &args.held)?,
        RolloutVerb::Rings(args) => notes.extend(rings(&mut policy, &args.rings)?),
        RolloutVerb::Withdraw(args) => {
            notes.extend(withdraw(&ground, &mut policy, &args.release)?);
        }
        RolloutVerb::Show(_) => {}
    }
    let about = About {
        action,
        notes,
        dry_run: statement.place.dry_run,
    };
    finish(about, &ground, &policy, statement, output)
}

/// The newest policy of the repository; an empty one before the first.
fn policy(ground: &Ground) -> anyhow::Result<Policy> {
    find_role(&ground.targets_plan()?, &RoleName::Rollout).map_err(|failure| {
        failure.hint("patchmesh role add rollout --public FILE.pub --threshold M")
    })?;
    let held = ground.annexes(&RoleName::Rollout)?;
    match annexes::body(&held, AnnexName::Policy)? {
        Some(AnnexBody::Policy(policy)) => Ok(policy),
        _ => Ok(Policy::default()),
    }
}

fn finish(
    about: About,
    ground: &Ground,
    policy: &Policy,
    statement: &StatementArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let bytes = policy.write();
    let bytes = bytes.map_err(|refused| refusal::refused("the policy", refused))?;
    let new = Annexes::from([(AnnexName::Policy, bytes)]);
    let expires = clock::now().plus_days(i64::from(statement.expires));
    let out = statement.place.out.as_deref();
    let planned = ground.with_annexes(&RoleName::Rollout, new, expires, out)?;
    drafts::write(about, vec![planned], &ground.names, output)
}

/// The releases that the repository lists, expired or not.
fn listed(ground: &Ground) -> Vec<Verified<Release>> {
    let verifier = ground.verifier();
    verifier.map_or_else(Vec::new, |verifier| verifier.releases(UtcTime(i64::MIN)))
}

/// Approvals of what is listed no more approve nothing.
fn forget_unlisted(ground: &Ground, policy: &mut Policy) -> Vec<String> {
    let listed = listed(ground);
    let mut notes = Vec::new();
    policy.approvals.retain(|approval| {
        let same = |release: &Verified<Release>| {
            (&release.line, &release.id) == (&approval.line, &approval.id)
        };
        let kept = listed.iter().any(same);
        if !kept {
            notes.push(format!(
                "{}/{} is no longer listed; its approval goes",
                approval.line, approval.id
            ));
        }
        kept
    });
    notes
}

/// A listed release by `<id>` or `<line>/<id>`.
fn find(ground: &Ground, name: &str) -> anyhow::Result<Verified<Release>> {
    let listed = listed(ground);
    let named = |release: &&Verified<Release>| {
        release.id == name || name.split_once('/') == Some((&release.line, &release.id))
    };
    let found: Vec<_> = listed.iter().filter(named).collect();
    match found[..] {
        [release] => Ok(release.clone()),
        [] => {
            let known = listed.iter().map(|one| format!("{}/{}", one.line, one.id));
            let known: Vec<String> = known.collect();
            let message = format!("{} is not listed by the repository", safe(name));
            let hint = format!("listed: {}", safe(&known.join(", ")));
            Err(Failure::usage(message).hint(hint).into())
        }
        [..] => {
            let message = format!("several lines list a release {}", safe(name));
            Err(Failure::usage(message).hint("name it as LINE/ID").into())
        }
    }
}

fn approve(
    ground: &Ground,
    policy: &mut Policy,
    args: &ApproveArgs,
) -> anyhow::Result<Vec<String>> {
    let release = find(ground, &args.release)?;
    if let Some(unknown) = args.rings.iter().find(|ring| {
        let mut known = policy.rings.iter();
        known.all(|other| other.name != **ring)
    }) {
        let failure = Failure::usage(format!("there is no ring {}", safe(unknown)));
        return Err(failure
            .hint("patchmesh rollout rings RING=PERCENT...")
            .into());
    }
    let approval = Approval {
        line: release.line.clone(),
        id: release.id.clone(),
        sha256: release.sha256,
        rings: args.rings.clone(),
        from: time(args.from.as_deref())?,
        until: time(args.until.as_deref())?,
    };
    // An older approval of the line for none but the same nodes goes: left
    // standing, it would be what is meant again once this one is withdrawn.
    policy.approvals.retain(|other| {
        let same = other.line == approval.line && other.id == approval.id;
        let replaced = other.line == approval.line && is_within(&other.rings, &approval.rings);
        !(replaced || same && other.sha256 != approval.sha256)
    });
    let mut notes = Vec::new();
    if approval.until.is_some() {
        notes = comes_back(&policy.approvals, &approval, "when this approval ends");
    }
    policy.approvals.push(approval);
    Ok(notes)
}

/// Whether all nodes of some rings are in other ones; no ring is every node.
fn is_within(inner: &[String], outer: &[String]) -> bool {
    outer.is_empty() || !inner.is_empty() && inner.iter().all(|ring| outer.contains(ring))
}

/// What is meant again on nodes of an approval that ends: an earlier one that
/// covers some of them, too.
fn comes_back(earlier: &[Approval], ended: &Approval, when: &str) -> Vec<String> {
    let shared = |other: &Approval| {
        let mut rings = other.rings.iter();
        is_within(&other.rings, &ended.rings)
            || is_within(&ended.rings, &other.rings)
            || rings.any(|ring| ended.rings.contains(ring))
    };
    let own = |other: &&Approval| other.line == ended.line && other.id != ended.id;
    let back = earlier.iter().filter(own).filter(|other| shared(other));
    let notes = back.map(|other| {
        let Approval { line, id, .. } = other;
        format!(
            "{line}/{id} is approved from before: {when}, nodes of both put it into use over \
             {}; withdraw it too if that is not meant",
            ended.id
        )
    });
    notes.collect()
}

fn time(text: Option<&str>) -> anyhow::Result<Option<UtcTime>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let time = UtcTime::parse(text).filter(|time| time.0 > 0);
    let time = time.ok_or_else(|| {
        let failure = Failure::usage(format!("{} is no time", safe(text)));
        failure.hint("such as 2026-11-24T20:00:00Z")
    })?;
    Ok(Some(time))
}

fn withdraw(ground: &Ground, policy: &mut Policy, name: &str) -> anyhow::Result<Vec<String>> {
    let release = find(ground, name)?;
    let is_meant = |other: &Approval| (&other.line, &other.id) == (&release.line, &release.id);
    let approvals = &policy.approvals;
    let ended = approvals
        .iter()
        .enumerate()
        .filter(|(_, one)| is_meant(one));
    let notes: BTreeSet<String> = ended
        .flat_map(|(place, one)| comes_back(&approvals[..place], one, "without this approval"))
        .collect();
    let before = approvals.len();
    policy.approvals.retain(|other| !is_meant(other));
    if policy.approvals.len() == before {
        let message = format!("{} is not approved", safe(name));
        return Err(Failure::usage(message).into());
    }
    Ok(notes.into_iter().collect())
}

fn scope(ground: &Ground, held: &HeldArgs) -> anyhow::Result<HoldScope> {
    match (&held.release, &held.line) {
        (Some(name), _) => {
            let release = find(ground, name)?;
            Ok(HoldScope::Release {
                line: release.line.clone(),
                id: release.id.clone(),
            })
        }
        (None, Some(line)) => {
            refuse_bad_line(line)?;
            Ok(HoldScope::Line(line.clone()))
        }
        (None, None) => Ok(HoldScope::Everything),
    }
}

fn hold(ground: &Ground, policy: &mut Policy, held: &HeldArgs, reason: &str) -> anyhow::Result<()> {
    if reason.is_empty() || reason.len() > REASON_LEN_MAX {
        let message = format!("a reason has 1 to {REASON_LEN_MAX} bytes");
        return Err(Failure::usage(message).into());
    }
    let scope = scope(ground, held)?;
    policy.holds.retain(|other| other.scope != scope);
    policy.holds.push(Hold {
        scope,
        reason: reason.to_owned(),
    });
    Ok(())
}

fn resume(ground: &Ground, policy: &mut Policy, held: &HeldArgs) -> anyhow::Result<()> {
    let scope = scope(ground, held)?;
    let before = policy.holds.len();
    policy.holds.retain(|other| other.scope != scope);
    if policy.holds.len() == before {
        let failure = Failure::usage("this is not held");
        return Err(failure.hint("patchmesh rollout show REPO").into());
    }
    Ok(())
}

fn rings(policy: &mut Policy, texts: &[String]) -> anyhow::Result<Vec<String>> {
    let mut rings = Vec::new();
    for text in texts {
        let ring = text.split_once('=').and_then(|(name, percent)| {
            let (whole, tenth) = percent.split_once('.').unwrap_or((percent, "0"));
            let (whole, tenth): (u32, u32) = (whole.parse().ok()?, tenth.parse().ok()?);
            let share = (whole <= 100 && tenth <= 9).then_some(whole * 10 + tenth)?;
            let name = name.to_owned();
            Some(Ring { name, share })
        });
        rings.push(ring.ok_or_else(|| {
            let failure = Failure::usage(format!("{} is no ring", safe(text)));
            failure.hint("such as first=5 fast=20 rest=75; tenths as 0.5")
        })?);
    }
    if rings.iter().map(|ring| ring.share).sum::<u32>() != 1_000 {
        return Err(Failure::usage("the rings are not 100 percent together").into());
    }
    policy.rings = rings;
    let mut notes = Vec::new();
    policy.approvals.retain(|approval| {
        let known = |name: &String| policy.rings.iter().any(|ring| ring.name == *name);
        let kept = approval.rings.iter().all(known);
        if !kept {
            let (line, id) = (&approval.line, &approval.id);
            let rings = approval.rings.join(", ");
            notes.push(format!("the approval of {line}/{id} for ring {rings} goes"));
        }
        kept
    });
    Ok(notes)
}

#[derive(Debug, Serialize)]
struct RolloutDocument {
    action: &'static str,
    version: u64,
    expires: Option<String>,
    says: Vec<Said>,
}

#[derive(Debug, Serialize)]
struct Said {
    what: &'static str,
    text: String,
}

fn show(repository: &Path, output: &Output) -> anyhow::Result<()> {
    let ground = Ground::in_repository(repository)?;
    let policy = AnnexBody::Policy(policy(&ground)?);
    let verifier = ground.verifier();
    let role = RoleName::Rollout;
    let mut all = verifier.into_iter().flat_map(Verifier::expiries);
    let expires = all.find(|(other, _)| *other == role);
    let says = facts(&policy, &ground.names).into_iter();
    let document = RolloutDocument {
        action: "show",
        version: verifier.map_or(0, |held| held.version(&role)),
        expires: expires.map(|(_, at)| clock::shown(at)),
        says: says.map(|(what, text)| Said { what, text }).collect(),
    };
    output.document("patchmesh.rollout/1", &document, || {
        let mut text = match &document.expires {
            None => "operations have said nothing yet\n".to_owned(),
            Some(expires) => format!("rollout version {} until {expires}\n", document.version),
        };
        for said in &document.says {
            push(&mut text, format_args!("  {}: {}\n", said.what, said.text));
        }
        text
    })
}
