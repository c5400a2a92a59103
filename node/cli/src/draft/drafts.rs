//! Writes drafts of an authority's own documents, and says what they change and
//! whom they ask.

use std::path::{Path, PathBuf};

use patchmesh_trust::author::Draft;
use patchmesh_trust::role::RoleName;
use serde::Serialize;

use crate::draft::annexes::Carried;
use crate::draft::authority::Authority;
use crate::draft::change::Change;
use crate::draft::compare;
use crate::draft::folder::{DraftFolder, to_be_signed};
use crate::draft::names::Names;
use crate::draft::new_folder::NewFolder;
use crate::files;
use crate::output::Output;
use crate::text::push;

/// A document to be signed.
#[derive(Debug)]
pub(crate) struct Planned {
    /// Where its folder is to lie.
    pub(crate) out: PathBuf,
    /// The unsigned document.
    pub(crate) statement: Draft,
    /// Who may sign it, and what is signed now.
    pub(crate) authority: Authority,
    /// Its annexes.
    pub(crate) carried: Carried,
}

impl Planned {
    /// A draft in the folder that was chosen, else under its default name.
    pub(crate) fn new(statement: Draft, authority: Authority, out: Option<&Path>) -> Self {
        Self {
            out: out.map_or_else(|| default_name(&statement), Path::to_owned),
            statement,
            authority,
            carried: Carried::default(),
        }
    }

    /// With these annexes.
    pub(crate) fn carrying(self, carried: Carried) -> Self {
        Self { carried, ..self }
    }
}

/// What the drafts are for.
#[derive(Debug)]
pub(crate) struct About {
    /// One word for programs.
    pub(crate) action: &'static str,
    /// What else has to be done.
    pub(crate) notes: Vec<String>,
    /// Only show.
    pub(crate) dry_run: bool,
}

#[derive(Debug, Serialize)]
struct DraftsDocument {
    action: &'static str,
    drafts: Vec<DraftLine>,
    notes: Vec<String>,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct DraftLine {
    draft: String,
    role: String,
    version: u64,
    statement: String,
    asks: Vec<String>,
    changes: Vec<Change>,
}

/// Name of a draft folder: `<role>-<version>.draft`.
fn default_name(statement: &Draft) -> PathBuf {
    let role = match statement.role() {
        RoleName::Line(line) => line.clone(),
        role @ (RoleName::Root
        | RoleName::Timestamp
        | RoleName::Snapshot
        | RoleName::Targets
        | RoleName::Rollout
        | RoleName::Membership
        | RoleName::Delegated(_)) => role.to_string(),
    };
    PathBuf::from(format!("{role}-{}.draft", statement.version()))
}

/// Writes the drafts, unless this is a dry run, and prints them.
pub(crate) fn write(
    about: About,
    planned: Vec<Planned>,
    names: &Names,
    output: &Output,
) -> anyhow::Result<()> {
    let About {
        action,
        notes,
        dry_run,
    } = about;
    for plan in &planned {
        files::refuse_existing(&plan.out)?;
    }
    let mut lines = Vec::new();
    for plan in planned {
        if !dry_run {
            write_one(&plan, names)?;
        }
        lines.push(line(plan, names)?);
    }
    if !dry_run {
        for line in &lines {
            output.say(to_be_signed(Path::new(&line.draft)));
        }
    }
    let document = DraftsDocument {
        action,
        drafts: lines,
        notes,
        dry_run,
    };
    output.document("patchmesh.drafts/1", &document, || text(&document, output))
}

fn write_one(plan: &Planned, names: &Names) -> anyhow::Result<()> {
    let beside = plan.out.parent().filter(|p| !p.as_os_str().is_empty());
    files::make_folder(beside.unwrap_or_else(|| Path::new(".")), 0o755)?;
    let made = NewFolder::begin(&plan.out)?;
    DraftFolder::write(made.place(), &plan.statement, &plan.authority, names)?;
    plan.carried.write(made.place())?;
    made.finish()
}

fn line(plan: Planned, names: &Names) -> anyhow::Result<DraftLine> {
    let draft = DraftFolder {
        path: plan.out,
        statement: plan.statement,
        names: names.clone(),
    };
    let lists = plan.authority.keys(&draft.statement)?;
    let both = lists.len() > 1;
    let asks = lists.iter().enumerate().map(|(at, keys)| {
        let who: Vec<String> = keys.keys().map(|(id, _)| names.of(id)).collect();
        let side = match (both, at) {
            (false, _) => "",
            (true, 0) => "the root before: ",
            (true, _) => "the new root: ",
        };
        format!("{side}{} of {}", keys.threshold(), who.join(", "))
    });
    Ok(DraftLine {
        asks: asks.collect(),
        changes: compare::draft(&draft, &plan.authority, None, &plan.carried)?,
        draft: draft.path.display().to_string(),
        role: draft.statement.role().to_string(),
        version: draft.statement.version(),
        statement: draft.hash(),
    })
}

fn text(document: &DraftsDocument, output: &Output) -> String {
    let mut text = String::new();
    for line in &document.drafts {
        push(&mut text, format_args!("{}\n", line.draft));
        text.push_str(&compare::lines(&line.changes, output));
        for ask in &line.asks {
            push(&mut text, format_args!("  signatures: {ask}\n"));
        }
    }
    for note in &document.notes {
        push(&mut text, format_args!("note: {note}\n"));
    }
    text
}
