//! Everything the swarm machine can ask for.

use patchmesh_content::id::{ContentId, PeerId};

use crate::ids::{FetchId, ServeId};
use crate::message::{Decline, Message, Want};
use crate::output::Source;
use crate::peer::{Address, PeerRefusal};
use crate::time::{Duration, Time};

/// One order; all but `Complete` and `Scored` are outputs of the engine as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Give up a fetch; it is still answered, by `Fetched::Stalled` at least.
    CancelFetch {
        /// The fetch.
        fetch: FetchId,
    },
    /// Every chunk of a wanted content is held. Also sent right after an
    /// `Event::Add` or `Event::Want` for which this holds already, and again
    /// after each repair of damage.
    Complete {
        /// Name of the content.
        content: ContentId,
    },
    /// Answer to `Event::Requested`: no.
    Decline {
        /// The request.
        serve: ServeId,
        /// Why, and where else.
        decline: Box<Decline>,
    },
    /// Connect to a peer.
    Dial {
        /// The peer that must prove to be at the other end.
        peer: PeerId,
        /// Where.
        addresses: Vec<Address>,
    },
    /// Close all connections to a peer. It stays refused: see `Swarm::refuses`.
    Disconnect {
        /// The peer.
        peer: PeerId,
        /// Why.
        why: PeerRefusal,
    },
    /// Fetch one chunk; answered by `Event::Fetched`.
    Fetch {
        /// Pairs the answer; unique among the ids of this machine.
        fetch: FetchId,
        /// From whom.
        from: Source,
        /// What.
        want: Want,
        /// When to give up.
        by: Time,
        /// Give up before, where nothing has come from there for so long.
        idle: Duration,
    },
    /// A peer misbehaved: for `Notice::PeerScored`.
    Scored {
        /// The peer.
        peer: PeerId,
        /// Stable code.
        code: &'static str,
    },
    /// Send a message to an admitted peer.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: Message,
    },
    /// Answer to `Event::Requested`: send the chunk, then report `Event::Served`.
    Serve {
        /// The request.
        serve: ServeId,
        /// To whom.
        to: PeerId,
        /// What.
        want: Want,
    },
}
