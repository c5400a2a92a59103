//! Who of the members is to fetch which span: weighted rendezvous hashing (S-16).

use std::collections::{BTreeMap, BTreeSet};

use patchmesh_content::geometry::SpanIndex;
use patchmesh_content::id::{ContentId, PeerId, Rank, rendezvous};

/// Ranks of one content over the members that work with it.
#[derive(Debug)]
pub(crate) struct Duty {
    content: ContentId,
    me: PeerId,
    members: BTreeMap<PeerId, u32>,
    /// This node's rank of each span.
    own: Vec<Rank>,
    /// How many members rank before it for each span.
    before: Vec<u16>,
    /// The highest rank of each span.
    first: Vec<Rank>,
    /// Spans whose highest rank is mine; the surest last.
    mine: BTreeSet<(Rank, u32)>,
}

impl Duty {
    /// The duty of a node that is alone.
    pub(crate) fn new(content: ContentId, spans: u32, me: PeerId, weight: u32) -> Self {
        let own = (0..spans).map(|span| rendezvous(&content, span, &me, weight));
        let own: Vec<Rank> = own.collect();
        Self {
            content,
            me,
            members: BTreeMap::from([(me, weight)]),
            before: vec![0; own.len()],
            first: own.clone(),
            mine: own.iter().copied().zip(0..).collect(),
            own,
        }
    }

    /// A member works with the content; returns whether that is new.
    pub(crate) fn join(&mut self, peer: PeerId, weight: u32) -> bool {
        if self.members.insert(peer, weight).is_some() {
            return false;
        }
        for span in 0..self.first.len() {
            let number = u32::try_from(span).expect("spans are counted in 32 bits");
            let rank = rendezvous(&self.content, number, &peer, weight);
            self.before[span] += u16::from(rank > self.own[span]);
            self.set_first(number, rank.max(self.first[span]));
        }
        true
    }

    /// A member is gone; returns whether it was one.
    pub(crate) fn leave(&mut self, peer: &PeerId) -> bool {
        if *peer == self.me {
            return false;
        }
        let Some(weight) = self.members.remove(peer) else {
            return false;
        };
        for span in 0..self.first.len() {
            let number = u32::try_from(span).expect("spans are counted in 32 bits");
            let rank = rendezvous(&self.content, number, peer, weight);
            self.before[span] -= u16::from(rank > self.own[span]);
            if self.first[span].peer == *peer {
                let best = self.best(number);
                self.set_first(number, best);
            }
        }
        true
    }

    /// Own spans, the surest first: members that don't know each other yet
    /// then start with spans that stay theirs when they do.
    pub(crate) fn mine(&self) -> impl Iterator<Item = SpanIndex> + '_ {
        self.mine.iter().rev().map(|&(_, span)| SpanIndex(span))
    }

    /// The member that ranks first.
    pub(crate) fn first(&self, span: SpanIndex) -> Option<Rank> {
        self.first.get(span.0 as usize).copied()
    }

    /// Whether `peer`, a neighbour or not, ranks before this node.
    pub(crate) fn precedes(&self, span: SpanIndex, peer: &PeerId) -> bool {
        let own = self.own.get(span.0 as usize);
        own.is_some_and(|own| self.rank(span.0, peer) > *own)
    }

    /// Members that rank before this node.
    pub(crate) fn position(&self, span: SpanIndex) -> usize {
        let before = self.before.get(span.0 as usize);
        before.copied().map_or(0, usize::from)
    }

    fn rank(&self, span: u32, peer: &PeerId) -> Rank {
        let weight = self.members.get(peer).copied().unwrap_or(1);
        rendezvous(&self.content, span, peer, weight)
    }

    fn best(&self, span: u32) -> Rank {
        self.members
            .keys()
            .map(|peer| self.rank(span, peer))
            .max()
            .expect("this node is always a member")
    }

    fn set_first(&mut self, span: u32, rank: Rank) {
        let old = std::mem::replace(&mut self.first[span as usize], rank);
        if old.peer == self.me {
            self.mine.remove(&(old, span));
        }
        if rank.peer == self.me {
            self.mine.insert((rank, span));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S-16.
    #[test]
    fn joining_and_leaving_gives_the_ranks_of_a_fresh_start() {
        let peer = |n: u8| PeerId([n; 32]);
        let content = ContentId([7; 32]);
        let mut duty = Duty::new(content, 100, peer(1), 1);
        assert_eq!(duty.mine().count(), 100);
        for n in 2..6 {
            assert!(duty.join(peer(n), 1));
        }
        let shares: Vec<usize> = (1..6)
            .map(|n| duty.first.iter().filter(|r| r.peer == peer(n)).count())
            .collect();
        assert_eq!(shares.iter().sum::<usize>(), 100);
        for span in (0..100).map(SpanIndex) {
            let before = (2..6).filter(|n| duty.precedes(span, &peer(*n))).count();
            assert_eq!(duty.position(span), before);
        }
        assert!(shares.iter().all(|&s| s > 5), "{shares:?}");
        assert_eq!(duty.mine().count(), shares[0]);
        for n in 2..6 {
            assert!(duty.leave(&peer(n)));
        }
        assert_eq!(duty.mine().count(), 100);
        assert!(duty.before.iter().all(|before| *before == 0));
        assert!(!duty.leave(&peer(1)));
    }
}
