//! `/patchmesh/document/1` on the wire: a request, then the length of the
//! document and its bytes; length 0 says that it is not held.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;
use patchmesh_core::message::DocumentRef;
use patchmesh_proto::frame::FrameRefusal;
use patchmesh_proto::limits::{DOCUMENT_REQUEST_LEN_MAX, INDEX_LEN_MAX};
use prost::bytes::Bytes;

use crate::wire::{apart, read_body, read_end, read_frame, read_len, refused, within};
use crate::wire::{write_body, write_frame, write_len};

/// Name of the protocol.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/patchmesh/document/1");

/// A request, refused or not where it was received, and on the asker's side
/// the longest acceptable answer.
#[derive(Debug)]
pub(crate) struct DocumentRequest {
    pub(crate) document: Result<DocumentRef, FrameRefusal>,
    pub(crate) len_max: usize,
}

/// One copy per stream: the asker's cap is kept until the answer is read.
#[derive(Debug, Clone)]
pub(crate) struct DocumentCodec {
    idle: Duration,
    len_max: usize,
}

impl DocumentCodec {
    pub(crate) fn new(idle: Duration) -> Self {
        Self { idle, len_max: 0 }
    }
}

impl Codec for DocumentCodec {
    type Protocol = StreamProtocol;
    type Request = DocumentRequest;
    type Response = Option<Bytes>;

    async fn read_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<DocumentRequest>
    where
        T: AsyncRead + Unpin + Send,
    {
        let frame = within(self.idle, read_frame(io, DOCUMENT_REQUEST_LEN_MAX)).await;
        Ok(DocumentRequest {
            document: apart(frame)?.and_then(|frame| DocumentRef::decode(&frame)),
            len_max: 0,
        })
    }

    async fn read_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Option<Bytes>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let len = within(self.idle, read_len(io, self.len_max)).await?;
        let body = read_body(io, len, self.idle).await?;
        read_end(io, self.idle).await?;
        Ok((len > 0).then(|| body.into()))
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: DocumentRequest,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.len_max = request.len_max.min(INDEX_LEN_MAX);
        let frame = request.document.map_err(refused)?.encode();
        within(self.idle, write_frame(io, &frame)).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Option<Bytes>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let bytes = response.unwrap_or_default();
        within(self.idle, write_len(io, bytes.len())).await?;
        write_body(io, &bytes, self.idle).await?;
        within(self.idle, io.flush()).await
    }
}
