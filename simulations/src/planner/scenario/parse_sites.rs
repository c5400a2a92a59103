//! Sites and their classes, from TOML.

use crate::planner::problem::{Problem, nearest};
use crate::planner::quantity as q;
use crate::planner::scenario::model::{Endpoints, Lan, Limit, Line, Profile, SiteClass, SiteRow};
use crate::planner::scenario::reader::Reader;

/// Most endpoints of one site.
pub const ENDPOINTS_MAX: u64 = 20_000;
/// Most sites of one class.
const SITES_MAX: u64 = 200_000;

/// What a site may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Kinds of sites.
    pub classes: &'a [SiteClass],
    /// Other traffic.
    pub profiles: &'a [Profile],
    /// Of all prices.
    pub currency: &'a str,
}

impl Names<'_> {
    /// Index of a class.
    pub fn class(&self, name: &str) -> Result<usize, String> {
        let known: Vec<&str> = self
            .classes
            .iter()
            .map(|class| class.name.as_str())
            .collect();
        find(name, &known, "class")
    }

    /// Index of a profile.
    pub fn profile(&self, name: &str) -> Result<usize, String> {
        profile(name, self.profiles)
    }
}

fn profile(name: &str, profiles: &[Profile]) -> Result<usize, String> {
    let known: Vec<&str> = profiles
        .iter()
        .map(|profile| profile.name.as_str())
        .collect();
    find(name, &known, "profile")
}

fn find(name: &str, known: &[&str], what: &str) -> Result<usize, String> {
    known
        .iter()
        .position(|other| *other == name)
        .ok_or_else(|| {
            let near = nearest(name, known);
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("unknown {what} `{name}`{near}")
        })
}

/// One `[[site_class]]`.
pub fn site_class(reader: &Reader<'_>, profiles: &[Profile]) -> Result<SiteClass, Problem> {
    let wan = reader.table("wan")?;
    let wan = wan.ok_or_else(|| {
        reader.missing(
            "wan",
            "add `wan = { down = \"20 Mbit/s\", up = \"5 Mbit/s\" }`",
        )
    })?;
    let count = reader.count("count")?.unwrap_or(0);
    if count > SITES_MAX {
        return Err(reader.wrong(
            "count",
            format!("{count} sites"),
            "at most 200000 of a class",
        ));
    }
    let class = SiteClass {
        name: reader.name("name")?,
        count: u32::try_from(count).unwrap_or(0),
        endpoints: endpoints(reader)?,
        line: line(&wan)?,
        lan: lan(reader)?,
        limit: limit(reader)?,
        background: reader.quantity("background", |name| profile(name, profiles))?,
        utc_offset: reader.quantity("utc_offset", q::offset)?.unwrap_or(0),
        said: reader.said(),
    };
    reader.finish()?;
    Ok(class)
}

fn endpoints(reader: &Reader<'_>) -> Result<Endpoints, Problem> {
    let range = |min, median, max| {
        let ok = 1 <= min && min <= median && median <= max && max <= ENDPOINTS_MAX;
        if !ok {
            let hint = format!("1 <= min <= median <= max <= {ENDPOINTS_MAX}");
            return Err(reader.wrong("endpoints", "impossible numbers of endpoints", hint));
        }
        let number = |n| u32::try_from(n).unwrap_or(1);
        Ok(Endpoints {
            min: number(min),
            median: number(median),
            max: number(max),
        })
    };
    if let Ok(Some(table)) = reader.table("endpoints") {
        let missing = |key| table.missing(key, "give min, median and max");
        let min = table.count("min")?.ok_or_else(|| missing("min"))?;
        let median = table.count("median")?.ok_or_else(|| missing("median"))?;
        let max = table.count("max")?.ok_or_else(|| missing("max"))?;
        table.finish()?;
        return range(min, median, max);
    }
    let number = reader.count("endpoints")?;
    let hint = "add `endpoints = 20`, or `{ min = 5, median = 20, max = 60 }`";
    let number = number.ok_or_else(|| reader.missing("endpoints", hint))?;
    range(number, number, number)
}

fn line(wan: &Reader<'_>) -> Result<Line, Problem> {
    let missing = |key| wan.missing(key, "a line has two directions");
    let line = Line {
        down: wan
            .quantity("down", q::rate)?
            .ok_or_else(|| missing("down"))?,
        up: wan.quantity("up", q::rate)?.ok_or_else(|| missing("up"))?,
        rtt: wan.quantity("rtt", q::duration)?.unwrap_or(0.02),
        loss: wan.share("loss")?.unwrap_or(0.0),
        price: wan.money("price", q::price)?,
        quota: wan.quantity("quota", q::quota)?,
        overrun: wan.money("overrun", q::price)?,
    };
    wan.finish()?;
    without_quota(wan, "overrun", &line)?;
    if line.rtt > 5.0 {
        return Err(wan.wrong(
            "rtt",
            "is more than 5 s",
            "a round trip is some milliseconds",
        ));
    }
    if line.loss >= 0.5 {
        return Err(wan.wrong(
            "loss",
            "half of the packets are lost",
            "no connection lives there",
        ));
    }
    Ok(line)
}

fn lan(reader: &Reader<'_>) -> Result<Lan, Problem> {
    let mut lan = Lan {
        nic: 1e9,
        fabric: 1e10,
        parts: 1,
        wifi_share: 0.0,
        wifi: 150e6,
    };
    let Some(table) = reader.table("lan")? else {
        return Ok(lan);
    };
    lan.nic = table.quantity("nic", q::rate)?.unwrap_or(lan.nic);
    lan.fabric = table
        .quantity("fabric", q::rate)?
        .unwrap_or_else(|| lan.fabric.max(lan.nic));
    let parts = table.count("parts")?.unwrap_or(1);
    if !(1..=64).contains(&parts) {
        return Err(table.wrong("parts", format!("{parts} parts"), "from 1 to 64"));
    }
    lan.parts = u32::try_from(parts).unwrap_or(1);
    lan.wifi_share = table.share("wifi_share")?.unwrap_or(0.0);
    let wifi = table.quantity("wifi", q::rate)?;
    if wifi.is_some() && lan.wifi_share <= 0.0 {
        let hint = "say how many are wireless with `wifi_share`, or drop it";
        return Err(table.wrong("wifi", "has no effect without `wifi_share`", hint));
    }
    lan.wifi = wifi.unwrap_or(lan.wifi);
    table.finish()?;
    Ok(lan)
}

fn limit(reader: &Reader<'_>) -> Result<Limit, Problem> {
    let Some(table) = reader.table("limit")? else {
        return Ok(Limit {
            share: 1.0,
            hours: None,
            window: None,
        });
    };
    let share = table.share("share")?;
    let window = table.quantity("window", q::hours)?;
    let hours = table.quantity("hours", q::hours)?;
    table.finish()?;
    if share.is_none() && hours.is_some() {
        let hint = "add `share = 0.3`: the part of the line that updates may take";
        return Err(table.missing("share", hint));
    }
    if share.is_none() && window.is_none() {
        let hint = "add `share = 0.3`, or `window = \"20-06\"`";
        return Err(table.missing("share", hint));
    }
    Ok(Limit {
        share: share.unwrap_or(1.0),
        hours,
        window,
    })
}

/// Refuses a price of what nothing counts.
fn without_quota(reader: &Reader<'_>, key: &str, line: &Line) -> Result<(), Problem> {
    if line.overrun.is_some() && line.quota.is_none() {
        let hint = "add `quota = \"200 GB/month\"`, or drop it";
        return Err(reader.wrong(key, "has no effect without `quota`", hint));
    }
    Ok(())
}

/// One `[[site]]`: what it does not say comes from its class.
pub fn site_row(reader: &Reader<'_>, names: Names<'_>) -> Result<SiteRow, Problem> {
    let class = reader.quantity("class", |name| names.class(name))?;
    let class = class.ok_or_else(|| reader.missing("class", "name a site_class"))?;
    let mut row = SiteRow {
        id: reader.name("id")?,
        class,
        endpoints: None,
        line: names.classes[class].line,
        background: names.classes[class].background,
        utc_offset: names.classes[class].utc_offset,
        said: reader.said(),
    };
    if let Some(count) = reader.count("endpoints")? {
        if !(1..=ENDPOINTS_MAX).contains(&count) {
            let hint = format!("from 1 to {ENDPOINTS_MAX}");
            return Err(reader.wrong("endpoints", format!("{count} endpoints"), hint));
        }
        row.endpoints = u32::try_from(count).ok();
    }
    let line = &mut row.line;
    line.down = reader.quantity("wan_down", q::rate)?.unwrap_or(line.down);
    line.up = reader.quantity("wan_up", q::rate)?.unwrap_or(line.up);
    line.rtt = reader.quantity("rtt", q::duration)?.unwrap_or(line.rtt);
    line.loss = reader.share("loss")?.unwrap_or(line.loss);
    line.price = reader.money("price", q::price)?.or(line.price);
    line.quota = reader.quantity("quota", q::quota)?.or(line.quota);
    line.overrun = reader.money("overrun", q::price)?.or(line.overrun);
    without_quota(reader, "overrun", line)?;
    let background = reader.quantity("background", |name| names.profile(name))?;
    row.background = background.or(row.background);
    row.utc_offset = reader
        .quantity("utc_offset", q::offset)?
        .unwrap_or(row.utc_offset);
    reader.finish()?;
    Ok(row)
}
