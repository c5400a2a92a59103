//! The machine: one event in, orders out.

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::id::ContentId;
use patchmesh_trust::release::Release;
use patchmesh_trust::verified::Verified;

use crate::config::{Config, Mode};
use crate::ids::InstallId;
use crate::input::Installed;
use crate::limits::STAGE_REPAIRS_MAX;
use crate::output::{Notice, Step as HostStep};
use crate::record::{Record, ReleaseState};
use crate::rollout::action::Action;
use crate::rollout::event::Event;
use crate::rollout::plan::{Facts, Policy, Step, plan};

/// One release.
#[derive(Debug, Clone)]
struct Item {
    /// Empty while a stored state waits for metadata that lists it.
    release: Option<Verified<Release>>,
    facts: Facts,
    install: Option<InstallId>,
    /// The step was told to end.
    cancelled: bool,
    /// Stage steps in a row that found damaged chunks.
    repairs: u32,
}

/// Decides what happens with each listed release on this host.
#[derive(Debug)]
pub struct Rollout {
    policy: Policy,
    items: BTreeMap<ContentId, Item>,
    next_install: u64,
}

impl Rollout {
    /// With the states that the store kept. `Known` is stored only for a
    /// release that a user gave up.
    pub fn new(config: &Config, stored: Vec<(ContentId, ReleaseState)>) -> Self {
        let item = |(content, state)| {
            let mut item = Item::new(content, state);
            item.facts.given_up = state == ReleaseState::Known;
            // Whoever keeps the disk knows better: it says `Good` where it is so.
            if state == ReleaseState::Applying {
                item.facts.state = ReleaseState::Staged;
            }
            (content, item)
        };
        Self {
            policy: Policy {
                automatic: config.automatic,
                origin: config.mode == Mode::Origin,
            },
            items: stored.into_iter().map(item).collect(),
            next_install: 0,
        }
    }

    /// Takes one event; orders are appended to `out` and run in that order.
    pub fn handle(&mut self, event: Event, out: &mut Vec<Action>) {
        match event {
            Event::Complete { content } => self.update(&content, |facts| facts.complete = true),
            Event::Damaged { content } => self.damaged(&content, out),
            Event::Fetch { content } => self.fetch(&content, out),
            Event::Forget { content } => self.give_up(&content, out),
            Event::Indexed { content } => self.update(&content, |facts| facts.indexed = true),
            Event::Installed { install, outcome } => self.installed(install, outcome, out),
            Event::Listed {
                releases,
                usable,
                open,
                stopped,
                installs_stopped,
                complete,
            } => {
                self.listed(releases, &usable, complete, out);
                for (content, item) in &mut self.items {
                    item.facts.open = open.contains(content);
                }
                self.stop(&stopped, installs_stopped, out);
            }
        }
        self.run(out);
    }

    /// The policy.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Listed releases and what is known of them, in the order of their contents.
    pub fn releases(&self) -> impl Iterator<Item = (&Verified<Release>, &Facts)> {
        let items = self.items.values();
        items.filter_map(|item| Some((item.release.as_ref()?, &item.facts)))
    }

    fn update(&mut self, content: &ContentId, change: impl FnOnce(&mut Facts)) {
        if let Some(item) = self.items.get_mut(content) {
            change(&mut item.facts);
        }
    }

    fn listed(
        &mut self,
        releases: BTreeMap<ContentId, Verified<Release>>,
        usable: &BTreeMap<ContentId, Verified<Release>>,
        complete: bool,
        out: &mut Vec<Action>,
    ) {
        for item in self.items.values_mut() {
            let listed = releases.contains_key(&item.facts.content);
            item.facts.listed = listed || !complete;
            item.facts.usable = false;
        }
        for (content, release) in releases {
            let item = self.items.entry(content).or_insert_with(|| {
                out.push(notice(&release, ReleaseState::Known, String::new()));
                Item::new(content, ReleaseState::Known)
            });
            item.facts.usable = usable.contains_key(&content);
            item.release = Some(release);
        }
    }

    /// What is stopped is not fetched or staged; a step under way is ended,
    /// unless it is done first (T-29).
    fn stop(&mut self, stopped: &BTreeSet<ContentId>, all: bool, out: &mut Vec<Action>) {
        for item in self.items.values_mut() {
            item.facts.stopped = stopped.contains(&item.facts.content);
            // Past its point of no return an apply ends by itself.
            let ends = (item.facts.stopped || all) && !item.is_applying();
            if let (true, false, Some(install)) = (ends, item.cancelled, item.install) {
                item.cancelled = true;
                out.push(Action::Cancel { install });
            }
        }
    }

    fn fetch(&mut self, content: &ContentId, out: &mut Vec<Action>) {
        let Some(item) = self.items.get_mut(content) else {
            return;
        };
        item.facts.commanded = true;
        if std::mem::take(&mut item.facts.given_up) {
            out.push(Action::NeedIndex { content: *content });
        }
        item.repairs = 0;
        if item.facts.state == ReleaseState::Failed {
            item.enter(ReleaseState::Fetching, String::new(), out);
        }
    }

    fn give_up(&mut self, content: &ContentId, out: &mut Vec<Action>) {
        let Some(item) = self.items.get_mut(content) else {
            return;
        };
        let release = item.release.take();
        *item = Item::new(*content, ReleaseState::Known);
        item.release = release;
        item.facts.given_up = true;
        out.push(Action::Persist(Record::Forget { content: *content }));
        // The stored `Known` keeps a restart from fetching it again.
        item.enter(ReleaseState::Known, String::new(), out);
        out.push(Action::Remove {
            content: *content,
            unlisted: false,
        });
    }

    /// A stage step that fails while a chunk is missing is tried again once
    /// the chunk is back.
    fn damaged(&mut self, content: &ContentId, out: &mut Vec<Action>) {
        if let Some(item) = self.items.get_mut(content) {
            item.facts.complete = false;
            // A disk that alters what it is given is not fed without end.
            if item.facts.state == ReleaseState::Failed && item.repairs < STAGE_REPAIRS_MAX {
                item.enter(ReleaseState::Fetching, String::new(), out);
            }
        }
    }

    fn installed(&mut self, install: InstallId, outcome: Installed, out: &mut Vec<Action>) {
        let mut items = self.items.values_mut();
        // A release that was given up meanwhile no longer knows the step.
        let Some(item) = items.find(|item| item.install == Some(install)) else {
            return;
        };
        item.install = None;
        item.facts.staging = false;
        if item.facts.state == ReleaseState::Applying {
            let content = item.facts.content;
            return self.applied(content, outcome, out);
        }
        let cancelled = std::mem::take(&mut item.cancelled);
        match outcome {
            Installed::Failed(_) if cancelled => {}
            Installed::Passed => {
                item.repairs = 0;
                item.enter(ReleaseState::Staged, String::new(), out);
            }
            Installed::Failed(_) if !item.facts.complete && item.repairs < STAGE_REPAIRS_MAX => {
                item.repairs += 1;
            }
            Installed::Failed(detail) => item.enter(ReleaseState::Failed, detail, out),
        }
    }

    fn run(&mut self, out: &mut Vec<Action>) {
        for step in plan(self.policy, self.items.values().map(|item| item.facts)) {
            match step {
                Step::Fetch(content) => self.start_fetch(content, out),
                Step::Forget(content) => self.forget(content, out),
                Step::Halt(content) => {
                    self.update(&content, |facts| facts.pursued = false);
                    out.push(Action::Halt { content });
                }
                Step::Stage(content) => self.stage(content, out),
                Step::Apply(content) => self.apply(content, out),
            }
        }
    }

    fn start_fetch(&mut self, content: ContentId, out: &mut Vec<Action>) {
        if let Some(item) = self.items.get_mut(&content) {
            item.facts.pursued = true;
            if item.facts.state == ReleaseState::Known {
                item.enter(ReleaseState::Fetching, String::new(), out);
            }
            out.push(Action::Want { content });
        }
    }

    fn forget(&mut self, content: ContentId, out: &mut Vec<Action>) {
        self.items.remove(&content);
        out.push(Action::Persist(Record::Forget { content }));
        out.push(Action::Remove {
            content,
            unlisted: true,
        });
    }

    fn stage(&mut self, content: ContentId, out: &mut Vec<Action>) {
        let Some(item) = self.items.get_mut(&content) else {
            return;
        };
        if let Some(release) = &item.release {
            let install = InstallId(self.next_install);
            self.next_install += 1;
            item.install = Some(install);
            item.facts.staging = true;
            let release = Box::new(release.clone());
            let step = HostStep::Stage { release };
            out.push(Action::Install { install, step });
        }
    }
}

impl Rollout {
    /// One release of a line at a time, so that the last one that was approved
    /// is what is in use in the end.
    fn apply(&mut self, content: ContentId, out: &mut Vec<Action>) {
        let line = self.line_of(&content);
        let mut busy = self.items.values();
        let busy = busy.any(|item| item.is_of(line.as_ref()) && item.is_applying());
        let Some(item) = self.items.get_mut(&content).filter(|_| !busy) else {
            return;
        };
        let Some(release) = item.release.clone() else {
            return;
        };
        item.enter(ReleaseState::Applying, String::new(), out);
        let install = InstallId(self.next_install);
        self.next_install += 1;
        item.install = Some(install);
        item.facts.staging = true;
        let release = Box::new(release);
        let step = HostStep::Apply { release };
        out.push(Action::Install { install, step });
    }

    /// What was in use before is only staged from now on.
    fn applied(&mut self, content: ContentId, outcome: Installed, out: &mut Vec<Action>) {
        let line = self.line_of(&content);
        let Some(item) = self.items.get_mut(&content) else {
            return;
        };
        match outcome {
            Installed::Failed(detail) => item.enter(ReleaseState::Failed, detail, out),
            Installed::Passed => {
                item.enter(ReleaseState::Good, String::new(), out);
                let others = self.items.values_mut();
                let before = others.filter(|other| {
                    other.facts.content != content
                        && other.is_of(line.as_ref())
                        && other.facts.state == ReleaseState::Good
                });
                for other in before {
                    other.enter(ReleaseState::Staged, String::new(), out);
                }
            }
        }
    }

    fn line_of(&self, content: &ContentId) -> Option<String> {
        let item = self.items.get(content)?;
        item.release.as_ref().map(|release| release.line.clone())
    }
}

impl Item {
    fn is_of(&self, line: Option<&String>) -> bool {
        let own = self.release.as_ref().map(|release| &release.line);
        own.is_some() && own == line
    }

    fn is_applying(&self) -> bool {
        self.facts.state == ReleaseState::Applying && self.facts.staging
    }

    fn new(content: ContentId, state: ReleaseState) -> Self {
        Self {
            release: None,
            facts: Facts {
                content,
                state,
                listed: true,
                usable: false,
                stopped: false,
                indexed: false,
                complete: false,
                commanded: false,
                given_up: false,
                pursued: false,
                staging: false,
                open: false,
            },
            install: None,
            cancelled: false,
            repairs: 0,
        }
    }

    /// Durable first, then told.
    fn enter(&mut self, state: ReleaseState, detail: String, out: &mut Vec<Action>) {
        self.facts.state = state;
        let content = self.facts.content;
        out.push(Action::Persist(Record::Release { content, state }));
        if let Some(release) = &self.release {
            out.push(notice(release, state, detail));
        }
    }
}

fn notice(release: &Release, state: ReleaseState, detail: String) -> Action {
    Action::Notify(Notice::Release {
        content: release.content,
        id: release.id.clone(),
        state,
        detail,
    })
}
