//! The line of a site: frames one after the other, at a rate that changes with
//! the hour; what is cancelled makes room.

use std::collections::VecDeque;

use patchmesh_core::time::Time;

use crate::planner::outcome::Track;
use crate::planner::world::steps::Steps;

/// Microseconds of a moment in seconds, never before it.
pub fn micros(secs: f64) -> Time {
    Time((secs * 1e6).ceil() as u64)
}

/// A frame on the line.
#[derive(Debug, Clone, Copy)]
struct Frame {
    transfer: usize,
    left: f64,
}

/// A line and what waits for it. Times are seconds of its clock.
#[derive(Debug)]
pub struct Wire {
    rate: Steps,
    waiting: VecDeque<Frame>,
    since: f64,
    /// Counts changes of the first frame: older ends mean nothing.
    pub turn: u64,
    /// Bytes carried.
    pub carried: f64,
    /// Bytes carried, by hour of the world.
    pub hours: Vec<f64>,
    hour: f64,
    /// When it was used, if anybody wants to know.
    pub track: Option<Track>,
}

impl Wire {
    /// An idle line; `hour` is the length of an hour on its clock.
    pub fn new(rate: Steps, hour: f64) -> Self {
        Self {
            rate,
            waiting: VecDeque::new(),
            since: 0.0,
            turn: 0,
            carried: 0.0,
            hours: Vec::new(),
            hour,
            track: None,
        }
    }

    /// Carries on until now.
    fn advance(&mut self, now: f64) {
        if let Some(first) = self.waiting.front_mut() {
            let moved = self.rate.passed(self.since, now).min(first.left);
            first.left -= moved;
            self.carried += moved;
            let hour = (now / self.hour) as usize;
            if self.hours.len() <= hour {
                self.hours.resize(hour + 1, 0.0);
            }
            self.hours[hour] += moved;
            if let Some(track) = &mut self.track {
                track.add(self.since, now, moved / (now - self.since));
            }
        }
        self.since = now;
    }

    /// Takes a frame; returns when the first ends, if that changed.
    pub fn add(&mut self, transfer: usize, bytes: f64, now: f64) -> Option<(Time, u64)> {
        self.advance(now);
        self.waiting.push_back(Frame {
            transfer,
            left: bytes,
        });
        (self.waiting.len() == 1)
            .then(|| self.restart(now))
            .flatten()
    }

    fn restart(&mut self, now: f64) -> Option<(Time, u64)> {
        self.turn += 1;
        let first = self.waiting.front()?;
        let end = self.rate.until(now, first.left);
        end.is_finite().then(|| (micros(end), self.turn))
    }

    /// The first frame is through: which, and when the next is.
    pub fn done(&mut self, now: f64) -> (Option<usize>, Option<(Time, u64)>) {
        self.advance(now);
        if let Some(first) = self.waiting.front() {
            // Rounding to microseconds may leave a part of a byte.
            self.carried += first.left;
        }
        let first = self.waiting.pop_front();
        (first.map(|frame| frame.transfer), self.restart(now))
    }

    /// Whether a frame is still here.
    pub fn waits(&self, transfer: usize) -> bool {
        self.waiting.iter().any(|frame| frame.transfer == transfer)
    }

    /// A frame is not wanted any more; returns when the first ends, if that
    /// changed.
    pub fn cancel(&mut self, transfer: usize, now: f64) -> Option<(Time, u64)> {
        self.advance(now);
        let at = self
            .waiting
            .iter()
            .position(|frame| frame.transfer == transfer)?;
        self.waiting.remove(at);
        (at == 0).then(|| self.restart(now)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_follow_each_other_and_a_cancelled_one_makes_room() {
        let mut wire = Wire::new(Steps::new(&[(0.0, 100.0), (10.0, 50.0)]), 3600.0);
        assert_eq!(wire.add(1, 900.0, 0.0), Some((Time(9_000_000), 1)));
        assert_eq!(wire.add(2, 500.0, 1.0), None);
        assert_eq!(wire.add(3, 200.0, 1.0), None);
        assert_eq!(wire.cancel(1, 5.0), Some((Time(10_000_000), 2)));
        assert_eq!(wire.cancel(3, 6.0), None);
        assert_eq!(wire.done(10.0), (Some(2), None));
        assert!((wire.carried - 1000.0).abs() < 1e-6);
    }
}
