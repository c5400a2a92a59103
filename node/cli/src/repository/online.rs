//! The two online documents: a snapshot of all versions, a timestamp over it.

use std::collections::BTreeMap;

use patchmesh_trust::author::{Draft, RootPlan, SnapshotPlan, TimestampPlan};
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;
use patchmesh_trust::time::UtcTime;

use crate::draft::names::Names;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::keys::spec::Signer;
use crate::repository::input::Input;
use crate::repository::log::Log;
use crate::text::safe;

/// How to renew.
#[derive(Debug)]
pub(crate) struct Renewal<'a> {
    /// The online key.
    pub(crate) signer: &'a Signer,
    /// Time of this publication.
    pub(crate) now: UtcTime,
    /// Days until the snapshot expires.
    pub(crate) snapshot_days: u32,
    /// Hours until the timestamp expires.
    pub(crate) timestamp_hours: u32,
    /// Highest version of a snapshot on disk.
    pub(crate) snapshot_on_disk: u64,
}

/// The new documents.
#[derive(Debug)]
pub(crate) struct Renewed {
    /// Version of the snapshot.
    pub(crate) snapshot_version: u64,
    /// The snapshot.
    pub(crate) snapshot: Vec<u8>,
    /// Version of the timestamp.
    pub(crate) timestamp_version: u64,
    /// The timestamp.
    pub(crate) timestamp: Vec<u8>,
}

/// Makes and signs both.
pub(crate) fn renew(
    renewal: &Renewal<'_>,
    held: Option<&Verifier>,
    inputs: &[Input],
    log: &mut Log,
) -> anyhow::Result<Renewed> {
    let author = |error| refusal::author(&error, &Names::default());
    check_key(renewal, held, inputs)?;
    if let (Some(held), Some(kept)) = (held, kept_snapshot(renewal, held, inputs)) {
        let logged = log.add_publication(Some(held), inputs, &kept.1)?;
        return timestamp(renewal, Some(held), kept, logged);
    }
    let documents = documents(held, inputs);
    let listed = documents
        .iter()
        .map(|(role, bytes)| (role.clone(), bytes.as_slice()));
    let version = |role| held.map_or(0, |verifier: &Verifier| verifier.version(role));
    let snapshot_version = version(&RoleName::Snapshot)
        .max(renewal.snapshot_on_disk)
        .saturating_add(1);
    let plan = SnapshotPlan {
        version: snapshot_version,
        expires: renewal.now.plus_days(i64::from(renewal.snapshot_days)),
        documents: listed.collect(),
    };
    let snapshot = signed(plan.build().map_err(author)?, renewal.signer)?;
    let logged = log.add_publication(held, inputs, &snapshot)?;
    timestamp(renewal, held, (snapshot_version, snapshot), logged)
}

/// The snapshot as it is, where nothing is published and more than half of its
/// days are left: an hourly renewal then costs each node a timestamp alone.
fn kept_snapshot(
    renewal: &Renewal<'_>,
    held: Option<&Verifier>,
    inputs: &[Input],
) -> Option<(u64, Vec<u8>)> {
    let held = held.filter(|_| inputs.is_empty())?;
    let mut documents = held.expiries().into_iter();
    let (_, expires) = documents.find(|(role, _)| *role == RoleName::Snapshot)?;
    let half = i64::from(renewal.snapshot_days) * 86_400 / 2;
    let bytes = held.document(&RoleName::Snapshot, None)?;
    let fresh = expires.0.saturating_sub(renewal.now.0) > half;
    fresh.then(|| (held.version(&RoleName::Snapshot), bytes.to_vec()))
}

/// A timestamp over a snapshot.
fn timestamp(
    renewal: &Renewal<'_>,
    held: Option<&Verifier>,
    snapshot: (u64, Vec<u8>),
    log: LogHead,
) -> anyhow::Result<Renewed> {
    let author = |error| refusal::author(&error, &Names::default());
    let (snapshot_version, snapshot) = snapshot;
    let version = held.map_or(0, |verifier| verifier.version(&RoleName::Timestamp));
    let timestamp_version = version.saturating_add(1);
    let lifetime = i64::from(renewal.timestamp_hours) * 3600;
    let plan = TimestampPlan {
        version: timestamp_version,
        expires: UtcTime(renewal.now.0.saturating_add(lifetime)),
        issued: renewal.now,
        snapshot: &snapshot,
        log: Some(log),
    };
    let timestamp = signed(plan.build().map_err(author)?, renewal.signer)?;
    Ok(Renewed {
        snapshot_version,
        snapshot,
        timestamp_version,
        timestamp,
    })
}

/// Top targets and all statements: the new ones, else those that are held.
fn documents(held: Option<&Verifier>, inputs: &[Input]) -> BTreeMap<RoleName, Vec<u8>> {
    let mut documents = BTreeMap::new();
    for (role, _) in held.iter().flat_map(|verifier| verifier.expiries()) {
        let bytes = held.and_then(|verifier| verifier.document(&role, None));
        if let Some(bytes) = bytes {
            documents.insert(role, bytes.to_vec());
        }
    }
    for input in inputs {
        documents.insert(input.role.clone(), input.bytes.clone());
    }
    documents.retain(|role, _| *role == RoleName::Targets || role.is_delegated());
    documents
}

/// The online key must be the one that the newest root names.
fn check_key(
    renewal: &Renewal<'_>,
    held: Option<&Verifier>,
    inputs: &[Input],
) -> anyhow::Result<()> {
    let roots = inputs.iter().filter(|input| input.role == RoleName::Root);
    let new = roots.max_by_key(|input| input.version);
    let held = held.and_then(|verifier| verifier.document(&RoleName::Root, None));
    let root = new.map(|input| input.bytes.as_slice()).or(held.as_deref());
    let root = root.ok_or_else(|| {
        let failure = Failure::failed("E_NOT_A_REPOSITORY", "the repository has no root yet");
        failure.hint("publish the ceremony folder first")
    })?;
    let plan = RootPlan::read(root).map_err(|error| refusal::author(&error, &Names::default()))?;
    let key = renewal.signer.public_key();
    let listed = |keys: &RoleKeys| keys.keys().any(|(_, other)| *other == key);
    if listed(&plan.snapshot) && listed(&plan.timestamp) {
        return Ok(());
    }
    let message = format!(
        "{} is not the online key that the root names",
        safe(&renewal.signer.name)
    );
    Err(Failure::trust("E_SIG_UNKNOWN_KEY", message).into())
}

fn signed(mut draft: Draft, signer: &Signer) -> anyhow::Result<Vec<u8>> {
    let signature = signer.sign(&draft.signing_bytes())?;
    draft
        .add_signature(&signer.public_key().key_id(), &signature)
        .map_err(|error| refusal::author(&error, &Names::default()))?;
    Ok(draft.bytes())
}
