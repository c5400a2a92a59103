//! Streams that can be given up. Yamux resets a stream that is dropped, unless
//! its own half was closed before: then the other side is not told and sends
//! what it has, until it runs out of credit and waits. Every request closes
//! its half before the answer comes, so here the side that opened a stream
//! ends it by dropping it: a reset while the answer is under way, a proper end
//! once the answer has ended.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{
    StreamMuxer, StreamMuxerBox, StreamMuxerEvent, StreamMuxerExt as _, SubstreamBox,
};

/// A connection whose streams can be given up.
pub(crate) struct Resettable(pub(crate) StreamMuxerBox);

/// A stream of such a connection.
pub(crate) struct Stream {
    io: SubstreamBox,
    opened_here: bool,
}

impl StreamMuxer for Resettable {
    type Substream = Stream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        self.0.poll_inbound_unpin(cx).map_ok(|io| Stream {
            io,
            opened_here: false,
        })
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        self.0.poll_outbound_unpin(cx).map_ok(|io| Stream {
            io,
            opened_here: true,
        })
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_close_unpin(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.0.poll_unpin(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.opened_here {
            Pin::new(&mut self.io).poll_flush(cx)
        } else {
            Pin::new(&mut self.io).poll_close(cx)
        }
    }
}
