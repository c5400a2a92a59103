//! The smallest value that still meets the deadline.

use crate::planner::quantity as q;
use crate::planner::report::text::digits;
use crate::planner::scenario::model::Scenario;
use crate::planner::sweep::{Sweep, points};

/// What may be looked for: more of it never makes a rollout later.
const KEYS: [&str; 5] = ["deadline", "origin", "share", "wan", "wan-up"];
/// Halvings: the answer is within a thousandth of the range.
const HALVINGS: u32 = 10;

/// One thing and the range in which it is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    key: String,
    from: f64,
    to: f64,
}

impl Search {
    /// From `wan=2mbit..100mbit`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no search; write it like `wan=2mbit..100mbit`");
        let (key, range) = text.split_once('=').ok_or_else(wrong)?;
        let (from, to) = range.split_once("..").ok_or_else(wrong)?;
        if !KEYS.contains(&key) {
            let known = KEYS.join(", ");
            return Err(format!("`{key}` cannot be looked for: {known}, window"));
        }
        let value = |text: &str| match key {
            "deadline" => q::duration(text),
            "share" => text.parse().map_err(|_| format!("`{text}` is no share")),
            _ => q::rate(text),
        };
        let (from, to) = (value(from)?, value(to)?);
        if !(from > 0.0 && from < to) {
            return Err(format!("`{text}`: the range must rise, from more than 0"));
        }
        let key = key.to_owned();
        Ok(Self { key, from, to })
    }

    /// The largest value that is tried.
    pub fn most(&self) -> f64 {
        self.to
    }

    /// Whether the deadline itself is looked for.
    pub fn is_for_deadline(&self) -> bool {
        self.key == "deadline"
    }

    /// A value as it is written in a sweep.
    fn written(&self, value: f64) -> String {
        match self.key.as_str() {
            "deadline" => format!("{} s", value.ceil()),
            "share" => format!("{value}"),
            _ => format!("{} bit/s", value.ceil()),
        }
    }

    /// For people.
    pub fn shown(&self, value: f64) -> String {
        match self.key.as_str() {
            "deadline" => format!("{} = {} h", self.key, digits(value / 3600.0)),
            "share" => format!("{} = {}", self.key, digits(value)),
            _ => format!("{} = {} Mbit/s", self.key, digits(value / 1e6)),
        }
    }

    /// The scenario with a value.
    fn with(&self, scenario: &Scenario, value: f64) -> Result<Scenario, String> {
        let sweep = Sweep::parse(&format!("{}={}", self.key, self.written(value)))?;
        let point = points(scenario, &[sweep])?.pop();
        point
            .map(|(_, scenario)| scenario)
            .ok_or_else(|| "nothing to change".to_owned())
    }

    /// The smallest value for which `meets` holds, up to a thousandth of the range;
    /// none if it does not hold at its end.
    pub fn smallest<E: From<String>>(
        &self,
        scenario: &Scenario,
        mut meets: impl FnMut(Scenario) -> Result<bool, E>,
    ) -> Result<Option<f64>, E> {
        let mut good = |value| -> Result<bool, E> { meets(self.with(scenario, value)?) };
        if !good(self.to)? {
            return Ok(None);
        }
        if good(self.from)? {
            return Ok(Some(self.from));
        }
        let (mut low, mut high) = (self.from, self.to);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if good(middle)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(Some(high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::scenario::example::EXAMPLE;
    use crate::planner::scenario::parse::scenario;

    #[test]
    fn halving_ends_beside_the_edge_and_ranges_that_cannot_be_are_refused() {
        let none = |_: &str| Err(String::new());
        let base = scenario("t.toml", EXAMPLE, &none).unwrap();
        let search = Search::parse("wan=2mbit..100mbit").unwrap();
        let meets = |edge: f64| {
            let down = move |point: Scenario| point.site_classes[0].line.down >= edge;
            search
                .smallest::<String>(&base, |point| Ok(down(point)))
                .unwrap()
        };
        let found = meets(33e6).unwrap();
        assert!((33e6..33.2e6).contains(&found), "{found}");
        assert_eq!(meets(1e6), Some(2e6));
        assert_eq!(meets(1e9), None);
        for wrong in [
            "wan",
            "wan=2mbit",
            "wan=5mbit..2mbit",
            "size=1..2",
            "share=x..1",
        ] {
            assert!(Search::parse(wrong).is_err(), "{wrong}");
        }
    }
}
