//! `compare`: what differs between two results, and whether that is too much.

use std::fmt::Write as _;

use crate::planner::report::summary::{PolicySummary, ReleaseSummary, SCHEMA, Summary};
use crate::planner::report::text::{bytes, time};

/// Largest result that is read.
pub const RESULT_LEN_MAX: usize = 256 << 20;

/// A figure of a policy in both results.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Policy.
    pub policy: String,
    /// Figure.
    pub figure: &'static str,
    /// In the first result; infinite for never.
    pub before: f64,
    /// In the second.
    pub after: f64,
}

impl Difference {
    /// Relative change; infinite where one is zero or never and the other not.
    pub fn relative(&self) -> f64 {
        if self.before.to_bits() == self.after.to_bits() {
            0.0
        } else if self.before.is_finite() && self.after.is_finite() && self.before > 0.0 {
            self.after / self.before - 1.0
        } else {
            f64::INFINITY
        }
    }

    fn shown(&self, value: f64) -> String {
        match self.figure {
            "copies" => format!("{value:.3}"),
            "late sites" => format!("{value:.0}"),
            "cost" => format!("{value:.2}"),
            figure if figure.ends_with("bytes") => bytes(value),
            _ => time(value),
        }
    }
}

/// Reads a result.
pub fn read(file: &str, text: &str) -> Result<Summary, String> {
    if text.len() > RESULT_LEN_MAX {
        return Err(format!("{file} is longer than 256 MiB"));
    }
    let summary: Summary = serde_json::from_str(text)
        .map_err(|error| format!("{file} is no result of `plan --out`: {error}"))?;
    if summary.schema != SCHEMA {
        return Err(format!(
            "{file} has schema {}, this program knows {SCHEMA}",
            summary.schema
        ));
    }
    Ok(summary)
}

/// Differences of all policies that both have.
pub fn differences(before: &Summary, after: &Summary) -> Vec<Difference> {
    let mut all = Vec::new();
    for one in &before.policies {
        let Some(other) = after
            .policies
            .iter()
            .find(|other| other.policy == one.policy)
        else {
            continue;
        };
        all.extend(pairs(&one.policy, one, other));
        for release in &one.releases {
            let same = |other: &&ReleaseSummary| other.release == release.release;
            if let Some(other) = other.releases.iter().find(same) {
                let name = format!("{}, {}", one.policy, release.release);
                all.extend(pairs(&name, &release.figures, &other.figures));
            }
        }
    }
    all
}

fn pairs(name: &str, before: &PolicySummary, after: &PolicySummary) -> Vec<Difference> {
    let both = figures(before).into_iter().zip(figures(after));
    let pair = |((figure, before), (_, after))| Difference {
        policy: name.to_owned(),
        figure,
        before,
        after,
    };
    both.map(pair).collect()
}

fn figures(policy: &PolicySummary) -> Vec<(&'static str, f64)> {
    let never = |at: Option<f64>| at.unwrap_or(f64::INFINITY);
    vec![
        ("WAN bytes", policy.wan_down),
        ("copies", policy.copies[0]),
        ("50 %", never(policy.done[0])),
        ("95 %", never(policy.done[2])),
        ("100 %", never(policy.done[3])),
        ("late sites", policy.late_sites as f64),
        ("cost", policy.cost.unwrap_or(0.0)),
    ]
}

/// The table, and whether nothing differs by more than `most` (a part of one).
pub fn table(before: &Summary, after: &Summary, most: Option<f64>) -> (String, bool) {
    let all = differences(before, after);
    let mut out = format!(
        "{:<17} {:<11} {:>12} {:>12} {:>10}\n",
        "POLICY", "FIGURE", "BEFORE", "AFTER", "CHANGE"
    );
    let mut good = !all.is_empty();
    if all.is_empty() {
        out.push_str("the results have no policy in common\n");
    }
    for difference in all {
        let relative = difference.relative();
        let above = most.is_some_and(|most| relative.abs() > most);
        good &= !above;
        let change = if relative.is_infinite() {
            "not comparable".to_owned()
        } else {
            format!("{:+.2} %", relative * 100.0)
        };
        // Writing to a text cannot fail.
        writeln!(
            out,
            "{:<17} {:<11} {:>12} {:>12} {change:>10}{}",
            difference.policy,
            difference.figure,
            difference.shown(difference.before),
            difference.shown(difference.after),
            if above { "  too much" } else { "" }
        )
        .unwrap_or_default();
    }
    (out, good)
}

/// A part of one from `5 %` or `0.05`.
pub fn limit(text: &str) -> Result<f64, String> {
    let (number, scale) = text
        .trim()
        .strip_suffix('%')
        .map_or_else(|| (text.trim(), 1.0), |number| (number.trim(), 0.01));
    let limit: Option<f64> = number.parse().ok();
    let limit = limit.filter(|limit| *limit >= 0.0 && limit.is_finite());
    limit
        .map(|limit| limit * scale)
        .ok_or_else(|| format!("`{text}` is no limit; write it like \"5 %\""))
}
