//! One line from a stream: a typed answer, or a passphrase.

use std::io::{self, Read};

use anyhow::Context as _;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Longest line read, in bytes.
const LINE_LEN_MAX: usize = 1024;

/// One line, its end cut off, read byte by byte so that nothing after it is
/// taken from the stream.
pub(crate) fn read_line(reader: &mut impl Read) -> anyhow::Result<String> {
    let mut line = Zeroizing::new(Vec::new());
    let mut byte = [0u8; 1];
    while line.len() <= LINE_LEN_MAX {
        match reader.read(&mut byte) {
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("failed to read a line"),
        }
    }
    if line.len() > LINE_LEN_MAX {
        return Err(Failure::usage(format!("a line is at most {LINE_LEN_MAX} bytes")).into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let text = str::from_utf8(&line).map_err(|_| Failure::usage("the line is not UTF-8"))?;
    Ok(text.to_owned())
}
