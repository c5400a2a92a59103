//! The folder of a report: `result.json`, `sites.csv`, `series.csv`,
//! `report.html`, and `run.json` beside them.

use std::path::Path;

use crate::planner::report::csv;
use crate::planner::report::html::page::page;
use crate::planner::report::ran::Ran;
use crate::planner::report::summary::Summary;
use crate::planner::run::Plan;

/// Names of the files, in the order in which they are written.
pub const FILES: [&str; 4] = ["result.json", "sites.csv", "series.csv", "report.html"];

/// Makes the folder, and tries whether a file can be written there.
pub fn prepare(folder: &Path) -> Result<(), String> {
    let wrong = |error| format!("failed to write into {}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(wrong)?;
    let trial = folder.join(".patchmesh-sim");
    std::fs::write(&trial, "").map_err(wrong)?;
    std::fs::remove_file(&trial).map_err(wrong)
}

/// Writes `run.json`: it differs from run to run, unlike the other files.
pub fn write_run(folder: &Path, ran: &Ran) -> Result<(), String> {
    let path = folder.join("run.json");
    let json = serde_json::to_string_pretty(ran).map_err(|error| error.to_string())?;
    std::fs::write(&path, json)
        .map_err(|error| format!("failed to write {}: {error}", path.display()))
}

/// Writes all files into a folder that is there; `scenario` is the text that the plan was
/// read from.
pub fn write(folder: &Path, plan: &Plan, summary: &Summary, scenario: &str) -> Result<(), String> {
    let json = serde_json::to_string_pretty(summary).map_err(|error| error.to_string())?;
    let sites = csv::sites(summary).map_err(|error| error.to_string())?;
    let series = csv::series(plan).map_err(|error| error.to_string())?;
    let texts = [json, sites, series, page(plan, summary, scenario)];
    for (name, text) in FILES.iter().zip(texts) {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .map_err(|error| format!("failed to write {}: {error}", path.display()))?;
    }
    Ok(())
}
