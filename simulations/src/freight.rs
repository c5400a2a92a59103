//! Frames on their way over ports and lines, link by link; what is given up under
//! way frees the links for those behind it.

use patchmesh_core::ids::ServeId;
use patchmesh_core::time::Duration;

use crate::link::{Cargo, Flow, Freight, Leaves, Link, Place};
use crate::net::{NEAR, pair};
use crate::world::{Event, World};

impl World {
    /// Puts a frame on its way.
    pub(crate) fn load(&mut self, (from, to): (usize, usize), bytes: u64, cargo: Cargo) {
        let frame = self.id();
        let freight = Freight {
            from,
            to,
            bytes,
            cargo,
            at: None,
        };
        self.freights.insert(frame, freight);
        self.reach(frame, Place::PortOut(from));
    }

    fn link(&mut self, place: Place) -> &mut Link {
        match place {
            Place::PortIn(node) => &mut self.hosts[node].port_in,
            Place::PortOut(node) => &mut self.hosts[node].port_out,
            Place::Down(node) => &mut self.access(node).down,
            Place::Up(node) => &mut self.access(node).up,
        }
    }

    /// A frame comes to a link.
    pub(crate) fn reach(&mut self, frame: u64, place: Place) {
        let Some(freight) = self.freights.get_mut(&frame) else {
            return;
        };
        freight.at = Some(place);
        let (flow, bytes, now) = (freight.flow(), freight.bytes, self.now);
        let leaves = self.link(place).enter(flow, frame, bytes, now);
        self.leaves(leaves);
    }

    fn leaves(&mut self, leaves: Option<Leaves>) {
        if let Some((frame, at)) = leaves
            && let Some(place) = self.freights.get(&frame).and_then(|freight| freight.at)
        {
            self.at(at, Event::Left(frame, place));
        }
    }

    /// A node's port gets slower, or as fast as it was.
    pub(crate) fn slow_port(&mut self, node: usize, times: u64) {
        let now = self.now;
        for place in [Place::PortIn(node), Place::PortOut(node)] {
            let leaves = self.link(place).slow_down(times, now);
            self.leaves(leaves);
        }
    }

    /// A frame has left a link, unless others took its time, and goes on to the next.
    pub(crate) fn left(&mut self, frame: u64, place: Place) {
        let now = self.now;
        let freight = self.freights.get(&frame);
        let Some(flow) = freight.filter(|f| f.at == Some(place)).map(Freight::flow) else {
            return;
        };
        if !self.link(place).is_through(flow, frame, now) {
            return;
        }
        let Some((from, to)) = self.leave(frame, place) else {
            return;
        };
        if let Place::PortOut(_) = place
            && let Some(freight) = self.freights.get(&frame)
            && let Cargo::Chunk(serve) = freight.cargo
        {
            self.sent(serve, freight.bytes);
        }
        let (next, after) = match place {
            Place::PortOut(_) if self.near(from, to) => {
                let way = NEAR.0 + self.mute_until(from, to).since(self.now).0;
                (Place::PortIn(to), Duration(way))
            }
            Place::PortOut(_) => (Place::Up(from), self.mute_until(from, to).since(self.now)),
            Place::Up(_) => (Place::Down(to), self.delay(from, to)),
            Place::Down(_) => (Place::PortIn(to), NEAR),
            Place::PortIn(_) => return self.unload(frame),
        };
        self.after(after, Event::Reach(frame, next));
    }

    /// Takes a frame off a link; between whom it goes, if it still does.
    fn leave(&mut self, frame: u64, place: Place) -> Option<(usize, usize)> {
        let freight = self.freights.get_mut(&frame)?;
        freight.at = None;
        let (from, to) = freight.flow();
        let is_chunk = matches!(freight.cargo, Cargo::Chunk(_));
        if is_chunk {
            self.heard.insert((from, to), self.now);
        }
        let now = self.now;
        let (carried, leaves) = self.link(place).leave((from, to), frame, now);
        self.leaves(leaves);
        if let (Place::Down(node), true) = (place, is_chunk)
            && let Some(site) = self.hosts[node].site
        {
            self.wan_bytes[site] += carried;
        }
        Some((from, to))
    }

    fn unload(&mut self, frame: u64) {
        let Some(freight) = self.freights.remove(&frame) else {
            return;
        };
        match freight.cargo {
            Cargo::Chunk(serve) => self.arrived(serve),
            Cargo::Document(ask, outcome) => {
                self.answer(freight.to, ask, Duration(0), outcome);
            }
        }
    }

    /// Whether bytes of a chunk come over a connection now.
    pub(crate) fn moves(&self, flow: Flow) -> bool {
        let mut freights = self.freights.values();
        freights.any(|freight| {
            let is_chunk = matches!(freight.cargo, Cargo::Chunk(_));
            is_chunk && freight.flow() == flow && freight.at.is_some()
        })
    }

    /// A chunk is given up.
    pub(crate) fn give_up(&mut self, serve: ServeId) {
        self.drop_frames(|freight| matches!(freight.cargo, Cargo::Chunk(of) if of == serve));
    }

    /// All frames between two nodes are given up.
    pub(crate) fn give_up_between(&mut self, a: usize, b: usize) {
        self.drop_frames(|freight| pair(freight.from, freight.to) == pair(a, b));
    }

    fn drop_frames(&mut self, gone: impl Fn(&Freight) -> bool) {
        let frames = self.freights.iter().filter(|(_, freight)| gone(freight));
        let frames: Vec<_> = frames
            .map(|(frame, freight)| (*frame, freight.at))
            .collect();
        for (frame, at) in frames {
            if let Some(place) = at {
                self.leave(frame, place);
            }
            self.freights.remove(&frame);
        }
    }
}
