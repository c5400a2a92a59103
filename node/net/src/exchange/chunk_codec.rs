//! `/patchmesh/chunk/1` on the wire: a request, then a header and the wire
//! frame of the chunk, or a decline.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;
use patchmesh_core::message::{self, Decline, Want};
use patchmesh_proto::Message as _;
use patchmesh_proto::frame::FrameRefusal;
use patchmesh_proto::limits::{CHUNK_ANSWER_LEN_MAX, CHUNK_REQUEST_LEN_MAX};
use patchmesh_proto::v1::{ChunkAnswer, chunk_answer::Body};
use prost::bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::heard::{Heard, Noted};
use crate::wire::{
    apart, read_body, read_end, read_frame, refused, within, write_body, write_frame,
};

/// Name of the protocol.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/patchmesh/chunk/1");

/// A request, refused or not where it was received, and on the asker's side
/// the way to give it up.
#[derive(Debug)]
pub(crate) struct ChunkRequest {
    pub(crate) want: Result<Want, FrameRefusal>,
    pub(crate) cancel: CancellationToken,
    pub(crate) heard: Heard,
}

/// What answers a request.
#[derive(Debug)]
pub(crate) enum ChunkResponse {
    Declined(Box<Decline>),
    Frame(Bytes),
}

/// One copy per stream: what a request says of its stream is kept until the
/// answer is read.
#[derive(Debug, Clone)]
pub(crate) struct ChunkCodec {
    idle: Duration,
    cancel: CancellationToken,
    heard: Heard,
}

impl ChunkCodec {
    pub(crate) fn new(idle: Duration) -> Self {
        Self {
            idle,
            cancel: CancellationToken::new(),
            heard: Heard::default(),
        }
    }
}

impl Codec for ChunkCodec {
    type Protocol = StreamProtocol;
    type Request = ChunkRequest;
    type Response = ChunkResponse;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<ChunkRequest>
    where
        T: AsyncRead + Unpin + Send,
    {
        let frame = within(self.idle, read_frame(io, CHUNK_REQUEST_LEN_MAX)).await;
        Ok(ChunkRequest {
            want: apart(frame)?.and_then(|frame| Want::decode(&frame)),
            cancel: CancellationToken::new(),
            heard: Heard::default(),
        })
    }

    async fn read_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<ChunkResponse>
    where
        T: AsyncRead + Unpin + Send,
    {
        let cancelled = self.cancel.clone();
        let mut io = Noted::new(io, self.heard.clone());
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Err(io::ErrorKind::Interrupted.into()),
            response = async {
                let response = read_response(&mut io).await?;
                read_end(&mut io, self.idle).await?;
                Ok(response)
            } => response,
        }
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: ChunkRequest,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.cancel = request.cancel;
        self.heard = request.heard;
        if self.cancel.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let frame = request.want.map_err(refused)?.encode();
        within(self.idle, write_frame(io, &frame)).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: ChunkResponse,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let (body, bytes) = match response {
            ChunkResponse::Declined(decline) => (Body::Decline(decline.to_wire()), Bytes::new()),
            ChunkResponse::Frame(bytes) => {
                let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
                (Body::WireLength(len), bytes)
            }
        };
        let header = ChunkAnswer { body: Some(body) }.encode_to_vec();
        within(self.idle, write_frame(io, &header)).await?;
        write_body(io, &bytes, self.idle).await?;
        within(self.idle, io.flush()).await
    }
}

/// Has no time of its own: the asker gives up a peer from which nothing comes, and
/// a chunk may wait for its turn at the other side.
async fn read_response(io: &mut (impl AsyncRead + Unpin)) -> io::Result<ChunkResponse> {
    let header = read_frame(io, CHUNK_ANSWER_LEN_MAX).await?;
    match message::ChunkAnswer::decode(&header).map_err(refused)? {
        message::ChunkAnswer::Frame(len) => Ok(ChunkResponse::Frame(
            read_body(io, len, Duration::MAX).await?.into(),
        )),
        message::ChunkAnswer::Decline(decline) => Ok(ChunkResponse::Declined(Box::new(decline))),
    }
}
