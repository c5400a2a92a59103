//! JSON as the verifier reads it, and the canonical form that signatures cover.
//!
//! The parser is strict where general ones are lenient, because two readers
//! that take one text for two values are an attack (T-06 to T-08): duplicate
//! keys, fractions, exponents, `-0`, lone surrogates, a byte-order mark and
//! trailing bytes are refused, and strings are never normalised.

use crate::limits::{DEPTH_MAX, VALUES_MAX};
use crate::refusal::Refusal;

pub(crate) mod value;

pub use value::{Object, Value};

/// Reads one value. The caller has checked the size.
///
/// # Errors
/// `Malformed` for anything that is not strict JSON of this profile, `TooLarge`
/// for more than [`VALUES_MAX`] values.
pub fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    parse_up_to(bytes, VALUES_MAX)
}

/// As [`parse`], for so many values.
pub(crate) fn parse_up_to(bytes: &[u8], values_max: usize) -> Result<Value, Refusal> {
    parse_envelope(bytes, values_max, usize::MAX)
}

/// As [`parse`], for so many values and no more signatures in the list of that
/// name of the outermost object: what is beyond them is never built (T-13).
pub(crate) fn parse_envelope(
    bytes: &[u8],
    values_max: usize,
    signatures_max: usize,
) -> Result<Value, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Malformed)?;
    let mut parser = Parser {
        text,
        at: 0,
        values_left: values_max,
        signatures_max,
    };
    parser.skip_space();
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at == text.len() {
        Ok(value)
    } else {
        Err(Refusal::Malformed)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    values_left: usize,
    signatures_max: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self) -> Result<u8, Refusal> {
        let byte = self.peek().ok_or(Refusal::Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Refusal> {
        if self.take()? == byte {
            Ok(())
        } else {
            Err(Refusal::Malformed)
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Refusal> {
        self.value_of(depth, usize::MAX)
    }

    /// A value; a list has at most so many elements.
    fn value_of(&mut self, depth: usize, list_max: usize) -> Result<Value, Refusal> {
        let left = self.values_left.checked_sub(1);
        self.values_left = left.ok_or(Refusal::TooLarge)?;
        match self.peek().ok_or(Refusal::Malformed)? {
            b'{' => self.object(depth),
            b'[' => self.list(depth, list_max),
            b'"' => self.string().map(Value::Text),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(Refusal::Malformed),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Refusal> {
        for &byte in word.as_bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Refusal> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let digits = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        let leading_zero = self.text.as_bytes().get(digits) == Some(&b'0');
        let fraction = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        let minus_zero = leading_zero && digits > start;
        if fraction || minus_zero || (leading_zero && self.at - digits > 1) {
            return Err(Refusal::Malformed);
        }
        let number = self.text[start..self.at].parse();
        number.map(Value::Integer).map_err(|_| Refusal::Malformed)
    }

    fn list(&mut self, depth: usize, len_max: usize) -> Result<Value, Refusal> {
        let depth = deeper(depth)?;
        self.expect(b'[')?;
        let mut list = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(list));
        }
        loop {
            self.skip_space();
            if list.len() == len_max {
                return Err(Refusal::TooLarge);
            }
            list.push(self.value(depth)?);
            self.skip_space();
            match self.take()? {
                b',' => {}
                b']' => return Ok(Value::List(list)),
                _ => return Err(Refusal::Malformed),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Refusal> {
        let depth = deeper(depth)?;
        self.expect(b'{')?;
        let mut members = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Object::new()));
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            self.skip_space();
            let outermost = depth == 1 && key == "signatures";
            let list_max = if outermost {
                self.signatures_max
            } else {
                usize::MAX
            };
            let value = self.value_of(depth, list_max)?;
            // Most hostile objects have one member; a list begins with four.
            if members.is_empty() {
                members.reserve_exact(1);
            }
            members.push((key, value));
            self.skip_space();
            match self.take()? {
                b',' => {}
                b'}' => {
                    let object = Object::of_distinct(members);
                    return object.map(Value::Object).ok_or(Refusal::Malformed);
                }
                _ => return Err(Refusal::Malformed),
            }
        }
    }

    fn string(&mut self) -> Result<String, Refusal> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let start = self.at;
            // Stops at ASCII bytes only, so both ends are character boundaries.
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            out.push_str(&self.text[start..self.at]);
            match self.take()? {
                b'"' => return Ok(out),
                b'\\' => out.push(self.escape()?),
                _ => return Err(Refusal::Malformed),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refusal> {
        Ok(match self.take()? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex4()?;
                let code = match unit {
                    0xd800..=0xdbff => {
                        self.expect(b'\\')?;
                        self.expect(b'u')?;
                        let low = self.hex4()?;
                        if !(0xdc00..=0xdfff).contains(&low) {
                            return Err(Refusal::Malformed);
                        }
                        0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
                    }
                    _ => unit,
                };
                char::from_u32(code).ok_or(Refusal::Malformed)?
            }
            _ => return Err(Refusal::Malformed),
        })
    }

    fn hex4(&mut self) -> Result<u32, Refusal> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.take()?).to_digit(16);
            unit = unit * 16 + digit.ok_or(Refusal::Malformed)?;
        }
        Ok(unit)
    }
}

fn deeper(depth: usize) -> Result<usize, Refusal> {
    if depth >= DEPTH_MAX {
        return Err(Refusal::Malformed);
    }
    Ok(depth + 1)
}

#[cfg(test)]
mod tests;
