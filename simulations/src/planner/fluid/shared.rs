//! A site that shares what it fetches: one flow over its line, followed by the
//! endpoints that are on.

use crate::planner::bound::formulas::air_crossings;
use crate::planner::fluid::copies::copies;
use crate::planner::outcome::{Limiter, SiteRun};
use crate::planner::scenario::model::{Kind, Policy};
use crate::planner::world::site::Site;
use crate::planner::world::steps::Steps;

/// Endpoints that are on and want the release, from a moment on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct On {
    from: f64,
    wired: i32,
    wireless: i32,
}

/// The flow of one site.
#[derive(Debug)]
pub struct Shared<'a> {
    site: &'a Site,
    policy: &'a Policy,
    size: f64,
    /// Factor on the bytes that the site takes: 1 for the bound.
    stretch: f64,
    /// Parts that need a copy of their own.
    parts: f64,
    /// No copy grows faster than the source sends it.
    most: &'a Steps,
    on: Vec<On>,
    at: usize,
    now: f64,
    /// Bytes of one copy that the site has.
    got: f64,
    lacks: f64,
    /// How the copy grew.
    curve: Vec<(f64, f64)>,
    run: SiteRun,
    done: Option<f64>,
}

impl<'a> Shared<'a> {
    /// A site before its first byte.
    pub fn new(
        site: &'a Site,
        policy: &'a Policy,
        (size, stretch): (f64, f64),
        most: &'a Steps,
    ) -> Self {
        Self {
            site,
            policy,
            size,
            stretch,
            parts: site.copies(),
            most,
            on: presence(site),
            at: 0,
            now: 0.0,
            got: 0.0,
            lacks: site.lacks(size),
            curve: vec![(0.0, 0.0)],
            run: SiteRun::of(site),
            done: None,
        }
    }

    fn on(&self) -> On {
        self.on[self.at]
    }

    /// Endpoints on, and what the site could take at this moment.
    pub fn ask(&self) -> (f64, f64) {
        let on = f64::from(self.on().wired + self.on().wireless);
        if self.done.is_some() || on < 1.0 {
            return (0.0, 0.0);
        }
        (1.0, self.rate(f64::INFINITY).0)
    }

    /// When the site asks again, if it does not now.
    pub fn asks_at(&self) -> f64 {
        if self.done.is_some() {
            return f64::INFINITY;
        }
        let mut at = self.now;
        for (index, on) in self.on.iter().enumerate().skip(self.at) {
            if on.wired + on.wireless > 0 {
                let at = at.max(on.from);
                let free = &self.site.down_free;
                return if self.most.rate(at) <= 0.0 {
                    self.most.change(at)
                } else if free.rate(at) <= 0.0 {
                    free.change(at)
                } else {
                    at
                };
            }
            at = self
                .on
                .get(index + 1)
                .map_or(f64::INFINITY, |next| next.from);
        }
        at
    }

    /// Bytes per second over the line, and what holds it to that.
    fn rate(&self, grant: f64) -> (f64, Limiter) {
        let site = self.site;
        let (wired, wireless) = (f64::from(self.on().wired), f64::from(self.on().wireless));
        let on = wired + wireless;
        let copies = copies(self.policy, self.size, on, self.parts);
        let free = site.down_free.rate(self.now);
        let built = site.down;
        let by_others = built * (1.0 - site.others.rate(self.now));
        let why = if site.earlier_takes(self.now) {
            Limiter::Earlier
        } else if free >= built * 0.999_999 {
            Limiter::Line
        } else if free >= by_others * 0.999_999 {
            Limiter::Others
        } else {
            Limiter::Share
        };
        let flows = match self.policy.kind {
            Kind::Cache => 1.0,
            // Members hold a claim each, four at most of one node.
            Kind::Patchmesh => on.min(4.0),
            Kind::Direct | Kind::Bittorrent | Kind::Grouped => on,
        };
        let server = self.policy.kind == Kind::Cache;
        let (port, crossings) = if server {
            (self.policy.server_nic / 8.0 / on, wireless)
        } else {
            (site.nic, air_crossings(wired, wireless))
        };
        let fabric = if on > 1.0 {
            site.fabric / (on - 1.0)
        } else {
            f64::INFINITY
        };
        let air = if crossings > 0.0 {
            site.wifi / crossings
        } else {
            f64::INFINITY
        };
        let candidates = [
            (free, why),
            (flows * site.flow, Limiter::Line),
            (grant, Limiter::Origin),
            (self.most.rate(self.now) * copies, Limiter::Origin),
            (air * copies, Limiter::Air),
            (port.min(fabric).min(site.nic) * copies, Limiter::Lan),
        ];
        candidates
            .into_iter()
            .fold((f64::INFINITY, why), |best, next| {
                if next.0 < best.0 { next } else { best }
            })
    }

    /// Goes on until a moment at a granted rate.
    pub fn run(&mut self, to: f64, grant: f64) {
        while self.now < to {
            while self
                .on
                .get(self.at + 1)
                .is_some_and(|next| next.from <= self.now)
            {
                self.at += 1;
            }
            let next = self
                .on
                .get(self.at + 1)
                .map_or(f64::INFINITY, |next| next.from);
            let mut end = to.min(next).min(self.site.down_free.change(self.now));
            end = end.min(self.site.others.change(self.now));
            end = end.min(self.most.change(self.now));
            let on = f64::from(self.on().wired + self.on().wireless);
            if self.done.is_some() {
                self.now = to;
                return;
            }
            if on < 1.0 {
                if self.now >= self.on[0].from && self.got > 0.0 || self.at > 0 {
                    self.run.held[Limiter::Off as usize] += end - self.now;
                }
                self.now = end;
                continue;
            }
            let (rate, why) = self.rate(grant);
            let copies = copies(self.policy, self.size, on, self.parts);
            let left = (self.lacks - self.got) * copies * self.stretch;
            let finish = if rate > 0.0 {
                self.now + left / rate
            } else {
                f64::INFINITY
            };
            let until = finish.min(end);
            self.run.note(self.now, until, rate);
            self.run.held[why as usize] += until - self.now;
            self.got += rate * (until - self.now) / copies / self.stretch;
            self.now = until;
            if finish <= end {
                self.got = self.lacks;
                self.done = Some(finish);
            }
            self.curve.push((self.now, self.got));
        }
    }

    /// The parts that late endpoints need.
    pub fn finish(mut self) -> (SiteRun, Copy) {
        self.run.ends = vec![f64::INFINITY; self.site.hosts.len()];
        self.run.from_origin = self.run.wan_down;
        let copy = Copy {
            curve: self.curve,
            lacks: self.lacks,
            done: self.done.unwrap_or(f64::INFINITY),
        };
        (self.run, copy)
    }
}

/// How the copy of a site grew.
#[derive(Debug)]
pub struct Copy {
    curve: Vec<(f64, f64)>,
    /// Bytes of the whole copy.
    pub lacks: f64,
    /// When it was whole.
    pub done: f64,
}

impl Copy {
    /// Bytes at a moment.
    pub fn at(&self, time: f64) -> f64 {
        let next = self.curve.partition_point(|(at, _)| *at <= time);
        let Some((from, had)) = next.checked_sub(1).map(|at| self.curve[at]) else {
            return 0.0;
        };
        match self.curve.get(next) {
            Some((to, has)) => had + (has - had) * (time - from) / (to - from),
            None => had,
        }
    }
}

fn presence(site: &Site) -> Vec<On> {
    let mut moments: Vec<(f64, i32, i32)> = Vec::new();
    for host in &site.hosts {
        let (wired, wireless) = if host.wireless { (0, 1) } else { (1, 0) };
        for (from, to) in host.spans() {
            moments.push((from, wired, wireless));
            moments.push((to, -wired, -wireless));
        }
    }
    moments.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2)));
    let mut on = vec![On {
        from: 0.0,
        wired: 0,
        wireless: 0,
    }];
    for (from, wired, wireless) in moments {
        let last = on[on.len() - 1];
        let next = On {
            from,
            wired: last.wired + wired,
            wireless: last.wireless + wireless,
        };
        if last.from >= from {
            on.pop();
        }
        on.push(next);
    }
    on
}
