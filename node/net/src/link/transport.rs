//! TCP, Noise and Yamux, with every byte counted at the socket, and the hello
//! gate behind them: the swarm sees admitted connections only.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::AsyncRead;
use futures::AsyncWrite;
use futures::future::{Pending, Ready, ready};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{
    Boxed, DialOpts, ListenerId, PortUse, Transport, TransportError, TransportEvent,
};
use libp2p::core::upgrade::Version;
use libp2p::core::{ConnectedPoint, Endpoint};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, noise, tcp, yamux};

use crate::hello::Gate;
use crate::limits::STREAMS_PER_CONNECTION_MAX;
use crate::link::metered::Metered;
use crate::link::muxing::Resettable;
use crate::traffic::TrafficMeter;
use crate::wire::within;

/// Connections that are encrypted, multiplexed, counted and admitted.
pub(crate) fn build(
    keypair: &Keypair,
    gate: &Gate,
    traffic: &TrafficMeter,
    short_queues: bool,
) -> Boxed<(PeerId, StreamMuxerBox)> {
    let tcp = over_tcp(keypair, gate.clone(), traffic.clone(), short_queues);
    #[cfg(feature = "quic")]
    let tcp = tcp
        .or_transport(crate::link::quic::build(
            keypair,
            gate.clone(),
            traffic.clone(),
        ))
        .map(|either, _| either.into_inner())
        .boxed();
    tcp
}

fn over_tcp(
    keypair: &Keypair,
    gate: Gate,
    traffic: TrafficMeter,
    short_queues: bool,
) -> Boxed<(PeerId, StreamMuxerBox)> {
    let noise = noise::Config::new(keypair).expect("an Ed25519 key signs its noise key");
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    tcp.and_then(move |stream, point| async move {
        if short_queues {
            keep_queue_short(&stream.0);
        }
        let meter = Arc::new(traffic.connection());
        let io = Metered::new(stream, meter.clone());
        let (peer, muxer) = within(gate.timeout(), secure(io, &point, noise)).await?;
        let muxer = Resettable(StreamMuxerBox::new(muxer));
        gate.admit(peer, StreamMuxerBox::new(muxer), &point, &meter)
            .await
            .map_err(io::Error::other)
    })
    .boxed()
}

/// Bytes that lie in the socket before the first of them was sent.
#[cfg(target_os = "linux")]
const UNSENT_MAX: u32 = 32 * 1024;

/// A socket takes megabytes before it says that it is full. On a thin line a control
/// message would wait behind them for minutes.
#[cfg(target_os = "linux")]
fn keep_queue_short(stream: &tokio::net::TcpStream) {
    let socket = socket2::SockRef::from(stream);
    if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT_MAX) {
        tracing::debug!(%error, "a socket keeps its long queue");
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_queue_short(_: &tokio::net::TcpStream) {}

/// Noise and Yamux over a connected stream.
async fn secure<C>(
    io: C,
    point: &ConnectedPoint,
    noise: noise::Config,
) -> io::Result<(
    PeerId,
    yamux::Muxer<impl AsyncRead + AsyncWrite + Send + Unpin + 'static>,
)>
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let role = match point {
        ConnectedPoint::Dialer { role_override, .. } => *role_override,
        ConnectedPoint::Listener { .. } => Endpoint::Listener,
    };
    let mut multiplexing = yamux::Config::default();
    multiplexing.set_max_num_streams(STREAMS_PER_CONNECTION_MAX);
    let options = DialOpts {
        role,
        port_use: PortUse::New,
    };
    Connected(Some(io))
        .upgrade(Version::V1)
        .authenticate(noise)
        .multiplex(multiplexing)
        .dial(Multiaddr::empty(), options)
        .map_err(io::Error::other)?
        .await
        .map_err(io::Error::other)
}

/// One stream that is connected already, as a transport, so that libp2p's own
/// upgrades run over a stream of ours, in either role.
struct Connected<C>(Option<C>);

impl<C: Send + Unpin + 'static> Transport for Connected<C> {
    type Output = C;
    type Error = io::Error;
    type ListenerUpgrade = Pending<io::Result<C>>;
    type Dial = Ready<io::Result<C>>;

    fn listen_on(
        &mut self,
        _: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<io::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        _: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        let stream = self.0.take();
        stream
            .map(|stream| ready(Ok(stream)))
            .ok_or(TransportError::MultiaddrNotSupported(address))
    }

    fn poll(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Poll::Pending
    }
}
