//! `stop`: emergency stops, made offline and sent from anywhere.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::sign::KeyArgs;

/// Arguments of `stop make`.
#[derive(Debug, Args)]
#[command(long_about = "\
Stop releases, nodes, or every installation, with one revocation key, offline.

Shows what ends and asks for the release id (for a node: the first 8 characters of \
its key; else: all-installs), then writes one signed file. Hand it to a running \
node (`stop send`) or to a repository (`stop publish`). A stop starts nothing; only \
the threshold of membership lifts it.")]
pub(crate) struct MakeStopArgs {
    /// Releases to stop: LINE/ID, or with --repository an id that one line lists;
    /// at most 16.
    #[arg(value_name = "RELEASE", required_unless_present_any = ["node", "all_installs"])]
    pub(crate) releases: Vec<String>,
    /// Nodes that are no members any more: their public keys.
    #[arg(long, value_name = "PEER", conflicts_with_all = ["releases", "all_installs"])]
    pub(crate) node: Vec<String>,
    /// Stop every installation.
    #[arg(long, conflicts_with = "releases")]
    pub(crate) all_installs: bool,
    /// Why; every node shows it. At most 256 bytes.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The first root document of the network, or
    #[arg(long, value_name = "FILE", required_unless_present = "repository")]
    pub(crate) root: Option<PathBuf>,
    /// a repository of it: then it is checked that the key may stop.
    #[arg(long, value_name = "REPO", conflicts_with = "root")]
    pub(crate) repository: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// The file [default: STOP-ID.stop].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show what would be stopped, and sign nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Second words of `stop`.
#[derive(Debug, Subcommand)]
pub(crate) enum StopVerb {
    /// Sign a stop with one revocation key, offline.
    Make(Box<MakeStopArgs>),
    /// Place a stop into a repository, from which origins hand it out.
    Publish {
        /// The stop.
        file: PathBuf,
        /// The repository folder.
        #[arg(long, value_name = "REPO")]
        repository: PathBuf,
    },
    /// Hand a stop to the running node, which checks it and passes it on.
    Send {
        /// The stop.
        file: PathBuf,
    },
    /// Say what a stop says, without checking who signed it.
    Show {
        /// The stop.
        file: PathBuf,
    },
}
