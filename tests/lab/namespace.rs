//! The programs that handle namespaces, and the end of a namespace.

use std::process::Command;

use crate::result::Result;

/// Deletes a namespace and every process in it.
pub(crate) fn delete(name: &str) -> Result<()> {
    for id in processes(&[&name.to_owned()]) {
        drop(Command::new("kill").args(["-KILL", &id]).status());
    }
    run(&format!("ip netns del {name}"))
}

/// Ids of the processes in these namespaces.
pub(crate) fn processes(names: &[&String]) -> Vec<String> {
    let of = |name: &&String| {
        let output = Command::new("ip").args(["netns", "pids", name]).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    names.iter().flat_map(of).collect()
}

/// Runs one command, words apart by spaces.
pub(crate) fn run(line: &str) -> Result<()> {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap_or_default())
        .args(words)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{line}`: {}", text.trim()).into())
}
