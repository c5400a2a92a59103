//! `root show`.

use std::path::Path;

use patchmesh_proto::limits::{ROOT_LEN_MAX, TARGETS_LEN_MAX};
use patchmesh_trust::author::{RootPlan, TargetsPlan};
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;
use serde::Serialize;

use crate::clock;
use crate::draft::authority::{ROOT_FILE, TARGETS_FILE};
use crate::draft::names::Names;
use crate::draft::refusal::{self, refused};
use crate::files;
use crate::output::Output;
use crate::text::{fingerprint, table};

#[derive(Debug, Serialize)]
struct RootDocument {
    action: &'static str,
    mesh: String,
    fingerprint: String,
    version: u64,
    expires: String,
    roles: Vec<RoleLine>,
}

#[derive(Debug, Serialize)]
struct RoleLine {
    role: String,
    threshold: u64,
    keys: Vec<String>,
    names: Vec<String>,
}

/// Shows a root document, or a folder with one and its targets.
pub(crate) fn run(path: &Path, output: &Output) -> anyhow::Result<()> {
    let folder = path.is_dir().then(|| path.to_owned());
    let root_path = folder
        .as_ref()
        .map_or_else(|| path.to_owned(), |folder| folder.join(ROOT_FILE));
    let bytes = files::read(&root_path, ROOT_LEN_MAX)?;
    let verifier = Verifier::new(&bytes, &[]).map_err(|error| refused("the root", error))?;
    let names = root_path.parent().map(Names::in_folder).unwrap_or_default();
    let author = |error| refusal::author(&error, &names);
    let plan = RootPlan::read(&bytes).map_err(author)?;
    let mut roles = vec![
        role("root", &plan.root, &names),
        role("targets", &plan.targets, &names),
        role("snapshot", &plan.snapshot, &names),
        role("timestamp", &plan.timestamp, &names),
    ];
    if let Some(folder) = folder
        && let Some(targets) = files::read_if_there(&folder.join(TARGETS_FILE), TARGETS_LEN_MAX)?
    {
        let targets = TargetsPlan::read(&targets).map_err(author)?;
        for line in &targets.lines {
            roles.push(role(&format!("release/{}", line.line), &line.keys, &names));
        }
    }
    let mesh = patchmesh_content::id::hex(&verifier.mesh_id());
    let document = RootDocument {
        action: "show",
        fingerprint: fingerprint(&mesh),
        mesh,
        version: plan.version,
        expires: clock::shown(plan.expires),
        roles,
    };
    output.document("patchmesh.root/1", &document, || text(&document))
}

fn role(name: &str, keys: &RoleKeys, names: &Names) -> RoleLine {
    RoleLine {
        role: name.to_owned(),
        threshold: keys.threshold(),
        keys: keys.keys().map(|(id, _)| id.to_owned()).collect(),
        names: keys.keys().map(|(id, _)| names.of(id)).collect(),
    }
}

fn text(document: &RootDocument) -> String {
    let rows: Vec<Vec<String>> = document
        .roles
        .iter()
        .map(|role| {
            let threshold = format!("{} of {}", role.threshold, role.keys.len());
            vec![role.role.clone(), threshold, role.names.join(", ")]
        })
        .collect();
    format!(
        "network      {}\nfingerprint  {}\nversion      {}\nexpires      {}\n{}",
        document.mesh,
        document.fingerprint,
        document.version,
        document.expires,
        table(&rows)
    )
}
