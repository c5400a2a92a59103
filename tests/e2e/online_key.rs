//! An origin whose online key is in an SSH agent.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use patchmesh_api::trouble::Trouble;
use patchmesh_tests::bench::{Bench, FAST};
use patchmesh_tests::ceremony::Ceremony;
use patchmesh_tests::until::until;

const SOON: Duration = Duration::from_secs(40);

/// A real agent with one key; it ends when dropped.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Agent {
    fn start(folder: &Path, key: &Path) -> Self {
        let socket = folder.join("agent.sock");
        drop(fs::remove_file(&socket));
        let mut agent = Command::new("ssh-agent");
        agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null());
        let child = agent.spawn().expect("ssh-agent of openssh-client");
        let agent = Self { child, socket };
        until("the agent answers", SOON, || {
            UnixStream::connect(&agent.socket).ok().map(drop)
        });
        let mut add = Command::new("ssh-add");
        tool(add.env("SSH_AUTH_SOCK", &agent.socket).arg("-q").arg(key));
        agent
    }
}

fn tool(command: &mut Command) -> String {
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {said}");
    String::from_utf8(ran.stdout).unwrap()
}

/// The timestamp is renewed by the agent's key, a killed agent is a trouble that
/// names it, and a new one ends that.
#[test]
#[ignore = "needs ssh-agent: cargo x signers"]
fn an_origin_renews_with_a_key_of_an_agent_also_after_the_agents_restart() {
    let mut bench = Bench::new();
    let mut ceremony = Ceremony::found(&bench.path("authority"));
    let key = bench.path("online");
    let make = ["-q", "-t", "ed25519", "-N", "", "-C", "online", "-f"];
    tool(Command::new("ssh-keygen").args(make).arg(&key));
    let public = key.with_extension("pub");
    let line = tool(Command::new("ssh-keygen").args(["-l", "-f"]).arg(&public));
    let agent = Agent::start(&bench.path("."), &key);
    ceremony.online = format!("ssh-agent:{}", line.split(' ').nth(1).unwrap());
    ceremony.keeper = Some(agent.socket.clone());
    ceremony.import(&public, "next");
    ceremony.draft(&["root", "rotate", "--replace", "online=c/next.pub"]);
    ceremony.sign("root-2.draft", &["key-1", "key-2"]);
    ceremony.publish(&["root-2.draft"], None);

    bench.forge.repository = ceremony.repository();
    bench.start_origin();
    let settings = [
        ("PATCHMESH_ORIGIN__ONLINE_KEY", ceremony.online.as_str()),
        ("PATCHMESH_ORIGIN__RENEW_SECONDS", "1"),
        ("SSH_AUTH_SOCK", agent.socket.to_str().unwrap()),
    ];
    let own = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let origin = bench.origin.as_mut().unwrap();
    origin.settings = own.to_vec();
    origin.terminate().unwrap();
    origin.restart(&mut bench.warden).unwrap();
    origin.wait_until_up().unwrap();
    bench.open_site(FAST);
    bench.add(0, 1, &[]);
    let version = || bench.endpoints[0].status().unwrap().head.timestamp;
    let renewed = |from: u64| {
        until("two renewals reached the node", SOON, || {
            (version() >= from + 2).then(&version)
        })
    };
    let first = until("a timestamp came", SOON, || {
        Some(version()).filter(|version| *version > 0)
    });
    renewed(first);

    drop(agent);
    let trouble = || -> Option<Trouble> {
        let troubles = bench.origin().status().ok()?.troubles.into_iter();
        let mut failed = troubles.filter(|one| one.code == "RenewalFailed");
        failed.next()
    };
    let told = until("the origin says so", SOON, trouble);
    println!("agent killed: {}; {}", told.detail, told.hint);
    assert!(told.detail.contains("agent"), "{told:?}");
    let stands = version();
    let agent = Agent::start(&bench.path("."), &key);
    until("it is over", SOON, || trouble().is_none().then_some(()));
    println!(
        "renewals: {first}, {stands} when the agent was killed, {}",
        renewed(stands)
    );
    drop(agent);
}
