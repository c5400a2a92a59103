//! What a signer sees: the difference to what was signed before. Every foreign
//! text is shown with its control characters escaped.

use std::collections::BTreeMap;

use patchmesh_content::id::hex;
use patchmesh_content::index::{FileEntry, FileKind, ReleaseIndex};
use patchmesh_trust::author::{AnnexPlan, Draft, LinePlan, RootPlan, TargetsPlan};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;
use patchmesh_trust::time::UtcTime;

use crate::draft::annexes::Carried;
use crate::draft::authority::Authority;
use crate::draft::change::{Change, Op};
use crate::draft::compare_annexes;
use crate::draft::folder::{DraftFolder, Payload};
use crate::draft::names::Names;
use crate::draft::refusal;
use crate::output::{Output, Tone};
use crate::text::{bytes, count, fingerprint, safe, short};

/// Files listed one by one before the rest is only counted.
const FILES_SHOWN_MAX: usize = 20;

/// The differences as lines for people.
pub(crate) fn lines(changes: &[Change], output: &Output) -> String {
    let mut text = String::new();
    for change in changes {
        let line = match change.op {
            Op::Added => output.paint(Tone::Good, &format!("+ {} {}", change.what, change.text)),
            Op::Changed => format!("~ {} {}", change.what, change.text),
            Op::Removed => output.paint(Tone::Bad, &format!("- {} {}", change.what, change.text)),
            Op::States => format!("  {}: {}", change.what, change.text),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The differences of a draft to the document before it.
pub(crate) fn draft(
    draft: &DraftFolder,
    authority: &Authority,
    payload: Option<&Payload>,
    carried: &Carried,
) -> anyhow::Result<Vec<Change>> {
    let new = draft.statement.bytes();
    let old = authority.previous.as_deref();
    let names = &draft.names;
    let mut changes = vec![
        Change::new(Op::States, "document", draft.statement.role().to_string()),
        Change::new(Op::States, "version", draft.statement.version().to_string()),
    ];
    match draft.statement.role() {
        RoleName::Root => root(old, &new, names, &mut changes)?,
        RoleName::Targets => targets(old, &new, names, &mut changes)?,
        RoleName::Line(line) => {
            let before = old.map(|old| LinePlan::read(line, old)).transpose();
            let before = before.map_err(|error| refusal::author(&error, names))?;
            let after = LinePlan::read(line, &new);
            let after = after.map_err(|error| refusal::author(&error, names))?;
            releases(before.as_ref(), &after, &mut changes);
            if let Some(payload) = payload {
                facts(&payload.index, &mut changes);
                let older = draft.previous_index(before.as_ref())?;
                changes.extend(indexes(older.as_ref(), &payload.index));
            }
            expiry(
                before.as_ref().map(|plan| plan.expires),
                after.expires,
                &mut changes,
            );
        }
        role @ (RoleName::Rollout | RoleName::Membership) => {
            let read = |document: &[u8]| {
                AnnexPlan::read(role, document).map_err(|error| refusal::author(&error, names))
            };
            let before = old.map(read).transpose()?;
            compare_annexes::annexes(carried, names, &mut changes)?;
            let before = before.map(|plan| plan.expires);
            expiry(before, draft.statement.expires(), &mut changes);
        }
        // A draft is never of a foreign role; it would be shown by its hash.
        RoleName::Snapshot | RoleName::Timestamp | RoleName::Delegated(_) => {
            expiry(None, draft.statement.expires(), &mut changes);
        }
    }
    changes.extend(anchor(authority)?);
    changes.push(Change::new(Op::States, "hash", draft.hash()));
    Ok(changes)
}

/// The differences between two signed documents of one role.
pub(crate) fn documents(
    role: &RoleName,
    [old, new]: [&[u8]; 2],
    names: &Names,
) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    let plan = |line: &str, document: &[u8]| {
        LinePlan::read(line, document).map_err(|error| refusal::author(&error, names))
    };
    let expires = |document: &[u8]| {
        let draft = Draft::read(role, document);
        let draft = draft.map_err(|error| refusal::author(&error, names))?;
        Ok::<_, anyhow::Error>(draft.expires())
    };
    match role {
        RoleName::Root => root(Some(old), new, names, &mut changes)?,
        RoleName::Targets => targets(Some(old), new, names, &mut changes)?,
        RoleName::Line(line) => {
            let (before, after) = (plan(line, old)?, plan(line, new)?);
            releases(Some(&before), &after, &mut changes);
            expiry(Some(before.expires), after.expires, &mut changes);
        }
        RoleName::Snapshot
        | RoleName::Timestamp
        | RoleName::Rollout
        | RoleName::Membership
        | RoleName::Delegated(_) => {
            expiry(Some(expires(old)?), expires(new)?, &mut changes);
        }
    }
    Ok(changes)
}

/// By whose word the signers are chosen: people compare it with what they know.
fn anchor(authority: &Authority) -> anyhow::Result<Option<Change>> {
    let Some(root) = &authority.root else {
        return Ok(None);
    };
    let verifier = Verifier::new(root, &[]).map_err(|error| refusal::refused("the root", error))?;
    let hash = hex(&verifier.mesh_id());
    let text = format!("version {}, {}", verifier.head().root, fingerprint(&hash));
    Ok(Some(Change::new(Op::States, "root", text)))
}

fn releases(before: Option<&LinePlan>, after: &LinePlan, changes: &mut Vec<Change>) {
    let none = Vec::new();
    let old = before.map_or(&none, |plan| &plan.releases);
    for entry in &after.releases {
        let text = format!("{} (index {})", entry.id, short(&entry.content.to_hex()));
        match old.iter().find(|other| other.id == entry.id) {
            None => changes.push(Change::new(Op::Added, "release", text)),
            Some(other) if other != entry => {
                changes.push(Change::new(Op::Changed, "release", text));
            }
            Some(_) => changes.push(Change::new(Op::States, "keeps release", &entry.id)),
        }
    }
    for entry in old {
        if after.releases.iter().all(|other| other.id != entry.id) {
            changes.push(Change::new(Op::Removed, "release", &entry.id));
        }
    }
}

/// Facts about a release.
pub(crate) fn facts(index: &ReleaseIndex, changes: &mut Vec<Change>) {
    let files = index.files.iter();
    let regular = files
        .filter(|file| matches!(file.kind, FileKind::File { .. }))
        .count();
    let cves: Vec<String> = index.cves.iter().map(|cve| safe(cve)).collect();
    let or_none = |text: String| {
        if text.is_empty() {
            "none stated".to_owned()
        } else {
            text
        }
    };
    let size = format!(
        "{} in {}, {} on the wire in {}",
        bytes(index.total_bytes()),
        count(regular as u64, "file"),
        bytes(index.wire_bytes()),
        count(u64::from(index.chunks_len()), "chunk"),
    );
    changes.push(Change::new(
        Op::States,
        "severity",
        or_none(safe(&index.severity)),
    ));
    changes.push(Change::new(Op::States, "cves", or_none(cves.join(", "))));
    changes.push(Change::new(Op::States, "size", size));
}

/// The files that differ between two releases.
pub(crate) fn indexes(old: Option<&ReleaseIndex>, new: &ReleaseIndex) -> Vec<Change> {
    let mut changes = Vec::new();
    let Some(old) = old else {
        return changes;
    };
    let all = file_changes(old, new);
    let rest = all.len().saturating_sub(FILES_SHOWN_MAX);
    let base = format!("{}/{}", safe(&old.line), safe(&old.id));
    let summary = format!("{} differ from {base}", count(all.len() as u64, "file"));
    changes.push(Change::new(Op::States, "files", summary));
    changes.extend(all.into_iter().take(FILES_SHOWN_MAX));
    if rest > 0 {
        let text = format!("and {rest} more; `patchmesh release diff` lists all");
        changes.push(Change::new(Op::States, "files", text));
    }
    changes
}

/// Every file that differs between two releases.
pub(crate) fn file_changes(old: &ReleaseIndex, new: &ReleaseIndex) -> Vec<Change> {
    let by_path = |index: &ReleaseIndex| -> BTreeMap<String, FileEntry> {
        let files = index.files.iter();
        files
            .map(|file| (file.path.clone(), file.clone()))
            .collect()
    };
    let (before, after) = (by_path(old), by_path(new));
    let mut changes = Vec::new();
    for (path, file) in &after {
        match before.get(path) {
            None => changes.push(Change::new(Op::Added, "file", shown(file))),
            Some(other) if same(other, file) => {}
            Some(other) => {
                let text = format!("{} (was {})", shown(file), shape(other));
                changes.push(Change::new(Op::Changed, "file", text));
            }
        }
    }
    for (path, file) in &before {
        if !after.contains_key(path) {
            changes.push(Change::new(Op::Removed, "file", shown(file)));
        }
    }
    changes
}

/// Equal for a host: chunk positions may differ.
fn same(a: &FileEntry, b: &FileEntry) -> bool {
    let content = |file: &FileEntry| match &file.kind {
        FileKind::Directory => (0, 0, [0; 32], String::new()),
        FileKind::File { len, sha256, .. } => (1, *len, *sha256, String::new()),
        FileKind::Link(target) => (2, 0, [0; 32], target.clone()),
    };
    a.mode == b.mode && content(a) == content(b)
}

/// One entry for people.
pub(crate) fn shown(file: &FileEntry) -> String {
    format!("{} {}", safe(&file.path), shape(file))
}

fn shape(file: &FileEntry) -> String {
    match &file.kind {
        FileKind::Directory => format!("folder {:03o}", file.mode),
        FileKind::File { len, .. } => format!("{} {:03o}", bytes(*len), file.mode),
        FileKind::Link(target) => format!("-> {}", safe(target)),
    }
}

fn root(
    old: Option<&[u8]>,
    new: &[u8],
    names: &Names,
    changes: &mut Vec<Change>,
) -> anyhow::Result<()> {
    let read =
        |document: &[u8]| RootPlan::read(document).map_err(|error| refusal::author(&error, names));
    let before = old.map(read).transpose()?;
    let after = read(new)?;
    let before = before.as_ref();
    let roles = [
        ("root", before.map(|plan| &plan.root), &after.root),
        ("targets", before.map(|plan| &plan.targets), &after.targets),
        (
            "snapshot",
            before.map(|plan| &plan.snapshot),
            &after.snapshot,
        ),
        (
            "timestamp",
            before.map(|plan| &plan.timestamp),
            &after.timestamp,
        ),
    ];
    for (role, old, new) in roles {
        keys(role, old, new, names, changes);
    }
    expiry(before.map(|plan| plan.expires), after.expires, changes);
    Ok(())
}

fn targets(
    old: Option<&[u8]>,
    new: &[u8],
    names: &Names,
    changes: &mut Vec<Change>,
) -> anyhow::Result<()> {
    let read = |document: &[u8]| {
        TargetsPlan::read(document).map_err(|error| refusal::author(&error, names))
    };
    let before = old.map(read).transpose()?;
    let after = read(new)?;
    let change = |op, role: &RoleName| {
        let name = role.to_string();
        match name.strip_prefix("release/") {
            Some(line) => Change::new(op, "line", line),
            None => Change::new(op, "role", name),
        }
    };
    for (role, new) in after.delegated() {
        let old = before.as_ref().and_then(|before| before.keys_of(&role));
        if old.is_none() {
            changes.push(change(Op::Added, &role));
        }
        keys(&role.to_string(), old, new, names, changes);
    }
    for (role, _) in before.iter().flat_map(TargetsPlan::delegated) {
        if after.keys_of(&role).is_none() {
            changes.push(change(Op::Removed, &role));
        }
    }
    expiry(
        before.as_ref().map(|plan| plan.expires),
        after.expires,
        changes,
    );
    Ok(())
}

fn keys(
    role: &str,
    old: Option<&RoleKeys>,
    new: &RoleKeys,
    names: &Names,
    changes: &mut Vec<Change>,
) {
    let has = |keys: &RoleKeys, id: &str| keys.keys().any(|(other, _)| other == id);
    for (id, _) in new.keys() {
        if old.is_none_or(|old| !has(old, id)) {
            let text = format!("{} for {role}", names.of(id));
            changes.push(Change::new(Op::Added, "key", text));
        }
    }
    for (id, _) in old.iter().flat_map(|old| old.keys()) {
        if !has(new, id) {
            let text = format!("{} for {role}", names.of(id));
            changes.push(Change::new(Op::Removed, "key", text));
        }
    }
    let count = new.keys().count();
    let now = format!("{} of {count} for {role}", new.threshold());
    match old {
        Some(old) if old.threshold() != new.threshold() => {
            let text = format!("{now} (was {} of {})", old.threshold(), old.keys().count());
            changes.push(Change::new(Op::Changed, "threshold", text));
        }
        Some(_) | None => changes.push(Change::new(Op::States, "threshold", now)),
    }
}

fn expiry(old: Option<UtcTime>, new: UtcTime, changes: &mut Vec<Change>) {
    let show = |time: UtcTime| time.format().unwrap_or_else(|| time.0.to_string());
    match old {
        Some(old) if old != new => {
            let text = format!("{} (was {})", show(new), show(old));
            changes.push(Change::new(Op::Changed, "expires", text));
        }
        Some(_) | None => changes.push(Change::new(Op::States, "expires", show(new))),
    }
}
