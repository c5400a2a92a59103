//! `membership`: the next statement of the membership role.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::authority::{DAYS_MAX, PlaceArgs, ShowRepositoryArgs};

/// Days that a statement of membership holds by default.
const MEMBERSHIP_DAYS: u32 = 30;

/// Second words of `membership`.
#[derive(Debug, Subcommand)]
pub(crate) enum MembershipVerb {
    /// Draft a change of the keys that may stop, and of the witnesses.
    #[command(long_about = KEYS)]
    Keys(MembershipKeysArgs),
    /// Draft the next list of stops: take single stops in, lift some.
    Revocations(RevocationsArgs),
    /// What the repository's membership says now.
    Show(ShowRepositoryArgs),
}

const KEYS: &str = "\
Draft a change of the keys that may stop, and of the witnesses.

A witness is a node that signs each head of the log that it has seen whole. It needs no \
setting: a node whose id stands here signs by itself. With --cosignatures 2/2 nothing is \
applied anywhere before two witnesses in two sites have seen the statements it rests on, so \
that no thief of keys can show one site what another does not see. Name more witnesses than \
you ask for: one that is off is waited for.";

/// How the next statement is drafted.
#[derive(Debug, Args)]
pub(crate) struct MembershipDraftArgs {
    /// The repository, whose newest statement is changed.
    #[arg(long, value_name = "REPO")]
    pub(crate) repository: PathBuf,
    /// Days until the statement expires.
    #[arg(long, value_name = "DAYS", default_value_t = MEMBERSHIP_DAYS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) expires: u32,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// Arguments of `membership keys`.
#[derive(Debug, Args)]
pub(crate) struct MembershipKeysArgs {
    /// Let a further key stop.
    #[arg(long, value_name = "FILE.pub")]
    pub(crate) add_revocation: Vec<PathBuf>,
    /// Take a key away: its name, or the first digits of its id. What only it
    /// has stopped goes on; fold what should stay stopped.
    #[arg(long, value_name = "KEY")]
    pub(crate) remove_revocation: Vec<String>,
    /// Let a node witness the log: NODE@SITE, NODE being its 64 digits, its PeerId
    /// (12D3..), or an address of it as `patchmesh status` shows them.
    #[arg(long, value_name = "NODE@SITE")]
    pub(crate) add_witness: Vec<String>,
    /// Take a witness away; what it has signed counts no longer.
    #[arg(long, value_name = "NODE")]
    pub(crate) remove_witness: Vec<String>,
    /// How many witnesses, in how many sites, must have seen what is applied:
    /// 2/2, or `none`.
    #[arg(long, value_name = "WITNESSES/SITES")]
    pub(crate) cosignatures: Option<String>,
    #[command(flatten)]
    pub(crate) draft: MembershipDraftArgs,
}

/// Arguments of `membership revocations`.
#[derive(Debug, Args)]
pub(crate) struct RevocationsArgs {
    /// Take this stop into the list: it stands whatever becomes of its key.
    #[arg(long, value_name = "FILE.stop")]
    pub(crate) fold: Vec<PathBuf>,
    /// End the stop of this id.
    #[arg(long, value_name = "STOP-ID")]
    pub(crate) lift: Vec<String>,
    #[command(flatten)]
    pub(crate) draft: MembershipDraftArgs,
}
