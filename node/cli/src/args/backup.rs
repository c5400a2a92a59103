//! `backup`: a ceremony folder in one file.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::root::PassphraseArgs;

/// Second words of `backup`.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupVerb {
    /// Write documents, public halves and encrypted keys of a folder into one
    /// file.
    Create {
        /// The folder that `root init` made, or one with key files.
        folder: PathBuf,
        /// The file; must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Only say what would be written.
        #[arg(long)]
        dry_run: bool,
    },
    /// Lay the files of a backup into a new folder.
    Restore {
        /// The backup.
        backup: PathBuf,
        /// The folder; must not exist.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Check, and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Prove that a backup is good: restore it, compare, open every key.
    Verify(BackupVerifyArgs),
}

/// Arguments of `backup verify`.
#[derive(Debug, Args)]
#[command(long_about = "\
Prove that a backup is good.

Restores it into a folder that is taken away again, reads each file back, checks \
the documents, and opens each key file with its passphrase. A passphrase from a \
file or a descriptor is tried on every key; otherwise each is asked for.")]
pub(crate) struct BackupVerifyArgs {
    /// The backup.
    pub(crate) backup: PathBuf,
    /// Compare byte for byte with this folder too.
    #[arg(long, value_name = "DIR")]
    pub(crate) against: Option<PathBuf>,
    /// A key file whose passphrase is not at hand, such as key-2.pem; it is not
    /// opened. May be repeated.
    #[arg(long = "skip-key", value_name = "NAME")]
    pub(crate) skip: Vec<String>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}
