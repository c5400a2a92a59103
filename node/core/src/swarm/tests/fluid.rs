//! Bytes on their way: WAN links as shared fluid, the LAN card by card.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures of a test stay far below 2^52"
)]

use std::collections::BTreeMap;

use crate::ids::{FetchId, ServeId};
use crate::input::Fetched;
use crate::message::Want;
use crate::swarm::event::Event;
use crate::swarm::tests::world::{Ev, Manner, SOURCE, Transfer, World};
use crate::time::Duration;

impl World {
    pub(crate) fn transfer(
        &mut self,
        (server, serve): (Option<usize>, ServeId),
        (client, fetch): (usize, FetchId),
        want: Want,
    ) {
        let len = self.lens[want.chunk.0 as usize];
        let wan = server.is_none_or(|server| server == SOURCE);
        let id = self.sequence;
        self.sequence += 1;
        if wan {
            self.flow();
        }
        let left = f64::from(len);
        let transfer = Transfer {
            server,
            client,
            serve,
            fetch,
            want,
            left,
            wan,
        };
        self.transfers.insert(id, transfer);
        if let Some(server) = server.filter(|_| wan) {
            // Buffers of a system take a whole chunk at once.
            self.push(self.now, Ev::Sent(server, serve, u64::from(len)));
        }
        if wan {
            self.reshape();
        } else if let Some(server) = server {
            // 1 Gbit/s network cards.
            let card = &mut self.nodes[server].card_free;
            let at = (*card)
                .max(self.now)
                .plus(Duration(u64::from(len) * 8 / 1000));
            *card = at;
            self.push(at.plus(Duration(500)), Ev::NearEnd(id));
        }
    }

    /// A transfer delivered its last byte.
    pub(crate) fn finish(&mut self, id: u64) {
        let Some(done) = self.transfers.remove(&id) else {
            return;
        };
        let bytes = u64::from(self.lens[done.want.chunk.0 as usize]);
        if let Some(server) = done.server.filter(|_| !done.wan) {
            let serve = done.serve;
            self.give(server, Event::Served { serve, bytes });
        }
        let wait = done
            .server
            .map_or(Duration(0), |s| self.delay(s, done.client));
        let at = self.now.plus(wait);
        self.push(at, Ev::Answer(done.client, done.fetch, Fetched::Held));
    }

    pub(crate) fn drop_transfers(&mut self, test: impl Fn(&Transfer) -> bool) {
        self.flow();
        let ids: Vec<u64> = self
            .transfers
            .iter()
            .filter(|(_, t)| test(t))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let gone = self.transfers.remove(&id).unwrap();
            if let Some(server) = gone.server.filter(|_| !gone.wan) {
                let serve = gone.serve;
                self.give(server, Event::Served { serve, bytes: 0 });
            }
        }
        self.reshape();
    }

    /// Lets the WAN flow up to now.
    pub(crate) fn flow(&mut self) {
        let secs = self.now.since(self.fluid_at).0 as f64 / 1e6;
        self.fluid_at = self.now;
        for (id, rate) in &self.rates {
            if let Some(transfer) = self.transfers.get_mut(id) {
                let moved = (rate * secs).min(transfer.left);
                transfer.left -= moved;
                let client = &self.nodes[transfer.client];
                self.wan_bytes[client.site] += moved;
                if client.manner == Manner::Honest {
                    self.honest_bytes += moved;
                }
            }
        }
    }

    /// Shares the links anew: fair among the connections of a site and at the
    /// origin, then among the transfers of a connection.
    pub(crate) fn reshape(&mut self) {
        let mut connections: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for (id, transfer) in self.transfers.iter().filter(|(_, t)| t.wan) {
            connections.entry(transfer.client).or_default().push(*id);
        }
        let mut per_site = vec![0usize; self.setup.sites];
        for client in connections.keys() {
            per_site[self.nodes[*client].site] += 1;
        }
        let mut order: Vec<usize> = connections.keys().copied().collect();
        let cap = |site: usize| self.setup.site_down / per_site[site].max(1) as f64;
        order.sort_by(|a, b| cap(self.nodes[*a].site).total_cmp(&cap(self.nodes[*b].site)));
        let mut left = self.setup.origin_up;
        self.rates.clear();
        for (index, client) in order.iter().enumerate() {
            let fair = left / (order.len() - index) as f64;
            let rate = fair.min(cap(self.nodes[*client].site));
            left -= rate;
            let streams = &connections[client];
            for id in streams {
                self.rates.insert(*id, rate / streams.len() as f64);
            }
        }
        self.fluid_turn += 1;
        let next = self
            .rates
            .iter()
            .map(|(id, rate)| self.transfers[id].left / rate)
            .min_by(f64::total_cmp);
        if let Some(secs) = next {
            let at = self.now.plus(Duration((secs * 1e6).ceil() as u64));
            self.push(at, Ev::Flows(self.fluid_turn));
        }
    }

    pub(crate) fn finish_flows(&mut self) {
        self.flow();
        let done: Vec<u64> = self
            .transfers
            .iter()
            .filter(|(_, t)| t.wan && t.left < 1.0)
            .map(|(id, _)| *id)
            .collect();
        for id in done {
            self.finish(id);
        }
        self.flow();
        self.reshape();
    }
}
