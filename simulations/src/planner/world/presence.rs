//! When endpoints are on. Office profiles are assumed, not measured.

use crate::planner::scenario::model::{Presence, Start};
use crate::planner::world::chance::Chance;

const DAY: f64 = 86_400.0;
const HOUR: f64 = 3600.0;
const MINUTE: f64 = 60.0;
/// A desktop is off for a whole day so often.
const DESKTOP_OFF: f64 = 0.05;
/// A laptop comes to the office on so many of the weekdays.
const LAPTOP_COMES: f64 = 0.6;
/// It sleeps over lunch so often.
const LAPTOP_LUNCH: f64 = 0.2;

/// The calendar of a site: its local time at the start, and how long is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    start: Start,
    offset: f64,
    horizon: f64,
}

impl Calendar {
    /// Of a site so many seconds ahead of the scenario's clock.
    pub fn new(start: Start, offset: i32, horizon: f64) -> Self {
        Self {
            start,
            offset: f64::from(offset),
            horizon,
        }
    }

    /// Seconds from local Monday midnight to the start.
    fn week_second(&self) -> f64 {
        f64::from(self.start.weekday) * DAY + f64::from(self.start.second) + self.offset
    }

    /// Midnights that begin the local days, the first before the start, with
    /// their weekdays.
    fn days(&self) -> impl Iterator<Item = (f64, u32)> + '_ {
        let since = self.week_second().rem_euclid(DAY);
        let first = (self.week_second() / DAY).floor();
        let count = ((self.horizon + since) / DAY).ceil() as u32;
        (0..count).map(move |day| {
            let weekday = (first + f64::from(day)).rem_euclid(7.0) as u32;
            (f64::from(day) * DAY - since, weekday)
        })
    }

    /// Starts of local hours from the first moment on: when, weekend or not,
    /// and which.
    pub fn hours(&self) -> impl Iterator<Item = (f64, bool, usize)> + '_ {
        let each = self.days().flat_map(|(midnight, weekday)| {
            (0..24u32).map(move |hour| {
                let at = midnight + f64::from(hour) * HOUR;
                (at, weekday > 4, hour as usize)
            })
        });
        each.filter(|(at, _, _)| at + HOUR > 0.0 && *at < self.horizon)
            .map(|(at, weekend, hour)| (at.max(0.0), weekend, hour))
    }

    /// When an endpoint is on.
    pub fn on(&self, presence: Presence, chance: &mut Chance) -> Box<[(f64, f64)]> {
        let whole = (0.0, self.horizon);
        match presence {
            Presence::Always => Box::new([whole]),
            Presence::OfficeDesktop => {
                let days = self.days().map(|(midnight, _)| {
                    let on = chance.unit() >= DESKTOP_OFF;
                    (midnight, if on { midnight + DAY } else { midnight })
                });
                merged(days, self.horizon)
            }
            Presence::OfficeLaptop => {
                let mut spans = Vec::new();
                for (midnight, weekday) in self.days() {
                    let comes = chance.unit() < LAPTOP_COMES && weekday < 5;
                    let from = midnight + 8.75 * HOUR + 40.0 * MINUTE * chance.bell();
                    let to = midnight + 17.5 * HOUR + 60.0 * MINUTE * chance.bell();
                    let lunch = chance.unit() < LAPTOP_LUNCH;
                    let noon = midnight + 12.0 * HOUR;
                    if comes && lunch && from < noon && to > noon + HOUR {
                        spans.push((from, noon));
                        spans.push((noon + HOUR, to));
                    } else if comes && from < to {
                        spans.push((from, to));
                    }
                }
                merged(spans.into_iter(), self.horizon)
            }
        }
    }
}

/// The same without what lies between two moments.
pub fn without(on: &[(f64, f64)], from: f64, to: f64) -> Box<[(f64, f64)]> {
    let parts = on
        .iter()
        .flat_map(|(start, end)| [(*start, end.min(from)), (start.max(to), *end)]);
    parts.filter(|(start, end)| start < end).collect()
}

fn merged(spans: impl Iterator<Item = (f64, f64)>, horizon: f64) -> Box<[(f64, f64)]> {
    let mut all: Vec<(f64, f64)> = Vec::new();
    for (from, to) in spans {
        let (from, to) = (from.max(0.0), to.min(horizon));
        if from >= to {
            continue;
        }
        match all.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => all.push((from, to)),
        }
    }
    all.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_takes_its_part_out() {
        let on = [(0.0, 10.0), (20.0, 30.0)];
        assert_eq!(*without(&on, 5.0, 25.0), [(0.0, 5.0), (25.0, 30.0)]);
        assert_eq!(*without(&on, 0.0, 10.0), [(20.0, 30.0)]);
        assert_eq!(
            *without(&on, 22.0, f64::INFINITY),
            [(0.0, 10.0), (20.0, 22.0)]
        );
        assert_eq!(*without(&on, 12.0, 14.0), on);
    }

    #[test]
    fn laptops_are_on_in_office_hours_of_weekdays_only() {
        // A Saturday, 06:00.
        let start = Start {
            weekday: 5,
            second: 21_600,
        };
        let calendar = Calendar::new(start, 0, 4.0 * DAY);
        let mut days = 0;
        for entity in 0..1000 {
            let on = calendar.on(Presence::OfficeLaptop, &mut Chance::new(1, entity, 2));
            for (from, to) in &on {
                assert!(*from > 42.0 * HOUR && to > from, "before Monday");
            }
            days += usize::from(!on.is_empty());
        }
        // Two weekdays at 0.6 each: 0.84 of laptops are seen.
        assert!((800..880).contains(&days), "{days}");
        let hours: Vec<_> = calendar.hours().collect();
        assert_eq!(hours[0], (0.0, true, 6));
        assert_eq!(hours[42], (42.0 * HOUR, false, 0));
    }
}
