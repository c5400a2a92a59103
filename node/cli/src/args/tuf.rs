//! `tuf`: a plain TUF client.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `patchmesh tuf --help` says beside the options.
const TUF: &str = "\
A plain client of The Update Framework for repositories of any tool, over HTTP.

It uses the verifier of the node, with the bounds of python-tuf in place of those \
of a mesh. The folder of --metadata-dir holds the trusted metadata, byte for byte \
as it was served, under the names of its roles; what else is remembered is in \
`state` below it. Options stand before the verb. The exit code is 0, or 1 for \
every failure.";

/// Arguments of `tuf`.
#[derive(Debug, Args)]
#[command(long_about = TUF)]
pub(crate) struct TufArgs {
    /// Folder of the trusted metadata.
    #[arg(long, value_name = "DIR")]
    pub(crate) metadata_dir: PathBuf,
    /// Where the repository's metadata is (http://).
    #[arg(long, value_name = "URL")]
    pub(crate) metadata_url: Option<String>,
    /// A target to download; may be repeated.
    #[arg(long = "target-name", value_name = "PATH")]
    pub(crate) target_names: Vec<String>,
    /// Folder for downloaded targets.
    #[arg(long, value_name = "DIR")]
    pub(crate) target_dir: Option<PathBuf>,
    /// Where the repository's targets are (http://).
    #[arg(long, value_name = "URL")]
    pub(crate) target_base_url: Option<String>,
    #[command(subcommand)]
    pub(crate) verb: TufVerb,
}

/// Second words of `tuf`.
#[derive(Debug, Subcommand)]
pub(crate) enum TufVerb {
    /// Refresh, then download the targets in order; stop at the first failure.
    Download,
    /// Adopt a root; no request is made.
    Init {
        /// The root document, obtained in a way that you trust.
        root: PathBuf,
    },
    /// Bring the top-level metadata up to date.
    Refresh,
}
