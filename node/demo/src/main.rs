//! patchmesh-demo: the tour on real processes, on loopback.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use patchmesh_demo::{args::Args, tour, warden};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(warden::ARGUMENT) {
        warden::serve();
        return ExitCode::SUCCESS;
    }
    let args = Args::parse();
    if let Err(why) = args.check() {
        Args::command()
            .error(ErrorKind::ValueValidation, why)
            .exit();
    }
    tour::main(&args)
}
