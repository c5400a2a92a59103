//! What must hold between any two steps.

use patchmesh_content::geometry::ChunkIndex;

use crate::limits::{WAN_ALONE_MAX, WINDOW_MAX};
use crate::swarm::tests::world::{CONTENT, Manner, SOURCE, World};

impl World {
    /// Where all members of a site know each other, what is in flight and
    /// what one member alone has stays within the site's window.
    pub(crate) fn check_window(&self, node: usize) {
        let site = self.nodes[node].site;
        let members: Vec<usize> = (1..self.nodes.len())
            .filter(|n| self.nodes[*n].site == site && self.nodes[*n].alive)
            .collect();
        let meshed = members.iter().all(|a| {
            let others = members.iter().filter(|b| *b != a);
            let content = self.nodes[*a].swarm.contents.get(&CONTENT);
            content.is_some_and(|c| c.members.len() == others.count())
        });
        if members.len() < 2 || members.len() > 8 || !meshed {
            return;
        }
        let exposed: u32 = members
            .iter()
            .map(|n| self.nodes[*n].swarm.contents[&CONTENT].window.exposed())
            .sum();
        // Members that were alone a moment ago may still have so many in flight.
        let before = WAN_ALONE_MAX * u32::try_from(members.len()).unwrap();
        assert!(exposed <= WINDOW_MAX.max(before), "{exposed} exposed");
    }

    /// The invariants that hold between any two steps.
    pub(crate) fn check(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            if !node.alive || !node.started {
                continue;
            }
            let swarm = &node.swarm;
            for content in swarm.contents.values() {
                let holders = |chunk: ChunkIndex| {
                    let views = content.views.0.values();
                    let count = views
                        .filter(|v| v.counted && v.bits.contains(chunk))
                        .count();
                    u16::try_from(count).unwrap()
                };
                content.chunks.check(holders);
                for (peer, view) in &content.views.0 {
                    let other = &self.nodes[self.index(peer)];
                    let ahead = view.bits.iter().any(|c| !other.store.contains(c));
                    assert!(
                        !ahead || other.manner != Manner::Honest,
                        "a view is ahead of its owner"
                    );
                }
                assert_eq!(content.chunks.held(), &node.store, "node {index}");
                let flying = swarm.fetches.select(|f| !f.near).len();
                assert_eq!(content.window.flying() as usize, flying);
                for fetch in swarm.fetches.all.values().filter(|f| f.live && !f.near) {
                    assert!(
                        content
                            .claims
                            .mine
                            .iter()
                            .any(|m| m.span == fetch.chunk.span())
                            || !self.setup.http,
                        "a WAN fetch without claim"
                    );
                }
            }
        }
        for (site, _, span, live, split) in self.nodes[SOURCE].swarm.grants.live(self.now) {
            assert!(live <= 1 || split, "{site:?} {span:?} has {live} leases");
        }
    }
}
