//! The table on the terminal.

use std::fmt::Write as _;

use crate::planner::report::summary::{PolicySummary, Summary};
use crate::planner::report::text::{bytes, digits, time};

/// Sites that are listed at most.
const SITES_MAX: usize = 10;
/// Sites above their quota that are named in a line.
const OVER_MAX: usize = 5;

/// All of it.
pub fn table(summary: &Summary) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    write(&mut out, summary).unwrap_or_default();
    out
}

fn write(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let size = bytes(summary.size as f64);
    writeln!(
        out,
        "{}: release {} of {size} to {} endpoints in {} sites{}",
        summary.scenario,
        summary.release,
        summary.endpoints,
        summary.sites,
        if summary.absent > 0 {
            format!(" ({} more are never on)", summary.absent)
        } else {
            String::new()
        },
    )?;
    writeln!(
        out,
        "{:<17} {:>9} {:>9} {:>13} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>10}",
        "POLICY",
        "WAN",
        "MINIMUM",
        "COPIES (MOST)",
        "50 %",
        "90 %",
        "95 %",
        "100 %",
        "T*",
        "x T*",
        "COST"
    )?;
    for policy in &summary.policies {
        out.push_str(&line(summary, policy));
    }
    if let Some(deadline) = summary.deadline {
        let several = summary.policies.iter().any(|way| !way.releases.is_empty());
        let each = if several { ", and those before it" } else { "" };
        writeln!(out, "\nDeadline {}{each}:", time(deadline))?;
        for policy in &summary.policies {
            let share = policy.on_time.unwrap_or(0.0) * 100.0;
            writeln!(
                out,
                "{:<17} {share:>6.2} % of endpoints in time, {} sites with late ones",
                policy.policy, policy.late_sites
            )?;
        }
    }
    releases(out, summary)?;
    if summary.policies.iter().any(|policy| policy.over_quota > 0) {
        writeln!(out, "\nAbove the monthly quota:")?;
    }
    for policy in summary.policies.iter().filter(|way| way.over_quota > 0) {
        writeln!(
            out,
            "{:<17} {} sites by {} in all: {}",
            policy.policy,
            policy.over_quota,
            bytes(policy.over_quota_bytes),
            over(policy)
        )?;
    }
    if let Some(policy) = summary.policies.last() {
        late(out, policy)?;
    }
    for note in &summary.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// Each of several releases, by policy.
fn releases(out: &mut String, summary: &Summary) -> std::fmt::Result {
    if summary
        .policies
        .iter()
        .all(|policy| policy.releases.is_empty())
    {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:<17} {:<15} {:>7} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "POLICY",
        "RELEASE",
        "OUT",
        "WAN",
        "MINIMUM",
        "COPIES",
        "50 %",
        "95 %",
        "100 %",
        "T*",
        "DUE",
        "IN TIME"
    )?;
    let done = |at: Option<f64>| time(at.unwrap_or(f64::INFINITY));
    for policy in &summary.policies {
        for release in &policy.releases {
            let one = &release.figures;
            let share = one.on_time.map(|share| format!("{:.2} %", share * 100.0));
            writeln!(
                out,
                "{:<17} {:<15} {:>7} {:>9} {:>9} {:>7.3} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
                policy.policy,
                release.release,
                time(release.at),
                bytes(one.wan_down),
                bytes(one.wan_minimum),
                one.copies[0],
                done(one.done[0]),
                done(one.done[2]),
                done(one.done[3]),
                time(one.bound),
                release.deadline.map_or_else(|| "-".to_owned(), time),
                share.unwrap_or_else(|| "-".to_owned()),
            )?;
        }
    }
    Ok(())
}

fn line(summary: &Summary, policy: &PolicySummary) -> String {
    let done = |at: Option<f64>| time(at.unwrap_or(f64::INFINITY));
    let times = policy.done[3].map_or_else(
        || "-".to_owned(),
        |end| format!("{:.3}", end / policy.bound),
    );
    let cost = policy.cost.map_or_else(
        || "not given".to_owned(),
        |cost| format!("{} {}", digits(cost), summary.currency),
    );
    format!(
        "{:<17} {:>9} {:>9} {:>13} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>10}{}\n",
        policy.policy,
        bytes(policy.wan_down),
        bytes(policy.wan_minimum),
        format!("{:.3} ({:.2})", policy.copies[0], policy.copies[1]),
        done(policy.done[0]),
        done(policy.done[1]),
        done(policy.done[2]),
        done(policy.done[3]),
        time(policy.bound),
        times,
        cost,
        policy
            .cost_note
            .as_ref()
            .map_or_else(String::new, |note| format!(" ({note})")),
    )
}

/// The sites above their quota, the worst first, some by name.
fn over(policy: &PolicySummary) -> String {
    let mut sites: Vec<_> = policy.by_site.iter().collect();
    sites.retain(|site| site.over_quota > 0.0);
    sites.sort_by(|a, b| {
        let worst = b.over_quota.total_cmp(&a.over_quota);
        worst.then(a.site.cmp(&b.site))
    });
    let named = sites.iter().take(OVER_MAX);
    let mut named: Vec<String> = named
        .map(|site| format!("{} {}", site.site, bytes(site.over_quota)))
        .collect();
    if sites.len() > OVER_MAX {
        named.push(format!("{} more (sites.csv)", sites.len() - OVER_MAX));
    }
    named.join(", ")
}

/// The last policy's sites that are late, worst first.
fn late(out: &mut String, policy: &PolicySummary) -> std::fmt::Result {
    let mut sites: Vec<_> = policy
        .by_site
        .iter()
        .filter(|site| site.late.is_some())
        .collect();
    if sites.is_empty() {
        return Ok(());
    }
    let end = |last: Option<f64>| last.unwrap_or(f64::INFINITY);
    sites.sort_by(|a, b| {
        end(b.last)
            .total_cmp(&end(a.last))
            .then(a.site.cmp(&b.site))
    });
    writeln!(
        out,
        "\nLate sites with {} ({} in all):",
        policy.policy,
        sites.len()
    )?;
    for site in sites.iter().take(SITES_MAX) {
        writeln!(
            out,
            "  {:<22} last {:>9}, possible {:>9}  {}",
            site.site,
            time(end(site.last)),
            time(site.bound),
            site.late.as_deref().unwrap_or_default()
        )?;
    }
    Ok(())
}
