//! Plots of policies: completion, bytes, times, bytes by site.

use crate::planner::report::html::axis::{
    Axis, FIELD, HEIGHT, WIDTH, escape, put, short, tick_x, tick_y, time_unit,
};
use crate::planner::report::summary::{PolicySummary, Summary};
use crate::planner::report::text::{bytes, time};

fn figure(title: &str, under: &str, svg: &str, legend: &str) -> String {
    format!(
        "<figure><figcaption>{title}<span>{under}</span></figcaption>\
         <svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{title}'>{svg}</svg>\
         {legend}</figure>"
    )
}

/// Swatches of all policies.
fn legend(summary: &Summary, bound: &str) -> String {
    let mut out = String::from("<div class='legend'>");
    for (at, policy) in summary.policies.iter().enumerate() {
        put(
            &mut out,
            format_args!(
                "<span><svg viewBox='0 0 22 12'>\
                 <rect class='k{}' width='22' height='10' y='1'/></svg>\
             {}</span>",
                at % 6,
                escape(&policy.policy)
            ),
        );
    }
    if !bound.is_empty() {
        put(
            &mut out,
            format_args!(
                "<span><svg viewBox='0 0 22 12'><path class='mark' d='M0 6H22'/>\
                 </svg>{bound}</span>"
            ),
        );
    }
    out.push_str("</div>");
    out
}

/// When are we done?
pub fn completion(summary: &Summary, title: &str) -> String {
    let all = || {
        summary
            .policies
            .iter()
            .flat_map(|policy| policy.curve.iter().flatten())
    };
    let least = all()
        .copied()
        .filter(|at| *at > 0.0)
        .fold(f64::INFINITY, f64::min);
    let most = all()
        .copied()
        .fold(summary.deadline.unwrap_or(0.0), f64::max);
    if !least.is_finite() {
        return String::new();
    }
    let (left, right, top, bottom) = FIELD;
    let unit = time_unit(most);
    // Ways of very different speed need a logarithmic scale; late endpoints do not.
    let halves = || summary.policies.iter().filter_map(|policy| policy.done[0]);
    let (first, last) = (
        halves().fold(f64::INFINITY, f64::min),
        halves().fold(0.0, f64::max),
    );
    let begin = if last > first * 4.0 { least * 0.8 } else { 0.0 };
    let x = Axis::new(begin / unit.0, most * 1.02 / unit.0, (left, right));
    let y = Axis::new(0.0, 100.0, (bottom, top));
    let mut svg = grid(x, y, |tick| format!("{tick} %"));
    svg.push_str(&mark(
        x.place(summary_bound(summary) / unit.0),
        "possible at best",
    ));
    if let Some(deadline) = summary.deadline {
        svg.push_str(&deadline_line(x.place(deadline / unit.0)));
    }
    for (at, policy) in summary.policies.iter().enumerate() {
        let points: Vec<String> = policy
            .curve
            .iter()
            .enumerate()
            .filter_map(|(part, end)| {
                let (across, up) = (x.place((*end)? / unit.0), y.place(part as f64));
                Some(format!("{across:.1},{up:.1}"))
            })
            .collect();
        put(
            &mut svg,
            format_args!(
                "<polyline class='curve k{}' style='fill:none' points='{}'>\
                 <title>{}: half at {}, all \
             at {}</title></polyline>",
                at % 6,
                points.join(" "),
                escape(&policy.policy),
                shown(policy.done[0]),
                shown(policy.done[3])
            ),
        );
    }
    svg.push_str(&below(unit.1));
    let under = "part of present endpoints that have the whole release";
    figure(
        title,
        under,
        &svg,
        &legend(summary, "T*: the last endpoint at best"),
    )
}

fn deadline_line(at: f64) -> String {
    let (_, _, top, bottom) = FIELD;
    format!(
        "<line class='grid' style='stroke:var(--fg)' x1='{at:.1}' x2='{at:.1}' y1='{top}' \
         y2='{bottom}'/><text class='tick' x='{:.1}' y='{:.1}' text-anchor='end'>deadline</text>",
        at - 4.0,
        top + 12.0
    )
}

fn summary_bound(summary: &Summary) -> f64 {
    summary
        .policies
        .first()
        .map_or(0.0, |policy| policy.possible)
}

fn shown(at: Option<f64>) -> String {
    time(at.unwrap_or(f64::INFINITY))
}

fn mark(at: f64, title: &str) -> String {
    let (_, _, top, bottom) = FIELD;
    format!("<path class='mark' d='M{at:.1} {top}V{bottom}'><title>{title}</title></path>")
}

fn below(text: &str) -> String {
    let (left, right, ..) = FIELD;
    format!(
        "<text class='tick' x='{:.1}' y='{:.1}' text-anchor='middle'>{text}</text>",
        f64::midpoint(left, right),
        HEIGHT - 6.0
    )
}

/// Horizontal bars of a figure by policy, each with the least that is possible.
fn bars(
    summary: &Summary,
    (title, under): (&str, &str),
    value: impl Fn(&PolicySummary) -> Option<f64>,
    least: impl Fn(&PolicySummary) -> f64,
    text: impl Fn(f64) -> String,
) -> String {
    let policies = &summary.policies;
    let most = policies
        .iter()
        .map(|policy| value(policy).unwrap_or(0.0).max(least(policy)))
        .fold(0.0, f64::max);
    let (left, right) = (150.0, 392.0);
    let x = Axis::new(0.0, most, (left, right));
    let step = (HEIGHT - 16.0) / policies.len().max(1) as f64;
    let mut svg = String::new();
    for (at, policy) in policies.iter().enumerate() {
        let top = 8.0 + step * at as f64;
        let (middle, height) = (top + step / 2.0, (step * 0.6).min(34.0));
        let (end, says) = match value(policy) {
            Some(value) => (x.place(value), text(value)),
            None => (right, "never".to_owned()),
        };
        let tick = x.place(least(policy));
        let name = escape(&policy.policy);
        let shown = escape(&short(&policy.policy));
        let best = text(least(policy));
        put(
            &mut svg,
            format_args!(
                "<text x='{:.1}' y='{:.1}' text-anchor='end'>{shown}</text>\
             <rect class='k{}' x='{left}' y='{:.1}' width='{:.1}' height='{height:.1}' rx='2' \
             stroke='none' style='stroke:none'><title>{name}: {says}, at best {best}</title></rect>\
             <text x='{:.1}' y='{:.1}'>{says}</text>\
             <path class='mark' d='M{tick:.1} {:.1}V{:.1}'><title>at best {best}</title></path>",
                left - 8.0,
                middle + 5.0,
                at % 6,
                middle - height / 2.0,
                (end - left).max(1.5),
                end.max(tick) + 6.0,
                middle + 5.0,
                middle - step * 0.42,
                middle + step * 0.42,
            ),
        );
    }
    figure(title, under, &svg, "")
}

/// What does it save?
pub fn wan(summary: &Summary) -> String {
    let words = (
        "Bytes over all WAN lines",
        "dashed: the least that is possible, one copy for each site",
    );
    bars(
        summary,
        words,
        |policy| Some(policy.wan_down),
        |policy| policy.wan_minimum,
        bytes,
    )
}

/// How long until the last?
pub fn times(summary: &Summary) -> String {
    let words = (
        "Time until 95 % of endpoints are done",
        "dashed: T* of this way of distribution, for all endpoints",
    );
    bars(
        summary,
        words,
        |policy| policy.done[2],
        |policy| policy.bound,
        time,
    )
}

/// Lines and figures of both axes.
fn grid(x: Axis, y: Axis, text: impl Fn(f64) -> String) -> String {
    let mut svg = String::new();
    for tick in x.ticks() {
        svg.push_str(&tick_x(x.place(tick), tick));
    }
    for tick in y.ticks() {
        svg.push_str(&tick_y(y.place(tick), &text(tick)));
    }
    svg
}

/// Bytes of all sites, the most first: of a policy, or the least possible.
fn sorted(policy: &PolicySummary, minimum: bool) -> Vec<f64> {
    let each = policy.by_site.iter().filter(|site| site.endpoints > 0);
    let mut all: Vec<f64> = if minimum {
        each.map(|site| site.wan_minimum).collect()
    } else {
        each.map(|site| site.wan_down).collect()
    };
    all.sort_by(|a, b| b.total_cmp(a));
    all
}

/// Points of sorted bytes, some hundred at most.
fn ranked(all: &[f64], x: Axis, y: Axis) -> String {
    let step = (all.len() / 240).max(1);
    let points = all.iter().enumerate();
    let points = points.filter(|(at, _)| at % step == 0 || at + 1 == all.len());
    let points: Vec<String> = points
        .map(|(at, bytes)| {
            format!(
                "{:.1},{:.1}",
                x.place(at as f64 + 1.0),
                y.place(bytes / 1e9)
            )
        })
        .collect();
    points.join(" ")
}

/// Which sites fetch how much?
pub fn by_site(summary: &Summary) -> String {
    let (left, right, top, bottom) = FIELD;
    let values: Vec<Vec<f64>> = summary
        .policies
        .iter()
        .map(|policy| sorted(policy, false))
        .collect();
    let least: Vec<f64> = summary
        .policies
        .first()
        .map_or_else(Vec::new, |p| sorted(p, true));
    let count = least.len();
    if count == 0 {
        return String::new();
    }
    let positive = || {
        values
            .iter()
            .flatten()
            .chain(&least)
            .copied()
            .filter(|bytes| *bytes > 0.0)
    };
    let (from, to) = (
        positive().fold(f64::INFINITY, f64::min),
        positive().fold(0.0, f64::max),
    );
    let x = Axis::new(1.0, count as f64, (left, right));
    let y = Axis::new(from * 0.8 / 1e9, to * 1.2 / 1e9, (bottom, top));
    let mut svg = grid(x, y, |tick| bytes(tick * 1e9));
    let line = |all: &[f64]| ranked(all, x, y);
    for (at, (all, policy)) in values.iter().zip(&summary.policies).enumerate() {
        put(
            &mut svg,
            format_args!(
                "<polyline class='curve k{}' style='fill:none' points='{}'>\
                 <title>{}: most {}, copies \
             {:.2} on average</title></polyline>",
                at % 6,
                line(all),
                escape(&policy.policy),
                bytes(all[0]),
                policy.copies[0]
            ),
        );
    }
    put(
        &mut svg,
        format_args!("<polyline class='mark' points='{}'/>", line(&least)),
    );
    svg.push_str(&below("sites, the largest first"));
    figure(
        "WAN bytes by site",
        "each site's own line",
        &svg,
        &legend(summary, "least possible"),
    )
}
