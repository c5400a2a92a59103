//! Tables for spreadsheets: sites, and hours.

use crate::planner::report::summary::{PolicySummary, Summary, used};
use crate::planner::run::Plan;

/// One line for each policy, release and site.
pub fn sites(summary: &Summary) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "policy",
        "release",
        "site",
        "class",
        "endpoints",
        "wan_down_bytes",
        "minimum_bytes",
        "copies",
        "half_s",
        "last_s",
        "bound_s",
        "peak_share",
        "limiter",
        "late",
        "over_quota_bytes",
    ])?;
    let time = |at: Option<f64>| at.map_or_else(|| "never".to_owned(), |at| format!("{at:.3}"));
    for (release, policy) in each_release(summary) {
        for site in &policy.by_site {
            writer.write_record([
                policy.policy.clone(),
                release.to_owned(),
                site.site.clone(),
                site.class.clone(),
                site.endpoints.to_string(),
                format!("{:.0}", site.wan_down),
                format!("{:.0}", site.wan_minimum),
                format!("{:.4}", site.copies),
                time(site.half),
                time(site.last),
                format!("{:.3}", site.bound),
                format!("{:.4}", site.peak),
                site.limiter.clone(),
                site.late.clone().unwrap_or_default(),
                format!("{:.0}", site.over_quota),
            ])?;
        }
    }
    finish(writer)
}

/// Every policy with each of its releases.
fn each_release(summary: &Summary) -> Vec<(&str, &PolicySummary)> {
    let mut all = Vec::new();
    for policy in &summary.policies {
        let each = policy.releases.iter();
        all.extend(each.map(|release| (release.release.as_str(), &release.figures)));
        if policy.releases.is_empty() {
            all.push((summary.release.as_str(), policy));
        }
    }
    all
}

/// One line for each policy, site and hour in which something moved; of several
/// releases all together.
pub fn series(plan: &Plan) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["policy", "site", "hour", "bytes", "share", "others_share"])?;
    for entry in &plan.entries {
        for (site, run) in plan.world.sites.iter().zip(&entry.run.sites) {
            for (hour, bytes) in run
                .hours
                .iter()
                .enumerate()
                .filter(|(_, bytes)| **bytes > 0.0)
            {
                let (own, others) = used(site, run, hour);
                writer.write_record([
                    entry.run.label.clone(),
                    site.id.clone(),
                    hour.to_string(),
                    format!("{bytes:.0}"),
                    format!("{own:.4}"),
                    format!("{others:.4}"),
                ])?;
            }
        }
    }
    finish(writer)
}

fn finish(writer: csv::Writer<Vec<u8>>) -> Result<String, csv::Error> {
    let bytes = writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
