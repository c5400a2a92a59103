//! Options that every verb takes, and the table of exit codes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::failure::EXIT_TABLE;
use crate::text::push;

/// Options of every verb.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every verb")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of the command line"
)]
pub(crate) struct Global {
    /// Write data as JSON lines that name their schema first.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Colour in what is said to people.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Say nothing but errors and questions.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say more.
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Never ask; fail where an answer is needed.
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Control socket of the node [env: PATCHMESH_SOCKET].
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Always.
    Always,
    /// On a terminal, unless NO_COLOR is set or TERM is dumb.
    Auto,
    /// Never.
    Never,
}

/// The exit codes as help text.
pub(crate) fn exit_table() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in EXIT_TABLE {
        push(&mut text, format_args!("  {code:>3}  {meaning}\n"));
    }
    text.push_str("  130  interrupted\n");
    text.push_str("patchmeshd ends with the same codes; its --help lists the ids.\n");
    text.push_str("Treat any other code as failure. Text tables may change; --json is stable.");
    text
}
