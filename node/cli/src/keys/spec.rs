//! What `--key` may say, and the key behind it.

use std::path::{Path, PathBuf};

use patchmesh_trust::key::{PublicKey, SecretKey};

use crate::args::sign::KeyArgs;
use crate::failure::Failure;
use crate::keys::agent::{self, AgentKey};
use crate::keys::public::NamedKey;
#[cfg(feature = "pkcs11")]
use crate::keys::token::{self, TokenKey};
use crate::keys::uri::{self, TokenUri};
use crate::keys::{passphrase, pem, public, tool};
use crate::output::Output;
use crate::text::safe;

/// What `--key` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySpec {
    /// `ssh-agent:FINGERPRINT`, or the comment of a key that the agent holds.
    Agent(String),
    /// `file:PATH`, an encrypted key file.
    File(PathBuf),
    /// `pkcs11:URI`, a key in a token.
    Token(Box<TokenUri>),
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
    Agent(AgentKey),
    Held(SecretKey),
    #[cfg(feature = "pkcs11")]
    Token(Box<TokenKey>),
    Tool {
        words: Vec<String>,
        public: PublicKey,
    },
}

/// Reads what `--key` says.
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
        Some(_) | None => elsewhere(spec)?.ok_or_else(|| {
            let failure = Failure::usage(format!("{} does not name a key", safe(spec)));
            let hint = format!("did you mean --key file:{}?", safe(spec));
            failure.hint(hint).into()
        }),
    }
}

/// A key that an agent or a token holds; `None` for other words.
pub(crate) fn elsewhere(spec: &str) -> anyhow::Result<Option<KeySpec>> {
    match spec.split_once(':') {
        Some(("ssh-agent", key)) if !key.is_empty() => Ok(Some(KeySpec::Agent(key.to_owned()))),
        Some(("ssh-agent", _)) => {
            let failure = Failure::usage("ssh-agent: does not say which key");
            let hint = "the fingerprint that ssh-add -l prints, such as ssh-agent:SHA256:...";
            Err(failure.hint(hint).into())
        }
        Some(("pkcs11", key)) => {
            let token = uri::parse(key)?;
            if cfg!(feature = "pkcs11") {
                return Ok(Some(KeySpec::Token(Box::new(token))));
            }
            let failure = Failure::usage("this program was built without pkcs11:");
            let hint = "build it with: cargo build -p patchmesh-cli --features pkcs11";
            Err(failure.hint(hint).into())
        }
        Some(_) | None => Ok(None),
    }
}

/// The public half of a key that an agent or a token holds.
pub(crate) fn public_elsewhere(spec: &KeySpec) -> anyhow::Result<Option<PublicKey>> {
    match spec {
        KeySpec::Agent(key) => Ok(Some(agent::find(key)?.public)),
        #[cfg(feature = "pkcs11")]
        KeySpec::Token(uri) => {
            let pin = uri.pin.as_deref().map(passphrase::from_file).transpose()?;
            Ok(Some(token::open(uri, pin.as_ref())?.public))
        }
        #[cfg(not(feature = "pkcs11"))]
        KeySpec::Token(_) => Ok(None),
        KeySpec::File(_) | KeySpec::Tool(_) => Ok(None),
    }
}

/// Whether the key can be opened at all, before anybody is asked anything.
pub(crate) fn check(spec: &KeySpec) -> anyhow::Result<()> {
    match spec {
        KeySpec::Agent(key) => agent::find(key).map(drop),
        KeySpec::File(path) => pem::read(path).map(drop),
        KeySpec::Token(uri) if !uri.module.is_file() => {
            let message = format!("{} is no module", uri.module.display());
            Err(Failure::failed("E_KEY_TOKEN", message).into())
        }
        KeySpec::Token(_) | KeySpec::Tool(_) => Ok(()),
    }
}

/// Opens the key, asking for its passphrase if need be.
pub(crate) fn open(spec: KeySpec, args: &KeyArgs, output: &Output) -> anyhow::Result<Signer> {
    match spec {
        KeySpec::Agent(key) => {
            let key = agent::find(&key)?;
            Ok(Signer {
                name: key.name.clone(),
                secret: Secret::Agent(key),
            })
        }
        KeySpec::File(path) => open_file(&path, args, output),
        KeySpec::Token(uri) => open_token(&uri, args, output),
        KeySpec::Tool(words) => {
            let path = args.public.as_ref();
            let path = path.ok_or_else(|| Failure::usage("--public is missing"))?;
            let NamedKey { name, key: public } = NamedKey::read(path)?;
            let secret = Secret::Tool { words, public };
            Ok(Signer { name, secret })
        }
    }
}

#[cfg(feature = "pkcs11")]
fn open_token(uri: &TokenUri, args: &KeyArgs, output: &Output) -> anyhow::Result<Signer> {
    let name = uri.name();
    let pin = match &uri.pin {
        Some(path) => passphrase::from_file(path)?,
        None => passphrase::existing(&args.passphrase, &safe(&name), output)?,
    };
    let key = token::open(uri, Some(&pin))?;
    Ok(Signer {
        name,
        secret: Secret::Token(Box::new(key)),
    })
}

#[cfg(not(feature = "pkcs11"))]
fn open_token(_: &TokenUri, _: &KeyArgs, _: &Output) -> anyhow::Result<Signer> {
    Err(Failure::usage("this program was built without pkcs11:").into())
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
            Secret::Agent(key) => key.public.clone(),
            Secret::Held(key) => key.public_key(),
            #[cfg(feature = "pkcs11")]
            Secret::Token(key) => key.public.clone(),
            Secret::Tool { public, .. } => public.clone(),
        }
    }

    /// Signs. What an agent, a token or a tool gives is checked before it is used.
    pub(crate) fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (signature, who) = match &self.secret {
            Secret::Agent(key) => (key.sign(message)?, "the agent".to_owned()),
            Secret::Held(key) => return Ok(key.sign(message)),
            #[cfg(feature = "pkcs11")]
            Secret::Token(key) => (key.sign(message)?, "the token".to_owned()),
            Secret::Tool { words, .. } => (tool::run(words, message)?, safe(&words[0])),
        };
        if self.public_key().verify(message, &signature) {
            return Ok(signature);
        }
        let message = format!("what {who} gave is no signature of this key");
        let failure = Failure::trust("E_SIG_BAD", message);
        let hint = "Ed25519: 64 raw bytes; P-256: DER; over the bytes as they are";
        Err(failure.hint(hint).into())
    }
}
