//! A site whose endpoints fetch for themselves: equal shares of the line for
//! those that are on (processor sharing, on a clock of service per flow).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::planner::outcome::{Limiter, SiteRun};
use crate::planner::world::site::Site;
use crate::planner::world::steps::Steps;

/// An endpoint is switched on or off.
#[derive(Debug, Clone, Copy)]
struct Switch {
    at: f64,
    host: usize,
    on: bool,
}

/// A number that orders like itself; all are finite and not negative.
type Tag = u64;

/// The flows of one site.
#[derive(Debug)]
pub struct Each<'a> {
    site: &'a Site,
    /// Least part of the bytes of an endpoint that come over the line.
    far: f64,
    /// What one flow takes at most, by what the source has sent.
    most: &'a Steps,
    switches: Vec<Switch>,
    at: usize,
    now: f64,
    /// Bytes that a flow got that has been there from the beginning.
    service: f64,
    /// Finish tags of live flows; those switched off are skipped.
    tags: BinaryHeap<Reverse<(Tag, usize)>>,
    left: Vec<f64>,
    tag_of: Vec<Option<Tag>>,
    begun: Vec<bool>,
    on: f64,
    wireless: f64,
    open: usize,
    run: SiteRun,
}

impl<'a> Each<'a> {
    /// A site before its first byte.
    pub fn new(site: &'a Site, size: f64, far: f64, most: &'a Steps) -> Self {
        let mut switches = Vec::new();
        for (host, state) in site.hosts.iter().enumerate() {
            for (from, to) in state.spans() {
                switches.push(Switch {
                    at: from,
                    host,
                    on: true,
                });
                switches.push(Switch {
                    at: to,
                    host,
                    on: false,
                });
            }
        }
        switches.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.on.cmp(&b.on)));
        let count = site.hosts.len();
        Self {
            site,
            far,
            most,
            switches,
            at: 0,
            now: 0.0,
            service: 0.0,
            tags: BinaryHeap::new(),
            left: site.hosts.iter().map(|host| host.lacks(size)).collect(),
            tag_of: vec![None; count],
            begun: vec![false; count],
            on: 0.0,
            wireless: 0.0,
            open: count,
            run: SiteRun {
                ends: vec![f64::INFINITY; count],
                ..SiteRun::of(site)
            },
        }
    }

    /// Flows, and what they could take at this moment.
    pub fn ask(&self) -> (f64, f64) {
        if self.on < 1.0 {
            return (0.0, 0.0);
        }
        (self.on, self.flow(f64::INFINITY).0 * self.on)
    }

    /// When the site asks again, if it does not now.
    pub fn asks_at(&self) -> f64 {
        if self.on > 0.0 {
            let line = self.site.down_free.change(self.now);
            return line.min(self.most.change(self.now));
        }
        let later = self.switches[self.at..].iter();
        let mut later = later.filter(|switch| switch.on && self.left[switch.host] > 0.0);
        later.next().map_or(f64::INFINITY, |switch| switch.at)
    }

    /// Bytes per second of one flow, and what holds it to that.
    fn flow(&self, grant: f64) -> (f64, Limiter) {
        let site = self.site;
        let free = site.down_free.rate(self.now);
        let others = site.down * (1.0 - site.others.rate(self.now));
        let why = if site.earlier_takes(self.now) {
            Limiter::Earlier
        } else if free >= site.down * 0.999_999 {
            Limiter::Line
        } else if free >= others * 0.999_999 {
            Limiter::Others
        } else {
            Limiter::Share
        };
        let air = if self.wireless > 0.0 {
            site.wifi / self.wireless
        } else {
            f64::INFINITY
        };
        let candidates = [
            (free / self.on, why),
            (site.flow, Limiter::Line),
            (grant / self.on, Limiter::Origin),
            (self.most.rate(self.now), Limiter::Origin),
            (air * self.far, Limiter::Air),
            (site.nic * self.far, Limiter::Lan),
        ];
        candidates
            .into_iter()
            .fold((f64::INFINITY, why), |best, next| {
                if next.0 < best.0 { next } else { best }
            })
    }

    fn switch(&mut self, switch: Switch) {
        let host = switch.host;
        let weight = if self.site.hosts[host].wireless {
            1.0
        } else {
            0.0
        };
        if switch.on && self.left[host] > 0.0 {
            if !self.begun[host] {
                self.begun[host] = true;
                // The first of a site finds nobody else there.
                let alone = self.on < 1.0 && self.open == self.site.hosts.len();
                let part = if alone {
                    1.0
                } else {
                    self.far
                        .max(f64::from(self.site.parts) / (self.on + 1.0))
                        .min(1.0)
                };
                self.run.lan += self.left[host] * (1.0 - part);
                self.left[host] *= part;
            }
            let tag = (self.service + self.left[host]).to_bits();
            self.tags.push(Reverse((tag, host)));
            self.tag_of[host] = Some(tag);
            self.on += 1.0;
            self.wireless += weight;
        } else if !switch.on
            && let Some(tag) = self.tag_of[host].take()
        {
            self.left[host] = (f64::from_bits(tag) - self.service).max(1e-9);
            self.on -= 1.0;
            self.wireless -= weight;
        }
    }

    /// Goes on until a moment at a granted rate for the site.
    pub fn run(&mut self, to: f64, grant: f64) {
        while self.now < to {
            while self
                .switches
                .get(self.at)
                .is_some_and(|switch| switch.at <= self.now)
            {
                self.switch(self.switches[self.at]);
                self.at += 1;
            }
            let next = self
                .switches
                .get(self.at)
                .map_or(f64::INFINITY, |switch| switch.at);
            let mut end = to.min(next).min(self.site.down_free.change(self.now));
            end = end.min(self.site.others.change(self.now));
            end = end.min(self.most.change(self.now));
            if self.on < 1.0 {
                if self.open > 0 && self.at > 0 && self.at < self.switches.len() {
                    self.run.held[Limiter::Off as usize] += end - self.now;
                }
                self.now = end;
                continue;
            }
            while let Some(Reverse((tag, host))) = self.tags.peek()
                && self.tag_of[*host] != Some(*tag)
            {
                self.tags.pop();
            }
            let (flow, why) = self.flow(grant);
            let first = self
                .tags
                .peek()
                .map(|Reverse((tag, _))| f64::from_bits(*tag));
            let finish = match first {
                Some(tag) if flow > 0.0 => self.now + (tag - self.service).max(0.0) / flow,
                _ => f64::INFINITY,
            };
            let until = finish.min(end);
            self.run.note(self.now, until, flow * self.on);
            self.run.held[why as usize] += until - self.now;
            self.service += flow * (until - self.now);
            self.now = until;
            if finish <= end {
                self.service = self.service.max(first.unwrap_or(0.0));
                self.complete();
            }
        }
    }

    /// All flows whose tag is reached are over.
    fn complete(&mut self) {
        while let Some(Reverse((tag, host))) = self.tags.peek().copied() {
            if f64::from_bits(tag) > self.service * (1.0 + 1e-12) {
                return;
            }
            self.tags.pop();
            if self.tag_of[host] == Some(tag) {
                self.tag_of[host] = None;
                self.left[host] = 0.0;
                self.run.ends[host] = self.now;
                self.open -= 1;
                self.on -= 1.0;
                self.wireless -= if self.site.hosts[host].wireless {
                    1.0
                } else {
                    0.0
                };
            }
        }
    }

    /// What came of it; `origin` is the part of the bytes that the origin sent.
    pub fn finish(mut self, origin: f64) -> SiteRun {
        self.run.from_origin = self.run.wan_down * origin;
        self.run
    }
}
