//! `/patchmesh/control/1`: messages to one peer in order. One frame is under
//! way at a time; what comes meanwhile waits and travels as the next frame.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use libp2p::request_response::{Behaviour, Codec, OutboundRequestId};
use libp2p::{PeerId, StreamProtocol};
use patchmesh_core::message::{Message, decode_frame, encode_frame};
use patchmesh_proto::frame::FrameRefusal;
use patchmesh_proto::limits::{FRAME_LEN_MAX, FRAME_MESSAGES_MAX};

use crate::limits::{CONTROL_QUEUE_BYTES_MAX, CONTROL_QUEUE_MAX};
use crate::wire::{apart, read_end, read_frame, read_len, refused, within, write_frame, write_len};

/// Name of the protocol.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/patchmesh/control/1");

/// The request is a frame of messages, refused or not where it was received;
/// the answer is an empty frame.
#[derive(Debug, Clone)]
pub(crate) struct ControlCodec {
    idle: Duration,
}

impl ControlCodec {
    pub(crate) fn new(idle: Duration) -> Self {
        Self { idle }
    }
}

impl Codec for ControlCodec {
    type Protocol = StreamProtocol;
    type Request = Result<Vec<Message>, FrameRefusal>;
    type Response = ();

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Self::Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let frame = within(self.idle, read_frame(io, FRAME_LEN_MAX)).await;
        Ok(apart(frame)?.and_then(|frame| decode_frame(&frame)))
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        within(self.idle, read_len(io, 0)).await?;
        read_end(io, self.idle).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        messages: Self::Request,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let frame = encode_frame(&messages.map_err(refused)?);
        within(self.idle, write_frame(io, &frame)).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, (): ()) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        within(self.idle, write_len(io, 0)).await?;
        within(self.idle, io.flush()).await
    }
}

/// What waits for each connected peer.
#[derive(Debug, Default)]
pub(crate) struct Outboxes {
    of: BTreeMap<PeerId, Outbox>,
    ready: BTreeSet<PeerId>,
}

#[derive(Debug, Default)]
struct Outbox {
    waiting: VecDeque<(Message, usize)>,
    bytes: usize,
    under_way: Option<OutboundRequestId>,
}

/// The peer does not read what it is sent; its view of this node would be
/// wrong from here on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

impl Outboxes {
    /// Takes a message for a connected peer; [`Self::flush`] sends it.
    pub(crate) fn push(&mut self, peer: PeerId, message: Message) -> Result<(), Overflow> {
        let len = message.wire_len();
        let outbox = self.of.entry(peer).or_default();
        if len > FRAME_LEN_MAX
            || outbox.waiting.len() >= CONTROL_QUEUE_MAX
            || outbox.bytes + len > CONTROL_QUEUE_BYTES_MAX
        {
            return Err(Overflow);
        }
        outbox.waiting.push_back((message, len));
        outbox.bytes += len;
        if outbox.under_way.is_none() {
            self.ready.insert(peer);
        }
        Ok(())
    }

    /// Sends a frame to every peer that has messages waiting and none under way.
    pub(crate) fn flush(&mut self, network: &mut Behaviour<ControlCodec>) {
        for peer in std::mem::take(&mut self.ready) {
            if let Some(outbox) = self.of.get_mut(&peer)
                && outbox.under_way.is_none()
                && !outbox.waiting.is_empty()
            {
                let frame = outbox.next_frame();
                outbox.under_way = Some(network.send_request(&peer, Ok(frame)));
            }
        }
    }

    /// The frame arrived.
    pub(crate) fn arrived(&mut self, peer: PeerId, request: OutboundRequestId) {
        if let Some(outbox) = self.of.get_mut(&peer)
            && outbox.under_way == Some(request)
        {
            outbox.under_way = None;
            self.ready.insert(peer);
        }
    }

    /// Whether this is the frame under way to the peer, not one of an earlier
    /// session.
    pub(crate) fn is_under_way(&self, peer: &PeerId, request: OutboundRequestId) -> bool {
        let outbox = self.of.get(peer);
        outbox.is_some_and(|outbox| outbox.under_way == Some(request))
    }

    /// The peer is down: what waits for it is void.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.of.remove(peer);
        self.ready.remove(peer);
    }
}

impl Outbox {
    fn next_frame(&mut self) -> Vec<Message> {
        let mut frame = Vec::new();
        let mut frame_len = 0;
        while let Some((_, len)) = self.waiting.front()
            && frame_len + len <= FRAME_LEN_MAX
            && frame.len() < FRAME_MESSAGES_MAX
            && let Some((message, len)) = self.waiting.pop_front()
        {
            frame_len += len;
            self.bytes -= len;
            frame.push(message);
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(version: u64) -> Message {
        Message::Head([version, 0, 0])
    }

    #[test]
    fn frames_keep_order_and_stay_within_both_limits() {
        let have = Message::Have {
            content: patchmesh_content::id::ContentId([1; 32]),
            all: false,
            words: (0..4000).map(|word| (word, u64::MAX)).collect(),
        };
        let sent: Vec<Message> = (0..1500)
            .map(head)
            .chain([have.clone(), have, head(9)])
            .collect();
        let mut outboxes = Outboxes::default();
        let peer = PeerId::random();
        for message in &sent {
            outboxes.push(peer, message.clone()).unwrap();
        }
        let outbox = outboxes.of.get_mut(&peer).unwrap();
        let mut arrived = Vec::new();
        while !outbox.waiting.is_empty() {
            let frame = outbox.next_frame();
            assert!(frame.len() <= FRAME_MESSAGES_MAX);
            let bytes = encode_frame(&frame);
            assert!(bytes.len() <= FRAME_LEN_MAX);
            arrived.extend(decode_frame(&bytes).unwrap());
        }
        assert_eq!(arrived, sent);
        assert_eq!(outbox.bytes, 0);
    }

    #[test]
    fn a_peer_that_does_not_read_overflows_at_the_limit() {
        let mut outboxes = Outboxes::default();
        let peer = PeerId::random();
        for version in 0..CONTROL_QUEUE_MAX as u64 {
            outboxes.push(peer, head(version)).unwrap();
        }
        assert_eq!(outboxes.push(peer, head(0)), Err(Overflow));
        assert_eq!(outboxes.push(PeerId::random(), head(0)), Ok(()));
        outboxes.forget(&peer);
        assert_eq!(outboxes.push(peer, head(0)), Ok(()));
    }
}
