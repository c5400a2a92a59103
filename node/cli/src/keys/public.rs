//! The public half of a key as a file that people hand around.

use std::path::{Path, PathBuf};

use patchmesh_trust::key::PublicKey;
use pkcs8::der::Decode as _;
use pkcs8::{Document, SubjectPublicKeyInfoRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC};
use crate::keys::pem::ED25519;
use crate::keys::ssh;

/// Schema of the file.
pub(crate) const SCHEMA: &str = "patchmesh.key/1";
/// Longest file in bytes.
const LEN_MAX: usize = 8 * 1024;

/// A public key and the name its owner gave it.
#[derive(Debug, Clone)]
pub(crate) struct NamedKey {
    /// For people; nobody signed it.
    pub(crate) name: String,
    /// The key.
    pub(crate) key: PublicKey,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeyFile {
    schema: String,
    name: String,
    keyid: String,
    key: Value,
}

/// Reads an Ed25519 or P-256 key in PEM (SubjectPublicKeyInfo), or in the one
/// line that OpenSSH writes.
pub(crate) fn read_foreign(path: &Path) -> anyhow::Result<PublicKey> {
    let bytes = files::read(path, LEN_MAX)?;
    let text = str::from_utf8(&bytes).unwrap_or_default();
    if ssh::is_line(text) {
        return ssh::line(text)
            .and_then(|blob| ssh::key(&blob))
            .map_err(|why| {
                let message = format!("{}: {why}", path.display());
                let failure = Failure::failed("E_KEY_KIND", message);
                failure.hint("Ed25519 and P-256 keys sign here").into()
            });
    }
    parse_pem(&bytes).ok_or_else(|| {
        let message = format!("{} is no public Ed25519 or P-256 key", path.display());
        let failure = Failure::failed("E_KEY_FORMAT", message);
        let hint = "expected: -----BEGIN PUBLIC KEY-----, or a line such as ssh-ed25519 ...";
        failure.hint(hint).into()
    })
}

fn parse_pem(bytes: &[u8]) -> Option<PublicKey> {
    let text = str::from_utf8(bytes).ok()?;
    let (label, document) = Document::from_pem(text).ok()?;
    let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes()).ok()?;
    if label != "PUBLIC KEY" {
        return None;
    }
    if info.algorithm.oid != ED25519 {
        return PublicKey::p256_pem(text).ok();
    }
    let raw = info.subject_public_key.as_bytes()?;
    PublicKey::ed25519(raw.try_into().ok()?).ok()
}

/// Where the public half of a key file lies: beside it, as `.pub`.
pub(crate) fn path_of(key_file: &Path) -> PathBuf {
    key_file.with_extension("pub")
}

/// Name of a key after its file.
pub(crate) fn name_of(key_file: &Path) -> String {
    let stem = key_file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

impl NamedKey {
    /// Writes the file; nothing may stand there.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let file = KeyFile {
            schema: SCHEMA.to_owned(),
            name: self.name.clone(),
            keyid: self.key.key_id(),
            key: serde_json::from_slice(&self.key.to_json())?,
        };
        let mut text = serde_json::to_string_pretty(&file)?;
        text.push('\n');
        files::write_new(path, text.as_bytes(), MODE_PUBLIC)
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = files::read(path, LEN_MAX)?;
        Self::parse(&bytes).ok_or_else(|| {
            let message = format!("{} is not the public half of a key", path.display());
            Failure::failed("E_KEY_FORMAT", message).into()
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let file: KeyFile = serde_json::from_slice(bytes).ok()?;
        let key = PublicKey::from_json(&serde_json::to_vec(&file.key).ok()?).ok()?;
        let sound = file.schema == SCHEMA && file.keyid == key.key_id();
        sound.then_some(Self {
            name: file.name,
            key,
        })
    }
}
