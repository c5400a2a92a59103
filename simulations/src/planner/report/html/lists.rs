//! Tables of single sites, and of the releases of a plan.

use crate::planner::report::html::axis::{escape, put};
use crate::planner::report::summary::{PolicySummary, SiteSummary, Summary};
use crate::planner::report::text::{bytes, time};

/// Sites that are listed for each policy.
const LISTED_MAX: usize = 25;

/// Sites that miss the deadline, and why.
pub fn late(policy: &PolicySummary) -> String {
    let mut sites: Vec<&SiteSummary> = policy
        .by_site
        .iter()
        .filter(|site| site.late.is_some())
        .collect();
    if sites.is_empty() {
        return String::new();
    }
    let end = |site: &SiteSummary| site.last.unwrap_or(f64::INFINITY);
    sites.sort_by(|a, b| end(b).total_cmp(&end(a)).then(a.site.cmp(&b.site)));
    let mut out = format!(
        "<details><summary>{}: {} sites with late endpoints{}</summary><div class='scroll'><table>\
         <thead><tr><th>site</th><th>last</th><th>possible</th><th>WAN</th><th>least</th>\
         <th class='text'>why</th></tr></thead><tbody>",
        escape(&policy.policy),
        sites.len(),
        more(sites.len(), "latest")
    );
    for site in sites.into_iter().take(LISTED_MAX) {
        put(
            &mut out,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
                 <td class='text'>{}</td>\
             </tr>",
                escape(&site.site),
                time(end(site)),
                time(site.bound),
                bytes(site.wan_down),
                bytes(site.wan_minimum),
                escape(site.late.as_deref().unwrap_or_default())
            ),
        );
    }
    out.push_str("</tbody></table></div></details>");
    out
}

/// Sites that take more than their quota, the worst first.
pub fn over(policy: &PolicySummary) -> String {
    let mut sites: Vec<&SiteSummary> = policy.by_site.iter().collect();
    sites.retain(|site| site.over_quota > 0.0);
    if sites.is_empty() {
        return String::new();
    }
    sites.sort_by(|a, b| {
        let worst = b.over_quota.total_cmp(&a.over_quota);
        worst.then(a.site.cmp(&b.site))
    });
    let mut out = format!(
        "<details><summary>{}: {} sites, {} above in all{}</summary><div class='scroll'><table>\
         <thead><tr><th>site</th><th>WAN</th><th>above</th></tr></thead><tbody>",
        escape(&policy.policy),
        sites.len(),
        bytes(policy.over_quota_bytes),
        more(sites.len(), "worst")
    );
    for site in sites.into_iter().take(LISTED_MAX) {
        put(
            &mut out,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&site.site),
                bytes(site.wan_down),
                bytes(site.over_quota)
            ),
        );
    }
    out.push_str("</tbody></table></div></details>");
    out
}

/// Says that a list is cut.
fn more(count: usize, which: &str) -> String {
    if count > LISTED_MAX {
        format!(", the {which} {LISTED_MAX}")
    } else {
        String::new()
    }
}

/// The same plan with one release only, for each of several.
pub fn by_release(summary: &Summary) -> Vec<Summary> {
    let Some(first) = summary.policies.first() else {
        return Vec::new();
    };
    let of_one = |at: usize| {
        let each = summary.policies.iter();
        each.map(|policy| policy.releases[at].figures.clone())
            .collect()
    };
    let all = first.releases.iter().enumerate();
    all.map(|(at, release)| Summary {
        release: release.release.clone(),
        size: release.size,
        deadline: release.deadline,
        policies: of_one(at),
        notes: Vec::new(),
        scenario: summary.scenario.clone(),
        currency: summary.currency.clone(),
        schema: summary.schema.clone(),
        ..*summary
    })
    .collect()
}

/// Each of several releases, by policy.
pub fn releases(summary: &Summary) -> String {
    if summary
        .policies
        .iter()
        .all(|policy| policy.releases.is_empty())
    {
        return String::new();
    }
    let mut out = String::from(
        "<h2>Releases</h2><div class='scroll'><table><thead><tr><th>policy</th>\
         <th class='text'>release</th><th>out</th><th>WAN</th><th>least</th><th>copies</th>\
         <th>50 %</th><th>95 %</th><th>100 %</th><th>T*</th><th>due</th><th>in time</th>\
         </tr></thead><tbody>",
    );
    for policy in &summary.policies {
        for release in &policy.releases {
            let one = &release.figures;
            let done = |at: usize| time(one.done[at].unwrap_or(f64::INFINITY));
            let none = || "-".to_owned();
            let share = one.on_time.map(|share| format!("{:.1} %", share * 100.0));
            let cells = [
                time(release.at),
                bytes(one.wan_down),
                bytes(one.wan_minimum),
                format!("{:.3}", one.copies[0]),
                done(0),
                done(2),
                done(3),
                time(one.bound),
                release.deadline.map_or_else(none, time),
                share.unwrap_or_else(none),
            ];
            let (name, label) = (escape(&release.release), escape(&policy.policy));
            put(
                &mut out,
                format_args!("<tr><td>{label}</td><td class='name'>{name}</td>"),
            );
            for cell in cells {
                put(&mut out, format_args!("<td>{cell}</td>"));
            }
            out.push_str("</tr>");
        }
    }
    out.push_str("</tbody></table></div>");
    out
}
