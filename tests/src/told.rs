//! What a node tells its operator: through the command line, and as troubles.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use patchmesh_api::trouble::Trouble;
use patchmesh_demo::fleet::Daemon;

use crate::bench::programs;
use crate::until::until;

/// How long a trouble may take to be told.
const SOON: Duration = Duration::from_secs(40);

/// Runs `patchmesh` with these words against a node.
///
/// # Panics
/// If the program does not start.
pub fn patchmesh(node: &Daemon, words: &[&str]) -> Output {
    Command::new(&programs().patchmesh)
        .args(words)
        .arg("--socket")
        .arg(node.socket())
        .stdin(Stdio::null())
        .output()
        .expect("patchmesh starts")
}

/// What a program that succeeded printed.
///
/// # Panics
/// If it failed, or printed no text.
pub fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("programs print text")
}

/// Waits until a node tells a trouble with this code.
///
/// # Panics
/// If it does not in 40 s.
pub fn trouble(node: &Daemon, code: &str) -> Trouble {
    until("the trouble is told", SOON, || {
        let troubles = node.status().ok()?.troubles;
        troubles.into_iter().find(|trouble| trouble.code == code)
    })
}
