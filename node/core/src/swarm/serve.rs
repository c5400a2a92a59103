//! Answering requests: bytes, or a reason why not and who else.

use patchmesh_content::id::PeerId;

use crate::config::Mode;
use crate::ids::ServeId;
use crate::limits::{SERVES_MAX, SERVES_ORIGIN_MAX, SERVES_PER_PEER_MAX};
use crate::message::{Decline, DeclineReason, Want};
use crate::peer::Path;
use crate::swarm::action::Action;
use crate::swarm::fetches::Serve;
use crate::swarm::grant::{Ask, SiteKey, Verdict};
use crate::swarm::machine::Swarm;
use crate::time::{Duration, Time};

/// When to ask a busy node again.
const RETRY_NEAR: Duration = Duration::millis(100);
/// The same over the WAN.
const RETRY_WAN: Duration = Duration::millis(500);

impl Swarm {
    /// A peer asks for a chunk.
    pub(crate) fn requested(
        &mut self,
        (serve, from): (ServeId, PeerId),
        want: Want,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        match self.decide(from, want, now) {
            Ok(site) => {
                if let Some(peer) = self.peers.get_mut(&from) {
                    peer.serving += 1;
                }
                let to = from;
                self.serving.insert(serve, Serve { to, want, site });
                out.push(Action::Serve { serve, to, want });
            }
            Err(decline) => {
                let decline = Box::new(decline);
                out.push(Action::Decline { serve, decline });
            }
        }
    }

    /// A serve ended.
    pub(crate) fn served(&mut self, id: ServeId, bytes: u64, now: Time) {
        let Some(serve) = self.serving.remove(&id) else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(&serve.to) {
            peer.serving = peer.serving.saturating_sub(1);
        }
        let Some(content) = self.contents.get_mut(&serve.want.content) else {
            return;
        };
        if let Some(site) = &serve.site {
            self.counters.served_wan_bytes += bytes;
            let ask = ask(&serve.want, content.chunks.count(), serve.to);
            // What was sent has not arrived: the member says when it has.
            if bytes == 0 {
                self.grants.failed(site, ask, now);
            }
        } else if bytes > 0 {
            self.counters.served_lan_bytes += bytes;
            // The bytes are on their way to a second member: a crash of this
            // node loses them no longer.
            content.window.doubled(serve.want.chunk, now);
        }
    }

    /// The key under which a peer's site shares leases.
    pub(crate) fn site_key(&self, peer: &PeerId) -> Option<SiteKey> {
        let site = &self.peers.get(peer)?.member.site;
        Some(if site.is_empty() {
            SiteKey::Peer(*peer)
        } else {
            SiteKey::Name(site.clone())
        })
    }

    fn decide(&mut self, from: PeerId, want: Want, now: Time) -> Result<Option<SiteKey>, Decline> {
        let peer = self.peers.get(&from).filter(|peer| peer.connected);
        let Some(peer) = peer.filter(|peer| !peer.is_refused(now)) else {
            return Err(no(DeclineReason::Refused, Duration(0)));
        };
        let held = self
            .contents
            .get(&want.content)
            .filter(|content| content.chunks.held().contains(want.chunk));
        let Some(content) = held else {
            return Err(no(DeclineReason::Gone, Duration(0)));
        };
        let wan = peer.path == Path::Wan;
        let slots = if self.mode == Mode::Origin {
            SERVES_ORIGIN_MAX
        } else {
            SERVES_MAX
        };
        if self.serving.len() >= slots || peer.serving >= SERVES_PER_PEER_MAX {
            let retry = if wan { RETRY_WAN } else { RETRY_NEAR };
            return Err(no(DeclineReason::Busy, retry));
        }
        if !wan {
            return Ok(None);
        }
        let chunks = content.chunks.count();
        let Some(site) = self.site_key(&from) else {
            return Err(no(DeclineReason::Refused, Duration(0)));
        };
        match self.grants.ask(&site, ask(&want, chunks, from), now) {
            Verdict::Serve { split } => {
                self.counters.split_chunks += u64::from(split);
                Ok(Some(site))
            }
            Verdict::Decline {
                reason,
                holders,
                retry_after,
            } => {
                let addressed = |peer: PeerId| {
                    let known = self.peers.get(&peer);
                    (
                        peer,
                        known.map_or_else(Vec::new, |p| p.member.addresses.clone()),
                    )
                };
                Err(Decline {
                    reason,
                    retry_after,
                    holders: holders.into_iter().map(addressed).collect(),
                })
            }
        }
    }
}

fn ask(want: &Want, chunks: u32, from: PeerId) -> Ask {
    Ask {
        content: want.content,
        chunk: want.chunk,
        chunks,
        from,
        unreachable: want.unreachable,
    }
}

fn no(reason: DeclineReason, retry_after: Duration) -> Decline {
    Decline {
        reason,
        retry_after,
        holders: Vec::new(),
    }
}
