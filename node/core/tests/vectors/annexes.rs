//! Annexes in the words of the vectors.

use patchmesh_content::id::hex;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::keys::Keys;
use patchmesh_trust::annex::policy::{HoldScope, Policy};
use patchmesh_trust::annex::revocations::Revocations;
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::time::UtcTime;
use serde_json::{Value, json};

use crate::describe::number;

/// What an annex says, and its bytes again.
pub(crate) fn annex(body: &AnnexBody) -> (Value, Option<Vec<u8>>) {
    let (value, again) = match body {
        AnnexBody::Policy(body) => (policy(body), body.write()),
        AnnexBody::Keys(body) => (keys(body), body.write()),
        AnnexBody::Revocations(body) => (revocations(body), body.write()),
    };
    (value, Some(again.expect("what was read can be written")))
}

fn policy(policy: &Policy) -> Value {
    let rings = policy.rings.iter();
    let rings: Vec<Value> = rings.map(|ring| json!([ring.name, ring.share])).collect();
    let approvals = policy.approvals.iter().map(|one| {
        json!({
            "release": format!("{}/{}", one.line, one.id),
            "sha256": hex(&one.sha256),
            "rings": one.rings,
            "from": time(one.from),
            "until": time(one.until),
        })
    });
    let holds = policy.holds.iter().map(|hold| {
        let covers = match &hold.scope {
            HoldScope::Everything => "*".to_owned(),
            HoldScope::Line(line) => line.clone(),
            HoldScope::Release { line, id } => format!("{line}/{id}"),
        };
        json!({ "covers": covers, "reason": hold.reason })
    });
    let (approvals, holds): (Vec<_>, Vec<_>) = (approvals.collect(), holds.collect());
    json!({ "rings": rings, "approvals": approvals, "holds": holds })
}

fn keys(keys: &Keys) -> Value {
    let revocation: Vec<_> = keys.revocation.iter().map(key).collect();
    let enrollers = keys.enrollers.iter();
    let enrollers: Vec<_> = enrollers
        .map(|one| json!([key(&one.key), time(one.retired)]))
        .collect();
    let witnesses = keys.witnesses.iter();
    let witnesses: Vec<_> = witnesses
        .map(|one| json!([key(&one.key), one.site]))
        .collect();
    json!({
        "revocation": revocation,
        "enrollers": enrollers,
        "witnesses": witnesses,
        "cosignatures": keys.cosignatures.map(|asked| [asked.keys, asked.sites]),
        "protocol_min": keys.protocol_min,
    })
}

fn revocations(list: &Revocations) -> Value {
    let texts = |ids: &[[u8; 16]]| ids.iter().map(|id| hex(id)).collect::<Vec<_>>();
    let standing: Vec<_> = list.standing.iter().map(|stop| hex(stop)).collect();
    json!({
        "version": number(list.version),
        "standing": standing,
        "folded": texts(&list.folded),
        "lifted": texts(&list.lifted),
    })
}

fn time(time: Option<UtcTime>) -> Value {
    time.map_or(Value::Null, |time| json!(time.0))
}

/// Kind and point, both out of the material.
fn key(key: &PublicKey) -> Value {
    let material = key.material().to_hex();
    let (kind, point) = material.split_at(2);
    let kind = if kind == "65" { "ed25519" } else { "p256" };
    json!(format!("{kind} {point}"))
}
