//! Bytes on their way: the line first come, first served; ports, fabric and the
//! air of the site likewise.

use patchmesh_core::ids::{FetchId, ServeId};
use patchmesh_core::input::Fetched;
use patchmesh_core::message::Want;
use patchmesh_core::swarm::Event as Input;
use patchmesh_core::time::Time;

use crate::planner::full::queue::{Event, Life, Node};
use crate::planner::full::site::{ORIGIN, SiteWorld, Transfer};
use crate::planner::full::wire::micros;

impl SiteWorld<'_> {
    fn len(&self, want: Want) -> f64 {
        let len = self.units.lens.get(want.chunk.0 as usize);
        len.map_or(0.0, |len| f64::from(*len))
    }

    pub(crate) fn transfer(
        &mut self,
        (server, serve): (Node, ServeId),
        (client, life, fetch): (Node, Life, FetchId),
        want: Want,
    ) {
        let transfer = Transfer {
            server,
            client,
            life,
            serve,
            fetch,
            want,
            sent: false,
            live: true,
        };
        let at = if let Some(at) = self.unused.pop() {
            self.transfers[at] = transfer;
            at
        } else {
            self.transfers.push(transfer);
            self.transfers.len() - 1
        };
        if let Some(open) = self.nodes[client].open.get_mut(&fetch) {
            open.1 = Some(at);
        }
        let (bytes, now) = (self.len(want), self.secs());
        if server == ORIGIN {
            let next = self.line.add(at, bytes, now);
            self.arm(next);
            return;
        }
        let port = &mut self.nodes[server].out_free;
        *port = port.max(now) + bytes / self.site.nic;
        let out = *port;
        let left = micros(self.over_fabric(bytes, out));
        let event = if self.nodes[server].wireless {
            Event::OnAir(at as u32)
        } else {
            Event::Sent(at as u32)
        };
        self.queue.push(left, event);
    }

    fn arm(&mut self, next: Option<(Time, u64)>) {
        if let Some((at, turn)) = next {
            self.queue.push(at, Event::Wan(turn));
        }
    }

    /// All ports together carry no more than the fabric does.
    fn over_fabric(&mut self, bytes: f64, from: f64) -> f64 {
        self.fabric_free = self.fabric_free.max(from.min(self.secs())) + bytes / self.site.fabric;
        self.fabric_free.max(from)
    }

    /// The frame waits for the medium, which carries one after the other.
    pub(crate) fn on_air(&mut self, at: usize) {
        let transfer = self.transfers[at];
        if !transfer.live {
            self.unused.push(at);
            return;
        }
        let bytes = self.len(transfer.want);
        let next = self.air.add(at, bytes, self.secs());
        self.arm_air(next);
    }

    fn arm_air(&mut self, next: Option<(Time, u64)>) {
        if let Some((at, turn)) = next {
            self.queue.push(at, Event::Air(turn));
        }
    }

    /// The medium has carried a frame.
    pub(crate) fn air_done(&mut self, turn: u64) {
        if turn != self.air.turn {
            return;
        }
        let (transfer, next) = self.air.done(self.secs());
        self.arm_air(next);
        let Some(at) = transfer else {
            return;
        };
        let event = if self.transfers[at].sent {
            Event::Arrived(at as u32)
        } else {
            Event::Sent(at as u32)
        };
        self.queue.push(self.now, event);
    }

    /// The line has carried a frame.
    pub(crate) fn line_done(&mut self, turn: u64) {
        if turn != self.line.turn {
            return;
        }
        let (transfer, next) = self.line.done(self.secs());
        self.arm(next);
        let Some(at) = transfer else {
            return;
        };
        let delay = self.delay(ORIGIN, self.transfers[at].client);
        let when = self.after(delay).max(self.now);
        self.queue.push(when, Event::Sent(at as u32));
    }

    /// The frame reaches the port of its client.
    pub(crate) fn sent(&mut self, at: usize) {
        let transfer = self.transfers[at];
        if !transfer.live {
            self.unused.push(at);
            return;
        }
        self.transfers[at].sent = true;
        let (bytes, now) = (self.len(transfer.want), self.secs());
        let state = &mut self.nodes[transfer.client];
        state.in_free = state.in_free.max(now) + bytes / self.site.nic;
        let event = if state.wireless {
            Event::OnAir(at as u32)
        } else {
            Event::Arrived(at as u32)
        };
        self.queue.push(micros(state.in_free), event);
    }

    pub(crate) fn arrived(&mut self, at: usize) {
        let transfer = self.transfers[at];
        self.unused.push(at);
        if !transfer.live {
            return;
        }
        self.transfers[at].live = false;
        let bytes = self.len(transfer.want);
        let Transfer {
            server,
            client,
            serve,
            fetch,
            want,
            ..
        } = transfer;
        if server != ORIGIN {
            self.lan += bytes;
        }
        self.give(
            server,
            Input::Served {
                serve,
                bytes: bytes as u64,
            },
        );
        if self.lives(client, transfer.life) {
            self.nodes[client].store.insert(want.chunk);
            self.answer(client, fetch, Fetched::Held);
        }
    }

    /// Nobody waits for it any more.
    pub(crate) fn abort(&mut self, at: usize) {
        let transfer = self.transfers[at];
        if !transfer.live {
            return;
        }
        self.transfers[at].live = false;
        // What still waits for the line or the medium makes room; what is in a port goes on.
        let now = self.secs();
        if self.line.waits(at) {
            let next = self.line.cancel(at, now);
            self.arm(next);
            self.unused.push(at);
        } else if self.air.waits(at) {
            let next = self.air.cancel(at, now);
            self.arm_air(next);
            self.unused.push(at);
        }
        let serve = transfer.serve;
        self.give(transfer.server, Input::Served { serve, bytes: 0 });
    }
}
