//! QUIC beside TCP. Its packets pass no stream of ours, so bytes are counted
//! per stream: without encryption, headers and acknowledgements.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use libp2p::core::muxing::{
    StreamMuxer, StreamMuxerBox, StreamMuxerEvent, StreamMuxerExt as _, SubstreamBox,
};
use libp2p::core::transport::{Boxed, Transport as _};
use libp2p::identity::Keypair;
use libp2p::{PeerId, quic};

use crate::hello::Gate;
use crate::link::metered::Metered;
use crate::traffic::{ConnectionMeter, TrafficMeter};

/// QUIC connections that are counted and admitted.
pub(crate) fn build(
    keypair: &Keypair,
    gate: Gate,
    traffic: TrafficMeter,
) -> Boxed<(PeerId, StreamMuxerBox)> {
    let quic = quic::tokio::Transport::new(quic::Config::new(keypair));
    quic.and_then(move |(peer, connection), point| async move {
        let meter = Arc::new(traffic.connection());
        let muxer = MeteredMuxer {
            muxer: StreamMuxerBox::new(connection),
            meter: meter.clone(),
        };
        gate.admit(peer, StreamMuxerBox::new(muxer), &point, &meter)
            .await
            .map_err(io::Error::other)
    })
    .boxed()
}

/// Counts every stream of a connection.
struct MeteredMuxer {
    muxer: StreamMuxerBox,
    meter: Arc<ConnectionMeter>,
}

impl StreamMuxer for MeteredMuxer {
    type Substream = Metered<SubstreamBox>;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        let stream = self.muxer.poll_inbound_unpin(cx);
        stream.map_ok(|stream| Metered::new(stream, self.meter.clone()))
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        let stream = self.muxer.poll_outbound_unpin(cx);
        stream.map_ok(|stream| Metered::new(stream, self.meter.clone()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.muxer.poll_close_unpin(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        if self.meter.is_cut(cx.waker()) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.muxer.poll_unpin(cx)
    }
}
