//! What goes wrong in a scenario.

use crate::planner::problem::{Problem, nearest};
use crate::planner::quantity as q;
use crate::planner::scenario::model::{Cut, Outage, Target};
use crate::planner::scenario::reader::Reader;

/// Cuts of lines, and endpoints that are off.
pub(crate) fn faults(top: &Reader<'_>) -> Result<(Vec<Cut>, Vec<Outage>), Problem> {
    let (mut cuts, mut outages) = (Vec::new(), Vec::new());
    for reader in top.tables("fault")? {
        let kind = reader.name("kind")?;
        let from = reader.quantity("at", q::duration)?.unwrap_or(0.0);
        let long = reader.quantity("for", q::duration)?;
        let cut = |target| {
            let long = long.ok_or_else(|| reader.missing("for", "add `for = \"3h\"`"))?;
            let to = from + long;
            Ok(Cut {
                target,
                from,
                to,
                said: reader.said(),
            })
        };
        match kind.as_str() {
            "origin_down" => cuts.push(cut(Target::Origin)?),
            "wan_down" => cuts.push(cut(Target::Sites(sites(&reader)?))?),
            "off" => {
                let hint = "add `endpoints = 2`: so many of each site";
                let count = reader.count("endpoints")?;
                let count = count.filter(|count| *count > 0);
                let count = count.ok_or_else(|| reader.missing("endpoints", hint))?;
                outages.push(Outage {
                    sites: sites(&reader)?,
                    endpoints: u32::try_from(count).unwrap_or(u32::MAX),
                    from,
                    to: long.map_or(f64::INFINITY, |long| from + long),
                    said: reader.said(),
                });
            }
            other => {
                let known = ["off", "origin_down", "wan_down"];
                let near = nearest(other, &known);
                let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
                let says = format!("unknown fault `{other}`");
                return Err(reader.wrong(
                    "kind",
                    says,
                    format!("{near}known: {}", known.join(", ")),
                ));
            }
        }
        reader.finish()?;
    }
    Ok((cuts, outages))
}

fn sites(reader: &Reader<'_>) -> Result<Vec<String>, Problem> {
    let sites = reader.texts("sites")?.unwrap_or_default();
    if sites.is_empty() {
        let hint = "list ids of sites, or names of classes";
        return Err(reader.wrong("sites", "no site named", hint));
    }
    Ok(sites.into_iter().map(str::to_owned).collect())
}
