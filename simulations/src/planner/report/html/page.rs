//! The page around the plots: what was asked, the answer, tables, notes.

use crate::planner::report::html::axis::{escape, put};
use crate::planner::report::html::charts::{by_site, completion, times, wan};
use crate::planner::report::html::heat::heat;
use crate::planner::report::html::lists::{by_release, late, over, releases};
use crate::planner::report::html::style::STYLE;
use crate::planner::report::summary::{PolicySummary, Summary};
use crate::planner::report::text::{bytes, digits, time};
use crate::planner::run::Plan;

/// The whole page.
pub fn page(plan: &Plan, summary: &Summary, scenario: &str) -> String {
    let title = format!(
        "{}: {}",
        escape(&summary.scenario),
        escape(&summary.release)
    );
    let mut body = head(summary);
    body.push_str("<h2>Policies</h2>");
    body.push_str(&policies(summary));
    body.push_str(&releases(summary));
    body.push_str("<h2>Plots</h2><div class='plots'>");
    body.push_str(&completion(summary, "Completion"));
    for one in by_release(summary) {
        let title = format!("Completion of {}", escape(&one.release));
        body.push_str(&completion(&one, &title));
    }
    for plot in [wan(summary), times(summary), by_site(summary)] {
        body.push_str(&plot);
    }
    let heats = plan.entries.first().into_iter().chain(plan.entries.last());
    let mut shown: Vec<&str> = Vec::new();
    for entry in heats {
        if !shown.contains(&entry.run.label.as_str()) {
            body.push_str(&heat(plan, entry));
            shown.push(&entry.run.label);
        }
    }
    body.push_str("</div>");
    let late: String = summary.policies.iter().rev().map(late).collect();
    if !late.is_empty() {
        body.push_str("<h2>Late sites, and why</h2>");
        body.push_str(&late);
    }
    let over: String = summary.policies.iter().rev().map(over).collect();
    if !over.is_empty() {
        body.push_str("<h2>Sites above their monthly quota</h2>");
        body.push_str(&over);
    }
    body.push_str("<h2>What limits these figures</h2><ul>");
    for note in &summary.notes {
        put(&mut body, format_args!("<li>{}</li>", escape(note)));
    }
    put(
        &mut body,
        format_args!(
            "</ul><details><summary>The scenario</summary><pre>{}</pre></details>",
            escape(scenario)
        ),
    );
    format!(
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>\
         <meta name='viewport' content='width=device-width,initial-scale=1'>\
         <title>{title}</title><style>{STYLE}</style></head><body><main>{body}</main>\
         <script type='application/json' id='result'>{}</script></body></html>\n",
        data(summary)
    )
}

/// The figures for programs, without single sites; nothing in it can end the
/// element.
fn data(summary: &Summary) -> String {
    let mut short = summary.clone();
    for policy in &mut short.policies {
        policy.by_site.clear();
        for release in &mut policy.releases {
            release.figures.by_site.clear();
        }
    }
    let json = serde_json::to_string(&short).unwrap_or_default();
    json.replace('<', "\\u003c")
}

fn head(summary: &Summary) -> String {
    let mut out = format!(
        "<h1>{}: {} of {}</h1><p class='soft'>{} endpoints in {} sites, seed {}{}</p>",
        escape(&summary.scenario),
        escape(&summary.release),
        bytes(summary.size as f64),
        summary.endpoints,
        summary.sites,
        summary.seed,
        if summary.absent > 0 {
            format!(
                "; {} more endpoints are never on and count nowhere",
                summary.absent
            )
        } else {
            String::new()
        }
    );
    let Some(policy) = summary.policies.last() else {
        return out;
    };
    let tile = |name: &str, value: String, under: String| {
        format!("<div class='tile'>{name}<b>{value}</b><span class='soft'>{under}</span></div>")
    };
    let label = escape(&policy.policy);
    out.push_str("<div class='tiles'>");
    let least = bytes(policy.wan_minimum);
    out.push_str(&tile(
        "WAN bytes",
        bytes(policy.wan_down),
        format!("least possible {least}"),
    ));
    let done = |at: Option<f64>| time(at.unwrap_or(f64::INFINITY));
    let best = format!("last at best {}", time(policy.possible));
    out.push_str(&tile("95 % done after", done(policy.done[2]), best));
    if let (Some(deadline), Some(share)) = (summary.deadline, policy.on_time) {
        let under = format!("of endpoints by {}", due(summary, deadline));
        out.push_str(&tile("In time", format!("{:.1} %", share * 100.0), under));
    }
    let most = format!("worst site {:.2}", policy.copies[1]);
    out.push_str(&tile(
        "Copies per site",
        format!("{:.3}", policy.copies[0]),
        most,
    ));
    put(
        &mut out,
        format_args!("</div><p class='soft'>The four figures are those of {label}.</p>"),
    );
    if let Some(says) = cheapest(summary) {
        put(&mut out, format_args!("<p>{says}</p>"));
    }
    out
}

/// The deadline, or that there are several.
fn due(summary: &Summary, deadline: f64) -> String {
    if summary
        .policies
        .iter()
        .all(|policy| policy.releases.is_empty())
    {
        time(deadline)
    } else {
        "the deadlines".to_owned()
    }
}

/// Names the cheapest way that is in time, or says that none is.
fn cheapest(summary: &Summary) -> Option<String> {
    let deadline = due(summary, summary.deadline?);
    let timely = summary
        .policies
        .iter()
        .filter(|policy| policy.on_time.unwrap_or(0.0) >= 0.99);
    let mut timely: Vec<&PolicySummary> = timely.collect();
    if timely.is_empty() {
        let best = summary.policies.iter().max_by(|a, b| {
            a.on_time
                .partial_cmp(&b.on_time)
                .unwrap_or(std::cmp::Ordering::Equal)
        })?;
        return Some(format!(
            "No policy reaches 99 % of endpoints by {deadline}; the nearest is {} with {:.1} %.",
            escape(&best.policy),
            best.on_time.unwrap_or(0.0) * 100.0
        ));
    }
    timely.sort_by(|a, b| {
        let key = |policy: &PolicySummary| policy.cost.unwrap_or(policy.wan_down);
        key(a).total_cmp(&key(b))
    });
    let by = if timely[0].cost.is_some() {
        "cheapest"
    } else {
        "lightest on the lines"
    };
    Some(format!(
        "The {by} of those that reach 99 % of endpoints by {deadline} is {}.",
        escape(&timely[0].policy)
    ))
}

fn policies(summary: &Summary) -> String {
    let mut out = String::from(
        "<div class='scroll'><table><thead><tr><th>policy</th><th>WAN</th><th>least</th>\
         <th>copies</th><th>most</th><th>from origin</th><th>in sites</th><th>50 %</th>\
          <th>90 %</th>\
         <th>95 %</th><th>100 %</th><th>T*</th><th>in time</th><th>cost</th></tr></thead><tbody>",
    );
    for policy in &summary.policies {
        let done = |at: usize| time(policy.done[at].unwrap_or(f64::INFINITY));
        let cost = policy.cost.map_or_else(
            || "not given".to_owned(),
            |cost| format!("{} {}", digits(cost), escape(&summary.currency)),
        );
        let cells = [
            bytes(policy.wan_down),
            bytes(policy.wan_minimum),
            format!("{:.3}", policy.copies[0]),
            format!("{:.2}", policy.copies[1]),
            bytes(policy.origin),
            bytes(policy.lan),
            done(0),
            done(1),
            done(2),
            done(3),
            time(policy.bound),
            policy
                .on_time
                .map_or_else(|| "-".to_owned(), |s| format!("{:.1} %", s * 100.0)),
            cost,
        ];
        put(
            &mut out,
            format_args!("<tr><td>{}</td>", escape(&policy.policy)),
        );
        for cell in cells {
            put(&mut out, format_args!("<td>{cell}</td>"));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div><p class='soft'>");
    out.push_str(&how(summary));
    out.push_str("</p>");
    out
}

/// How each policy was computed and what its cost leaves out; those alike in one line.
fn how(summary: &Summary) -> String {
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for policy in &summary.policies {
        let note = policy.cost_note.as_ref();
        let note = note.map_or_else(String::new, |note| format!("; cost {}", escape(note)));
        let engine = if policy.engine_sites > 0 {
            format!(", the node's engine in {} sites", policy.engine_sites)
        } else {
            String::new()
        };
        let says = format!("{}{engine}{note}", policy.fidelity);
        let name = escape(&policy.policy);
        match alike.iter_mut().find(|(other, _)| *other == says) {
            Some((_, names)) => names.push(name),
            None => alike.push((says, vec![name])),
        }
    }
    let each = alike
        .iter()
        .map(|(says, names)| format!("{}: {says}. ", names.join(", ")));
    each.collect()
}
