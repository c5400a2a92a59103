//! The busiest lines, hour by hour.

use crate::planner::outcome::SiteRun;
use crate::planner::report::html::axis::{escape, put, short};
use crate::planner::report::summary::used;
use crate::planner::run::{Entry, Plan};
use crate::planner::world::site::Site;

/// Sites that are shown.
const SITES_MAX: usize = 16;
/// Cells of a row.
const CELLS_MAX: usize = 48;
const LEFT: f64 = 152.0;
const WIDTH: f64 = 480.0;
const ROW: f64 = 17.0;
/// Lower ends of the colours.
const LEVELS: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 0.95];

/// Use of the lines under one policy.
pub fn heat(plan: &Plan, entry: &Entry) -> String {
    let hours = entry
        .run
        .sites
        .iter()
        .map(|site| site.hours.len())
        .max()
        .unwrap_or(0);
    if hours == 0 {
        return String::new();
    }
    let sites = busiest(plan, entry);
    let rows = sites.len();
    let wide = hours.div_ceil(CELLS_MAX);
    let cells = hours.div_ceil(wide);
    let cell = (WIDTH - LEFT - 6.0) / cells as f64;
    let mut svg = String::new();
    for (row, (site, run)) in sites.into_iter().enumerate() {
        let top = ROW * row as f64;
        let name = short(&site.id);
        put(
            &mut svg,
            format_args!(
                "<text class='tick' x='{}' y='{:.1}' text-anchor='end'>{}</text>",
                LEFT - 5.0,
                top + 13.0,
                escape(&name)
            ),
        );
        cells_of(&mut svg, (site, run), (top, cell), (cells, wide, hours));
    }
    let bottom = ROW * rows as f64;
    for part in 0..=4 {
        let at = cells * part / 4;
        let place = LEFT + cell * at as f64;
        put(
            &mut svg,
            format_args!(
                "<text class='tick' x='{place:.1}' y='{:.1}' text-anchor='{}'>{}</text>",
                bottom + 14.0,
                if part == 4 { "end" } else { "start" },
                at * wide
            ),
        );
    }
    let height = bottom + 34.0;
    put(
        &mut svg,
        format_args!(
            "<text class='tick' x='{:.1}' y='{:.1}' text-anchor='middle'>hours since the \
             start</text>",
            f64::midpoint(LEFT, WIDTH),
            height - 4.0
        ),
    );
    let label = escape(&entry.run.label);
    format!(
        "<figure><figcaption>Use of the busiest lines: {label}<span>updates and other traffic, \
         part of the line; {wide} h per cell</span></figcaption>\
         <svg viewBox='0 0 {WIDTH} {height:.0}' role='img' aria-label='Use of lines'>{svg}</svg>\
         {}</figure>",
        key()
    )
}

/// The sites with the busiest hour in which updates move.
fn busiest<'a>(plan: &'a Plan, entry: &'a Entry) -> Vec<(&'a Site, &'a SiteRun)> {
    let each = plan.world.sites.iter().zip(&entry.run.sites);
    let mut sites: Vec<(f64, _, _)> = each
        .map(|(site, run)| {
            let of = |hour| used(site, run, hour);
            let most = (0..run.hours.len())
                .map(|hour| of(hour).0 + of(hour).1 * f64::from(u8::from(of(hour).0 > 0.0)))
                .fold(0.0, f64::max);
            (most, site, run)
        })
        .collect();
    sites.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
    sites.truncate(SITES_MAX);
    sites
        .into_iter()
        .map(|(_, site, run)| (site, run))
        .collect()
}

/// One row.
fn cells_of(
    svg: &mut String,
    (site, run): (&Site, &SiteRun),
    (top, cell): (f64, f64),
    (cells, wide, hours): (usize, usize, usize),
) {
    for at in 0..cells {
        let span = at * wide..(at * wide + wide).min(hours);
        let count = span.len() as f64;
        let each = span.map(|hour| used(site, run, hour));
        let (own, others) = each.fold((0.0, 0.0), |sum, next| {
            (sum.0 + next.0 / count, sum.1 + next.1 / count)
        });
        let level = LEVELS
            .iter()
            .filter(|level| own + others >= **level)
            .count()
            - 1;
        put(
            svg,
            format_args!(
                "<rect class='q{level}' x='{:.1}' y='{top:.1}' width='{:.2}' height='{:.1}'>\
                 <title>{} hour {}: updates {:.0} %, others {:.0} %</title></rect>",
                LEFT + cell * at as f64,
                cell + 0.1,
                ROW - 2.0,
                escape(&site.id),
                at * wide,
                own * 100.0,
                others * 100.0
            ),
        );
    }
}

fn key() -> String {
    let mut out = String::from("<div class='legend'>");
    for (at, level) in LEVELS.iter().enumerate() {
        put(
            &mut out,
            format_args!(
                "<span><svg viewBox='0 0 22 12'><rect class='q{at}' width='22' height='12'/></svg>\
             {:.0} % and more</span>",
                level * 100.0
            ),
        );
    }
    out.push_str("</div>");
    out
}
