//! A draft as a folder. It can be copied to offline signers; the pack may stay
//! behind.

use std::path::{Path, PathBuf};

use patchmesh_content::id::hex;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_proto::limits::{INDEX_LEN_MAX, TARGETS_LEN_MAX};
use patchmesh_trust::author::{Draft, LinePlan, ReleaseEntry, TargetsPlan};
use patchmesh_trust::role::RoleName;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::draft::annexes::Carried;
use crate::draft::authority::{
    Authority, PREVIOUS_FILE, ROOT_BEFORE_FILE, ROOT_FILE, TARGETS_BEFORE_FILE, TARGETS_FILE,
};
use crate::draft::names::{NAMES_FILE, Names};
use crate::draft::refusal::{self, tampered};
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC};
use crate::text::{safe, word};

/// Says that a folder is a draft, and of which role.
pub(crate) const DRAFT_FILE: &str = "draft.json";
/// The unsigned document.
pub(crate) const STATEMENT_FILE: &str = "statement.json";
/// The document after `assemble`.
pub(crate) const SIGNED_FILE: &str = "signed.json";
/// The release index.
pub(crate) const INDEX_FILE: &str = "index.bin";
/// All wire frames in index order.
pub(crate) const PACK_FILE: &str = "pack.bin";
/// The index of an older release, for the difference of files.
pub(crate) const PREVIOUS_INDEX_FILE: &str = "previous-index.bin";

const SCHEMA: &str = "patchmesh.draft/1";
const HEADER_LEN_MAX: usize = 4096;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    schema: String,
    role: RoleName,
}

/// A draft.
#[derive(Debug)]
pub(crate) struct DraftFolder {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// The unsigned document.
    pub(crate) statement: Draft,
    /// Names of keys.
    pub(crate) names: Names,
}

/// The release that a draft of a line carries.
#[derive(Debug)]
pub(crate) struct Payload {
    /// The index, checked against the statement.
    pub(crate) index: ReleaseIndex,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// How the statement lists it.
    pub(crate) entry: ReleaseEntry,
}

/// Whether a path is a draft folder.
pub(crate) fn is_draft(path: &Path) -> bool {
    path.join(DRAFT_FILE).is_file()
}

impl DraftFolder {
    /// Opens a draft. Nothing in it is trusted yet.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if !is_draft(path) {
            let message = format!("{} is not a draft folder", path.display());
            let failure = Failure::failed("E_NOT_A_DRAFT", message);
            return Err(failure
                .hint("`release build` and `root init` make drafts")
                .into());
        }
        let header = files::read(&path.join(DRAFT_FILE), HEADER_LEN_MAX)?;
        let header: Option<Header> = serde_json::from_slice(&header).ok();
        let header = header.filter(|header| header.schema == SCHEMA);
        let header = header.ok_or_else(|| tampered("draft.json is not the header of a draft"))?;
        let bytes = files::read(&path.join(STATEMENT_FILE), TARGETS_LEN_MAX)?;
        let names = Names::in_folder(path);
        let statement = Draft::read(&header.role, &bytes);
        let statement = statement.map_err(|error| refusal::author(&error, &names))?;
        if header.role == RoleName::Targets {
            let separated = TargetsPlan::read(&bytes).and_then(|plan| plan.check_separated());
            separated.map_err(|error| refusal::author(&error, &names))?;
        }
        Ok(Self {
            path: path.to_owned(),
            statement,
            names,
        })
    }

    /// Writes the parts of a draft that every role has. The folder exists.
    pub(crate) fn write(
        path: &Path,
        statement: &Draft,
        authority: &Authority,
        names: &Names,
    ) -> anyhow::Result<()> {
        let header = Header {
            schema: SCHEMA.to_owned(),
            role: statement.role().clone(),
        };
        let write =
            |name: &str, bytes: &[u8]| files::write_new(&path.join(name), bytes, MODE_PUBLIC);
        let parts = [
            (ROOT_FILE, &authority.root),
            (TARGETS_FILE, &authority.targets),
            (PREVIOUS_FILE, &authority.previous),
            (ROOT_BEFORE_FILE, &authority.root_before),
            (TARGETS_BEFORE_FILE, &authority.targets_before),
        ];
        for (name, bytes) in parts {
            if let Some(bytes) = bytes {
                write(name, bytes)?;
            }
        }
        write(NAMES_FILE, &names.to_bytes())?;
        write(STATEMENT_FILE, &statement.bytes())?;
        write(DRAFT_FILE, &serde_json::to_vec(&header)?)
    }

    /// Root, targets and the document before, as the draft carries them.
    pub(crate) fn authority(&self) -> anyhow::Result<Authority> {
        Authority::in_folder(&self.path)
    }

    /// The annexes of a draft of a role that has some; empty for other roles.
    pub(crate) fn carried(&self) -> anyhow::Result<Carried> {
        let previous = self.authority()?.previous;
        Carried::read(
            &self.path,
            &self.statement,
            previous.as_deref(),
            &self.names,
        )
    }

    /// The release of a line's draft, if the statement lists exactly the index
    /// that lies beside it; `None` for other roles, and for a statement that
    /// lists nothing new.
    pub(crate) fn payload(&self) -> anyhow::Result<Option<Payload>> {
        let RoleName::Line(line) = self.statement.role() else {
            return Ok(None);
        };
        let bytes = files::read_if_there(&self.path.join(INDEX_FILE), INDEX_LEN_MAX)?;
        let Some(bytes) = bytes else {
            self.refuse_unseen(line)?;
            return Ok(None);
        };
        let index = ReleaseIndex::decode(&bytes)
            .map_err(|error| tampered(format!("the release index is refused: {error}")))?;
        let (index_line, entry) =
            ReleaseEntry::of_index(&bytes).map_err(|error| refusal::author(&error, &self.names))?;
        let plan = LinePlan::read(line, &self.statement.bytes())
            .map_err(|error| refusal::author(&error, &self.names))?;
        if index_line != *line || !plan.releases.contains(&entry) {
            return Err(tampered("the statement does not list the release index beside it").into());
        }
        Ok(Some(Payload {
            index,
            bytes,
            entry,
        }))
    }

    /// Without an index nobody sees what a release contains, so only what was
    /// signed before may be listed (T-51).
    fn refuse_unseen(&self, line: &str) -> anyhow::Result<()> {
        let read = |document: &[u8]| {
            LinePlan::read(line, document).map_err(|error| refusal::author(&error, &self.names))
        };
        let after = read(&self.statement.bytes())?;
        let authority = self.authority()?;
        if authority.root.is_none() {
            let message = "a statement without an index needs the root that signed the one before";
            return Err(Failure::failed("E_NO_AUTHORITY", message).into());
        }
        let before = match authority.previous {
            Some(previous) => read(&previous)?.releases,
            None => Vec::new(),
        };
        let unseen = after.releases.iter().find(|entry| !before.contains(entry));
        let Some(unseen) = unseen else {
            return Ok(());
        };
        let message = format!("the release index of {} is missing", safe(&unseen.id));
        Err(tampered(message).into())
    }

    /// The index of the older release that the difference of files is to; the
    /// signed statement before must list it.
    pub(crate) fn previous_index(
        &self,
        previous: Option<&LinePlan>,
    ) -> anyhow::Result<Option<ReleaseIndex>> {
        let path = self.path.join(PREVIOUS_INDEX_FILE);
        let (Some(plan), Some(bytes)) = (previous, files::read_if_there(&path, INDEX_LEN_MAX)?)
        else {
            return Ok(None);
        };
        let entry = ReleaseEntry::of_index(&bytes);
        let listed =
            entry.is_ok_and(|(line, entry)| line == plan.line && plan.releases.contains(&entry));
        if !listed {
            let message = "the older index is not listed by the statement before";
            return Err(tampered(message).into());
        }
        Ok(ReleaseIndex::decode(&bytes).ok())
    }

    /// What a person types to sign: the release id, else 8 characters of the
    /// hash of the signed bytes.
    pub(crate) fn word(&self, payload: Option<&Payload>) -> String {
        match payload {
            Some(payload) => payload.index.id.clone(),
            None => self.hash()[..8].to_owned(),
        }
    }

    /// Hash of the signed bytes, in hexadecimal.
    pub(crate) fn hash(&self) -> String {
        statement_hash(&self.statement)
    }

    /// Name for files beside the draft.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".draft").unwrap_or(&name);
        if name.is_empty() {
            "draft".to_owned()
        } else {
            name.to_owned()
        }
    }
}

/// What is to be done with a new draft; each signer has a key of their own.
pub(crate) fn to_be_signed(draft: &Path) -> String {
    let draft = word(draft);
    format!(
        "next, each signer: patchmesh sign {draft} --key file:KEY\n\
         then: patchmesh assemble {draft} SIG..."
    )
}

/// An index from a draft folder or a file.
pub(crate) fn read_index(path: &Path) -> anyhow::Result<(ReleaseIndex, Vec<u8>)> {
    let file = if is_draft(path) {
        path.join(INDEX_FILE)
    } else {
        path.to_owned()
    };
    let bytes = files::read(&file, INDEX_LEN_MAX)?;
    let index = ReleaseIndex::decode(&bytes).map_err(|error| {
        tampered(format!(
            "{} is not a release index: {error}",
            file.display()
        ))
    })?;
    Ok((index, bytes))
}

/// SHA-256 of the signed bytes in hexadecimal: the identity of a statement,
/// and for the first root the id of its network.
pub(crate) fn statement_hash(statement: &Draft) -> String {
    hex(&Sha256::digest(statement.signing_bytes()))
}
