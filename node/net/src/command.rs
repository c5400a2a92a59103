//! Everything the network can be told to do.

use patchmesh_core::ids::{AskId, AskedId, FetchId, GossipId, HelloId, ServeId};
use patchmesh_core::message::{Announcement, Decline, DocumentRef, Mark, Message, Want};
use patchmesh_core::output::Verdict;
use patchmesh_core::peer::{Address, Member, Path, PeerId, PeerRefusal};
use patchmesh_core::time::Duration;
use prost::bytes::Bytes;

/// One order to the network. Orders run in the order they come.
#[derive(Debug, Clone)]
pub enum Command {
    /// Answer to [`crate::Event::Hello`]. Nothing happens where the
    /// connection is gone by now.
    Admit {
        /// The connection.
        hello: HelloId,
        /// Let it in, its bytes counted under this path; or close it.
        verdict: Result<Box<(Member, Path)>, PeerRefusal>,
    },
    /// Answer to [`crate::Event::Asked`].
    Answer {
        /// The request.
        asked: AskedId,
        /// The document; `None` where it is not held.
        document: Option<Bytes>,
    },
    /// Ask a peer for a document; answered by [`crate::Event::Answered`].
    Ask {
        /// Pairs the answer.
        ask: AskId,
        /// From whom.
        peer: PeerId,
        /// What.
        document: Box<DocumentRef>,
        /// Longest acceptable answer in bytes.
        len_max: usize,
    },
    /// Give up a fetch: its stream is reset and it is answered with
    /// [`crate::FetchOutcome::Stalled`], unless the answer is already under way.
    CancelFetch {
        /// The fetch.
        fetch: FetchId,
    },
    /// Answer to [`crate::Event::Requested`]: no.
    Decline {
        /// The request.
        serve: ServeId,
        /// Why, and where else.
        decline: Box<Decline>,
    },
    /// Connect to a peer. Success shows as a hello; failure as
    /// [`crate::Event::DialFailed`]. Does nothing while the peer is connected.
    Dial {
        /// The peer that must prove to be at the other end.
        peer: PeerId,
        /// Where; unusable addresses are skipped.
        addresses: Vec<Address>,
    },
    /// Close all connections to a peer.
    Disconnect {
        /// The peer.
        peer: PeerId,
        /// Why; counted and logged here, not sent.
        why: PeerRefusal,
    },
    /// Fetch one chunk; answered by [`crate::Event::Fetched`].
    Fetch {
        /// Pairs the answer.
        fetch: FetchId,
        /// From whom.
        peer: PeerId,
        /// What.
        want: Box<Want>,
        /// When to give up, from now.
        within: Duration,
        /// Give up before, where no byte of any chunk has come from the peer for so
        /// long.
        idle: Duration,
    },
    /// Answer to [`crate::Event::Gossip`].
    Judge {
        /// The message.
        id: GossipId,
        /// Forward it, or not.
        verdict: Verdict,
    },
    /// Publish on the gossip topic.
    Publish {
        /// The message.
        announcement: Box<Announcement>,
    },
    /// Send a control message. Messages to one peer arrive in order, or the
    /// connection ends.
    Send {
        /// To whom; nothing happens where it is not connected.
        to: PeerId,
        /// What.
        message: Box<Message>,
    },
    /// Answer to [`crate::Event::Requested`]: these bytes, then
    /// [`crate::Event::Served`].
    ServeBytes {
        /// The request.
        serve: ServeId,
        /// The chunk's wire frame, at most `CHUNK_WIRE_LEN_MAX`.
        bytes: Bytes,
    },
    /// Addresses that later hellos carry, in place of those found on the
    /// interfaces of this host.
    SetAddresses(Vec<Address>),
    /// Certificate of this node that later hellos carry: its payload as signed
    /// bytes, and the signature over it.
    SetCertificate(Box<(Vec<u8>, Vec<u8>)>),
    /// Versions that later hellos carry: root, timestamp, snapshot.
    SetHead([u64; 3]),
    /// Stops that later hellos name.
    SetMark(Mark),
    /// Close everything and end. The events end too.
    Shutdown,
}
