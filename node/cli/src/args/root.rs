//! `root` and `key`: the ceremony.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::authority::{DAYS_MAX, KeyReplaceArgs, ROOT_DAYS, RotateArgs, TARGETS_DAYS};

/// Second words of `root`.
#[derive(Debug, Subcommand)]
pub(crate) enum RootVerb {
    /// Make the keys and the root of a new network, offline.
    #[command(long_about = ROOT_INIT)]
    Init(Box<RootInitArgs>),
    /// Draft the next root: other keys, other thresholds.
    Rotate(Box<RotateArgs>),
    /// Show keys, thresholds, lines and expiry of a root.
    Show {
        /// A root document, a repository, or the folder that `root init` made.
        path: PathBuf,
    },
}

const ROOT_INIT: &str = "\
Make the keys and the root of a new network, offline.

The smallest flow: one run on a machine without network makes all keys of the \
people (for root, targets and the first release lines), an online key for \
snapshot and timestamp, and signs root and targets. Give each person their key \
file. Then `publish` the folder.

Where people make their keys on their own machines (`key new`), pass the public \
halves with --public: root and targets become drafts that each person signs.

With --operations a network has two parties: what security signs is staged, and \
applied once operations approve it (`patchmesh rollout`). Without it, nodes \
stage and apply nothing; `patchmesh role add rollout` brings it later.";

/// Arguments of `root init`.
#[derive(Debug, Args)]
pub(crate) struct RootInitArgs {
    /// How many people must sign.
    #[arg(long, value_name = "M", default_value_t = 2)]
    pub(crate) threshold: u32,
    /// How many people's keys to make.
    #[arg(long, value_name = "N", default_value_t = 3, conflicts_with = "public")]
    pub(crate) keys: u32,
    /// Names of the keys in order; others are called key-1, key-2 and so on.
    #[arg(long = "name", value_name = "NAME", conflicts_with = "public")]
    pub(crate) names: Vec<String>,
    /// Public half of a key that a person made with `key new`; repeat it for
    /// each person.
    #[arg(long, value_name = "FILE.pub")]
    pub(crate) public: Vec<PathBuf>,
    /// How many keys of IT operations to make: people who say when and where a
    /// signed release is applied, and sign no release.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "public")]
    pub(crate) operations: u32,
    /// Public half of a key of operations, where they made their own; repeat it
    /// for each person.
    #[arg(long, value_name = "FILE.pub", requires = "public")]
    pub(crate) operations_public: Vec<PathBuf>,
    /// How many people of operations must sign [default: 2, or 1 of 1].
    #[arg(long, value_name = "M")]
    pub(crate) operations_threshold: Option<u32>,
    /// A release line that these people sign for; may be repeated.
    #[arg(long = "line", value_name = "LINE", default_value = "desktop")]
    pub(crate) lines: Vec<String>,
    /// Folder for keys and documents; must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Days until the root expires.
    #[arg(long, value_name = "DAYS", default_value_t = ROOT_DAYS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) expires: u32,
    /// Days until the targets expire.
    #[arg(long, value_name = "DAYS", default_value_t = TARGETS_DAYS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) targets_expire: u32,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    /// Only say what would be made.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Second words of `key`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Take over the public half of a key that lives elsewhere: in a token, an
    /// agent, or another program.
    #[command(long_about = IMPORT)]
    Import(KeyImportArgs),
    /// Make an Ed25519 key: an encrypted file, and its public half beside it.
    New(KeyNewArgs),
    /// Draft everything that must be signed when a key is lost or stolen.
    Replace(KeyReplaceArgs),
    /// Show id and fingerprint of a key.
    Show {
        /// The public half (FILE.pub), or the encrypted file beside it.
        path: PathBuf,
    },
}

const IMPORT: &str = "\
Take over the public half of a key that lives elsewhere.

SOURCE is a file with an Ed25519 or P-256 key, as PEM (BEGIN PUBLIC KEY) or as the \
line that ssh-keygen writes; ssh-agent:FINGERPRINT, a key that the agent holds; or \
pkcs11:URI, a key in a token. `sign --key` takes the last two as they are.";

/// Arguments of `key import`.
#[derive(Debug, Args)]
pub(crate) struct KeyImportArgs {
    /// A file, ssh-agent:FINGERPRINT, or pkcs11:URI.
    pub(crate) source: PathBuf,
    /// The file for `root init --public`; must not exist.
    #[arg(long, value_name = "FILE.pub")]
    pub(crate) out: PathBuf,
    /// Only say what would be made.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `key new`.
#[derive(Debug, Args)]
pub(crate) struct KeyNewArgs {
    /// The encrypted file (PKCS#8, scrypt, AES-256); must not exist.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    /// Only say what would be made.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Where a passphrase comes from; without these, from a prompt.
#[derive(Debug, Clone, Args)]
pub(crate) struct PassphraseArgs {
    /// First line of a file that only its owner can read (mode 0600).
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// One line of this open file descriptor.
    #[arg(long, value_name = "FD")]
    pub(crate) passphrase_fd: Option<u32>,
}
