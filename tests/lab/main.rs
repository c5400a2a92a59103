//! The laboratory: real nodes in network namespaces, sites behind shaped WAN
//! links, bytes counted at the nodes and on the interfaces. Needs root and the
//! programs `ip` and `tc`; started by `cargo x lab KEY=VALUE..`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]

mod figures;
mod idle;
mod keeper;
mod lab;
mod links;
mod namespace;
mod node;
mod plan;
mod proc;
mod release;
mod report;
mod result;
mod run;
mod space;
mod verdict;
mod watch;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, ExitCode};

use crate::plan::Plan;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some(keeper::ARGUMENT) {
        keeper::serve();
        return ExitCode::SUCCESS;
    }
    // Test runners ask for a list; the laboratory has no single tests.
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let asked = |word: &&str| arguments.iter().any(|argument| argument == word);
    if !["--include-ignored", "--ignored"].iter().any(asked) {
        println!("skipped: the laboratory runs with `cargo x lab`");
        return ExitCode::SUCCESS;
    }
    if let Some(reason) = missing() {
        println!("skipped: {reason}");
        return ExitCode::from(u8::from(std::env::var_os("PATCHMESH_NO_SKIP").is_some()));
    }
    match Plan::from_env().and_then(|plan| report::measure(&plan)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: the laboratory broke off: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What this machine lacks.
fn missing() -> Option<String> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Some("needs root".to_owned());
    }
    for (program, argument) in [("ip", "-V"), ("tc", "-V")] {
        if Command::new(program).arg(argument).output().is_err() {
            return Some(format!("needs the program {program}"));
        }
    }
    space::probe().err().map(|error| error.to_string())
}
