//! `rollout` and `role`: what operations say, and who speaks for a role.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::authority::{
    ANNEX_DAYS, DAYS_MAX, GroundArgs, PlaceArgs, ShowRepositoryArgs, TargetsDraftArgs,
};

/// Second words of `rollout`. Each but `show` drafts the next statement of
/// operations, which is signed, assembled and published like a release.
#[derive(Debug, Subcommand)]
pub(crate) enum RolloutVerb {
    /// Draft the approval of a release: nodes that staged it then apply it.
    Approve(ApproveArgs),
    /// Draft a hold: nothing of it is applied any more, whatever is approved.
    Hold(HoldArgs),
    /// Draft the end of a hold.
    Resume(ResumeArgs),
    /// Draft other rings: shares of the nodes that are approved one by one.
    Rings(RingsArgs),
    /// Show what operations say now.
    Show(ShowRepositoryArgs),
    /// Draft the end of an approval. What was applied before stays.
    Withdraw(WithdrawArgs),
}

/// How the next statement of operations is drafted.
#[derive(Debug, Clone, Args)]
pub(crate) struct StatementArgs {
    /// The repository, whose newest policy is changed.
    #[arg(long, value_name = "REPO")]
    pub(crate) repository: PathBuf,
    /// Days until the statement expires; with it, its approvals end.
    #[arg(long, value_name = "DAYS", default_value_t = ANNEX_DAYS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) expires: u32,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// Arguments of `rollout approve`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The release: its id, or LINE/ID.
    pub(crate) release: String,
    /// A ring for which it is approved; may be repeated [default: every node].
    #[arg(long = "ring", value_name = "RING")]
    pub(crate) rings: Vec<String>,
    /// First second at which it counts, such as 2026-11-24T20:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// First second at which it no longer counts.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    #[command(flatten)]
    pub(crate) statement: StatementArgs,
}

/// What is held or resumed: one of them.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct HeldArgs {
    /// A release: its id, or LINE/ID.
    pub(crate) release: Option<String>,
    /// Every release of a line.
    #[arg(long, value_name = "LINE")]
    pub(crate) line: Option<String>,
    /// Every release of every line.
    #[arg(long)]
    pub(crate) everything: bool,
}

/// Arguments of `rollout hold`.
#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    #[command(flatten)]
    pub(crate) held: HeldArgs,
    /// Why, for the people at the nodes; at most 256 bytes.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) statement: StatementArgs,
}

/// Arguments of `rollout resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) held: HeldArgs,
    #[command(flatten)]
    pub(crate) statement: StatementArgs,
}

/// Arguments of `rollout rings`.
#[derive(Debug, Args)]
pub(crate) struct RingsArgs {
    /// Rings in their order, with their share of all nodes in percent; together
    /// 100. Approvals of a ring that goes are dropped.
    #[arg(value_name = "RING=PERCENT", required = true)]
    pub(crate) rings: Vec<String>,
    #[command(flatten)]
    pub(crate) statement: StatementArgs,
}

/// Arguments of `rollout withdraw`.
#[derive(Debug, Args)]
pub(crate) struct WithdrawArgs {
    /// The release: its id, or LINE/ID.
    pub(crate) release: String,
    #[command(flatten)]
    pub(crate) statement: StatementArgs,
}

/// Second words of `role`.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleVerb {
    /// Draft the next targets with people for `rollout` or `membership`.
    Add(RoleAddArgs),
    /// Draft the next targets with other keys for one of them.
    Rotate(RoleRotateArgs),
}

/// Roles beside the release lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SideRole {
    /// Says when and where releases are applied.
    Rollout,
    /// Says who may stop, enrol and witness.
    Membership,
}

/// Arguments of `role add`.
#[derive(Debug, Args)]
pub(crate) struct RoleAddArgs {
    /// The role.
    pub(crate) role: SideRole,
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    /// Public half of a key that signs for the role; repeat it for each person.
    #[arg(long, value_name = "FILE.pub", required = true)]
    pub(crate) public: Vec<PathBuf>,
    /// How many of them must sign.
    #[arg(long, value_name = "M")]
    pub(crate) threshold: u32,
    #[command(flatten)]
    pub(crate) draft: TargetsDraftArgs,
}

/// Arguments of `role rotate`.
#[derive(Debug, Args)]
pub(crate) struct RoleRotateArgs {
    /// The role.
    pub(crate) role: SideRole,
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    #[command(flatten)]
    pub(crate) keys: crate::args::authority::KeyChangeArgs,
    #[command(flatten)]
    pub(crate) draft: TargetsDraftArgs,
}
