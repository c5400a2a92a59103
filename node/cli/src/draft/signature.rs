//! One signature as a file.

use std::path::Path;

use patchmesh_content::id::hex;
use patchmesh_trust::author::Draft;
use patchmesh_trust::role::RoleName;
use serde::{Deserialize, Serialize};

use crate::draft::folder::statement_hash;
use crate::draft::names::Names;
use crate::draft::refusal;
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC};
use crate::keys::spec::Signer;
use crate::text::safe;

const SCHEMA: &str = "patchmesh.signature/1";
const LEN_MAX: usize = 4096;

/// A signature of one key over one statement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Signature {
    schema: String,
    /// Role of the statement.
    pub(crate) role: RoleName,
    /// Version of the statement.
    pub(crate) version: u64,
    /// SHA-256 of the signed bytes.
    pub(crate) statement: String,
    /// Name of the key, for people.
    pub(crate) name: String,
    /// Id of the key.
    pub(crate) keyid: String,
    /// The signature in hexadecimal.
    pub(crate) sig: String,
}

impl Signature {
    /// Signs.
    pub(crate) fn sign(statement: &Draft, signer: &Signer) -> anyhow::Result<Self> {
        let sig = hex(&signer.sign(&statement.signing_bytes())?);
        Ok(Self {
            schema: SCHEMA.to_owned(),
            role: statement.role().clone(),
            version: statement.version(),
            statement: statement_hash(statement),
            name: signer.name.clone(),
            keyid: signer.public_key().key_id(),
            sig,
        })
    }

    /// Writes the file. An older signature is replaced, and nothing else: a
    /// slip in a path would cost a key file, or a device such as `/dev/null`.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        if !path.is_file() || Self::read(path).is_err() {
            files::refuse_existing(path)?;
        }
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        files::write(path, &line, MODE_PUBLIC)
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = files::read(path, LEN_MAX)?;
        let signature: Option<Self> = serde_json::from_slice(&bytes).ok();
        let signature = signature.filter(|signature| signature.schema == SCHEMA);
        signature.ok_or_else(|| {
            let message = format!("{} is not a signature file", path.display());
            let failure = Failure::failed("E_NOT_A_SIGNATURE", message);
            failure
                .hint("name the files that `patchmesh sign` wrote")
                .into()
        })
    }

    /// A copy of the statement that carries this signature.
    pub(crate) fn copy_of(&self, statement: &Draft, path: &Path) -> anyhow::Result<Draft> {
        let same = self.role == *statement.role() && self.statement == statement_hash(statement);
        if !same {
            let message = format!(
                "{} signs {} version {}, which is another statement than the draft's",
                path.display(),
                safe(&self.role.to_string()),
                self.version
            );
            let failure = Failure::trust("E_OTHER_STATEMENT", message);
            let hint = "sign this draft, or assemble the one that was signed";
            return Err(failure.hint(hint).into());
        }
        let bytes = unhex(&self.sig).ok_or_else(|| {
            let message = format!("{} holds no signature", path.display());
            Failure::trust("E_SIG_BAD", message)
        })?;
        let mut copy = statement.clone();
        copy.add_signature(&self.keyid, &bytes)
            .map_err(|error| refusal::author(&error, &Names::default()))?;
        Ok(copy)
    }
}

/// Reads hexadecimal of any even length.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}
