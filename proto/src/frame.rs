//! Checks before decoding: the size of a message, and the number of elements
//! in it. A frame of 64 KiB can hold 32,768 empty submessages, each of which
//! would cost an allocation many times its wire size (S-01).

use prost::Message;

use crate::limits::{DEPTH_MAX, ELEMENTS_MAX};

/// Why bytes from outside were not decoded. The text of a refusal is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameRefusal {
    /// The bytes are not a message of the schema.
    #[error("malformed")]
    Malformed,
    /// More elements than the limit, counted before decoding.
    #[error("too-many-elements")]
    TooManyElements,
    /// Longer than the limit.
    #[error("too-large")]
    TooLarge,
}

impl FrameRefusal {
    /// Its stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooManyElements => "too-many-elements",
            Self::TooLarge => "too-large",
        }
    }
}

/// Decodes a message of at most `len_max` bytes and [`ELEMENTS_MAX`] elements.
pub fn decode<M: Message + Default>(bytes: &[u8], len_max: usize) -> Result<M, FrameRefusal> {
    decode_counted(bytes, len_max, ELEMENTS_MAX)
}

/// As [`decode`], with an own bound on the number of elements.
pub fn decode_counted<M: Message + Default>(
    bytes: &[u8],
    len_max: usize,
    elements_max: usize,
) -> Result<M, FrameRefusal> {
    if bytes.len() > len_max {
        return Err(FrameRefusal::TooLarge);
    }
    if count_fields(bytes, elements_max)? > elements_max {
        return Err(FrameRefusal::TooManyElements);
    }
    M::decode(bytes).map_err(|_| FrameRefusal::Malformed)
}

/// Counts fields in a message. A length-delimited field whose body happens to
/// parse as a message is counted with its content, so the count is an upper
/// bound: text that looks like a message costs its author, never the reader.
fn count_fields(bytes: &[u8], max: usize) -> Result<usize, FrameRefusal> {
    let mut count = 0;
    // Explicit stack: no recursion on foreign input.
    let mut stack: Vec<(&[u8], usize)> = vec![(bytes, 0)];
    while let Some((mut rest, depth)) = stack.pop() {
        while !rest.is_empty() {
            count += 1;
            if count > max {
                return Err(FrameRefusal::TooManyElements);
            }
            let field = match next_field(rest) {
                Some(field) => field,
                None if depth == 0 => return Err(FrameRefusal::Malformed),
                // Not a message after all: a hash or a text.
                None => break,
            };
            if let Some(body) = field.body
                && depth + 1 < DEPTH_MAX
                && !body.is_empty()
            {
                stack.push((body, depth + 1));
            }
            rest = field.rest;
        }
    }
    Ok(count)
}

struct Field<'a> {
    body: Option<&'a [u8]>,
    rest: &'a [u8],
}

fn next_field(bytes: &[u8]) -> Option<Field<'_>> {
    let (tag, rest) = varint(bytes)?;
    if tag >> 3 == 0 {
        return None;
    }
    match tag & 7 {
        0 => varint(rest).map(|(_, rest)| Field { body: None, rest }),
        1 => rest.get(8..).map(|rest| Field { body: None, rest }),
        2 => {
            let (len, rest) = varint(rest)?;
            let len = usize::try_from(len).ok()?;
            let body = rest.get(..len)?;
            Some(Field {
                body: Some(body),
                rest: rest.get(len..)?,
            })
        }
        5 => rest.get(4..).map(|rest| Field { body: None, rest }),
        _ => None,
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(at * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    #[test]
    fn a_message_at_the_limit_is_decoded_and_one_byte_more_is_refused() {
        let message = v1::Have {
            content: vec![7; 32],
            all: true,
            words: vec![],
        };
        let bytes = message.encode_to_vec();
        assert_eq!(decode::<v1::Have>(&bytes, bytes.len()), Ok(message));
        assert_eq!(
            decode::<v1::Have>(&bytes, bytes.len() - 1),
            Err(FrameRefusal::TooLarge)
        );
    }

    #[test]
    fn a_million_empty_entries_are_refused_before_decoding() {
        // `messages` of Frame: tag 0x0a, length 0.
        let bytes = [0x0a, 0x00].repeat(1_000_000);
        assert_eq!(
            decode::<v1::Frame>(&bytes, bytes.len()),
            Err(FrameRefusal::TooManyElements)
        );
    }

    #[test]
    fn cut_messages_are_malformed() {
        let bytes = v1::Have {
            content: vec![7; 32],
            all: true,
            words: vec![],
        }
        .encode_to_vec();
        assert_eq!(
            decode::<v1::Have>(&bytes[..10], 64),
            Err(FrameRefusal::Malformed)
        );
    }
}
