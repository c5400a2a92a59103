//! What holds each class of sites up, before anything runs: the terms of T*, the
//! latest first.

use std::fmt::Write as _;

use crate::planner::bound::limits::{Limits, Term};
use crate::planner::report::text::{bytes, rate, time};
use crate::planner::world::site::{Site, World};

/// One policy's bound by class, by its first site that somebody is in; or one site.
pub fn explain(
    (world, classes): (&World, &[String]),
    limits: &Limits,
    only: Option<&str>,
) -> Result<String, String> {
    let mut out = String::new();
    let is_asked = |at: &usize| match only {
        Some(id) => world.sites[*at].id == id,
        None => world.sites[*at].present().next().is_some(),
    };
    let mut said = vec![false; classes.len()];
    for at in (0..world.sites.len()).filter(is_asked) {
        let site = &world.sites[at];
        if !std::mem::replace(&mut said[site.class], true) {
            // Writing to a text cannot fail.
            one(&mut out, (world, site), limits, at).unwrap_or_default();
        }
    }
    match only {
        Some(id) if out.is_empty() => Err(format!("no site is named `{id}`")),
        _ => Ok(out),
    }
}

fn one(
    out: &mut String,
    (world, site): (&World, &Site),
    limits: &Limits,
    at: usize,
) -> std::fmt::Result {
    writeln!(out, "{} ({} endpoints)", site.id, site.hosts.len())?;
    let words = ["limit:", "next:", "then:", "then:"];
    for ((term, end), word) in limits.ranked(at).iter().zip(words) {
        let what = match term {
            Term::Line => format!(
                "WAN down, {} of {} now, {} to fetch",
                rate(site.down_free.rate(0.0)),
                rate(site.down),
                bytes(limits.sites[at].bytes)
            ),
            Term::Origin => format!(
                "origin uplink {}, {} for all sites",
                rate(world.origin.most()),
                bytes(limits.bytes)
            ),
            Term::Air => format!("Wi-Fi airtime at {}", rate(site.wifi)),
            Term::Host => format!("endpoint port {}, or its switch-on", rate(site.nic)),
        };
        writeln!(out, "  {word:<7}{what:<58} {}", time(*end))?;
    }
    Ok(())
}
