//! Whether a run kept the limits that were named, and what must hold always.

use serde_json::{Value, json};

use crate::figures::{Site, allowance};
use crate::plan::Plan;
use crate::run::Outcome;
use crate::watch::ratio;

/// One thing that must hold.
#[derive(Debug)]
pub(crate) struct Check {
    name: String,
    value: f64,
    most: f64,
}

impl Check {
    fn most(name: impl Into<String>, value: f64, most: f64) -> Self {
        let name = name.into();
        Self { name, value, most }
    }

    /// Whether it held.
    pub(crate) fn held(&self) -> bool {
        self.value <= self.most
    }

    /// For people.
    pub(crate) fn line(&self) -> String {
        let word = if self.held() { "held  " } else { "BROKEN" };
        format!(
            "{word} {}: {:.3}, at most {:.3}",
            self.name, self.value, self.most
        )
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({"name": self.name, "value": self.value, "most": self.most, "held": self.held()})
    }
}

/// Everything that is to hold.
pub(crate) fn checks(plan: &Plan, outcome: &Outcome, sites: &[Site]) -> Vec<Check> {
    let mut checks = Vec::new();
    let different = f64::from(u32::try_from(outcome.different.len()).unwrap_or(u32::MAX));
    checks.push(Check::most("endpoints with other files", different, 0.0));
    if let Some(most) = plan.copies_max.filter(|_| plan.size > 0) {
        for site in sites {
            let most = most + allowance(site.killed, outcome.lab.whole);
            let name = format!("site {}: copies over the WAN", site.number);
            checks.push(Check::most(name, site.copies.max(site.copies_sent), most));
        }
    }
    if let Some(most) = plan.t_max.filter(|_| plan.size > 0) {
        let last = sites.iter().map(|site| site.last).fold(0.0, f64::max);
        checks.push(Check::most(
            "last endpoint in T*",
            last / outcome.t_star,
            most,
        ));
    }
    if let Some((altered, witnesses)) = outcome.lies {
        let unnamed = f64::from(u8::from(witnesses == 0 && altered > 0));
        checks.push(Check::most("liars that nobody names", unnamed, 0.0));
    }
    let idle = outcome.idle.as_ref().map(|idle| &idle.nodes);
    for (name, _, cost) in idle.into_iter().flatten() {
        if let Some(most) = plan.rss_max {
            let mib = ratio(cost.rss, 1 << 20);
            checks.push(Check::most(format!("{name}: MiB at rest"), mib, most));
        }
        if let Some(most) = plan.cpu_max {
            let name = format!("{name}: percent of a core at rest");
            checks.push(Check::most(name, cost.cpu_percent, most));
        }
    }
    checks
}
