//! Agents that are none, lie, or say too much. Genuine ones are in `tests/signers`.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::thread;

use crate::support::{Bench, Ran};

/// A public key from `ssh-keygen -t ed25519`, and its fingerprint.
const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINztNIQpLJB1XGDpdTJCn0ud\
             jAnbYVcg8CWJEQ4uR0rI alice";
const PRINT: &str = "SHA256:fwVUJj4bjHtQSwlWt4go/Eh6vNEOSRoXEkrYFIPCy4s";

/// A list with that one key, which has the comment `a`.
fn list() -> Vec<u8> {
    let mut blob = vec![0, 0, 0, 11];
    blob.extend_from_slice(b"ssh-ed25519\0\0\0 ");
    blob.extend_from_slice(&POINT);
    let mut answer = vec![12, 0, 0, 0, 1, 0, 0, 0, 51];
    answer.extend_from_slice(&blob);
    answer.extend_from_slice(&[0, 0, 0, 1, b'a']);
    framed(&answer)
}

const POINT: [u8; 32] = [
    0xdc, 0xed, 0x34, 0x84, 0x29, 0x2c, 0x90, 0x75, 0x5c, 0x60, 0xe9, 0x75, 0x32, 0x42, 0x9f, 0x4b,
    0x9d, 0x8c, 0x09, 0xdb, 0x61, 0x57, 0x20, 0xf0, 0x25, 0x89, 0x11, 0x0e, 0x2e, 0x47, 0x4a, 0xc8,
];

fn framed(answer: &[u8]) -> Vec<u8> {
    let len = u32::try_from(answer.len()).unwrap();
    [&len.to_be_bytes()[..], answer].concat()
}

/// A bench with an agent that gives these answers, one to each connection.
fn bench_with(answers: Vec<Vec<u8>>) -> Bench {
    let mut bench = Bench::new();
    let path = bench.path("agent.sock");
    let listener = UnixListener::bind(&path).unwrap();
    bench.set("SSH_AUTH_SOCK", path);
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4];
            stream.read_exact(&mut head).unwrap();
            let len = usize::try_from(u32::from_be_bytes(head)).unwrap();
            stream.read_exact(&mut vec![0; len]).unwrap();
            // A reader that has seen enough hangs up before the end.
            drop(stream.write_all(&answer));
        }
    });
    bench
}

fn import(bench: &Bench, key: &str, out: &str) -> Ran {
    bench.run(&["key", "import", key, "--out", out])
}

#[test]
fn the_agent_and_the_line_of_a_key_give_the_same_public_half() {
    let bench = bench_with(vec![list(), list()]);
    bench.write("id.pub", LINE);
    import(&bench, "id.pub", "line.pub").ok();
    import(&bench, &format!("ssh-agent:{PRINT}"), "print.pub").ok();
    import(&bench, "ssh-agent:a", "name.pub").ok();
    let shown =
        |file: &str| bench.run(&["key", "show", file, "--json"]).ok().json()["keyid"].clone();
    assert_eq!(shown("line.pub"), shown("print.pub"));
    assert_eq!(shown("line.pub"), shown("name.pub"));
}

#[test]
fn answers_outside_the_protocol_are_refused_before_room_is_made() {
    let key = format!("ssh-agent:{PRINT}");
    let many = [&[12][..], &u32::MAX.to_be_bytes()].concat();
    for answer in [
        u32::MAX.to_be_bytes().to_vec(),
        vec![0, 0, 0, 0],
        vec![0, 0],
        vec![],
        framed(&many),
        framed(&[12, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]),
        framed(&[5]),
    ] {
        let bench = bench_with(vec![answer]);
        import(&bench, &key, "a.pub").fails(1, "E_KEY_AGENT");
        assert!(!bench.path("a.pub").exists());
    }
}

#[test]
fn a_missing_agent_and_a_missing_key_say_what_to_do() {
    let bench = Bench::new();
    let unset = import(&bench, "ssh-agent:a", "a.pub").fails(1, "E_KEY_AGENT");
    assert!(unset.stderr.contains("ssh-agent"), "{}", unset.stderr);
    let bench = bench_with(vec![list()]);
    let none = import(&bench, "ssh-agent:b\u{1b}[2J", "a.pub").fails(1, "E_NO_KEY");
    assert!(none.stderr.contains("ssh-add -l"), "{}", none.stderr);
    assert!(!none.stderr.contains('\u{1b}'));
}

#[test]
fn a_signature_that_is_none_and_a_refusal_leave_no_file() {
    let lie = {
        let mut blob = vec![0, 0, 0, 11];
        blob.extend_from_slice(b"ssh-ed25519\0\0\0@");
        blob.extend_from_slice(&[7; 64]);
        framed(&[&[14, 0, 0, 0, 83][..], &blob].concat())
    };
    for (answer, code, id) in [
        (lie, 12, "E_SIG_BAD"),
        (framed(&[5]), 1, "E_KEY_AGENT"),
        (framed(&[14, 0, 0, 0, 0]), 1, "E_KEY_AGENT"),
    ] {
        // Import; look before the question; open; sign.
        let bench = bench_with(vec![list(), list(), list(), answer]);
        import(&bench, "ssh-agent:a", "a.pub").ok();
        let init = [
            "root",
            "init",
            "--threshold",
            "1",
            "--public",
            "a.pub",
            "--out",
            "c",
        ];
        bench
            .run(&[&init[..], &["--passphrase-file", "pass"]].concat())
            .ok();
        let look = [
            "sign",
            "c/root.draft",
            "--key",
            "ssh-agent:a",
            "--dry-run",
            "--json",
        ];
        let looked = bench.run(&look).ok().json();
        let word = format!("{}\n", &looked["statement"].as_str().unwrap()[..8]);
        let sign = [
            "sign",
            "c/root.draft",
            "--key",
            "ssh-agent:a",
            "--out",
            "a.sig",
        ];
        bench.run_with(&sign, &word).fails(code, id);
        assert!(!bench.path("a.sig").exists());
    }
}
