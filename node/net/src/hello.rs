//! The hello gate. On an encrypted connection both sides show who they are
//! and ask their driver for a verdict, before the swarm knows of the
//! connection. An outsider reaches no other protocol (M-16).
//!
//! The dialer opens the first stream and sends its hello; the listener, once
//! it admits the dialer, answers with its own; the dialer, once it admits the
//! listener, ends with the byte [`ADMITTED`]. A refusal is a closed connection (M-12).

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::core::ConnectedPoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox};
use libp2p::multiaddr::Protocol;
use patchmesh_core::message::{Mark, decode_hello, mark_to_wire};
use patchmesh_core::peer::{Address, Path, PeerId, Proof};
use patchmesh_proto::Message as _;
use patchmesh_proto::frame::FrameRefusal;
use patchmesh_proto::limits::{ADDRESS_LEN_MAX, ADDRESSES_MAX, HELLO_LEN_MAX};
use patchmesh_proto::v1;
use prost::bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::HelloParts;
use crate::identity;
use crate::limits::HELLOS_MAX;
use crate::traffic::ConnectionMeter;
use crate::wire::{read_frame, refused, within, write_frame};

/// The dialer's last word of a hello.
const ADMITTED: u8 = 1;

/// Asks whether a connection may come in.
#[derive(Debug)]
pub(crate) struct HelloAsk {
    pub(crate) proof: Proof,
    pub(crate) remote: Address,
    /// The path its bytes are counted under; `None` is no.
    pub(crate) answer: oneshot::Sender<Option<Path>>,
}

/// Why a connection did not come in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelloFailure {
    #[error("failed to exchange hellos")]
    Exchange(#[from] io::Error),
    #[error("failed to find the expected peer at the address")]
    OtherPeer,
    #[error("refused by this node")]
    Refused,
    #[error("the other side closed the connection on this node's hello")]
    TurnedAway,
}

/// Peers that turned this node away and that nobody was told of yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct TurnedAway(Arc<Mutex<BTreeSet<libp2p::PeerId>>>);

impl TurnedAway {
    fn note(&self, peer: libp2p::PeerId) {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() < HELLOS_MAX {
            peers.insert(peer);
        }
    }

    /// Whether this peer was noted; it is not any more.
    pub(crate) fn take(&self, peer: &libp2p::PeerId) -> bool {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        peers.remove(peer)
    }
}

/// Runs hellos; one for all connections.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    ours: watch::Receiver<Bytes>,
    asks: mpsc::Sender<HelloAsk>,
    timeout: Duration,
    local: PeerId,
    turned_away: TurnedAway,
}

impl Gate {
    pub(crate) fn new(
        ours: watch::Receiver<Bytes>,
        asks: mpsc::Sender<HelloAsk>,
        timeout: Duration,
        local: PeerId,
    ) -> Self {
        Self {
            ours,
            asks,
            timeout,
            local,
            turned_away: TurnedAway::default(),
        }
    }

    /// Where it notes who turned this node away.
    pub(crate) fn turned_away(&self) -> TurnedAway {
        self.turned_away.clone()
    }

    /// The time that each of encryption and hello may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Lets a connection through, or drops it.
    pub(crate) async fn admit(
        &self,
        libp2p_peer: libp2p::PeerId,
        mut muxer: StreamMuxerBox,
        point: &ConnectedPoint,
        meter: &Arc<ConnectionMeter>,
    ) -> Result<(libp2p::PeerId, StreamMuxerBox), HelloFailure> {
        let peer = identity::from_libp2p(&libp2p_peer).ok_or(HelloFailure::OtherPeer)?;
        let named = match point.get_remote_address().iter().last() {
            Some(Protocol::P2p(named)) => Some(named),
            _ => None,
        };
        if peer == self.local || named.is_some_and(|named| named != libp2p_peer) {
            return Err(HelloFailure::OtherPeer);
        }
        let hello = async {
            let stream = first_stream(&mut muxer, point.is_dialer()).await?;
            let exchange = self.exchange(stream, peer, point);
            // Either outcome is data; only a broken stream is an I/O error.
            while_driving(&mut muxer, async { Ok(exchange.await) }).await
        };
        let path = match within(self.timeout, hello).await {
            Ok(Err(HelloFailure::Exchange(error))) | Err(error)
                if point.is_dialer() && is_closed(&error) =>
            {
                self.turned_away.note(libp2p_peer);
                return Err(HelloFailure::TurnedAway);
            }
            path => path??,
        };
        meter.admit(peer, path);
        Ok((libp2p_peer, muxer))
    }

    async fn exchange(
        &self,
        mut stream: SubstreamBox,
        peer: PeerId,
        point: &ConnectedPoint,
    ) -> Result<Path, HelloFailure> {
        let ours = self.ours.borrow().clone();
        let remote = point.get_remote_address().to_vec();
        if point.is_dialer() {
            send(&mut stream, &ours).await?;
            let path = self
                .verdict(receive(&mut stream, peer).await?, remote)
                .await?;
            stream.write_all(&[ADMITTED]).await?;
            stream.close().await?;
            Ok(path)
        } else {
            let path = self
                .verdict(receive(&mut stream, peer).await?, remote)
                .await?;
            send(&mut stream, &ours).await?;
            let mut word = [0];
            stream.read_exact(&mut word).await?;
            match word {
                [ADMITTED] => Ok(path),
                _ => Err(refused(FrameRefusal::Malformed).into()),
            }
        }
    }

    async fn verdict(&self, proof: Proof, remote: Address) -> Result<Path, HelloFailure> {
        let (answer, verdict) = oneshot::channel();
        let ask = HelloAsk {
            proof,
            remote,
            answer,
        };
        self.asks.try_send(ask).map_err(|_| HelloFailure::Refused)?;
        let verdict = verdict.await.map_err(|_| HelloFailure::Refused)?;
        verdict.ok_or(HelloFailure::Refused)
    }
}

/// Whether the other side ended it, and not time, or a reader of this side.
fn is_closed(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::InvalidData
    )
}

/// The bytes of this node's hello. Addresses are left out where there is no
/// room; `None` if even the certificate is too long.
pub(crate) fn encode(parts: &HelloParts) -> Option<Bytes> {
    let [root, timestamp, snapshot] = parts.head;
    let usable = |address: &&Address| address.len() <= ADDRESS_LEN_MAX;
    let mut hello = v1::Hello {
        certificate: Some(v1::SignedCertificate {
            payload: parts.certificate.clone(),
            signature: parts.signature.clone(),
        }),
        protocol_min: parts.protocol.0,
        protocol_max: parts.protocol.1,
        head: Some(v1::Head {
            root,
            timestamp,
            snapshot,
        }),
        revoked: (parts.mark != Mark::default()).then(|| mark_to_wire(&parts.mark)),
        addresses: parts
            .addresses
            .iter()
            .filter(usable)
            .take(ADDRESSES_MAX)
            .cloned()
            .collect(),
    };
    while hello.encoded_len() > HELLO_LEN_MAX {
        hello.addresses.pop()?;
    }
    Some(hello.encode_to_vec().into())
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), hello: &[u8]) -> io::Result<()> {
    write_frame(stream, hello).await?;
    stream.flush().await
}

async fn receive(stream: &mut (impl AsyncRead + Unpin), peer: PeerId) -> io::Result<Proof> {
    let bytes = read_frame(stream, HELLO_LEN_MAX).await?;
    decode_hello(&bytes, peer).map_err(refused)
}

/// The dialer opens the first stream, the listener takes it.
async fn first_stream(muxer: &mut StreamMuxerBox, dialer: bool) -> io::Result<SubstreamBox> {
    poll_fn(|cx| {
        let stream = if dialer {
            muxer.poll_outbound_unpin(cx)
        } else {
            muxer.poll_inbound_unpin(cx)
        };
        match stream {
            Poll::Ready(stream) => Poll::Ready(stream),
            Poll::Pending => match muxer.poll_unpin(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(_)) => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                Poll::Pending => Poll::Pending,
            },
        }
    })
    .await
}

/// Streams move only while their connection is polled.
async fn while_driving<T>(
    muxer: &mut StreamMuxerBox,
    exchange: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let mut exchange = Box::pin(exchange);
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = exchange.as_mut().poll(cx) {
            return Poll::Ready(outcome);
        }
        match muxer.poll_unpin(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(_)) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
