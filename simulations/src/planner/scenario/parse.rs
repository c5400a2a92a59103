//! From TOML to a scenario.

use crate::planner::problem::{Problem, nearest};
use crate::planner::quantity as q;
use crate::planner::scenario::model::{
    EndpointClass, Fidelity, Kind, Origin, Policy, Presence, Profile, Release, Ring, Scenario,
    Start, Version,
};
use crate::planner::scenario::parse_faults::faults;
use crate::planner::scenario::parse_sites::{Names, site_class, site_row};
use crate::planner::scenario::reader::{Reader, Source, parse};
use crate::planner::scenario::site_table;

/// Largest scenario file that is read.
pub const SCENARIO_LEN_MAX: usize = 4 << 20;

/// Most releases of a plan.
const RELEASES_MAX: usize = 32;
/// Currency where none is said.
const CURRENCY: &str = "EUR";

/// Reads other files that a scenario names, by path as written.
pub type Open<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Reads a scenario.
pub fn scenario(file: &str, text: &str, open: Open<'_>) -> Result<Scenario, Problem> {
    if text.len() > SCENARIO_LEN_MAX {
        let hint = "put the sites into a CSV file";
        return Err(Problem::new(file, "longer than 4 MiB", hint));
    }
    let mut source = Source {
        file,
        text,
        currency: CURRENCY,
    };
    let table = parse(source)?;
    let head = table
        .get("scenario")
        .and_then(|head| head.get_ref().as_table());
    let currency = head.and_then(|head| head.get("currency")?.get_ref().as_str());
    source.currency = currency.unwrap_or(CURRENCY);
    let top = Reader::top(source, &table);
    if top.count("schema")? != Some(1) {
        return Err(top.wrong("schema", "must be 1", "begin the file with `schema = 1`"));
    }
    let profiles = profiles(&top)?;
    let mut site_classes = Vec::new();
    for reader in top.tables("site_class")? {
        let class = site_class(&reader, &profiles)?;
        if site_classes
            .iter()
            .any(|other: &crate::planner::scenario::model::SiteClass| other.name == class.name)
        {
            return Err(reader.wrong("name", "is used twice", "give each class its own name"));
        }
        site_classes.push(class);
    }
    if site_classes.is_empty() {
        return Err(top.wrong("site_class", "no kind of site", "add a [[site_class]]"));
    }
    let mut sites = Vec::new();
    let names = Names {
        classes: &site_classes,
        profiles: &profiles,
        currency: source.currency,
    };
    for reader in top.tables("site")? {
        sites.push(site_row(&reader, names)?);
    }
    if let Some(reader) = top.table("sites")? {
        sites.extend(rows(&reader, names, open)?);
    }
    let head = top.table("scenario")?;
    let head = head.ok_or_else(|| top.missing("scenario", "add a [scenario] table"))?;
    let mut scenario = head_of(&head)?;
    scenario.origin = origin(&top)?;
    scenario.endpoint_classes = endpoint_classes(&top)?;
    scenario.releases = releases(&top)?;
    scenario.policies = policies(&top)?;
    (scenario.cuts, scenario.outages) = faults(&top)?;
    scenario.profiles = profiles;
    scenario.site_classes = site_classes;
    scenario.sites = sites;
    top.finish()?;
    without_effect(&top, &scenario)?;
    Ok(scenario)
}

fn rows(
    reader: &Reader<'_>,
    names: Names<'_>,
    open: Open<'_>,
) -> Result<Vec<crate::planner::scenario::model::SiteRow>, Problem> {
    let path = reader.name("csv")?;
    let ignored = reader.texts("ignore_columns")?.unwrap_or_default();
    reader.finish()?;
    let text = open(&path)
        .map_err(|error| reader.wrong("csv", error, "paths are relative to the scenario file"))?;
    site_table::read(&path, &text, names, &ignored)
}

fn head_of(reader: &Reader<'_>) -> Result<Scenario, Problem> {
    let start = reader.quantity("start", date)?;
    let scenario = Scenario {
        name: reader.name("name")?,
        seed: reader.count("seed")?.unwrap_or(1),
        start: start.unwrap_or(Start {
            weekday: 0,
            second: 0,
        }),
        horizon: reader
            .quantity("horizon", q::duration)?
            .unwrap_or(7.0 * 86_400.0),
        fidelity: reader
            .quantity("fidelity", Fidelity::parse)?
            .unwrap_or(Fidelity::Fluid),
        per_class: per_class(reader)?,
        currency: reader.text("currency")?.unwrap_or(CURRENCY).to_owned(),
        unit: reader.quantity("unit", q::size)?,
        framing: reader.share("framing")?.unwrap_or(0.0),
        origin: Origin {
            name: String::new(),
            uplink: f64::INFINITY,
            price: None,
        },
        endpoint_classes: Vec::new(),
        site_classes: Vec::new(),
        sites: Vec::new(),
        profiles: Vec::new(),
        releases: Vec::new(),
        policies: Vec::new(),
        cuts: Vec::new(),
        outages: Vec::new(),
    };
    if scenario.horizon < 60.0 {
        return Err(reader.wrong(
            "horizon",
            "is below one minute",
            "use something like \"72h\"",
        ));
    }
    reader.finish()?;
    Ok(scenario)
}

fn per_class(reader: &Reader<'_>) -> Result<usize, Problem> {
    match reader.count("per_class")?.map(usize::try_from) {
        None => Ok(10),
        Some(Ok(count)) if count > 0 => Ok(count),
        Some(_) => Err(reader.wrong("per_class", "no site", "at least 1; 10 if not given")),
    }
}

/// Local date and time, `2026-12-08T09:00`.
fn date(text: &str) -> Result<Start, String> {
    let wrong = || format!("`{text}` is no local time; write it like 2026-12-08T09:00");
    let (date, time) = text.split_once('T').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<i64>().ok();
    let date: Vec<i64> = date.split('-').map_while(number).collect();
    let time: Vec<i64> = time.split(':').map_while(number).collect();
    let (&[year, month, day], &[hour, minute]) = (&date[..], &time[..]) else {
        return Err(wrong());
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let fits = (1970..2200).contains(&year)
        && (1..13).contains(&month)
        && (1..=days).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute);
    if !fits {
        return Err(wrong());
    }
    // Days since 1970-01-01, a Thursday, by counting months from March on.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Ok(Start {
        weekday: u32::try_from((days + 3).rem_euclid(7)).unwrap_or(0),
        second: u32::try_from(hour * 3600 + minute * 60).unwrap_or(0),
    })
}

fn origin(top: &Reader<'_>) -> Result<Origin, Problem> {
    let reader = top.table("origin")?;
    let reader =
        reader.ok_or_else(|| top.missing("origin", "add `origin = { uplink = \"1 Gbit/s\" }`"))?;
    let cdn = reader.flag("cdn")?.unwrap_or(false);
    let uplink = reader.quantity("uplink", q::rate)?;
    let origin = Origin {
        name: reader.text("name")?.unwrap_or("origin").to_owned(),
        uplink: uplink.unwrap_or(f64::INFINITY),
        price: reader.money("price", q::price)?,
    };
    reader.finish()?;
    match (cdn, uplink) {
        (true, Some(_)) => Err(reader.wrong("uplink", "has no effect with `cdn`", "drop one")),
        (false, None) => Err(reader.missing("uplink", "or say `cdn = true`")),
        _ => Ok(origin),
    }
}

fn profiles(top: &Reader<'_>) -> Result<Vec<Profile>, Problem> {
    let Some(table) = top.table("profile")? else {
        return Ok(Vec::new());
    };
    let mut profiles = Vec::new();
    for (name, reader) in table.named()? {
        let hours = reader.shares("weekday")?.unwrap_or_default();
        let weekday = <[f64; 24]>::try_from(hours).map_err(|hours| {
            let says = format!("{} hours, a day has 24", hours.len());
            reader.wrong(
                "weekday",
                says,
                "give the share of the line for each local hour",
            )
        })?;
        let weekend = reader.share("weekend")?;
        let weekend = weekend.ok_or_else(|| reader.missing("weekend", "add `weekend = 0.05`"))?;
        reader.finish()?;
        profiles.push(Profile {
            name,
            weekday,
            weekend,
        });
    }
    Ok(profiles)
}

fn endpoint_classes(top: &Reader<'_>) -> Result<Vec<EndpointClass>, Problem> {
    let mut classes = Vec::new();
    for reader in top.tables("endpoint_class")? {
        let presence = reader.text("presence")?.unwrap_or("always");
        let presence = match presence {
            "always" => Presence::Always,
            "office-desktop" => Presence::OfficeDesktop,
            "office-laptop" => Presence::OfficeLaptop,
            other => {
                let known = ["always", "office-desktop", "office-laptop"];
                let hint = nearest(other, &known).map_or_else(
                    || format!("known: {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(reader.wrong("presence", format!("unknown profile `{other}`"), hint));
            }
        };
        classes.push(EndpointClass {
            name: reader.name("name")?,
            share: reader.share("share")?.unwrap_or(1.0),
            presence,
        });
        reader.finish()?;
    }
    if classes.is_empty() {
        classes.push(EndpointClass {
            name: "endpoint".to_owned(),
            share: 1.0,
            presence: Presence::Always,
        });
    }
    whole(
        top,
        "endpoint_class",
        classes.iter().map(|class| class.share),
    )?;
    Ok(classes)
}

/// Shares that must cover everything.
fn whole(reader: &Reader<'_>, key: &str, shares: impl Iterator<Item = f64>) -> Result<(), Problem> {
    let sum: f64 = shares.sum();
    if (sum - 1.0).abs() > 1e-6 {
        let hint = "the shares of the list must add up to 1";
        return Err(reader.wrong(key, format!("shares add up to {sum:.4}"), hint));
    }
    Ok(())
}

/// All releases, in the order in which they are out.
fn releases(top: &Reader<'_>) -> Result<Vec<Release>, Problem> {
    let mut releases: Vec<(Release, Reader<'_>)> = Vec::new();
    for reader in top.tables("release")? {
        let release = release(&reader)?;
        if releases.iter().any(|(other, _)| other.name == release.name) {
            let hint = "give each release its own name";
            return Err(reader.wrong("name", "is used twice", hint));
        }
        releases.push((release, reader));
    }
    if releases.len() > RELEASES_MAX {
        let says = format!("{} releases", releases.len());
        let hint = format!("at most {RELEASES_MAX} in a plan");
        return Err(top.wrong("release", says, hint));
    }
    releases.sort_by(|a, b| a.0.at.total_cmp(&b.0.at));
    match releases.first() {
        None => Err(top.missing("release", "add a [[release]] with a name and a size")),
        Some((first, reader)) if first.overlap > 0.0 => {
            let hint = "no release is before it: use `versions` for what endpoints have now";
            Err(reader.wrong("overlap", "has no effect", hint))
        }
        Some(_) => Ok(releases.into_iter().map(|(release, _)| release).collect()),
    }
}

fn release(reader: &Reader<'_>) -> Result<Release, Problem> {
    let mut versions = Vec::new();
    for version in reader.tables("versions")? {
        versions.push(Version {
            share: version.share("share")?.unwrap_or(1.0),
            overlap: version.share("overlap")?.unwrap_or(0.0),
        });
        version.finish()?;
    }
    if versions.is_empty() {
        versions.push(Version {
            share: 1.0,
            overlap: 0.0,
        });
    }
    let shares = versions.iter().map(|version| version.share);
    whole(reader, "versions", shares)?;
    let overlap = reader.share("overlap")?.unwrap_or(0.0);
    let nothing = "an overlap of 1 leaves nothing to move";
    if versions.iter().any(|version| version.overlap >= 1.0) {
        let hint = "leave out endpoints that have everything";
        return Err(reader.wrong("versions", nothing, hint));
    }
    if overlap >= 1.0 {
        return Err(reader.wrong("overlap", nothing, "leave out the release"));
    }
    let mut rings = Vec::new();
    for ring in reader.tables("rings")? {
        rings.push(Ring {
            name: ring.name("name")?,
            share: ring.share("share")?.unwrap_or(1.0),
            at: ring.quantity("at", q::duration)?.unwrap_or(0.0),
        });
        ring.finish()?;
    }
    if rings.is_empty() {
        rings.push(Ring {
            name: "all".to_owned(),
            share: 1.0,
            at: 0.0,
        });
    }
    whole(reader, "rings", rings.iter().map(|ring| ring.share))?;
    let size = reader.quantity("size", q::size)?;
    let release = Release {
        name: reader.name("name")?,
        size: size.ok_or_else(|| reader.missing("size", "add `size = \"2 GiB\"`"))?,
        at: reader.quantity("at", q::duration)?.unwrap_or(0.0),
        overlap,
        deadline: deadline(reader)?,
        versions,
        rings,
    };
    reader.finish()?;
    Ok(release)
}

fn deadline(reader: &Reader<'_>) -> Result<Option<f64>, Problem> {
    let deadline = reader.quantity("deadline", q::duration)?;
    if deadline.is_some_and(|deadline| deadline <= 0.0) {
        let hint = "it counts from when the release is out: write it like \"48h\"";
        return Err(reader.wrong("deadline", "is over before anything begins", hint));
    }
    Ok(deadline)
}

/// Kinds of policies by the names they are written with.
const KINDS: [(&str, Kind); 5] = [
    ("direct", Kind::Direct),
    ("cache", Kind::Cache),
    ("bittorrent", Kind::Bittorrent),
    ("grouped", Kind::Grouped),
    ("patchmesh", Kind::Patchmesh),
];

/// A policy with its defaults, by name; `bittorrent-local` is one with neighbours at home.
pub fn named_policy(name: &str) -> Result<Policy, String> {
    let (kind, local) = if name == "bittorrent-local" {
        (Kind::Bittorrent, 30)
    } else {
        let known: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        let kind = KINDS.iter().find(|(known, _)| *known == name);
        let near = nearest(name, &known);
        let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let says = format!("unknown policy `{name}`: {near}known: {}", known.join(", "));
        (kind.map(|(_, kind)| *kind).ok_or(says)?, 0)
    };
    Ok(Policy {
        label: name.to_owned(),
        kind,
        neighbours: 35,
        local,
        copies: None,
        server_nic: 1e9,
        cost: None,
    })
}

fn policies(top: &Reader<'_>) -> Result<Vec<Policy>, Problem> {
    let mut policies: Vec<Policy> = Vec::new();
    for reader in top.tables("policy")? {
        let name = reader.name("kind")?;
        let mut policy = named_policy(&name).map_err(|says| reader.wrong("kind", says, ""))?;
        match policy.kind {
            Kind::Bittorrent => {
                policy.neighbours = small(reader.count("neighbours")?, policy.neighbours);
                policy.local = small(reader.count("local")?, policy.local);
                if policy.local > policy.neighbours {
                    let hint = "`local` counts some of the `neighbours`";
                    return Err(reader.wrong("local", "more than all neighbours", hint));
                }
                if policy.local > 0 {
                    "bittorrent-local".clone_into(&mut policy.label);
                    policy.copies = copies(&reader)?;
                }
            }
            Kind::Grouped => policy.copies = copies(&reader)?,
            Kind::Cache => {
                let nic = reader.quantity("server_nic", q::rate)?;
                policy.server_nic = nic.unwrap_or(policy.server_nic);
            }
            Kind::Direct | Kind::Patchmesh => {}
        }
        policy.cost = reader.money("cost", q::monthly)?;
        if let Some(label) = reader.text("label")? {
            label.clone_into(&mut policy.label);
        }
        reader.finish()?;
        if policies.iter().any(|other| other.label == policy.label) {
            let hint = "give one of them a `label`";
            return Err(reader.wrong("kind", "two policies have one name", hint));
        }
        policies.push(policy);
    }
    if policies.is_empty() {
        policies = default_policies();
    }
    Ok(policies)
}

/// All policies, with their defaults.
pub fn default_policies() -> Vec<Policy> {
    let names = [
        "direct",
        "cache",
        "bittorrent",
        "bittorrent-local",
        "grouped",
        "patchmesh",
    ];
    names
        .iter()
        .filter_map(|name| named_policy(name).ok())
        .collect()
}

fn copies(reader: &Reader<'_>) -> Result<Option<f64>, Problem> {
    let copies = reader.number("copies")?;
    if copies.is_some_and(|copies| !(1.0..1000.0).contains(&copies)) {
        let hint = "a number from 1 to 1000";
        return Err(reader.wrong("copies", "a site takes at least one copy", hint));
    }
    Ok(copies)
}

fn small(count: Option<u64>, default: u32) -> u32 {
    count.map_or(default, |count| u32::try_from(count).unwrap_or(u32::MAX))
}

/// Refuses what is said and changes nothing.
fn without_effect(top: &Reader<'_>, scenario: &Scenario) -> Result<(), Problem> {
    for (at, class) in scenario.site_classes.iter().enumerate() {
        if class.count == 0 && !scenario.sites.iter().any(|site| site.class == at) {
            let says = format!("no site is of the class `{}`", class.name);
            return Err(top.wrong("site_class", says, "give it a `count`, or drop it"));
        }
    }
    for (at, profile) in scenario.profiles.iter().enumerate() {
        let by_class = scenario
            .site_classes
            .iter()
            .any(|class| class.background == Some(at));
        let by_site = scenario
            .sites
            .iter()
            .any(|site| site.background == Some(at));
        if !by_class && !by_site {
            let says = format!("the profile `{}` is used by no site", profile.name);
            return Err(top.wrong("profile", says, "name it as `background`, or drop it"));
        }
    }
    let ends = scenario.cuts.iter().map(|cut| (cut.from, &cut.said));
    let ends = ends.chain(scenario.outages.iter().map(|off| (off.from, &off.said)));
    for (from, said) in ends {
        if from >= scenario.horizon {
            let hint = "make scenario.horizon longer, or drop it";
            return Err(said.problem("fault: begins after the horizon", hint));
        }
    }
    for release in &scenario.releases {
        if release.due().is_some_and(|due| due > scenario.horizon) {
            let says = format!("the deadline of `{}` is after the horizon", release.name);
            return Err(top.wrong("release", says, "make scenario.horizon longer"));
        }
        for ring in &release.rings {
            if release.at + ring.at >= scenario.horizon {
                let says = format!(
                    "ring `{}` of `{}` begins after the horizon",
                    ring.name, release.name
                );
                return Err(top.wrong("release", says, "make scenario.horizon longer"));
            }
        }
    }
    Ok(())
}
