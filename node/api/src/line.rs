//! Requests and answers as lines of bytes: caps first, then parsing.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::limits::{ANSWER_LEN_MAX, REQUEST_LEN_MAX};
use crate::request::Request;

/// Schema of a request line.
pub const REQUEST_SCHEMA: &str = "patchmesh.request/1";

/// Why a line is refused. The text is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineRefusal {
    /// Not one JSON object of a known schema.
    #[error("malformed")]
    Malformed,
    /// Longer than its cap.
    #[error("too-long")]
    TooLong,
    /// Another schema, or another version of it.
    #[error("unknown-schema")]
    UnknownSchema,
}

impl LineRefusal {
    /// What to send instead.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Malformed => {
                r#"a request is one line such as {"schema":"patchmesh.request/1","verb":"status"}"#
            }
            Self::TooLong => "a request line has 8,192 bytes at most",
            Self::UnknownSchema => {
                "this node reads patchmesh.request/1 only; is it of another release?"
            }
        }
    }
}

#[derive(Serialize)]
struct OutLine<'a> {
    schema: &'a str,
    #[serde(flatten)]
    request: &'a Request,
}

#[derive(Deserialize)]
struct InLine {
    schema: String,
    #[serde(flatten)]
    request: Request,
}

/// A request as a line, its newline included.
pub fn encode_request(request: &Request) -> Vec<u8> {
    let line = OutLine {
        schema: REQUEST_SCHEMA,
        request,
    };
    to_line(&line)
}

/// An answer as a line, its newline included.
pub fn encode_answer(answer: &Answer) -> Vec<u8> {
    to_line(answer)
}

/// Reads a request line, with or without its newline.
pub fn decode_request(line: &[u8]) -> Result<Request, LineRefusal> {
    if line.len() > REQUEST_LEN_MAX {
        return Err(LineRefusal::TooLong);
    }
    if schema_of(line)? != REQUEST_SCHEMA {
        return Err(LineRefusal::UnknownSchema);
    }
    let line: InLine = serde_json::from_slice(line).map_err(|_| LineRefusal::Malformed)?;
    debug_assert_eq!(line.schema, REQUEST_SCHEMA);
    Ok(line.request)
}

/// Reads an answer line, with or without its newline.
pub fn decode_answer(line: &[u8]) -> Result<Answer, LineRefusal> {
    if line.len() > ANSWER_LEN_MAX {
        return Err(LineRefusal::TooLong);
    }
    serde_json::from_slice(line).map_err(|_| match schema_of(line) {
        Ok(schema) if !SCHEMAS.contains(&schema.as_str()) => LineRefusal::UnknownSchema,
        Ok(_) | Err(_) => LineRefusal::Malformed,
    })
}

/// Every schema of an answer line.
pub const SCHEMAS: [&str; 8] = [
    "patchmesh.done/1",
    "patchmesh.events/1",
    "patchmesh.fetch/1",
    "patchmesh.peers/1",
    "patchmesh.refused/1",
    "patchmesh.releases/1",
    "patchmesh.status/1",
    "patchmesh.why/1",
];

fn schema_of(line: &[u8]) -> Result<String, LineRefusal> {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }
    let found: Schema = serde_json::from_slice(line).map_err(|_| LineRefusal::Malformed)?;
    Ok(found.schema)
}

fn to_line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("string keys and plain numbers always encode");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests;
