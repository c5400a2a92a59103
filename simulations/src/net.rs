//! Connections and transfers between the nodes of a world.

use patchmesh_core::ids::{FetchId, HelloId, ServeId};
use patchmesh_core::input::{Answered, Fetched, HostChange, Input};
use patchmesh_core::message::Message;
use patchmesh_core::peer::Down;
use patchmesh_core::time::{Duration, Time};
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;

use crate::host::Host;
use crate::link::{Access, Conn, Limits, Serving};
use crate::plan::Fault;
use crate::publisher::UTC;
use crate::world::{Event, World};

/// One way, in a site.
pub(crate) const NEAR: Duration = Duration(200);
/// One way, over the WAN.
const FAR: Duration = Duration::millis(10);

/// A node that hears nothing for so long gives a connection up, as in the daemon.
const SILENCE_MAX: Duration = Duration::secs(15);

/// Key of a connection.
pub(crate) fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl World {
    /// Whether two nodes are in one site.
    pub(crate) fn near(&self, a: usize, b: usize) -> bool {
        self.hosts[a].site.is_some() && self.hosts[a].site == self.hosts[b].site
    }

    /// How long what `from` sends now to `to` is on its way.
    pub(crate) fn delay(&self, from: usize, to: usize) -> Duration {
        let way = if self.near(from, to) { NEAR } else { FAR };
        let until = self.mute_until(from, to);
        Duration(way.0 + until.since(self.now).0)
    }

    pub(crate) fn mute_until(&self, from: usize, to: usize) -> Time {
        self.mutes.get(&(from, to)).copied().unwrap_or_default()
    }

    pub(crate) fn is_up(&self, a: usize, b: usize) -> bool {
        self.conns.get(&pair(a, b)).is_some_and(|conn| conn.up)
    }

    /// Nodes that a node is connected to.
    pub(crate) fn neighbours(&self, node: usize) -> Vec<usize> {
        let up = self.conns.iter().filter(|(_, conn)| conn.up);
        up.filter_map(|(&(a, b), _)| match node {
            node if node == a => Some(b),
            node if node == b => Some(a),
            _ => None,
        })
        .collect()
    }

    pub(crate) fn access(&mut self, node: usize) -> &mut Access {
        match self.hosts[node].site {
            Some(site) => &mut self.sites[site],
            None => &mut self.origin,
        }
    }

    fn reachable(&mut self, a: usize, b: usize) -> bool {
        let now = self.now;
        let powered = self.hosts[a].engine.is_some() && self.hosts[b].engine.is_some();
        let line = |access: &Access| access.cut_until <= now;
        let silent = [(a, b), (b, a)]
            .iter()
            .any(|(from, to)| self.mute_until(*from, *to) > now);
        powered
            && !silent
            && !self.is_apart(a, b)
            && (self.near(a, b) || line(self.access(a)) && line(self.access(b)))
    }

    /// Whether two members are in different halves of a site that is apart now.
    fn is_apart(&self, a: usize, b: usize) -> bool {
        let site = self.hosts[a].site.filter(|_| self.near(a, b));
        let until = site.and_then(|site| self.apart.get(&site));
        a % 2 != b % 2 && until.is_some_and(|until| *until > self.now)
    }

    fn part(&mut self, site: usize, long: Duration) {
        let until = self.now.plus(long);
        let apart = self.apart.entry(site).or_default();
        *apart = until.max(*apart);
        for a in 0..self.hosts.len() {
            for b in 0..a {
                if self.is_apart(a, b) {
                    self.close(a, b, Down::TimedOut);
                }
            }
            if self.hosts[a].site == Some(site) {
                self.at(until, Event::Discover(a));
            }
        }
    }

    pub(crate) fn dialled(&mut self, from: usize, to: usize) {
        if self.conns.contains_key(&pair(from, to)) || !self.reachable(from, to) {
            return;
        }
        self.conns.insert(pair(from, to), Conn::default());
        for (judge, other) in [(from, to), (to, from)] {
            let hello = HelloId(self.id());
            self.hellos.insert(hello, (judge, other));
            let host = &self.hosts[other];
            let site = Host::site_name(host.site);
            let mut proof = self.publisher.proof(&host.key, &site, host.head);
            proof.addresses = vec![crate::host::address(other)];
            let proof = Box::new(proof);
            self.input(judge, self.delay(from, to), Input::Hello { hello, proof });
        }
    }

    /// A node let another in, or not.
    pub(crate) fn judged(&mut self, hello: HelloId, admitted: bool) {
        let Some((judge, other)) = self.hellos.remove(&hello) else {
            return;
        };
        if !admitted {
            self.close(judge, other, Down::Local);
            return;
        }
        let Some(conn) = self.conns.get_mut(&pair(judge, other)) else {
            return;
        };
        conn.admitted[usize::from(judge > other)] = true;
        if conn.admitted == [true; 2] && !conn.up {
            conn.up = true;
            for (node, other) in [(judge, other), (other, judge)] {
                let peer = self.hosts[other].peer;
                self.input(node, Duration(0), Input::PeerUp { peer });
            }
            for (from, to) in [(judge, other), (other, judge)] {
                if self.plan.liars.contains(&from) {
                    self.forge(from, to);
                }
            }
        }
    }

    /// A liar says that a witness has cosigned all that there is.
    fn forge(&mut self, from: usize, to: usize) {
        let newest = self.publisher.heads.last_key_value();
        let parties = self.plan.parties.as_ref();
        let witness = parties.and_then(|parties| parties.witnesses.first());
        let (Some((&size, &root)), Some(&witness)) = (newest, witness) else {
            return;
        };
        let (key, mesh_id) = (&self.hosts[from].key, self.publisher.mesh_id());
        let forged = Cosignature::sign(key, &mesh_id, LogHead { size, root }, UTC);
        let mut forged = forged.expect("the clock of a world is after 1970");
        forged.witness = self.hosts[witness].peer.0;
        let message = Box::new(Message::Cosignature(forged));
        let from = self.hosts[from].peer;
        self.input(to, NEAR, Input::Message { from, message });
    }

    /// Ends a connection: what is under way over it fails, then both are told.
    pub(crate) fn close(&mut self, a: usize, b: usize, why: Down) {
        let Some(conn) = self.conns.remove(&pair(a, b)) else {
            return;
        };
        self.hellos
            .retain(|_, between| pair(between.0, between.1) != pair(a, b));
        let between = |serving: &Serving| pair(serving.server, serving.client) == pair(a, b);
        let serves = self.serves.iter().filter(|(_, serving)| between(serving));
        let serves: Vec<ServeId> = serves.map(|(serve, _)| *serve).collect();
        for serve in serves {
            self.abort(serve);
        }
        self.give_up_between(a, b);
        self.asked
            .retain(|_, (from, to, _, _)| pair(*from, *to) != pair(a, b));
        for (node, other) in [(a, b), (b, a)] {
            let asks = self.hosts[node].asks.iter();
            let asks: Vec<_> = asks
                .filter(|(_, of)| **of == Some(other))
                .map(|(ask, _)| *ask)
                .collect();
            for ask in asks {
                self.answer(node, ask, Duration(0), Answered::Failed);
            }
            if conn.up {
                let peer = self.hosts[other].peer;
                self.input(node, Duration(0), Input::PeerDown { peer, why });
            }
        }
    }

    /// Answers a question once; later answers find it gone.
    pub(crate) fn answer(
        &mut self,
        node: usize,
        ask: patchmesh_core::ids::AskId,
        after: Duration,
        outcome: Answered,
    ) {
        if self.hosts[node].asks.remove(&ask).is_some() {
            self.input(node, after, Input::Answered { ask, outcome });
        }
    }

    /// Answers a fetch once; later answers find it gone.
    pub(crate) fn fetched(&mut self, node: usize, fetch: FetchId, outcome: Fetched) {
        if self.hosts[node].fetches.remove(&fetch).is_some() {
            self.input(node, Duration(0), Input::Fetched { fetch, outcome });
        }
    }

    /// A fetch that was ordered with these limits may be out of time.
    pub(crate) fn late(&mut self, node: usize, fetch: FetchId, limits: Limits) {
        let Some(&server) = self.hosts[node].fetches.get(&fetch) else {
            return;
        };
        let flow = (server, node);
        let last = if self.moves(flow) {
            self.now
        } else {
            self.heard.get(&flow).copied().unwrap_or_default()
        };
        let due = limits.by.min(last.max(limits.since).plus(limits.idle));
        if due <= self.now {
            self.stall(node, fetch);
        } else {
            let life = self.hosts[node].life;
            self.at(due, Event::Late(node, life, fetch, limits));
        }
    }

    /// The client gives up; the server learns it from the closed stream.
    pub(crate) fn stall(&mut self, node: usize, fetch: FetchId) {
        let mut serves = self.serves.iter();
        let serve = serves.find(|(_, serving)| serving.client == node && serving.fetch == fetch);
        match serve.map(|(serve, _)| *serve) {
            Some(serve) => self.abort(serve),
            None => self.fetched(node, fetch, Fetched::Stalled),
        }
    }

    fn abort(&mut self, serve: ServeId) {
        let Some(serving) = self.serves.remove(&serve) else {
            return;
        };
        self.fetched(serving.client, serving.fetch, Fetched::Stalled);
        if serving.since.is_some() {
            self.give_up(serve);
        }
        if serving.since.is_some() && !serving.sent {
            let after = self.delay(serving.server, serving.client);
            self.input(serving.server, after, Input::Served { serve, bytes: 0 });
        }
        // Else the server has yet to answer; its answer finds nobody.
    }

    /// The last byte of a chunk is there.
    pub(crate) fn arrived(&mut self, serve: ServeId) {
        let Some(serving) = self.serves.remove(&serve) else {
            return;
        };
        let Serving {
            server,
            client,
            fetch,
            want,
            since,
            ..
        } = serving;
        if let (Some(since), Some(site)) = (since, self.hosts[client].site) {
            let took = self.now.since(since);
            let quickest = self.quickest.entry((server, site, want.content));
            let quickest = quickest.or_insert(took);
            *quickest = took.min(*quickest);
        }
        let index = self.hosts[client].store.index(&want.content);
        let entry = index
            .and_then(|(_, index)| index.chunk(want.chunk))
            .copied();
        if self.plan.liars.contains(&server) {
            self.fetched(client, fetch, Fetched::Corrupt);
        } else if let Some(entry) = entry
            && self.hosts[client].fetches.contains_key(&fetch)
        {
            let now = self.now;
            if self.hosts[client].full_until > now {
                self.fetched(client, fetch, Fetched::NoRoom);
            } else {
                self.hosts[client].store.insert(entry.id, now);
                self.fetched(client, fetch, Fetched::Held);
                // It says so at once.
                let hears = now.plus(self.delay(client, server));
                let place = (server, client, want.content, want.chunk.span());
                self.reached.insert(place, hears);
            }
        }
    }

    /// All of a chunk has left its server; it may lie in buffers on the way.
    pub(crate) fn sent(&mut self, serve: ServeId, bytes: u64) {
        if let Some(serving) = self.serves.get_mut(&serve) {
            serving.sent = true;
            let server = serving.server;
            self.input(server, Duration(0), Input::Served { serve, bytes });
        }
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Apart(site, long) => self.part(site, long),
            Fault::Crash(node, long) => {
                if self.hosts[node].engine.is_none() {
                    return;
                }
                for other in 0..self.hosts.len() {
                    self.close(node, other, Down::Closed);
                }
                let now = self.now;
                self.hosts[node].crash(now);
                self.forget_life(node);
                self.after(long, Event::Start(node));
            }
            Fault::Cut(site, long) => {
                let until = self.now.plus(long);
                let access = &mut self.sites[site];
                access.cut_until = access.cut_until.max(until);
                for a in 0..self.hosts.len() {
                    for b in 0..a {
                        if self.hosts[a].site != self.hosts[b].site && !self.reachable(a, b) {
                            self.close(a, b, Down::TimedOut);
                        }
                    }
                }
            }
            Fault::Full(node, long) => self.fill(node, long),
            Fault::Mute(from, to, long) => {
                let until = self.now.plus(long);
                let mute = self.mutes.entry((from, to)).or_default();
                *mute = until.max(*mute);
                self.after(SILENCE_MAX, Event::Silent(from, to));
            }
            Fault::Slow(node, times, long) => {
                let until = self.now.plus(long);
                let host = &mut self.hosts[node];
                host.slow_until = until.max(host.slow_until);
                self.slow_port(node, times);
                self.after(long, Event::Fast(node));
            }
            Fault::Rotate => {
                self.publisher.rotate(7);
                self.republish();
            }
            Fault::Say(word) => {
                self.publisher.word = Some(word);
                self.republish();
            }
            Fault::Second => {
                self.active = self.plan.chunks.len();
                self.republish();
            }
        }
    }

    fn fill(&mut self, node: usize, long: Duration) {
        let until = self.now.plus(long);
        let host = &mut self.hosts[node];
        host.full_until = until.max(host.full_until);
        self.after(long, Event::Room(node));
    }

    /// The disk of a node may have room again.
    pub(crate) fn room(&mut self, node: usize) {
        if self.hosts[node].full_until <= self.now {
            self.input(node, Duration(0), Input::Host(HostChange::Room(true)));
        }
    }

    /// A connection over which nothing came in one direction is given up.
    pub(crate) fn silent(&mut self, from: usize, to: usize) {
        if self.mute_until(from, to) > self.now {
            self.close(from, to, Down::TimedOut);
        }
    }

    /// Nobody answers for a life that is over.
    fn forget_life(&mut self, node: usize) {
        self.serves
            .retain(|_, serving| serving.server != node && serving.client != node);
        self.gossip.retain(|_, (judge, _, _)| *judge != node);
    }

    fn republish(&mut self) {
        let chunks = self.plan.chunks.iter().take(self.active).enumerate();
        let releases: Vec<_> = chunks
            .map(|(at, (first, count))| {
                crate::publisher::index(&format!("KB-{}", at + 1), *first, *count)
            })
            .collect();
        self.publisher.publish(&releases);
    }
}
