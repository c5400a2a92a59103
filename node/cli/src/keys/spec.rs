//! What `--key` may say, and the key behind it.

use std::path::{Path, PathBuf};

use patchmesh_trust::key::{PublicKey, SecretKey};

use crate::args::sign::KeyArgs;
use crate::failure::Failure;
use crate::keys::public::NamedKey;
use crate::keys::{passphrase, pem, public, tool};
use crate::output::Output;
use crate::text::safe;

/// What `--key` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySpec {
    /// `file:PATH`, an encrypted key file.
    File(PathBuf),
    /// `exec:CMD`, a program with its arguments, started without a shell.
    Tool(Vec<String>),
}

/// A key that can sign.
#[derive(Debug)]
pub(crate) struct Signer {
    /// For people.
    pub(crate) name: String,
    secret: Secret,
}

#[derive(Debug)]
enum Secret {
    Held(SecretKey),
    Tool {
        words: Vec<String>,
        public: PublicKey,
    },
}

/// Reads `file:PATH` or `exec:CMD`.
pub(crate) fn parse(args: &KeyArgs) -> anyhow::Result<KeySpec> {
    let spec = args.key.as_str();
    match spec.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(KeySpec::File(PathBuf::from(path))),
        Some(("exec", command)) if !command.trim().is_empty() => {
            if args.public.is_none() {
                let failure = Failure::usage("exec: needs to know which key its tool signs with");
                return Err(failure.hint("add --public FILE.pub").into());
            }
            let words = command.split_ascii_whitespace();
            Ok(KeySpec::Tool(words.map(str::to_owned).collect()))
        }
        Some(("ssh-agent" | "pkcs11", _)) => {
            let message = format!("{}: this version knows file: and exec: only", safe(spec));
            let hint = "exec: starts any tool that signs its standard input";
            Err(Failure::usage(message).hint(hint).into())
        }
        Some(_) | None => {
            let failure = Failure::usage(format!("{} does not name a key", safe(spec)));
            let hint = format!("did you mean --key file:{}?", safe(spec));
            Err(failure.hint(hint).into())
        }
    }
}

/// Whether the key can be opened at all, before anybody is asked anything.
pub(crate) fn check(spec: &KeySpec) -> anyhow::Result<()> {
    match spec {
        KeySpec::File(path) => pem::read(path).map(drop),
        KeySpec::Tool(_) => Ok(()),
    }
}

/// Opens the key, asking for its passphrase if need be.
pub(crate) fn open(spec: KeySpec, args: &KeyArgs, output: &Output) -> anyhow::Result<Signer> {
    match spec {
        KeySpec::File(path) => open_file(&path, args, output),
        KeySpec::Tool(words) => {
            let path = args.public.as_ref();
            let path = path.ok_or_else(|| Failure::usage("--public is missing"))?;
            let NamedKey { name, key: public } = NamedKey::read(path)?;
            let secret = Secret::Tool { words, public };
            Ok(Signer { name, secret })
        }
    }
}

fn open_file(path: &Path, args: &KeyArgs, output: &Output) -> anyhow::Result<Signer> {
    pem::read(path)?;
    let shown = path.display().to_string();
    let passphrase = passphrase::existing(&args.passphrase, &shown, output)?;
    Ok(Signer {
        name: public::name_of(path),
        secret: Secret::Held(pem::open(path, &passphrase)?),
    })
}

impl Signer {
    /// The public half.
    pub(crate) fn public_key(&self) -> PublicKey {
        match &self.secret {
            Secret::Held(key) => key.public_key(),
            Secret::Tool { public, .. } => public.clone(),
        }
    }

    /// Signs. What a tool gives is checked before it is used.
    pub(crate) fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (words, public) = match &self.secret {
            Secret::Held(key) => return Ok(key.sign(message)),
            Secret::Tool { words, public } => (words, public),
        };
        let signature = tool::run(words, message)?;
        if public.verify(message, &signature) {
            return Ok(signature);
        }
        let message = format!("what {} gave is no signature of this key", safe(&words[0]));
        let failure = Failure::trust("E_SIG_BAD", message);
        let hint = "Ed25519: 64 raw bytes; P-256: DER; over standard input as it is";
        Err(failure.hint(hint).into())
    }
}
