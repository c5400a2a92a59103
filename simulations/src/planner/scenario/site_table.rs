//! Sites from a table in CSV: `id,class,endpoints,wan_down,wan_up,rtt,loss,
//! utc_offset,background,price,quota,overrun`. Empty cells inherit from the class; a cell
//! carries its unit, or the header does, as `wan_down[Mbit/s]`.

use crate::planner::problem::{Problem, Said, nearest};
use crate::planner::quantity as q;
use crate::planner::scenario::model::SiteRow;
use crate::planner::scenario::parse_sites::{ENDPOINTS_MAX, Names};

/// Columns that are known.
pub(crate) const COLUMNS: [&str; 12] = [
    "background",
    "class",
    "endpoints",
    "id",
    "loss",
    "overrun",
    "price",
    "quota",
    "rtt",
    "utc_offset",
    "wan_down",
    "wan_up",
];
/// Largest table that is read.
pub const TABLE_LEN_MAX: usize = 64 << 20;
const ROWS_MAX: usize = 200_000;

#[derive(Debug)]
struct Column {
    name: &'static str,
    unit: String,
}

/// Reads all rows.
pub fn read(
    file: &str,
    text: &str,
    names: Names<'_>,
    ignored: &[&str],
) -> Result<Vec<SiteRow>, Problem> {
    if text.len() > TABLE_LEN_MAX {
        return Err(Problem::new(file, "longer than 64 MiB", "split the table"));
    }
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader.headers().cloned();
    let headers = headers.map_err(|error| broken(file, &error))?;
    let columns = columns(file, &headers, ignored)?;
    let mut rows: Vec<SiteRow> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(file, &error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let line = usize::try_from(line).unwrap_or(0);
        let said = Said {
            file: file.into(),
            line,
        };
        let row = row(&record, &columns, (names, said)).map_err(|(place, says)| Problem {
            file: file.to_owned(),
            line,
            place,
            says,
            hint: String::new(),
        })?;
        if !seen.insert(row.id.clone()) {
            let says = format!("`{}` stands twice", row.id);
            return Err(row.said.problem(says, "each site has an id of its own"));
        }
        if rows.len() >= ROWS_MAX {
            let says = format!("more than {ROWS_MAX} sites");
            return Err(row
                .said
                .problem(says, "plan parts of the network one by one"));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(Problem::new(
            file,
            "no site",
            "one line for each site, below the header",
        ));
    }
    Ok(rows)
}

fn broken(file: &str, error: &csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    let mut problem = Problem::new(file, error.to_string(), "the file must be CSV in UTF-8");
    problem.line = usize::try_from(line).unwrap_or(0);
    problem
}

fn columns(
    file: &str,
    headers: &csv::StringRecord,
    ignored: &[&str],
) -> Result<Vec<Option<Column>>, Problem> {
    let mut columns = Vec::new();
    for header in headers {
        let (name, unit) = header.split_once('[').map_or((header, ""), |(name, unit)| {
            (name, unit.trim_end_matches(']'))
        });
        let known = COLUMNS.iter().find(|known| **known == name.trim());
        if known.is_none() && !ignored.contains(&header) {
            let near = nearest(name, &COLUMNS);
            let hint = near.map_or_else(
                || {
                    format!(
                        "known: {}; or list it in sites.ignore_columns",
                        COLUMNS.join(", ")
                    )
                },
                |near| format!("did you mean `{near}`? or list it in sites.ignore_columns"),
            );
            let mut problem = Problem::new(file, "unknown column", hint);
            problem.line = 1;
            header.clone_into(&mut problem.place);
            return Err(problem);
        }
        columns.push(known.map(|name| Column {
            name,
            unit: unit.trim().to_owned(),
        }));
    }
    if !columns.iter().flatten().any(|column| column.name == "id") {
        return Err(Problem::new(
            file,
            "no column `id`",
            "the first line names the columns",
        ));
    }
    Ok(columns)
}

fn row(
    record: &csv::StringRecord,
    columns: &[Option<Column>],
    (names, said): (Names<'_>, Said),
) -> Result<SiteRow, (String, String)> {
    let cell = |name: &str| {
        let at = columns
            .iter()
            .position(|column| column.as_ref().is_some_and(|column| column.name == name))?;
        let text = record.get(at).filter(|text| !text.is_empty())?;
        let unit = &columns[at].as_ref()?.unit;
        Some(if unit.is_empty() {
            text.to_owned()
        } else {
            format!("{text} {unit}")
        })
    };
    let class = match cell("class") {
        Some(name) => names
            .class(&name)
            .map_err(|says| ("class".to_owned(), says))?,
        None if names.classes.len() == 1 => 0,
        None => return Err(("class".to_owned(), "is empty".to_owned())),
    };
    let id = cell("id").filter(|id| id.len() <= 200);
    let mut row = SiteRow {
        id: id.ok_or_else(|| ("id".to_owned(), "is empty".to_owned()))?,
        class,
        endpoints: None,
        line: names.classes[class].line,
        background: names.classes[class].background,
        utc_offset: names.classes[class].utc_offset,
        said,
    };
    let line = &mut row.line;
    fill(&cell, "wan_down", q::rate, &mut line.down)?;
    fill(&cell, "wan_up", q::rate, &mut line.up)?;
    fill(&cell, "rtt", q::duration, &mut line.rtt)?;
    fill(&cell, "loss", share, &mut line.loss)?;
    let price = |text: &str| {
        let (price, currency) = q::price(text)?;
        q::same(&currency, names.currency).map(|()| Some(price))
    };
    fill(&cell, "price", price, &mut line.price)?;
    fill(
        &cell,
        "quota",
        |text| q::quota(text).map(Some),
        &mut line.quota,
    )?;
    fill(&cell, "overrun", price, &mut line.overrun)?;
    if line.overrun.is_some() && line.quota.is_none() {
        let says = "has no effect without a quota".to_owned();
        return Err(("overrun".to_owned(), says));
    }
    fill(&cell, "endpoints", endpoints, &mut row.endpoints)?;
    fill(&cell, "utc_offset", q::offset, &mut row.utc_offset)?;
    let profile = |name: &str| names.profile(name).map(Some);
    fill(&cell, "background", profile, &mut row.background)?;
    Ok(row)
}

fn fill<T>(
    cell: &dyn Fn(&str) -> Option<String>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
    into: &mut T,
) -> Result<(), (String, String)> {
    if let Some(text) = cell(name) {
        *into = parse(&text).map_err(|says| (name.to_owned(), says))?;
    }
    Ok(())
}

fn share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    let share = share.filter(|share| (0.0..0.5).contains(share));
    share.ok_or_else(|| format!("`{text}` is no loss from 0 to 0.5"))
}

fn endpoints(text: &str) -> Result<Option<u32>, String> {
    let count = text.parse().ok();
    let count = count.filter(|count| (1..=ENDPOINTS_MAX).contains(count));
    let count = count.and_then(|count| u32::try_from(count).ok());
    count
        .map(Some)
        .ok_or_else(|| format!("`{text}` is no number of endpoints from 1 to {ENDPOINTS_MAX}"))
}
