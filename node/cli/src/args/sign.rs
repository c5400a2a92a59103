//! `sign`, `assemble`, `verify`, `publish`.

use std::path::PathBuf;

use clap::Args;

use crate::args::root::PassphraseArgs;

/// Which key signs.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// file:PATH, ssh-agent:FINGERPRINT, pkcs11:URI or exec:CMD; --help says more.
    ///
    /// file:PATH is an encrypted key file. ssh-agent:FINGERPRINT is a key that the
    /// agent of SSH_AUTH_SOCK holds, as `ssh-add -l` prints it (SHA256:...), or its
    /// comment if no other has it; keys of FIDO tokens and RSA keys do not fit.
    /// pkcs11:URI is a key in a token (RFC 7512), such as
    /// pkcs11:token=NAME;object=NAME?module-path=/FILE.so, with pin-source=FILE of
    /// mode 0600, or else the PIN is asked for like a passphrase; it is there where
    /// the program was built with the feature pkcs11. exec:CMD is a tool that signs
    /// its standard input (no shell; words are split at spaces).
    #[arg(long, value_name = "KEY")]
    pub(crate) key: String,
    /// With exec: the public half of the key that the tool signs with.
    #[arg(long, value_name = "FILE.pub")]
    pub(crate) public: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

/// Arguments of `sign`.
#[derive(Debug, Args)]
#[command(long_about = "\
Look at a draft and sign it with one key.

Shows the difference to the statement that was signed before, then asks for the \
release id (for root and targets: the first 8 characters of the hash). The \
answer is read from standard input; there is no option that says yes.")]
pub(crate) struct SignArgs {
    /// The draft folder.
    pub(crate) draft: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// Trust this root, instead of the copy in the draft, to say who may sign.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// The signature file [default: NAME.KEYID.sig beside the draft].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show the difference, and sign nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `assemble`.
#[derive(Debug, Args)]
pub(crate) struct AssembleArgs {
    /// The draft folder.
    pub(crate) draft: PathBuf,
    /// Signature files, in any order.
    #[arg(value_name = "SIG")]
    pub(crate) signatures: Vec<PathBuf>,
    /// Trust this root, instead of the copy in the draft.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// Check, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A draft folder or a repository folder.
    pub(crate) path: PathBuf,
    /// The root document that you trust.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: PathBuf,
}

/// Arguments of `publish`.
#[derive(Debug, Args)]
#[command(long_about = "\
Place signed documents, indexes and packs into a repository folder.

Takes ceremony folders, assembled drafts, and signed root or targets documents. \
Signs a new snapshot and timestamp with the online key, runs the verifier of a \
node over the result, and moves the timestamp last, so that readers see all of \
it or nothing. Without a path it only renews the timestamp, and the snapshot once \
half of its days are over.")]
pub(crate) struct PublishArgs {
    /// What to publish; may be several.
    pub(crate) paths: Vec<PathBuf>,
    /// The repository folder; it is made if missing.
    #[arg(long, value_name = "REPO")]
    pub(crate) repository: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// Days until the snapshot expires.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=365))]
    pub(crate) snapshot_expires: u32,
    /// Hours until the timestamp expires.
    #[arg(long, value_name = "HOURS", default_value_t = 72)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub(crate) timestamp_expires: u32,
    /// Check everything, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `verify-proof`.
#[derive(Debug, Args)]
#[command(long_about = "\
Check a proof that one role and version was signed twice, offline.

Nodes keep such proofs in their state folder, in trust/proofs, and pass them on. \
The check needs the root alone: the proof brings what else it takes.")]
pub(crate) struct VerifyProofArgs {
    /// The proof.
    pub(crate) proof: PathBuf,
    /// The root document that you trust: the first one, or a later one.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: PathBuf,
}
