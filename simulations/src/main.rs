//! patchmesh-sim: worlds that drive the engine of the node.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use patchmesh_simulations::plan::Plan;
use patchmesh_simulations::planner::command::{self, CompareArgs, PlanArgs};
use patchmesh_simulations::planner::progress;
use patchmesh_simulations::replayed::{self, ReplayArgs};
use patchmesh_simulations::{Report, run};

#[derive(Parser)]
#[command(
    name = "patchmesh-sim",
    version,
    about = "Worlds that drive the engine of the node"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plan a rollout: bytes, times and costs by policy, beside what is possible
    Plan(Box<PlanArgs>),
    /// Differences of two results; fails above a limit
    Compare(CompareArgs),
    /// Run worlds with crashes, cuts, rotations and liars; check every promise
    Fault {
        /// How many seeds
        #[arg(long, default_value_t = 64)]
        seeds: u64,
        /// The first of them
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Only this seed
        #[arg(long, conflicts_with_all = ["seeds", "from"])]
        seed: Option<u64>,
        /// Run each world twice and compare
        #[arg(long)]
        check_determinism: bool,
    },
    /// Run a world without faults: bytes and time against the physical limits
    Quiet {
        /// The seed
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Sites
        #[arg(long, default_value_t = 4)]
        sites: usize,
        /// Nodes in each site
        #[arg(long, default_value_t = 5)]
        nodes: usize,
        /// Chunks of 64 KiB on the wire
        #[arg(long, default_value_t = 512)]
        chunks: u32,
    },
    /// The page of the manual: to standard output, or with all commands into a folder
    Man {
        /// Write one page for each command into this folder
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Feed a flight recording to a fresh engine and compare its outputs
    Replay(ReplayArgs),
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Plan(args) => {
            let mut out = io::stdout().lock();
            let terminal = io::stderr().is_terminal();
            command::run(&args, &mut out, &|line| {
                // Nobody hears of it where standard error is closed.
                drop(progress::show(line, terminal, &mut io::stderr().lock()));
            })
        }
        Command::Compare(args) => {
            let mut out = io::stdout().lock();
            command::compare(&args, &mut out, &|line| eprintln!("{line}"))
        }
        Command::Fault {
            seeds,
            from,
            seed,
            check_determinism,
        } => {
            let range = seed.map_or_else(
                || from..=from.saturating_add(seeds.saturating_sub(1)),
                |seed| seed..=seed,
            );
            let range = range.filter(|_| seed.is_some() || seeds > 0);
            let mut out = io::stdout().lock();
            ended(fault((seed, range), check_determinism, &mut out))
        }
        Command::Quiet {
            seed,
            sites,
            nodes,
            chunks,
        } => {
            let mut plan = Plan::quiet(seed);
            let mut site = plan.sites[0];
            site.nodes = nodes;
            plan.sites = vec![site; sites];
            plan.chunks = vec![(0, chunks)];
            ended(quiet(plan, &mut io::stdout().lock()))
        }
        Command::Man { dir } => match man(dir.as_deref()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("failed to write the manual: {error}");
                ExitCode::from(2)
            }
        },
        Command::Replay(args) => {
            let mut out = io::stdout().lock();
            ended(replayed::run(&args, &mut out, &|line| eprintln!("{line}")))
        }
    }
}

/// Pages are made from what the parser knows.
fn man(folder: Option<&Path>) -> io::Result<()> {
    let mut command = Args::command();
    command.build();
    let Some(folder) = folder else {
        return clap_mangen::Man::new(command).render(&mut io::stdout());
    };
    std::fs::create_dir_all(folder)?;
    let below = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help");
    for page in below.cloned().chain([command.clone()]) {
        let name = page.get_display_name().unwrap_or_else(|| page.get_name());
        let path = folder.join(format!("{name}.1"));
        clap_mangen::Man::new(page).render(&mut std::fs::File::create(&path)?)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// A reader that closes the pipe hears no verdict: that is no success, and needs
/// no words.
fn ended(done: io::Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: failed to write: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs seeds; of one that was named it prints the plan first.
fn fault(
    (named, seeds): (Option<u64>, impl Iterator<Item = u64>),
    twice: bool,
    out: &mut impl Write,
) -> io::Result<ExitCode> {
    if let Some(seed) = named {
        writeln!(out, "{:?}", Plan::faulty(seed))?;
    }
    for seed in seeds {
        let Some(report) = world(Plan::faulty(seed), out)? else {
            return Ok(ExitCode::FAILURE);
        };
        show(&report, out)?;
        if twice && world(Plan::faulty(seed), out)?.as_ref() != Some(&report) {
            writeln!(out, "seed {seed}: two runs differ")?;
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn quiet(plan: Plan, out: &mut impl Write) -> io::Result<ExitCode> {
    let Some(report) = world(plan, out)? else {
        return Ok(ExitCode::FAILURE);
    };
    show(&report, out)?;
    Ok(ExitCode::SUCCESS)
}

fn world(plan: Plan, out: &mut impl Write) -> io::Result<Option<Report>> {
    match run(plan) {
        Ok(report) => Ok(Some(report)),
        Err(failure) => {
            for event in &failure.events {
                writeln!(out, "{event}")?;
            }
            let (seed, broken) = (failure.seed, &failure.broken);
            writeln!(
                out,
                "seed {seed} at {} us, node {}",
                failure.at.0, broken.node
            )?;
            writeln!(out, "check {}: {}", broken.check, broken.found)?;
            writeln!(out, "again: patchmesh-sim fault --seed {seed}")?;
            Ok(None)
        }
    }
}

fn show(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "seed {:>5}: {:>2} nodes, {:>7} events, copies {:>5.3}, documents {:>6} bytes, \
         end {:>8.3} s = {:>6.3} x T*",
        report.seed,
        report.nodes,
        report.steps,
        thousandths(report.copies_per_mille),
        report.document_bytes,
        thousandths(report.end.0 / 1000),
        thousandths(report.end_per_mille),
    )
}

#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
fn thousandths(number: u64) -> f64 {
    number as f64 / 1000.0
}
