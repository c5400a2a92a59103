//! The three requests between admitted peers: control frames, chunks and
//! documents, each on its own protocol and each stream with one request.

pub(crate) mod chunk;
pub(crate) mod chunk_codec;
pub(crate) mod control;
pub(crate) mod document;
pub(crate) mod document_codec;
