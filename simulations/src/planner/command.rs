//! `patchmesh-sim plan`: options, and what is written where.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::planner::problem::Problem;
use crate::planner::report::summary::summary;
use crate::planner::report::table::table;
use crate::planner::run::{Failure, plan};
use crate::planner::scenario::example::{EXAMPLE, around_table};
use crate::planner::scenario::model::{Fidelity, Scenario};
use crate::planner::scenario::parse;
use crate::planner::scenario::quick::Quick;

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The scenario file
    scenario: Option<PathBuf>,
    /// Write a commented scenario to standard output
    #[arg(long, conflicts_with_all = ["scenario", "quick", "from_site_csv"])]
    example: bool,
    /// Write a scenario around a table of sites to standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "quick"])]
    from_site_csv: Option<PathBuf>,
    /// Plan without a file, from the options below
    #[arg(long, conflicts_with = "scenario")]
    quick: bool,
    /// Sites (with --quick)
    #[arg(long, default_value_t = 20, requires = "quick")]
    sites: u32,
    /// Endpoints in each site (with --quick)
    #[arg(long, default_value_t = 20, requires = "quick")]
    endpoints: u32,
    /// Line towards each site (with --quick)
    #[arg(long, default_value = "20 Mbit/s", requires = "quick")]
    wan: String,
    /// Line away from each site (with --quick) [default: a quarter of --wan]
    #[arg(long, requires = "quick")]
    wan_up: Option<String>,
    /// Wire bytes of the release (with --quick)
    #[arg(long, default_value = "2 GiB", requires = "quick")]
    size: String,
    /// Uplink of the origin (with --quick)
    #[arg(long, default_value = "1 Gbit/s", requires = "quick")]
    origin: String,
    /// Part of the line that updates may take (with --quick)
    #[arg(long, default_value_t = 1.0, requires = "quick")]
    share: f64,
    /// When it must be done (with --quick)
    #[arg(long, requires = "quick")]
    deadline: Option<String>,
    /// fluid, sampled or full [default: what the scenario says]
    #[arg(long)]
    fidelity: Option<String>,
    /// Threads [default: all processors]; results do not depend on it
    #[arg(long)]
    threads: Option<usize>,
    /// No progress on standard error
    #[arg(long)]
    silent: bool,
}

/// Runs the command.
pub fn run(args: &PlanArgs, out: &mut dyn Write, progress: &(dyn Fn(&str) + Sync)) -> ExitCode {
    match execute(args, out, progress) {
        Ok(code) => code,
        Err(problem) => {
            progress(&format!("error: {problem}"));
            ExitCode::from(2)
        }
    }
}

fn execute(
    args: &PlanArgs,
    out: &mut dyn Write,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<ExitCode, Problem> {
    if args.example {
        show(out, EXAMPLE)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = &args.from_site_csv {
        let text = read(path).map_err(|error| Problem::new("command line", error, ""))?;
        let columns = text.lines().next().unwrap_or_default();
        show(out, &around_table(&path.to_string_lossy(), columns))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (file, scenario) = scenario(args, out)?;
    let quiet = |_: &str| {};
    let tell: &(dyn Fn(&str) + Sync) = if args.silent { &quiet } else { progress };
    let threads = args
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    match plan(scenario, &file, threads.max(1), tell) {
        Ok(plan) => {
            show(out, &table(&summary(&plan)))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Scenario(problem)) => Err(problem),
        Err(Failure::Beaten(beaten)) => {
            progress(&format!("error: {beaten}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The scenario that the options mean, and the file for its errors.
fn scenario(args: &PlanArgs, out: &mut dyn Write) -> Result<(String, Scenario), Problem> {
    let (file, text) = match (&args.scenario, args.quick) {
        (Some(path), _) => {
            let text = read(path).map_err(|error| Problem::new("command line", error, ""))?;
            (path.clone(), text)
        }
        (None, true) => {
            let quick = Quick {
                sites: args.sites,
                endpoints: args.endpoints,
                wan: args.wan.clone(),
                up: args.wan_up.clone(),
                size: args.size.clone(),
                origin: args.origin.clone(),
                share: args.share,
                deadline: args.deadline.clone(),
                fidelity: args.fidelity.clone().unwrap_or_else(|| "fluid".to_owned()),
            };
            let text = quick.scenario();
            show(out, &format!("# The same as a scenario file:\n{text}\n"))?;
            (PathBuf::from("quick.toml"), text)
        }
        (None, false) => {
            let hint = "name a scenario file, or use --quick; --example writes one";
            return Err(Problem::new("command line", "no scenario", hint));
        }
    };
    let name = file.to_string_lossy().into_owned();
    let folder = file.parent().unwrap_or_else(|| Path::new("")).to_owned();
    let open = |path: &str| read(&folder.join(path));
    let mut scenario = parse::scenario(&name, &text, &open)?;
    if let Some(fidelity) = &args.fidelity {
        scenario.fidelity =
            Fidelity::parse(fidelity).map_err(|says| Problem::new("command line", says, ""))?;
    }
    Ok((name, scenario))
}

/// Reads a text file; what is too long is refused before it is read.
fn read(path: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("failed to read {}: {error}", path.display());
    let len = std::fs::metadata(path).map_err(wrong)?.len();
    if len > 64 << 20 {
        return Err(format!("{} is longer than 64 MiB", path.display()));
    }
    std::fs::read_to_string(path).map_err(wrong)
}

fn show(out: &mut dyn Write, text: &str) -> Result<(), Problem> {
    let written = out.write_all(text.as_bytes());
    written.map_err(|error| Problem::new("standard output", error.to_string(), ""))
}
