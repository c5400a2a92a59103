//! What a signer sees of an annex: rings, approvals and holds; keys; stops.

use patchmesh_content::id::hex;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::keys::Keys;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::policy::{Approval, Hold, HoldScope, Policy};
use patchmesh_trust::annex::revocations::Revocations;
use patchmesh_trust::stop::signed::Stop;
use patchmesh_trust::time::UtcTime;

use crate::clock;
use crate::draft::annexes::{Carried, body};
use crate::draft::change::{Change, Op};
use crate::draft::names::Names;
use crate::text::{push, safe, short};

/// The differences between the annexes of two statements.
pub(crate) fn annexes(
    carried: &Carried,
    names: &Names,
    changes: &mut Vec<Change>,
) -> anyhow::Result<()> {
    for name in AnnexName::ALL {
        let (old, new) = (body(&carried.old, name)?, body(&carried.new, name)?);
        if new.is_none() && old.is_some() {
            changes.push(Change::new(Op::Removed, "annex", name.path()));
        }
        let (before, after) = match (old, new) {
            (_, None) => continue,
            (old, Some(new)) => (old.map(|old| facts(&old, names)), facts(&new, names)),
        };
        differences(&before.unwrap_or_default(), &after, changes);
    }
    Ok(())
}

/// One line of an annex: what it is about, and all that it says.
type Fact = (&'static str, String);

/// Everything that an annex says, line by line, already escaped.
pub(crate) fn facts(annex: &AnnexBody, names: &Names) -> Vec<Fact> {
    match annex {
        AnnexBody::Policy(policy) => policy_facts(policy),
        AnnexBody::Keys(keys) => key_facts(keys, names),
        AnnexBody::Revocations(list) => stop_facts(list),
    }
}

fn differences(before: &[Fact], after: &[Fact], changes: &mut Vec<Change>) {
    for fact in after {
        let (op, what) = if before.contains(fact) {
            (Op::States, fact.0)
        } else {
            (Op::Added, fact.0)
        };
        changes.push(Change::new(op, what, &fact.1));
    }
    for fact in before.iter().filter(|fact| !after.contains(fact)) {
        changes.push(Change::new(Op::Removed, fact.0, &fact.1));
    }
}

fn policy_facts(policy: &Policy) -> Vec<Fact> {
    let rings = policy.rings.iter().map(|ring| {
        let percent = format!("{}.{} %", ring.share / 10, ring.share % 10);
        ("ring", format!("{} of {percent} of all nodes", ring.name))
    });
    let approvals = policy
        .approvals
        .iter()
        .map(|one| ("approval", approved(one)));
    let holds = policy.holds.iter().map(|hold| ("hold", held(hold)));
    rings.chain(approvals).chain(holds).collect()
}

/// An approval for people.
fn approved(approval: &Approval) -> String {
    let index = hex(&approval.sha256);
    let nodes = if approval.rings.is_empty() {
        "every node".to_owned()
    } else {
        format!("ring {}", approval.rings.join(", "))
    };
    let mut text = format!(
        "{}/{} (index sha256 {}) for {nodes}",
        approval.line,
        approval.id,
        short(&index)
    );
    let mut bound = |word: &str, time: Option<UtcTime>| {
        if let Some(time) = time {
            push(&mut text, format_args!(" {word} {}", clock::shown(time)));
        }
    };
    bound("from", approval.from);
    bound("until", approval.until);
    text
}

/// A hold for people.
fn held(hold: &Hold) -> String {
    let what = match &hold.scope {
        HoldScope::Everything => "every release of every line".to_owned(),
        HoldScope::Line(line) => format!("every release of {line}"),
        HoldScope::Release { line, id } => format!("{line}/{id}"),
    };
    if hold.reason.is_empty() {
        what
    } else {
        format!("{what}: {}", safe(&hold.reason))
    }
}

fn key_facts(keys: &Keys, names: &Names) -> Vec<Fact> {
    let of = |key: &patchmesh_trust::key::PublicKey| names.of(&key.key_id());
    let stops = keys.revocation.iter();
    let stops = stops.map(|key| ("key", format!("{} may stop, alone", of(key))));
    let enrollers = keys.enrollers.iter().map(|one| {
        let since = one
            .retired
            .map(|at| format!(", retired {}", clock::shown(at)));
        let text = format!("{} enrols nodes{}", of(&one.key), since.unwrap_or_default());
        ("key", text)
    });
    let witnesses = keys.witnesses.iter().map(|one| {
        let node = one.node().map(|node| hex(&node)).unwrap_or_default();
        ("key", format!("node {node} witnesses in {}", one.site))
    });
    let asked = keys.cosignatures.map(|asked| {
        let text = format!(
            "{} witnesses of {} sites before an apply",
            asked.keys, asked.sites
        );
        ("cosignatures", text)
    });
    let lowest = (
        "protocol",
        format!("version {} at least", keys.protocol_min),
    );
    let lowest = (keys.protocol_min > 0).then_some(lowest);
    let all = stops.chain(enrollers).chain(witnesses);
    all.chain(asked).chain(lowest).collect()
}

fn stop_facts(list: &Revocations) -> Vec<Fact> {
    let version = ("list", format!("version {}", list.version));
    let standing = ("stops", format!("{} stand", list.standing.len()));
    let stops = list
        .standing
        .iter()
        .map(|stop| ("standing stop", stands(stop)));
    let folded = list.folded.iter().map(|id| ("folded stop", hex(id)));
    let lifted = list.lifted.iter().map(|id| ("lifted stop", hex(id)));
    [version, standing]
        .into_iter()
        .chain(stops)
        .chain(folded)
        .chain(lifted)
        .collect()
}

/// A stop of the list for people.
fn stands(payload: &[u8]) -> String {
    match Stop::read(payload) {
        Ok(stop) => {
            let (id, reason) = (hex(&stop.id), safe(&stop.reason));
            format!("{} stopped: {reason} ({id})", stop.subject)
        }
        Err(refusal) => format!("that no node can read ({refusal}): it stops every installation"),
    }
}
