//! `cargo x`: checks, code generation, benches and laboratory of this repository.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "syntax trees have many kinds; a check names those it looks at"
)]

mod bench;
mod calibrate;
mod ci;
mod codegen;
mod interop;
mod packages;
mod planted;
mod step;
mod tidy;
mod verbs;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
usage: cargo x VERB

  ci [--timings]        format, lints, tidy, packages, documentation, generated code
  tidy [--sizes]        rules of the house; --sizes prints the figures
  clocks                real nodes with a wrong wall clock; needs the package faketime
  codegen [--check]     make proto/src/generated, or check that it is current
  packages              licences, bans and sources of .deny.toml
  fast                  tests of everything that does not link libp2p
  fault [ARGUMENT..]    patchmesh-sim fault; 200 seeds unless told otherwise
  lab [KEY=VALUE..]     network laboratory, needs root; pairs become its environment
  interop               tests with python-tuf, which is installed into target/python
  conformance FOLDER    the public TUF conformance suite, from a copy in FOLDER
  bench [NAME]          list the bench targets, or run those whose name holds NAME; `all` runs all
  calibrate [WORDS]     the same rollouts in the laboratory and in the planner, and their errors
  planted               plant known bugs; the fault simulator has to find each
  signers               keys in a real agent and a real token (openssh-client, softhsm2, opensc)
  man FOLDER            man pages of the command line and of the simulator";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let top = codegen::top()?;
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        ["bench"] => bench::list(top),
        ["bench", name] => bench::run(top, name),
        ["ci"] => ci::run(top, false),
        ["ci", "--timings"] => ci::run(top, true),
        ["calibrate"] => calibrate::calibrate(top, ""),
        ["calibrate", part] => calibrate::calibrate(top, part),
        ["clocks"] => verbs::clocks(top),
        ["signers"] => interop::signers(top),
        ["conformance", suite] => interop::conformance(top, suite),
        ["interop"] => interop::interop(top),
        ["codegen"] => codegen::run(false),
        ["codegen", "--check"] => codegen::run(true),
        ["fast"] => verbs::fast(top),
        ["fault", rest @ ..] => verbs::fault(top, rest),
        ["lab", pairs @ ..] => verbs::lab(top, pairs),
        ["man", folder] => verbs::man(top, folder),
        ["packages"] => packages::check(top),
        ["planted"] => planted::planted(top),
        ["tidy"] => tidy::run(top, false),
        ["tidy", "--sizes"] => tidy::run(top, true),
        other => bail!("no such verb: {}\n\n{HELP}", other.join(" ")),
    }
}
