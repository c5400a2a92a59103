//! `patchmesh-sim plan`: options, and what is written where.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::capped;
use crate::planner::ask;
use crate::planner::compare;
use crate::planner::estimate::{admit, half_of_memory};
use crate::planner::find::Search;
use crate::planner::problem::Problem;
use crate::planner::quantity;
use crate::planner::report::folder;
use crate::planner::report::ran::Ran;
use crate::planner::report::summary::{Summary, summary};
use crate::planner::report::table::table;
use crate::planner::run::{Failure, Plan, plan};
use crate::planner::scenario::example::{EXAMPLE, around_table};
use crate::planner::scenario::model::{Fidelity, Scenario};
use crate::planner::scenario::parse;
use crate::planner::scenario::quick::Quick;
use crate::planner::sweep::{Sweep, head, lines, points};
use crate::planner::windows::Lengths;

/// A scenario, table of sites or result, in bytes.
const TEXT_LEN_MAX: usize = 64 << 20;

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
    /// The same with changes, for every combination: wan, wan-up, origin, share, size,
    /// endpoints, ring (start of the last), deadline, window (20-06)
    #[arg(long, value_name = "KEY=VALUE,VALUE")]
    what_if: Vec<String>,
    /// Run nothing: say what limits each class of sites, or one site, at best, and what
    /// comes next
    #[arg(long, value_name = "SITE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "", conflicts_with_all = ["what_if", "find"])]
    explain: Option<String>,
    /// Look for the smallest value that meets the deadline: deadline, origin, share, wan or
    /// wan-up, such as wan=2mbit..100mbit; or window=1h..12h for the shortest daily window
    #[arg(long, value_name = "KEY=FROM..TO", conflicts_with = "what_if")]
    find: Option<String>,
    /// Part of the endpoints that must be done (with --find)
    #[arg(long, default_value_t = 0.99, requires = "find")]
    until: f64,
    /// Write report.html, result.json, run.json and tables into this folder
    #[arg(long, value_name = "FOLDER")]
    #[arg(conflicts_with_all = ["what_if", "find", "explain", "example", "from_site_csv"])]
    out: Option<PathBuf>,
    /// fluid, sampled or full [default: what the scenario says]
    #[arg(long)]
    fidelity: Option<String>,
    /// Threads [default: all processors]; results do not depend on it
    #[arg(long)]
    threads: Option<usize>,
    /// Refuse what is estimated to take more memory [default: half of what there is]
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<String>,
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
    let (file, text, scenario) = scenario(args, out)?;
    let quiet = |_: &str| {};
    let tell: &(dyn Fn(&str) + Sync) = if args.silent { &quiet } else { progress };
    let threads = args
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let most = memory(args)?;
    if args.explain.is_none() {
        tell(&admit(&scenario, &file, threads.max(1), most)?);
    }
    if !args.what_if.is_empty() {
        return what_if(
            args,
            (&file, &scenario),
            threads.max(1),
            (out, tell, progress),
        );
    }
    if let Some(site) = &args.explain {
        let only = (!site.is_empty()).then_some(site.as_str());
        show(out, &ask::limits(&scenario, &file, only)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(text) = &args.find {
        show(out, &find(args, text, (&scenario, &file), threads.max(1))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let wrong = |says: String| Problem::new("command line", says, "");
    // Before a run of hours, not after.
    if let Some(folder) = &args.out {
        folder::prepare(folder).map_err(wrong)?;
    }
    match plan(scenario, &file, threads.max(1), tell) {
        Ok(plan) => {
            let summary = summary(&plan);
            show(out, &table(&summary))?;
            if let Some(folder) = &args.out {
                report(folder, (&plan, &summary), &text, threads.max(1)).map_err(wrong)?;
                tell(&format!("report in {}", folder.display()));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Scenario(problem)) => Err(problem),
        Err(Failure::Beaten(beaten)) => {
            progress(&format!("error: {beaten}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The smallest value, or the shortest window, that is asked for.
fn find(
    args: &PlanArgs,
    text: &str,
    (scenario, file): (&Scenario, &str),
    threads: usize,
) -> Result<String, Problem> {
    let wrong = |says: String| Problem::new("command line", says, "");
    if !(args.until > 0.0 && args.until <= 1.0) {
        let says = format!("--until {} is no part: above 0, 1 at most", args.until);
        return Err(wrong(says));
    }
    let found = if let Some(range) = text.strip_prefix("window=") {
        let lengths = Lengths::parse(range).map_err(wrong)?;
        ask::window(scenario, file, (lengths, args.until), threads)
    } else {
        let search = Search::parse(text).map_err(wrong)?;
        ask::smallest(scenario, file, (&search, args.until), threads)
    };
    found.map_err(|failure| match failure {
        Failure::Scenario(problem) => problem,
        Failure::Beaten(beaten) => Problem::new(file, beaten.to_string(), ""),
    })
}

/// Bytes of memory that a plan may take.
fn memory(args: &PlanArgs) -> Result<f64, Problem> {
    let Some(text) = &args.max_memory else {
        return Ok(half_of_memory());
    };
    let size = quantity::size(text).map_err(|says| Problem::new("command line", says, ""))?;
    Ok(size as f64)
}

fn report(
    folder: &Path,
    (plan, summary): (&Plan, &Summary),
    text: &str,
    threads: usize,
) -> Result<(), String> {
    folder::write(folder, plan, summary, text)?;
    folder::write_run(folder, &Ran::now(plan, text, threads))
}

type Streams<'a> = (
    &'a mut dyn Write,
    &'a (dyn Fn(&str) + Sync),
    &'a (dyn Fn(&str) + Sync),
);

/// Runs every combination.
fn what_if(
    args: &PlanArgs,
    (file, scenario): (&str, &Scenario),
    threads: usize,
    (out, tell, progress): Streams<'_>,
) -> Result<ExitCode, Problem> {
    let wrong = |says: String| Problem::new("command line", says, "");
    let sweeps: Result<Vec<Sweep>, String> =
        args.what_if.iter().map(|text| Sweep::parse(text)).collect();
    let most = memory(args)?;
    let points = points(scenario, &sweeps.map_err(wrong)?).map_err(wrong)?;
    show(out, &head())?;
    for (name, scenario) in points {
        tell(&name);
        admit(&scenario, file, threads, most)?;
        match plan(scenario, file, threads, &|_| {}) {
            Ok(plan) => show(out, &lines(&name, &summary(&plan)))?,
            Err(Failure::Scenario(problem)) => return Err(problem),
            Err(Failure::Beaten(beaten)) => {
                progress(&format!("error: {beaten}"));
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Options of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// result.json of a plan
    before: PathBuf,
    /// result.json of another
    after: PathBuf,
    /// Fail if a figure differs by more than this, such as "5 %"
    #[arg(long, value_name = "PART")]
    fail_above: Option<String>,
}

/// Runs the command.
pub fn compare(args: &CompareArgs, out: &mut dyn Write, progress: &dyn Fn(&str)) -> ExitCode {
    let mut result = || -> Result<bool, String> {
        let most = args.fail_above.as_deref().map(compare::limit).transpose()?;
        let open = |path: &Path| compare::read(&path.to_string_lossy(), &read(path)?);
        let (before, after) = (open(&args.before)?, open(&args.after)?);
        let (text, good) = compare::table(&before, &after, most);
        out.write_all(text.as_bytes())
            .map_err(|error| error.to_string())?;
        Ok(good)
    };
    match result() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            progress(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

/// The scenario that the options mean, and the file for its errors.
fn scenario(args: &PlanArgs, out: &mut dyn Write) -> Result<(String, String, Scenario), Problem> {
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
    Ok((name, text, scenario))
}

fn read(path: &Path) -> Result<String, String> {
    let bytes = capped::read(path, TEXT_LEN_MAX)?;
    String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))
}

fn show(out: &mut dyn Write, text: &str) -> Result<(), Problem> {
    let written = out.write_all(text.as_bytes());
    written.map_err(|error| Problem::new("standard output", error.to_string(), ""))
}
