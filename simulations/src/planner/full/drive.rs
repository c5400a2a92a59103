//! Events in, orders out: the loop that feeds the machines of a site.

use patchmesh_core::ids::{FetchId, ServeId};
use patchmesh_core::input::Fetched;
use patchmesh_core::message::Want;
use patchmesh_core::output::Source;
use patchmesh_core::peer::Path;
use patchmesh_core::swarm::{Action, Event as Input};
use patchmesh_core::time::Time;

use crate::planner::full::queue::{Event, Life, Node};
use crate::planner::full::site::{CONTENT, ORIGIN, SiteWorld, node};

impl SiteWorld<'_> {
    pub(crate) fn happen(&mut self, event: Event) {
        match event {
            Event::Air(turn) => self.air_done(turn),
            Event::Answer(node, life, fetch, outcome) => {
                if self.lives(node, life) {
                    self.answer(node, fetch, outcome);
                }
            }
            Event::Arrived(transfer) => self.arrived(transfer as usize),
            Event::Connect(a, b) => self.connect(a, b),
            Event::Late(node, life, fetch) => {
                if self.lives(node, life) {
                    self.give_up(node, fetch);
                }
            }
            Event::Found(node, other) => {
                if self.reachable(node, other) {
                    let member = &self.nodes[other].member;
                    let (peer, addresses) = (member.peer, member.addresses.clone());
                    self.give(node, Input::Discovered { peer, addresses });
                }
            }
            Event::Off(node) => {
                let state = &self.nodes[node];
                // Nobody waits for who never comes back.
                self.open -= usize::from(state.done.is_none() && state.starts == 0);
                self.switch_off(node);
            }
            Event::On(node) => {
                self.nodes[node].starts -= 1;
                self.switch_on(node);
                self.wake_all();
            }
            Event::OnAir(transfer) => self.on_air(transfer as usize),
            Event::Sent(transfer) => self.sent(transfer as usize),
            Event::Receive(to, life, from, message) => {
                if self.lives(to, life) && self.nodes[to].links.contains(&from) {
                    let from = self.nodes[from].member.peer;
                    self.give(to, Input::Message { from, message });
                }
            }
            Event::Request(server, client, life, fetch, (chunk, unreachable)) => {
                if self.lives(client, life) {
                    let want = Want {
                        content: CONTENT,
                        chunk,
                        unreachable,
                    };
                    self.request(server, (client, life), fetch, want);
                }
            }
            Event::Tick(node, life) => {
                let due = self.nodes[node].tick_at == Some(self.now);
                if due && self.eager == 0 {
                    self.asleep.push((node, life));
                } else if due && self.lives(node, life) {
                    self.nodes[node].tick_at = None;
                    self.give(node, Input::Tick);
                }
            }
            Event::Wan(turn) => self.line_done(turn),
        }
    }

    pub(crate) fn lives(&self, node: Node, life: Life) -> bool {
        self.nodes[node].life == life && self.nodes[node].swarm.is_some()
    }

    /// Hands an event to a machine and runs its orders.
    pub(crate) fn give(&mut self, node: Node, event: Input) {
        let now = self.now;
        let Some(swarm) = &mut self.nodes[node].swarm else {
            return;
        };
        let mut out = std::mem::take(&mut self.orders);
        swarm.handle(event, now, &mut out);
        for action in out.drain(..) {
            self.act(node, action);
        }
        self.orders = out;
        let state = &mut self.nodes[node];
        let Some((at, _)) = state.swarm.as_ref().and_then(|swarm| swarm.wake()) else {
            return;
        };
        let at = at.max(now);
        if state.tick_at.is_none_or(|armed| at < armed) {
            state.tick_at = Some(at);
            let life = state.life;
            self.queue.push(at, Event::Tick(node, life));
        }
    }

    fn act(&mut self, node: Node, action: Action) {
        match action {
            Action::CancelFetch { fetch } => self.give_up(node, fetch),
            Action::Complete { .. } => {
                let state = &mut self.nodes[node];
                if node != ORIGIN && state.done.is_none() {
                    state.done = Some(self.now);
                    self.open -= 1;
                    self.eager -= 1;
                }
            }
            Action::Decline { serve, decline } => {
                if let Some((server, client, life, fetch)) = self.asked.remove(&serve) {
                    let at = self.after(self.delay(server, client));
                    let outcome = Fetched::Declined(decline);
                    self.queue
                        .push(at, Event::Answer(client, life, fetch, outcome));
                }
            }
            Action::Dial { peer, .. } => {
                let other = crate::planner::full::site::node(&peer);
                // A connection, its handshake, and the first word.
                let at = self.after(3.0 * self.delay(node, other));
                self.queue.push(at, Event::Connect(node, other));
            }
            Action::Disconnect { peer, .. } => {
                let other = crate::planner::full::site::node(&peer);
                self.disconnect(node, other);
            }
            Action::Fetch {
                fetch,
                from,
                want,
                by,
                ..
            } => self.fetch((node, fetch), from, want, by),
            Action::Scored { .. } => {}
            Action::Send { to, message } => {
                let other = crate::planner::full::site::node(&to);
                if self.nodes[node].links.contains(&other) {
                    let at = self.after(self.delay(node, other));
                    let life = self.nodes[other].life;
                    let event = Event::Receive(other, life, node, Box::new(message));
                    self.queue.push(at, event);
                }
            }
            Action::Serve { serve, want, .. } => {
                if let Some((server, client, life, fetch)) = self.asked.remove(&serve) {
                    self.transfer((server, serve), (client, life, fetch), want);
                }
            }
        }
    }

    fn fetch(&mut self, (client, fetch): (Node, FetchId), from: Source, want: Want, by: Time) {
        let server = match from {
            Source::Origin => ORIGIN,
            Source::Peer(peer) => node(&peer),
        };
        let life = self.nodes[client].life;
        self.nodes[client].open.insert(fetch, (server, None));
        if self.nodes[client].links.contains(&server) {
            let at = self.after(self.delay(client, server));
            let ask = (want.chunk, want.unreachable);
            self.queue
                .push(at, Event::Request(server, client, life, fetch, ask));
            self.queue.push(by, Event::Late(client, life, fetch));
        } else {
            self.queue.push(
                self.now,
                Event::Answer(client, life, fetch, Fetched::Stalled),
            );
        }
    }

    fn request(&mut self, server: Node, (client, life): (Node, Life), fetch: FetchId, want: Want) {
        let open = self.nodes[client].open.contains_key(&fetch);
        if !open || !self.nodes[client].links.contains(&server) {
            return;
        }
        self.serves += 1;
        let serve = ServeId(self.serves);
        self.asked.insert(serve, (server, client, life, fetch));
        let from = self.nodes[client].member.peer;
        self.give(server, Input::Requested { serve, from, want });
    }

    pub(crate) fn answer(&mut self, node: Node, fetch: FetchId, outcome: Fetched) {
        if self.nodes[node].open.remove(&fetch).is_some() {
            self.give(node, Input::Fetched { fetch, outcome });
        }
    }

    /// The client ends a fetch: too late, cancelled, or the connection is gone.
    pub(crate) fn give_up(&mut self, node: Node, fetch: FetchId) {
        let Some((_, transfer)) = self.nodes[node].open.get(&fetch).copied() else {
            return;
        };
        if let Some(transfer) = transfer {
            self.abort(transfer);
        }
        let life = self.nodes[node].life;
        self.queue
            .push(self.now, Event::Answer(node, life, fetch, Fetched::Stalled));
    }

    fn connect(&mut self, a: Node, b: Node) {
        if self.nodes[a].links.contains(&b) || !self.reachable(a, b) {
            return;
        }
        let refuses = |one: Node, other: Node| {
            let peer = self.nodes[other].member.peer;
            let swarm = self.nodes[one].swarm.as_ref();
            swarm.is_some_and(|swarm| swarm.refuses(&peer, self.now))
        };
        if refuses(a, b) || refuses(b, a) {
            return;
        }
        self.nodes[a].links.insert(b);
        self.nodes[b].links.insert(a);
        let path = if a == ORIGIN || b == ORIGIN {
            Path::Wan
        } else {
            Path::Lan
        };
        for (node, other) in [(a, b), (b, a)] {
            let member = Box::new(self.nodes[other].member.clone());
            self.give(node, Input::PeerUp { member, path });
        }
    }

    /// Both sides lose the connection, and what is under way over it.
    pub(crate) fn disconnect(&mut self, a: Node, b: Node) {
        if !self.nodes[a].links.remove(&b) {
            return;
        }
        self.nodes[b].links.remove(&a);
        for (node, other) in [(a, b), (b, a)] {
            let open = self.nodes[node].open.iter();
            let over = open.filter(|(_, (server, _))| *server == other);
            let over: Vec<FetchId> = over.map(|(fetch, _)| *fetch).collect();
            for fetch in over {
                self.give_up(node, fetch);
            }
        }
        for (node, other) in [(a, b), (b, a)] {
            let peer = self.nodes[other].member.peer;
            self.give(node, Input::PeerDown { peer });
        }
    }

    /// Between the last that has everything and the next that comes, nights pass in
    /// which members would only look for each other.
    fn wake_all(&mut self) {
        if self.eager == 0 {
            return;
        }
        for (node, life) in std::mem::take(&mut self.asleep) {
            if self.lives(node, life) {
                self.nodes[node].tick_at = Some(self.now);
                self.queue.push(self.now, Event::Tick(node, life));
            }
        }
    }

    fn switch_off(&mut self, node: Node) {
        let state = &self.nodes[node];
        self.eager -= usize::from(state.swarm.is_some() && state.done.is_none());
        let fetches: Vec<FetchId> = self.nodes[node].open.keys().copied().collect();
        for fetch in fetches {
            self.give_up(node, fetch);
        }
        let links: Vec<Node> = self.nodes[node].links.iter().copied().collect();
        self.nodes[node].swarm = None;
        self.nodes[node].open.clear();
        for other in links {
            self.disconnect(other, node);
        }
    }
}
