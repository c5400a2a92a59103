//! The same rollouts in the laboratory, with real daemons, and in the planner:
//! how far are they apart?

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::step::{cargo, run};

/// Headers for each byte of a chunk, as the laboratory counts frames.
const FRAMING: f64 = 0.052;

/// A rollout: its name, and what the laboratory is told.
const CASES: [(&str, &[(&str, &str)]); 7] = [
    ("two sites, 32 MiB", &[("SIZE", "32MiB")]),
    ("two sites, 64 MiB", &[("SIZE", "64MiB")]),
    (
        "two killed in each, 64 MiB",
        &[("SIZE", "64MiB"), ("KILL", "1")],
    ),
    (
        "one site at 10 Mbit/s, 32 MiB",
        &[("SIZE", "32MiB"), ("SLOW", "10mbit")],
    ),
    (
        "two of five 8 s late, 32 MiB",
        &[("SIZE", "32MiB"), ("LATE", "2"), ("LATE_AT", "8")],
    ),
    (
        "eight sites, origin at 40 Mbit/s, 16 MiB",
        &[
            ("SITES", "8"),
            ("NODES", "3"),
            ("SIZE", "16MiB"),
            ("ORIGIN", "40mbit"),
        ],
    ),
    (
        "one site of sixteen, 32 MiB",
        &[("SITES", "1"), ("NODES", "16"), ("SIZE", "32MiB")],
    ),
];

/// Figures of a rollout: bytes of chunks over all lines, and seconds until half
/// and all of the endpoints that live held everything.
#[derive(Debug, Clone, Copy)]
struct Figures {
    bytes: f64,
    half: f64,
    all: f64,
}

/// Runs the cases whose name holds `part`, all without; prints a table of errors.
pub(crate) fn calibrate(top: &Path, part: &str) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("patchmesh-calibrate-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let table = compared(top, part, &folder);
    let removed = fs::remove_dir_all(&folder);
    let table = table?;
    removed?;
    println!("\nMB and seconds; error of the prediction over the laboratory's figure\n\n{table}");
    Ok(())
}

fn compared(top: &Path, part: &str, folder: &Path) -> Result<String> {
    let mut table = String::from(
        "| Rollout | WAN bytes, lab | predicted | error | half, lab | predicted | error | last, \
         lab | predicted | error |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, pairs) in CASES.iter().filter(|(name, _)| name.contains(part)) {
        let document = measure(top, pairs, &folder.join("lab.json"))?;
        let real = measured(&document)?;
        let text = scenario(&document)?;
        let planned = planned(top, &text, folder)?;
        let cell = |real: f64, planned: f64, unit: f64| {
            let error = (planned - real) / real * 100.0;
            format!("{:.1} | {:.1} | {error:+.1} %", real / unit, planned / unit)
        };
        writeln!(
            table,
            "| {name} | {} | {} | {} |",
            cell(real.bytes, planned.bytes, 1e6),
            cell(real.half, planned.half, 1.0),
            cell(real.all, planned.all, 1.0),
        )?;
    }
    Ok(table)
}

/// A run of the laboratory.
fn measure(top: &Path, pairs: &[(&str, &str)], out: &Path) -> Result<Value> {
    let words = ["test", "--package", "patchmesh-tests", "--test", "lab"];
    let mut command = cargo(top, &words);
    command.args(["--", "--nocapture", "--include-ignored"]);
    command.envs([("SITES", "2"), ("NODES", "5"), ("PATCHMESH_NO_SKIP", "1")]);
    command.envs(pairs.iter().copied()).env("OUT", out);
    run(&mut command)?;
    let text = fs::read_to_string(out).context("the laboratory wrote nothing")?;
    Ok(serde_json::from_str(&text)?)
}

fn number(value: &Value, path: &str) -> Result<f64> {
    let found = value.pointer(path).and_then(Value::as_f64);
    found.with_context(|| format!("no number at {path}"))
}

fn list<'a>(value: &'a Value, path: &str) -> Result<&'a [Value]> {
    let found = value.pointer(path).and_then(Value::as_array);
    Ok(found.with_context(|| format!("no list at {path}"))?)
}

fn measured(document: &Value) -> Result<Figures> {
    let nodes = list(document, "/runs/0/nodes")?;
    let seconds = |node: &Value| node["held_secs"].as_f64().unwrap_or(f64::INFINITY);
    let mut ends: Vec<f64> = nodes.iter().map(seconds).collect();
    ends.sort_by(f64::total_cmp);
    let bytes = nodes.iter().map(|node| number(node, "/wan_payload_bytes"));
    let last = ends.iter().rev().find(|end| end.is_finite());
    Ok(Figures {
        bytes: bytes.sum::<Result<f64>>()?,
        half: ends[ends.len().div_ceil(2) - 1],
        all: *last.context("nobody held everything")?,
    })
}

/// What the laboratory did, as a scenario. Kills are inputs: who is killed and when
/// is the laboratory's choice.
fn scenario(document: &Value) -> Result<String> {
    let bits = |name: &str| number(document, &format!("/parameters/{name}"));
    let count = |name: &str| {
        let found = document.pointer(&format!("/parameters/{name}"));
        let found = found.and_then(Value::as_u64);
        found.with_context(|| format!("no count {name}"))
    };
    let (sites, nodes) = (count("sites")?, count("nodes")?);
    let (down, up) = (bits("wan_down_bits")?, bits("wan_up_bits")?);
    let (slow, late) = (bits("slow_down_bits")?, count("late")?);
    let mut text = format!(
        "schema = 1\n\
         scenario = {{ name = \"lab\", seed = 1, start = \"2026-12-07T09:00\", horizon = \"1h\", \
         fidelity = \"full\", unit = \"128 KiB\", framing = {FRAMING} }}\n\
         origin = {{ uplink = \"{} bit/s\" }}\n\
         policy = [{{ kind = \"patchmesh\" }}]\n\
         [[release]]\nname = \"r\"\nsize = \"{} B\"\n",
        bits("origin_bits")?,
        number(document, "/runs/0/wire_bytes")?,
    );
    for site in 1..=sites {
        let down = if site == 1 { slow } else { down };
        write!(
            text,
            "[[site_class]]\nname = \"s{site}\"\ncount = 1\nendpoints = {nodes}\n\
             wan = {{ down = \"{down} bit/s\", up = \"{up} bit/s\", rtt = \"1 ms\" }}\n\
             lan = {{ nic = \"10 Gbit/s\", fabric = \"100 Gbit/s\" }}\n"
        )?;
    }
    let mut off = |site: u64, count: u64, from: f64, long: Option<f64>| {
        let long = long.map_or_else(String::new, |long| format!("for = \"{long} s\"\n"));
        write!(
            text,
            "[[fault]]\nkind = \"off\"\nsites = [\"s{site}\"]\nendpoints = {count}\n\
             at = \"{from} s\"\n{long}"
        )
    };
    for site in 1..=sites {
        if late > 0 {
            off(site, late, 0.0, Some(bits("late_at_secs")?))?;
        }
        let nodes = list(document, "/runs/0/nodes")?.iter();
        let killed = nodes.filter(|node| node["site"] == site);
        let mut killed: Vec<f64> = killed
            .filter_map(|node| node["killed_secs"].as_f64())
            .collect();
        killed.sort_by(f64::total_cmp);
        for (count, at) in (1..).zip(killed) {
            off(site, count, at, None)?;
        }
    }
    Ok(text)
}

fn planned(top: &Path, text: &str, folder: &Path) -> Result<Figures> {
    let file = folder.join("scenario.toml");
    fs::write(&file, text)?;
    let words = [
        "run",
        "--quiet",
        "--bin",
        "patchmesh-sim",
        "--",
        "plan",
        "--silent",
    ];
    run(cargo(top, &words).arg(&file).arg("--out").arg(folder))?;
    let result: Value = serde_json::from_str(&fs::read_to_string(folder.join("result.json"))?)?;
    let policy = result.pointer("/policies/0").context("no policy")?;
    let curve = list(policy, "/curve")?.iter().filter_map(Value::as_f64);
    let figures = Figures {
        bytes: number(policy, "/wan_down")?,
        half: number(policy, "/done/0")?,
        all: curve.fold(0.0, f64::max),
    };
    ensure!(figures.all > 0.0, "nobody ends in the plan");
    Ok(figures)
}
