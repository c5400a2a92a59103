//! Follows a rollout from outside: what each node says of itself, until every
//! node that should has staged the release.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use patchmesh_api::releases::ReleaseState;
use patchmesh_api::status::Status;

use crate::fleet::Daemon;

/// Between two looks at the fleet.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Progress of one site at one look.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteProgress {
    /// The site.
    pub site: String,
    /// Share of chunks held, mean over its living nodes, 0 to 1.
    pub share: f64,
    /// Nodes that have staged the release.
    pub staged: usize,
    /// Living nodes.
    pub nodes: usize,
}

/// When each node had staged the release, in seconds from the start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Completion {
    /// Node name and seconds.
    pub nodes: Vec<(String, f64)>,
}

impl Completion {
    /// The last node.
    pub fn last_secs(&self) -> f64 {
        self.nodes.iter().map(|(_, secs)| *secs).fold(0.0, f64::max)
    }

    /// The first node.
    pub fn first_secs(&self) -> f64 {
        self.nodes
            .iter()
            .map(|(_, secs)| *secs)
            .fold(f64::INFINITY, f64::min)
    }
}

/// Looks at a fleet until every living endpoint has staged `id`. `seen` gets
/// each look and may change the fleet (kill a node).
pub fn until_staged(
    fleet: &mut [Daemon],
    id: &str,
    within: Duration,
    mut seen: impl FnMut(&mut [Daemon], &[SiteProgress]) -> Result<()>,
) -> Result<Completion> {
    let began = Instant::now();
    let mut completion = Completion::default();
    loop {
        let statuses: Vec<Option<Status>> = fleet
            .iter()
            .map(|node| node.pid().and_then(|_| node.status().ok()))
            .collect();
        for (node, status) in fleet.iter().zip(&statuses) {
            let staged = status.as_ref().is_some_and(|status| is_staged(status, id));
            if staged && !completion.nodes.iter().any(|(name, _)| *name == node.name) {
                completion
                    .nodes
                    .push((node.name.clone(), began.elapsed().as_secs_f64()));
            }
            if let Some(status) = status
                && !node.altered
            {
                check_not_failed(status, id, &node.name)?;
            }
        }
        let progress = by_site(fleet, &statuses, id);
        seen(fleet, &progress)?;
        let living = fleet
            .iter()
            .filter(|node| node.pid().is_some() && !node.site.is_empty() && !node.altered);
        let waiting: Vec<&str> = living
            .filter(|node| !completion.nodes.iter().any(|(name, _)| *name == node.name))
            .map(|node| node.name.as_str())
            .collect();
        if waiting.is_empty() {
            return Ok(completion);
        }
        if began.elapsed() > within {
            bail!(
                "after {} s {} still wait for {id}",
                within.as_secs(),
                waiting.join(", ")
            );
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The living endpoints that say that a release is in this state.
pub fn in_state(fleet: &[Daemon], id: &str, state: ReleaseState) -> usize {
    let says = |node: &&Daemon| {
        let status = node.pid().and_then(|_| node.status().ok());
        let releases = status.map(|status| status.releases).unwrap_or_default();
        releases
            .iter()
            .any(|found| found.id == id && found.state == state)
    };
    fleet.iter().filter(says).count()
}

fn is_staged(status: &Status, id: &str) -> bool {
    status
        .releases
        .iter()
        .any(|found| found.id == id && found.state.is_staged())
}

fn check_not_failed(status: &Status, id: &str, name: &str) -> Result<()> {
    let mut releases = status.releases.iter();
    if releases.any(|found| found.id == id && found.state == ReleaseState::Failed) {
        bail!("{name} failed to stage {id}");
    }
    Ok(())
}

fn by_site(fleet: &[Daemon], statuses: &[Option<Status>], id: &str) -> Vec<SiteProgress> {
    let mut sites: Vec<SiteProgress> = Vec::new();
    for (node, status) in fleet
        .iter()
        .zip(statuses)
        .filter(|(node, _)| !node.site.is_empty())
    {
        let Some(status) = status else { continue };
        let at = sites
            .iter()
            .position(|site| site.site == node.site)
            .unwrap_or_else(|| {
                let site = node.site.clone();
                sites.push(SiteProgress {
                    site,
                    share: 0.0,
                    staged: 0,
                    nodes: 0,
                });
                sites.len() - 1
            });
        let release = status.releases.iter().find(|found| found.id == id);
        let share = release.map_or(0.0, |found| {
            f64::from(found.chunks_held) / f64::from(found.chunks_total.max(1))
        });
        sites[at].share += share;
        sites[at].nodes += 1;
        sites[at].staged += usize::from(is_staged(status, id));
    }
    for site in &mut sites {
        #[expect(clippy::cast_precision_loss, reason = "a handful of nodes")]
        let nodes = site.nodes as f64;
        site.share /= nodes;
    }
    sites
}
