//! Bytes above the quota of a line, month by month.

use crate::planner::outcome::SiteRun;
use crate::planner::world::site::Site;

/// A month of a contract, in hours; counted from the start of the plan.
const MONTH_HOURS: usize = 30 * 24;

/// Bytes that a site moves above its quota; 0 where it has none. What it sends is
/// counted in the hours in which it receives.
pub fn above(site: &Site, run: &SiteRun) -> f64 {
    let Some(quota) = site.quota else {
        return 0.0;
    };
    let down: f64 = run.hours.iter().sum();
    let both = if down > 0.0 {
        (run.wan_down + run.wan_up) / down
    } else {
        0.0
    };
    let months = run.hours.chunks(MONTH_HOURS);
    let above = months.map(|hours| hours.iter().sum::<f64>() * both - quota as f64);
    above.map(|bytes| bytes.max(0.0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::scenario::example::EXAMPLE;
    use crate::planner::scenario::parse::scenario;
    use crate::planner::world::build::world;

    #[test]
    fn each_month_has_a_quota_of_its_own() {
        let none = |_: &str| Err(String::new());
        let world = world(&scenario("t", EXAMPLE, &none).unwrap(), "t").unwrap();
        let mut site = world.sites[0].clone();
        let mut hours = vec![0.0; 31 * 24];
        (hours[5], hours[MONTH_HOURS]) = (3e9, 2e9);
        let run = SiteRun {
            wan_down: 5e9,
            wan_up: 5e9,
            hours,
            ..SiteRun::default()
        };
        site.quota = Some(3_000_000_000);
        assert!((above(&site, &run) - 4e9).abs() < 1.0);
        site.quota = Some(6_000_000_000);
        assert_eq!(above(&site, &run), 0.0);
        site.quota = None;
        assert_eq!(above(&site, &run), 0.0);
        site.quota = Some(1);
        assert_eq!(above(&site, &SiteRun::default()), 0.0);
    }
}
