//! The shortest daily window for updates that still meets the deadline.

use crate::planner::scenario::model::Scenario;

/// Hours of a day.
const DAY: u32 = 24;

/// Lengths of a window, in hours, among which the shortest is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    from: u32,
    to: u32,
}

/// A length and the local hours at which a window of it may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Hours.
    pub length: u32,
    /// In ascending order.
    pub starts: Vec<u32>,
}

impl Lengths {
    /// From the `1h..12h` of `window=1h..12h`.
    pub fn parse(range: &str) -> Result<Self, String> {
        let wrong = || format!("`{range}` is no range of window lengths; write it like `1h..12h`");
        let (from, to) = range.split_once("..").ok_or_else(wrong)?;
        let hours = |text: &str| text.trim().strip_suffix('h')?.trim().parse().ok();
        let (from, to) = hours(from).zip(hours(to)).ok_or_else(wrong)?;
        if from < 1 || from > to || to > DAY {
            return Err(format!("`{range}`: whole hours from 1h to 24h, rising"));
        }
        Ok(Self { from, to })
    }

    /// The longest window that is tried.
    pub fn most(self) -> u32 {
        self.to
    }

    /// The shortest for which `meets` holds at some start, with all such starts; none
    /// if even the longest never does. A longer window holds whatever a shorter one
    /// does, so lengths are halved.
    pub fn shortest<E>(
        self,
        scenario: &Scenario,
        mut meets: impl FnMut(Scenario) -> Result<bool, E>,
    ) -> Result<Option<Found>, E> {
        let mut starts = |length: u32, all: bool| -> Result<Vec<u32>, E> {
            let mut found = Vec::new();
            // Every window of a whole day is the same.
            let last = if length == DAY { 1 } else { DAY };
            for start in 0..last {
                if meets(with(scenario, start, length))? {
                    found.push(start);
                    if !all {
                        break;
                    }
                }
            }
            Ok(found)
        };
        if starts(self.to, false)?.is_empty() {
            return Ok(None);
        }
        let (mut low, mut high) = (self.from, self.to);
        while low < high {
            let middle = u32::midpoint(low, high);
            if starts(middle, false)?.is_empty() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let length = high;
        let starts = starts(length, true)?;
        Ok(Some(Found { length, starts }))
    }
}

/// The scenario with updates in a window only.
pub fn with(scenario: &Scenario, start: u32, length: u32) -> Scenario {
    let mut scenario = scenario.clone();
    let window = (length < DAY).then_some((start, (start + length) % DAY));
    for class in &mut scenario.site_classes {
        class.limit.window = window;
    }
    scenario
}

/// `20-04`, as it is written in a scenario.
pub fn shown(start: u32, length: u32) -> String {
    if length >= DAY {
        "the whole day".to_owned()
    } else {
        format!("{start:02}-{:02}", (start + length) % DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::scenario::example::EXAMPLE;
    use crate::planner::scenario::parse::scenario;

    #[test]
    fn the_shortest_window_is_found_with_all_its_starts() {
        let none = |_: &str| Err(String::new());
        let base = scenario("t.toml", EXAMPLE, &none).unwrap();
        // Two hours before midnight and three after it are needed.
        let meets = |point: Scenario| {
            let holds = |hour: u32| match point.site_classes[0].limit.window {
                Some((from, to)) if from < to => (from..to).contains(&hour),
                Some((from, to)) => hour >= from || hour < to,
                None => true,
            };
            Ok::<bool, ()>([22, 23, 0, 1, 2].into_iter().all(holds))
        };
        let found = |range: &str| Lengths::parse(range).unwrap().shortest(&base, meets);
        let at = |length, starts: &[u32]| {
            let starts = starts.to_vec();
            Ok(Some(Found { length, starts }))
        };
        assert_eq!(found("1h..24h"), at(5, &[22]));
        assert_eq!(found("7h..9h"), at(7, &[20, 21, 22]));
        assert_eq!(found("24h..24h"), at(24, &[0]));
        assert_eq!(found("1h..4h"), Ok(None));
        assert_eq!(shown(22, 5), "22-03");
        for wrong in ["1h", "0h..4h", "5h..4h", "1h..25h", "1..4", "xh..4h"] {
            assert!(Lengths::parse(wrong).is_err(), "{wrong}");
        }
    }
}
