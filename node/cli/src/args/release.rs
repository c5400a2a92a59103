//! `release`: build, show, diff.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::authority::{DAYS_MAX, LINE_DAYS};

/// Second words of `release`.
#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseVerb {
    /// Cut a folder into chunks and draft the next statement of its line.
    Build(Box<ReleaseBuildArgs>),
    /// Compare the files of two releases.
    Diff {
        /// Older: a draft folder or a release index.
        old: PathBuf,
        /// Newer: a draft folder or a release index.
        new: PathBuf,
    },
    /// Show what a release contains.
    Show {
        /// A draft folder or a release index.
        path: PathBuf,
        /// List every file.
        #[arg(long)]
        files: bool,
    },
}

/// Arguments of `release build`.
#[derive(Debug, Args)]
pub(crate) struct ReleaseBuildArgs {
    /// The folder whose content is released.
    pub(crate) path: PathBuf,
    /// Release id within its line.
    #[arg(long)]
    pub(crate) id: String,
    /// Release line.
    #[arg(long)]
    pub(crate) line: String,
    /// Severity word for people: low, moderate, important, critical.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) severity: String,
    /// A CVE that this release repairs; may be repeated.
    #[arg(long = "cve", value_name = "CVE")]
    pub(crate) cves: Vec<String>,
    /// Compression level of zstd.
    #[arg(long, default_value_t = 19)]
    #[arg(value_parser = clap::value_parser!(i32).range(1..=22))]
    pub(crate) level: i32,
    /// The repository that this release goes to: root, targets and the
    /// statement before this one are taken from it.
    #[arg(long, value_name = "REPO")]
    pub(crate) repository: Option<PathBuf>,
    /// Folder with root.json and targets.json, where no repository is at hand.
    #[arg(long, value_name = "DIR", conflicts_with = "repository")]
    pub(crate) authority: Option<PathBuf>,
    /// The signed statement before this one, where no repository is at hand.
    #[arg(long, value_name = "FILE", conflicts_with = "repository")]
    pub(crate) previous: Option<PathBuf>,
    /// An active release that this statement no longer lists; may be repeated.
    #[arg(long = "drop", value_name = "ID")]
    pub(crate) drops: Vec<String>,
    /// Days until the statement expires.
    #[arg(long, value_name = "DAYS", default_value_t = LINE_DAYS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) expires: u32,
    /// Folder for the draft [default: ID.draft]; must not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Build, measure, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
