//! patchmesh-demo: the tour on real processes, on loopback.

use std::process::ExitCode;

use clap::Parser as _;
use patchmesh_demo::{args::Args, tour, warden};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(warden::ARGUMENT) {
        warden::serve();
        return ExitCode::SUCCESS;
    }
    tour::main(&Args::parse())
}
