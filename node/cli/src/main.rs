//! patchmesh: the command line for people.

mod args;
mod backup;
mod clock;
mod draft;
mod failure;
mod files;
mod keys;
mod lines;
mod output;
mod repository;
mod run;
mod text;
mod tree;
mod tuf;
mod verbs;

use std::process::ExitCode;

fn main() -> ExitCode {
    run::run()
}
