//! `root show`.

use std::path::Path;

use patchmesh_content::id::hex;
use patchmesh_proto::limits::{ROOT_LEN_MAX, TARGETS_LEN_MAX};
use patchmesh_trust::author::{RootPlan, TargetsPlan};
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::threshold::RoleKeys;
use serde::Serialize;

use crate::clock;
use crate::draft::authority::{ROOT_FILE, TARGETS_FILE, all_roles};
use crate::draft::names::Names;
use crate::draft::refusal::{self, refused};
use crate::files;
use crate::output::Output;
use crate::repository::chain;
use crate::text::{fingerprint, table};

/// In place of what only the first root says.
const UNKNOWN: &str = "named by the first root, which this is not";

#[derive(Debug, Serialize)]
struct RootDocument {
    action: &'static str,
    /// `null` for a later root alone: the first one names the network.
    mesh: Option<String>,
    fingerprint: Option<String>,
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

/// A root, what names its keys, and the targets that belong to it.
struct Seen {
    root: Vec<u8>,
    targets: Option<Vec<u8>>,
    names: Names,
    /// Known where the first root is at hand.
    mesh: Option<String>,
}

fn look(path: &Path) -> anyhow::Result<Seen> {
    let names = |folder: Option<&Path>| folder.map(Names::in_folder).unwrap_or_default();
    let ceremony = path.join(ROOT_FILE);
    if path.is_dir() && !ceremony.exists() {
        let verifier = chain::existing(path)?;
        let document = |role| verifier.document(&role, None).map(|bytes| bytes.to_vec());
        return Ok(Seen {
            root: document(RoleName::Root).unwrap_or_default(),
            targets: document(RoleName::Targets),
            names: names(Some(path)),
            mesh: Some(hex(&verifier.mesh_id())),
        });
    }
    let (file, folder) = if path.is_dir() {
        (ceremony.as_path(), Some(path))
    } else {
        (path, None)
    };
    let root = files::read(file, ROOT_LEN_MAX)?;
    let verifier = Verifier::new(&root, &[]).map_err(|error| refused("the root", error))?;
    let targets = folder.map(|folder| folder.join(TARGETS_FILE));
    let targets = targets.map(|path| files::read_if_there(&path, TARGETS_LEN_MAX));
    Ok(Seen {
        targets: targets.transpose()?.flatten(),
        names: names(file.parent()),
        mesh: (verifier.head().root == 1).then(|| hex(&verifier.mesh_id())),
        root,
    })
}

/// Shows a root document, a repository, or a folder with a root and its targets.
pub(crate) fn run(path: &Path, output: &Output) -> anyhow::Result<()> {
    let Seen {
        root: bytes,
        targets,
        names,
        mesh,
    } = look(path)?;
    let author = |error| refusal::author(&error, &names);
    let plan = RootPlan::read(&bytes).map_err(author)?;
    let (version, expires) = (plan.version, clock::shown(plan.expires));
    let targets = targets.as_deref().map(TargetsPlan::read);
    let roles = all_roles(plan, targets.transpose().map_err(author)?.as_ref());
    let roles = roles.iter().map(|(name, keys)| role(name, keys, &names));
    let document = RootDocument {
        action: "show",
        fingerprint: mesh.as_deref().map(fingerprint),
        mesh,
        version,
        expires,
        roles: roles.collect(),
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
        document.mesh.as_deref().unwrap_or(UNKNOWN),
        document.fingerprint.as_deref().unwrap_or(UNKNOWN),
        document.version,
        document.expires,
        table(&rows)
    )
}
