//! When the source of truth that cannot speak for itself is looked at: a
//! published folder, or a plain HTTP origin.

use crate::config::Mode;
use crate::rng::Rng;
use crate::time::{Duration, Time};

/// How often an origin looks at its own folder.
const FOLDER: Duration = Duration::secs(5);
/// How often an endpoint looks at an HTTP origin, before jitter.
const HTTP: Duration = Duration::secs(30);
/// A quarter of that is jitter, so that a site does not ask in step.
const HTTP_JITTER_MS: u64 = 7_500;

/// What a look is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing: the next look is due at this time.
    Idle(Time),
    /// The next root, until there is none: a timestamp may only be judged once
    /// no newer root is known (T-18).
    Root,
    /// The newest timestamp.
    Timestamp,
}

/// The rhythm of looking.
#[derive(Debug)]
pub struct Poll {
    mode: Mode,
    stage: Stage,
    again: bool,
    stops: bool,
    rng: Rng,
}

impl Poll {
    /// A first look that is due at once.
    pub fn new(mode: Mode, now: Time, rng: Rng) -> Self {
        Self {
            mode,
            stage: Stage::Idle(now),
            again: false,
            stops: false,
            rng,
        }
    }

    /// What is being waited for; `None` where there is nothing to look at.
    pub fn stage(&self) -> Option<Stage> {
        (self.mode != Mode::Endpoint).then_some(self.stage)
    }

    /// Starts a look if it is due.
    pub fn tick(&mut self, now: Time) {
        if matches!(self.stage, Stage::Idle(due) if due <= now) {
            self.stage = Stage::Root;
            self.stops = true;
        }
    }

    /// Whether the file of stops is to be looked at.
    pub fn looks_for_stops(&self) -> bool {
        self.stops && self.mode != Mode::Endpoint
    }

    /// The file of stops was looked at.
    pub fn stops_done(&mut self) {
        self.stops = false;
    }

    /// Starts a look now, or once more after the one under way.
    pub fn refresh(&mut self, now: Time) {
        match self.stage {
            Stage::Idle(_) => self.stage = Stage::Idle(now),
            Stage::Root | Stage::Timestamp => self.again = true,
        }
        self.tick(now);
    }

    /// There is no further root, or it cannot be had now.
    pub fn roots_done(&mut self) {
        if self.stage == Stage::Root {
            self.stage = Stage::Timestamp;
        }
    }

    /// The timestamp was looked at.
    pub fn done(&mut self, now: Time) {
        let pause = match self.mode {
            Mode::Origin => FOLDER,
            Mode::Endpoint | Mode::EndpointWithHttp => {
                let jitter = Duration::millis(self.rng.below(HTTP_JITTER_MS));
                Duration(HTTP.0 + jitter.0)
            }
        };
        self.stage = Stage::Idle(if self.again { now } else { now.plus(pause) });
        self.again = false;
        self.tick(now);
    }
}
