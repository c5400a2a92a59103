//! patchmeshd: the node that runs on every endpoint and origin.

mod answers;
mod apply;
mod args;
mod chunks;
mod clock;
mod config;
mod control;
mod drive;
mod failure;
mod identity;
mod logging;
mod notices;
mod origin;
mod recorder;
mod room;
mod run;
mod stage;
mod staged;
mod start;
mod troubles;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    run::main(args::Args::parse())
}
