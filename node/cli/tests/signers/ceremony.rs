//! A ceremony with a key file, agent keys, token keys and a tool, checked by
//! another implementation.

use std::fs;

use crate::world::{World, exec_tool};

const PYTHON: &str = r#"
import sys
from tuf.api.metadata import Metadata
load = Metadata.from_file
root, targets, line = (load(path) for path in sys.argv[1:])
root.verify_delegate("root", root)
root.verify_delegate("targets", targets)
targets.verify_delegate("release/desktop", line)
print(len(root.signatures), len(targets.signatures), len(line.signatures))
"#;

/// The program of python-tuf, which `cargo x signers` makes.
fn python() -> String {
    std::env::var("PATCHMESH_PYTHON").expect("run `cargo x signers`, which sets PATCHMESH_PYTHON")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn six_of_six_keys_in_file_agent_token_and_tool_make_what_python_tuf_accepts() {
    let world = World::new();
    let bench = &world.bench;
    let pass = ["--passphrase-file", "pass"];
    bench
        .run(&[&["key", "new", "--out", "file.pem"], &pass[..]].concat())
        .ok();
    let by_agent = world.agent_key("agent-ed", &["-t", "ed25519"]);
    world.agent_key("agent-ec", &["-t", "ecdsa", "-b", "256"]);
    let in_token = world.token_key("token-ed", "EC:edwards25519");
    let hashed = world.token_key("token-ec", "EC:prime256v1");
    let tool = world.token_key("tool", "EC:prime256v1");
    exec_tool(&bench.path("sign-tool"), "tool");
    let halves = [
        "file.pub".to_owned(),
        world.import(&by_agent, "agent-ed"),
        // The line of the key's own file, without the agent.
        world.import("agent-ec.pub", "agent-ec"),
        world.import(&in_token, "token-ed"),
        world.import(&hashed, "token-ec"),
        world.import(&tool, "tool"),
    ];
    let mut init = vec!["root", "init", "--threshold", "6", "--out", "c"];
    for half in &halves {
        init.extend(["--public", half]);
    }
    bench.run(&[&init[..], &pass].concat()).ok();
    let pin = bench.path("pin").display().to_string();
    let with_pin = |key: &str| words(&[&format!("{key}&pin-source=file:{pin}")]);
    let keys = [
        words(&["file:file.pem"]),
        words(&[&by_agent]),
        words(&["ssh-agent:agent-ec"]),
        with_pin(&in_token),
        with_pin(&hashed),
        words(&["exec:./sign-tool", "--public", "halves/tool.pub"]),
    ];
    world.assembled("c/root.draft", &keys);
    world.assembled("c/targets.draft", &keys);
    let online = ["--repository", "repo", "--key", "file:c/online.key"];
    let publish = ["publish", "c/root.draft", "c/targets.draft"];
    bench.run(&[&publish[..], &online, &pass].concat()).ok();
    bench.tree("payload", 1);
    bench.build("payload", "KB-1").ok();
    world.assembled("KB-1.draft", &keys);
    bench
        .run(&[&["publish", "KB-1.draft"], &online[..], &pass].concat())
        .ok();
    let metadata = |name: &str| bench.path("repo/metadata").join(name).display().to_string();
    let files = ["1.root.json", "1.targets.json", "1.release%2Fdesktop.json"].map(metadata);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let counted = world.tool(&python(), &[&["-c", PYTHON], &files[..]].concat());
    assert_eq!(counted.trim(), "6 6 6");
}

#[test]
fn an_agent_key_is_the_online_key() {
    let world = World::new();
    let bench = &world.bench;
    let pass = ["--passphrase-file", "pass"];
    let person = world.agent_key("person", &["-t", "ed25519"]);
    let online = world.agent_key("online", &["-t", "ecdsa", "-b", "256"]);
    let half = world.import(&person, "person");
    let next = world.import(&online, "next");
    let init = [
        "root",
        "init",
        "--threshold",
        "1",
        "--public",
        &half,
        "--out",
        "c",
    ];
    bench.run(&[&init[..], &pass].concat()).ok();
    let keys = [words(&[&person])];
    world.assembled("c/root.draft", &keys);
    world.assembled("c/targets.draft", &keys);
    let first = [
        "publish",
        "c/root.draft",
        "c/targets.draft",
        "--repository",
        "repo",
    ];
    let key = ["--key", "file:c/online.key"];
    bench.run(&[&first[..], &key, &pass].concat()).ok();
    let replace = format!("online={next}");
    let rotate = [
        "root",
        "rotate",
        "--repository",
        "repo",
        "--replace",
        &replace,
    ];
    bench
        .run(&[&rotate[..], &["--out", "next.draft"]].concat())
        .ok();
    world.assembled("next.draft", &keys);
    let publish = [
        "publish",
        "next.draft",
        "--repository",
        "repo",
        "--key",
        &online,
    ];
    let published = bench.run(&[&publish[..], &["--json"]].concat()).ok().json();
    assert_eq!(published["root"], 2);
    fs::remove_dir_all(bench.path("c")).unwrap();
    let renew = ["publish", "--repository", "repo", "--key", &online];
    bench.run(&renew).ok();
    let root = "repo/metadata/1.root.json";
    bench.run(&["verify", "repo", "--root", root]).ok();
}
