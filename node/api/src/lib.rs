//! Versioned types and a blocking client of the control socket.
//!
//! One conversation: the client writes one line with a [`request::Request`],
//! the node answers with one line per [`answer::Answer`] until one of them
//! [`answer::Answer::is_last`]. The next request may follow on the same
//! connection. Every line is one JSON object that names its schema first;
//! within a schema version fields are only added.

pub mod answer;
pub mod client;
pub mod codes;
pub mod event;
pub mod exit;
pub mod fetch;
pub mod limits;
pub mod line;
pub mod peers;
pub mod releases;
pub mod request;
pub mod socket;
pub mod status;
pub mod trouble;
