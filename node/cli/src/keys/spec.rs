//! What `--key` may say, and the key behind it.

use std::path::{Path, PathBuf};

use patchmesh_trust::key::SecretKey;

use crate::args::root::PassphraseArgs;
use crate::failure::Failure;
use crate::keys::{passphrase, pem, public};
use crate::output::Output;

/// A key that can sign.
#[derive(Debug)]
pub(crate) struct Signer {
    /// For people.
    pub(crate) name: String,
    /// The secret.
    pub(crate) key: SecretKey,
}

/// Reads `file:PATH`.
pub(crate) fn key_path(spec: &str) -> anyhow::Result<PathBuf> {
    match spec.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(PathBuf::from(path)),
        Some(("ssh-agent" | "pkcs11" | "exec", _)) => {
            let failure = Failure::usage(format!("{spec}: this version signs with file: only"));
            Err(failure.hint("use --key file:PATH").into())
        }
        Some(_) | None => {
            let failure = Failure::usage(format!("{spec} does not name a key"));
            Err(failure
                .hint(format!("did you mean --key file:{spec}?"))
                .into())
        }
    }
}

/// Opens the key, asking for its passphrase if need be.
pub(crate) fn open(spec: &str, args: &PassphraseArgs, output: &Output) -> anyhow::Result<Signer> {
    let path = key_path(spec)?;
    pem::read(&path)?;
    open_file(&path, args, output)
}

fn open_file(path: &Path, args: &PassphraseArgs, output: &Output) -> anyhow::Result<Signer> {
    let name = public::name_of(path);
    let passphrase = passphrase::existing(args, &path.display().to_string(), output)?;
    let key = pem::open(path, &passphrase)?;
    Ok(Signer { name, key })
}
