//! Changes of a living network: `root rotate`, `line`, `key replace`, `renew`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Days for which a root holds.
pub(crate) const ROOT_DAYS: u32 = 365;
/// Days for which targets hold.
pub(crate) const TARGETS_DAYS: u32 = 180;
/// Days for which a statement of a release line holds.
pub(crate) const LINE_DAYS: u32 = 90;
/// Days for which a statement of rollout or membership holds.
pub(crate) const ANNEX_DAYS: u32 = 30;
/// Most days that a document may be given.
pub(crate) const DAYS_MAX: i64 = 3650;

/// What is signed now.
#[derive(Debug, Clone, Args)]
pub(crate) struct GroundArgs {
    /// The repository, whose newest documents are changed.
    #[arg(long, value_name = "REPO", required_unless_present = "authority")]
    pub(crate) repository: Option<PathBuf>,
    /// Folder with root.json and targets.json, where no repository is at hand.
    #[arg(long, value_name = "DIR", conflicts_with = "repository")]
    pub(crate) authority: Option<PathBuf>,
}

/// Where a draft goes, if anywhere.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlaceArgs {
    /// Folder for the draft [default: NAME-VERSION.draft]; must not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Only say what would be drafted.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `root rotate`.
#[derive(Debug, Args)]
#[command(long_about = "\
Draft the next root: other keys, other thresholds.

The draft is signed like any other, by enough keys of the root before and by \
enough keys of the new one; `assemble` says who is missing on which side. ROLE \
is root, targets, snapshot or timestamp, or several with commas between. KEY is \
the name of a key, or the first eight or more digits of its id.

What the rotation takes away is said here: targets that would no longer stand \
are signed again with `renew targets --root`, and another online key means that \
`publish` is run with it.")]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    /// Give roles a further key.
    #[arg(long = "add", value_name = "ROLE=FILE.pub")]
    pub(crate) add: Vec<String>,
    /// Take a key from roles.
    #[arg(long = "remove", value_name = "ROLE=KEY")]
    pub(crate) remove: Vec<String>,
    /// Put a key in the place of another, in every role that lists it.
    #[arg(long = "replace", value_name = "KEY=FILE.pub")]
    pub(crate) replace: Vec<String>,
    /// How many keys of roles must sign.
    #[arg(long = "threshold", value_name = "ROLE=M")]
    pub(crate) threshold: Vec<String>,
    /// Days until the new root expires.
    #[arg(long, value_name = "DAYS", default_value_t = ROOT_DAYS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) expires: u32,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// Second words of `line`.
#[derive(Debug, Subcommand)]
pub(crate) enum LineVerb {
    /// Draft the next targets with one more release line.
    Add(LineAddArgs),
    /// Draft the next targets with other keys for a release line.
    Rotate(LineRotateArgs),
}

/// Arguments of `line add`.
#[derive(Debug, Args)]
pub(crate) struct LineAddArgs {
    /// Name of the line.
    pub(crate) line: String,
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    /// Public half of a key that signs for the line; repeat it for each person.
    /// Without it, those who sign for the targets.
    #[arg(long, value_name = "FILE.pub", requires = "threshold")]
    pub(crate) public: Vec<PathBuf>,
    /// How many of them must sign.
    #[arg(long, value_name = "M", requires = "public")]
    pub(crate) threshold: Option<u32>,
    #[command(flatten)]
    pub(crate) draft: TargetsDraftArgs,
}

/// Arguments of `line rotate`.
#[derive(Debug, Args)]
pub(crate) struct LineRotateArgs {
    /// Name of the line.
    pub(crate) line: String,
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    #[command(flatten)]
    pub(crate) keys: KeyChangeArgs,
    #[command(flatten)]
    pub(crate) draft: TargetsDraftArgs,
}

/// How a list of keys is changed.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyChangeArgs {
    /// Public half of a further key.
    #[arg(long = "add", value_name = "FILE.pub")]
    pub(crate) add: Vec<PathBuf>,
    /// Take a key away: its name, or the first digits of its id.
    #[arg(long = "remove", value_name = "KEY")]
    pub(crate) remove: Vec<String>,
    /// How many keys must sign.
    #[arg(long, value_name = "M")]
    pub(crate) threshold: Option<u32>,
}

/// How the next targets are drafted.
#[derive(Debug, Clone, Args)]
pub(crate) struct TargetsDraftArgs {
    /// Days until the new targets expire.
    #[arg(long, value_name = "DAYS", default_value_t = TARGETS_DAYS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) expires: u32,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// Arguments of `key replace`.
#[derive(Debug, Args)]
#[command(long_about = "\
Draft everything that must be signed when a key is lost or stolen.

Puts another key in its place in root and targets, and drafts again the \
statements of release lines that stand by its signature only. The people whose \
keys are left sign each draft; then all of them are published at once.")]
pub(crate) struct KeyReplaceArgs {
    /// The key that goes: its name, or the first digits of its id.
    pub(crate) old: String,
    /// Public half of the key that takes its place.
    pub(crate) new: PathBuf,
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    /// Folder for the drafts; must not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Only say what would be drafted.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `renew`.
#[derive(Debug, Args)]
#[command(long_about = "\
Draft the next version of a document that says the same and expires later.

ROLE is root, targets, rollout, membership, or release/LINE. Snapshot and timestamp are renewed by \
`publish` with the online key, or by an origin that has it (origin.online_key). \
Without a role, says what expires when.")]
pub(crate) struct RenewArgs {
    /// The role.
    pub(crate) role: Option<String>,
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    /// For targets: the next root, signed, whose keys sign them.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// For a role that the targets list: the next targets, signed, whose keys sign it.
    #[arg(long, value_name = "FILE")]
    pub(crate) targets: Option<PathBuf>,
    /// For a release line: a release that it no longer lists; may be repeated.
    #[arg(long = "drop", value_name = "ID")]
    pub(crate) drops: Vec<String>,
    /// Days until it expires [default: root 365, targets 180, release line 90, else 30].
    #[arg(long, value_name = "DAYS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) expires: Option<u32>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// The repository of `rollout show` and `membership show`: a place, as for all
/// that shows, or the option that the other words of these verbs take.
#[derive(Debug, Args)]
pub(crate) struct ShowRepositoryArgs {
    /// The repository folder.
    #[arg(value_name = "REPO", required_unless_present = "repository")]
    place: Option<PathBuf>,
    /// The same.
    #[arg(long, value_name = "REPO", conflicts_with = "place")]
    repository: Option<PathBuf>,
}

impl ShowRepositoryArgs {
    /// Whichever was given.
    pub(crate) fn repository(&self) -> anyhow::Result<&Path> {
        let place = self.place.as_deref().or(self.repository.as_deref());
        place.ok_or_else(|| Failure::usage("no repository is named").into())
    }
}
