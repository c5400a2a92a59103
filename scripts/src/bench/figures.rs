//! What a bench run left behind, as one table: each figure beside the limit of
//! its group, as a ratio of two times of the same run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// Start of the name of what nobody can be faster than.
const LIMIT: &str = "limit: ";

/// One measured function.
struct Figure {
    group: String,
    name: String,
    /// Parameter; empty for none.
    value: String,
    nanos: f64,
    /// Bytes of one call; 0 where bytes are not the point.
    bytes: f64,
}

/// Prints every figure below this folder.
pub(crate) fn print(home: &Path) -> Result<()> {
    let mut figures = Vec::new();
    collect(home, &mut figures)?;
    figures.sort_by(|a, b| {
        let limit = |figure: &Figure| !figure.name.starts_with(LIMIT);
        (&a.group, &a.value, limit(a), &a.name).cmp(&(&b.group, &b.value, limit(b), &b.name))
    });
    println!("\n{:>12}  {:>10}  {:>8}  what", "time", "MB/s", "x limit");
    let mut last = String::new();
    for figure in &figures {
        if last != figure.group {
            println!("{}", figure.group);
            last.clone_from(&figure.group);
        }
        let limit = figures.iter().find(|other| {
            other.name.starts_with(LIMIT)
                && (&other.group, &other.value) == (&figure.group, &figure.value)
        });
        let ratio = limit.map_or(String::new(), |limit| {
            format!("{:.2}", figure.nanos / limit.nanos)
        });
        let rate = if figure.bytes > 0.0 {
            format!("{:.0}", figure.bytes * 1e3 / figure.nanos)
        } else {
            String::new()
        };
        let name = format!("{} {}", figure.name, figure.value);
        let name = name.trim_end();
        println!("{:>12}  {rate:>10}  {ratio:>8}  {name}", time(figure.nanos));
    }
    Ok(())
}

fn collect(folder: &Path, figures: &mut Vec<Figure>) -> Result<()> {
    let failed = || format!("failed to read {}", folder.display());
    let about = folder.join("benchmark.json");
    if folder.file_name().is_some_and(|name| name == "new") && about.is_file() {
        figures.push(figure(
            &read(&about)?,
            &read(&folder.join("estimates.json"))?,
        )?);
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path: PathBuf = entry.with_context(failed)?.path();
        if path.is_dir() {
            collect(&path, figures)?;
        }
    }
    Ok(())
}

fn figure(about: &Value, estimates: &Value) -> Result<Figure> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Figure {
        group: text(&about["group_id"]),
        name: text(&about["function_id"]),
        value: text(&about["value_str"]),
        nanos: estimates["median"]["point_estimate"]
            .as_f64()
            .context("a bench without a median")?,
        bytes: about["throughput"]["Bytes"].as_f64().unwrap_or(0.0),
    })
}

fn read(path: &Path) -> Result<Value> {
    let failed = || format!("failed to read {}", path.display());
    let bytes = fs::read(path).with_context(failed)?;
    serde_json::from_slice(&bytes).with_context(failed)
}

fn time(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        1e3..1e6 => format!("{:.1} us", nanos / 1e3),
        1e6..1e9 => format!("{:.1} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}
