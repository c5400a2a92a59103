//! The steps that a change has to pass besides its tests: the same here and on
//! a build server.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::interop::ORACLE;
use crate::step::{self, cargo};
use crate::{codegen, packages, tidy};

/// Runs every step, cheapest first, and stops at the first that fails. With
/// `timings` prints the seconds of each step.
pub(crate) fn run(top: &Path, timings: bool) -> Result<()> {
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut run = |name, step: &mut dyn FnMut() -> Result<()>| {
        println!("== {name}");
        let start = Instant::now();
        step()?;
        times.push((name, start.elapsed()));
        anyhow::Ok(())
    };
    run("fmt", &mut || {
        step::run(&mut cargo(top, &["fmt", "--all", "--check"]))?;
        let oracle = ["fmt", "--check", "--manifest-path", ORACLE];
        step::run(&mut cargo(top, &oracle))
    })?;
    run("codegen", &mut || codegen::run(true))?;
    run("tidy", &mut || tidy::run(top, false))?;
    run("packages", &mut || packages::check(top))?;
    run("clippy", &mut || step::run(&mut clippy(top)))?;
    run("doc", &mut || step::run(&mut doc(top)))?;
    if timings {
        for (name, time) in times {
            println!("{:>8.1} s  {name}", time.as_secs_f64());
        }
    }
    Ok(())
}

fn clippy(top: &Path) -> Command {
    let mut command = cargo(top, &["clippy", "--workspace", "--all-targets", "--locked"]);
    command.args(["--", "-D", "warnings"]);
    command
}

fn doc(top: &Path) -> Command {
    let mut command = cargo(top, &["doc", "--workspace", "--no-deps", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}
