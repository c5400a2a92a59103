//! What if: the same plan with one thing changed, for every combination.

use std::fmt::Write as _;

use crate::planner::problem::nearest;
use crate::planner::quantity as q;
use crate::planner::report::summary::Summary;
use crate::planner::report::text::{bytes, digits, time};
use crate::planner::scenario::model::{Release, Scenario};

/// Most combinations.
pub const POINTS_MAX: usize = 1000;
/// What may be changed.
const KEYS: [&str; 9] = [
    "deadline",
    "endpoints",
    "origin",
    "ring",
    "share",
    "size",
    "wan",
    "wan-up",
    "window",
];

/// One thing with its values, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    key: String,
    values: Vec<String>,
}

impl Sweep {
    /// From `wan=10mbit,50mbit`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no sweep; write it like `wan=10mbit,50mbit`");
        let (key, values) = text.split_once('=').ok_or_else(wrong)?;
        if !KEYS.contains(&key) {
            let near = nearest(key, &KEYS);
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            return Err(format!(
                "nothing to sweep is called `{key}`: {near}{}",
                KEYS.join(", ")
            ));
        }
        let values: Vec<String> = values
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        if values.iter().any(String::is_empty) {
            return Err(wrong());
        }
        Ok(Self {
            key: key.to_owned(),
            values,
        })
    }
}

/// All combinations: their names, and the changed scenarios.
pub fn points(scenario: &Scenario, sweeps: &[Sweep]) -> Result<Vec<(String, Scenario)>, String> {
    let count = sweeps
        .iter()
        .map(|sweep| sweep.values.len())
        .product::<usize>();
    if count > POINTS_MAX {
        return Err(format!("{count} combinations, at most {POINTS_MAX}"));
    }
    let mut points = vec![(String::new(), scenario.clone())];
    for sweep in sweeps {
        let mut next = Vec::new();
        for (name, scenario) in &points {
            for value in &sweep.values {
                let mut changed = scenario.clone();
                change(&mut changed, &sweep.key, value)?;
                let comma = if name.is_empty() { "" } else { ", " };
                next.push((format!("{name}{comma}{}={value}", sweep.key), changed));
            }
        }
        points = next;
    }
    Ok(points)
}

/// Changes every release.
fn each(scenario: &mut Scenario, change: impl Fn(&mut Release)) {
    scenario.releases.iter_mut().for_each(change);
}

fn change(scenario: &mut Scenario, key: &str, value: &str) -> Result<(), String> {
    match key {
        "wan" | "wan-up" => {
            let rate = q::rate(value)?;
            let classes = scenario
                .site_classes
                .iter_mut()
                .map(|class| &mut class.line);
            for line in classes.chain(scenario.sites.iter_mut().map(|site| &mut site.line)) {
                if key == "wan" {
                    line.down = rate;
                } else {
                    line.up = rate;
                }
            }
        }
        "origin" => scenario.origin.uplink = q::rate(value)?,
        "size" => {
            let size = q::size(value)?;
            each(scenario, |release| release.size = size);
        }
        "deadline" => {
            let deadline = Some(q::duration(value)?);
            each(scenario, |release| release.deadline = deadline);
        }
        "ring" => {
            let at = q::duration(value)?;
            let out = scenario.releases.iter().map(|release| release.at);
            if out.fold(at, |last, out| last.max(out + at)) >= scenario.horizon {
                return Err(format!("ring={value} begins after the horizon"));
            }
            each(scenario, |release| {
                if let Some(last) = release.rings.last_mut() {
                    last.at = at;
                }
            });
        }
        "window" => {
            let window = Some(q::hours(value)?);
            for class in &mut scenario.site_classes {
                class.limit.window = window;
            }
        }
        "share" => {
            let share = part(value)?;
            for class in &mut scenario.site_classes {
                class.limit.share = share;
            }
        }
        _ => {
            let count: Option<u32> = value
                .parse()
                .ok()
                .filter(|count| (1..=20_000).contains(count));
            let count = count.ok_or_else(|| format!("`{value}` is no number of endpoints"))?;
            for class in &mut scenario.site_classes {
                class.endpoints.min = count;
                class.endpoints.median = count;
                class.endpoints.max = count;
            }
            for site in &mut scenario.sites {
                site.endpoints = Some(count);
            }
        }
    }
    Ok(())
}

fn part(value: &str) -> Result<f64, String> {
    let share = value.parse().ok();
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("`{value}` is no share from 0 to 1"))
}

/// The head of the table of points.
pub fn head() -> String {
    format!(
        "{:<28} {:<17} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9} {:>11}\n",
        "WHAT IF", "POLICY", "WAN", "MINIMUM", "COPIES", "95 %", "100 %", "T*", "IN TIME", "COST"
    )
}

/// One point.
pub fn lines(name: &str, summary: &Summary) -> String {
    let mut out = String::new();
    for policy in &summary.policies {
        let done = |at: usize| time(policy.done[at].unwrap_or(f64::INFINITY));
        let share = policy.on_time;
        let cost = policy.cost;
        // Writing to a text cannot fail.
        writeln!(
            out,
            "{name:<28} {:<17} {:>9} {:>9} {:>7.3} {:>9} {:>9} {:>9} {:>9} {:>11}",
            policy.policy,
            bytes(policy.wan_down),
            bytes(policy.wan_minimum),
            policy.copies[0],
            done(2),
            done(3),
            time(policy.bound),
            share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0)),
            cost.map_or_else(
                || "not given".to_owned(),
                |cost| format!("{} {}", digits(cost), summary.currency)
            ),
        )
        .unwrap_or_default();
    }
    out
}
