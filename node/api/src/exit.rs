//! How the programs end: exit codes that all of them share, and the last line of
//! standard error in JSON.

use serde::Serialize;

/// Done.
pub const DONE: u8 = 0;
/// Failed.
pub const FAILED: u8 = 1;
/// Wrong usage or configuration.
pub const USAGE: u8 = 2;
/// Not joined: there is no root document yet.
pub const NOT_JOINED: u8 = 10;
/// Another process has what this one needs for itself.
pub const BUSY: u8 = 11;
/// Trust refused it.
pub const TRUST: u8 = 12;
/// No node answers on the control socket.
pub const NO_NODE: u8 = 15;

/// An end that is not success, for programs.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "message_type", rename = "exit_error")]
pub struct ExitError<'a> {
    /// Exit code.
    pub code: u8,
    /// Stable id, `E_...`.
    pub id: &'a str,
    /// What failed.
    pub message: &'a str,
    /// What to do; empty if there is no advice.
    pub hint: &'a str,
}

impl ExitError<'_> {
    /// One line without its end.
    pub fn to_json(self) -> String {
        serde_json::to_string(&self).expect("texts and numbers always encode")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_its_type_first() {
        let end = ExitError {
            code: BUSY,
            id: "E_BUSY",
            message: "\"a\"\n",
            hint: "",
        };
        let line = concat!(
            r#"{"message_type":"exit_error","code":11,"id":"E_BUSY","#,
            r#""message":"\"a\"\n","hint":""}"#
        );
        assert_eq!(end.to_json(), line);
    }
}
