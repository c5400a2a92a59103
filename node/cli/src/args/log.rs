//! `log`: the transparency log of a repository.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Second words of `log`.
#[derive(Debug, Subcommand)]
pub(crate) enum LogVerb {
    /// Write a file that proves that a document is in the log.
    #[command(long_about = PROVE)]
    Prove(LogProveArgs),
    /// The head of the log, and its last leaves.
    Show {
        /// The repository folder.
        repository: PathBuf,
        /// How many leaves to show.
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
    },
    /// Compute the whole log again, or check a proof, offline.
    #[command(long_about = VERIFY)]
    Verify(LogVerifyArgs),
}

const PROVE: &str = "\
Write a file that proves that a document is in the log.

The file (C2SP tlog-proof) holds the document, the path from it to the root of the \
log, and the checkpoint. `log verify` checks it with nothing but the root.";

const VERIFY: &str = "\
Compute the whole log again, or check a proof, offline.

Of a repository: every document that it publishes is a leaf, the tiles are those of \
the entries, and the tree is the one that checkpoint and timestamp name. Of a file \
that `log prove` wrote: its document is in the log of its checkpoint. Of a checkpoint, \
such as log/checkpoint: the log signed it. With --witness, of any of them: each of these \
nodes has cosigned the checkpoint by a line below it. `status --json` at a node has the \
lines, as `line` of each witness.";

/// Arguments of `log prove`.
#[derive(Debug, Args)]
pub(crate) struct LogProveArgs {
    /// The repository folder.
    pub(crate) repository: PathBuf,
    /// A document: the role of one that is published now, such as
    /// release/desktop, or a file.
    pub(crate) document: String,
    /// The proof file [default: ROLE-VERSION.tlog-proof].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `log verify`.
#[derive(Debug, Args)]
pub(crate) struct LogVerifyArgs {
    /// A repository folder, a proof file, or a checkpoint.
    pub(crate) path: PathBuf,
    /// The root document that you trust.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: PathBuf,
    /// A witness that must have cosigned the checkpoint: its 64 digits, its PeerId,
    /// or an address of it.
    #[arg(long, value_name = "NODE")]
    pub(crate) witness: Vec<String>,
}
