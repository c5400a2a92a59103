//! patchmeshd: the node that runs on every endpoint and origin.

mod answers;
mod args;
mod clock;
mod config;
mod contents;
mod control;
mod corrupt;
mod drive;
mod identity;
mod intake;
mod logging;
mod notices;
mod origin;
mod recorder;
mod repair;
mod room;
mod run;
mod stage;
mod start;
mod troubles;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    run::main(args::Args::parse())
}
