//! The command line as data: every verb, option and default in one place, from
//! which help, completions and man pages are made.

pub(crate) mod authority;
pub(crate) mod backup;
pub(crate) mod global;
pub(crate) mod log;
pub(crate) mod membership;
pub(crate) mod node;
pub(crate) mod release;
pub(crate) mod rollout;
pub(crate) mod root;
pub(crate) mod sign;
pub(crate) mod stop;
pub(crate) mod tuf;

use clap::{Parser, Subcommand};

use crate::args::authority::{LineVerb, RenewArgs};
use crate::args::backup::BackupVerb;
use crate::args::global::Global;
use crate::args::log::LogVerb;
use crate::args::membership::MembershipVerb;
use crate::args::node::{EventsArgs, FetchArgs, PeersArgs, ReleasesArgs, WhyArgs};
use crate::args::release::ReleaseVerb;
use crate::args::rollout::{RoleVerb, RolloutVerb};
use crate::args::root::{KeyVerb, RootVerb};
use crate::args::sign::{AssembleArgs, PublishArgs, SignArgs, VerifyArgs, VerifyProofArgs};
use crate::args::stop::StopVerb;
use crate::args::tuf::TufArgs;

/// Obtain, sign, publish and follow releases.
#[derive(Debug, Parser)]
#[command(
    name = "patchmesh",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = crate::args::global::exit_table())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// First words.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Merge signatures; refuse below the threshold and say who is missing.
    Assemble(AssembleArgs),
    /// Keys and documents of a ceremony in one file.
    #[command(subcommand)]
    Backup(BackupVerb),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Recent events of the node: refusals, new metadata, states of releases.
    Events(EventsArgs),
    /// Fetch a release now, wanted by policy or not.
    Fetch(FetchArgs),
    /// Keys of people: make one, show its public half, replace a lost one.
    #[command(subcommand)]
    Key(KeyVerb),
    /// Release lines: add one, change its keys.
    #[command(subcommand)]
    Line(LineVerb),
    /// The transparency log: every document that was ever published.
    #[command(subcommand)]
    Log(LogVerb),
    /// Print the man page, or write one page per verb into a folder.
    Man {
        /// Folder for the pages; it is made if missing.
        #[arg(long, value_name = "DIR")]
        dir: Option<std::path::PathBuf>,
    },
    /// Who may stop, and which stops stand.
    #[command(subcommand)]
    Membership(MembershipVerb),
    /// The peers of the node.
    Peers(PeersArgs),
    /// Place signed documents, indexes and packs into a repository folder.
    Publish(PublishArgs),
    /// Let the node look now at what was published: an origin at its folder, an
    /// endpoint at its HTTP origin.
    Refresh,
    /// Build a release, look at one, compare two.
    #[command(subcommand)]
    Release(ReleaseVerb),
    /// The releases that the node knows.
    Releases(ReleasesArgs),
    /// Draft a document again before it expires, or say what expires when.
    Renew(RenewArgs),
    /// People for rollout and membership: add them, change their keys.
    #[command(subcommand)]
    Role(RoleVerb),
    /// What operations say: approvals, holds, rings.
    #[command(subcommand)]
    Rollout(RolloutVerb),
    /// The root of trust: make it, look at it, change its keys.
    #[command(subcommand)]
    Root(RootVerb),
    /// Look at a draft and sign it with one key.
    Sign(SignArgs),
    /// The node on one screen.
    Status,
    /// Stop releases, nodes or every installation, with one key.
    #[command(subcommand)]
    Stop(StopVerb),
    /// A plain TUF client for repositories of other tools.
    Tuf(Box<TufArgs>),
    /// Check a draft or a whole repository against a root, offline.
    Verify(VerifyArgs),
    /// Check a proof that one role and version was signed twice, offline.
    VerifyProof(VerifyProofArgs),
    /// Why a release waits.
    Why(WhyArgs),
}
