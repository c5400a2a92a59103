//! Other processes: kill -9 of one that writes, and two on one store. The
//! child is this test binary, told by the environment what to do.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use patchmesh_store::{OpenError, Options, Store};

use crate::make::{chunk, open};

const DIR: &str = "PATCHMESH_STORE_TEST_DIR";
const FROM: &str = "PATCHMESH_STORE_TEST_FROM";
const ROUNDS: u32 = 20;

/// Starts this binary as a writer of chunks from this number on.
fn child(dir: &Path, from: u32) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::child_process",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIR, dir)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test by itself: what the child does. Says `put N` when a chunk is
/// readable and `ack N` when chunks below N are durable, until it is killed.
#[test]
fn child_process() {
    let Some(dir) = env::var_os(DIR) else { return };
    let from: u32 = env::var(FROM).unwrap().parse().unwrap();
    let mut out = std::io::stdout();
    let options = Options {
        batch_bytes_max: 64 * 1024,
        ..Options::new(1 << 30)
    };
    let store = match Store::open(Path::new(&dir), options) {
        Ok(opened) => opened.store,
        Err(OpenError::Held { .. }) => return writeln!(out, "\nheld").unwrap(),
        Err(other) => panic!("{other}"),
    };
    for number in from.. {
        let (id, wire) = chunk(number, 5_000);
        store.put_chunk(&id, &wire).unwrap();
        writeln!(out, "\nput {number}").unwrap();
        if number % 7 == 6 {
            store.sync().unwrap();
            writeln!(out, "\nack {}", number + 1).unwrap();
        }
    }
}

#[test]
fn t01_kill_loses_no_chunk_that_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut next, mut acknowledged) = (0, 0);
    for round in 0..ROUNDS {
        let mut child = child(dir.path(), next);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // A different moment each round: after this many lines.
        let mut left = 1 + (round * 37) % 90;
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("put ") {
                next = number.parse::<u32>().unwrap() + 1;
            } else if let Some(number) = line.strip_prefix("ack ") {
                acknowledged = number.parse().unwrap();
            } else {
                continue;
            }
            left -= 1;
            if left == 0 {
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        let opened = open(dir.path());
        let held: BTreeSet<_> = opened.restored.chunks.iter().copied().collect();
        for number in 0..next {
            let (id, wire) = chunk(number, 5_000);
            assert!(
                held.contains(&id),
                "round {round}: {number} of {next}, {acknowledged} acknowledged"
            );
            assert_eq!(opened.store.read_chunk(&id).unwrap(), Some(wire));
        }
        let left = std::fs::read_dir(dir.path().join("incoming"))
            .unwrap()
            .count();
        assert_eq!(left, 0);
    }
    assert!(next > ROUNDS && acknowledged > 0);
}

#[test]
fn two_processes_on_one_store_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(dir.path());
    let output = child(dir.path(), 0).wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nheld\n"));
    let second = Store::open(dir.path(), Options::new(1)).unwrap_err();
    assert!(
        second
            .to_string()
            .contains("another process holds the store")
    );
    drop(opened);
    open(dir.path());
}
