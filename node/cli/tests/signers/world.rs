//! An agent and a token of their own, and the names of the keys in them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Bench, Ran};

/// PIN of the token; it must never be printed.
pub(crate) const PIN: &str = "86420";
const LABEL: &str = "two of three";
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// A bench, an agent that ends with it, and a token.
pub(crate) struct World {
    pub(crate) bench: Bench,
    agent: Child,
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.agent.kill());
        drop(self.agent.wait());
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let mut bench = Bench::new();
        let socket = bench.path("agent.sock");
        let mut agent = Command::new("ssh-agent");
        agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null());
        let agent = agent.spawn();
        let agent = agent.expect("ssh-agent does not start: install openssh-client");
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "ssh-agent does not answer");
            thread::yield_now();
        }
        bench.set("SSH_AUTH_SOCK", socket);
        fs::create_dir(bench.path("tokens")).unwrap();
        let setting = format!(
            "directories.tokendir = {}\n",
            bench.path("tokens").display()
        );
        bench.write("softhsm.conf", setting);
        bench.set("SOFTHSM2_CONF", bench.path("softhsm.conf"));
        bench.write_secret("pin", PIN);
        let world = Self { bench, agent };
        let init = [
            "--init-token",
            "--free",
            "--label",
            LABEL,
            "--so-pin",
            "1234",
            "--pin",
            PIN,
        ];
        world.tool("softhsm2-util", &init);
        world
    }

    /// Runs another program, which has to end well.
    pub(crate) fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = self.bench.command_of(program);
        let ran = command.args(arguments).output();
        let ran = ran.unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{program}: {said}");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    /// A new key in the agent; gives what `--key` takes.
    pub(crate) fn agent_key(&self, name: &str, kind: &[&str]) -> String {
        let make = ["-q", "-N", "", "-C", name, "-f", name];
        self.tool("ssh-keygen", &[&make[..], kind].concat());
        self.tool("ssh-add", &["-q", name]);
        fs::remove_file(self.bench.path(name)).unwrap();
        let line = self.tool("ssh-keygen", &["-l", "-f", &format!("{name}.pub")]);
        format!("ssh-agent:{}", line.split(' ').nth(1).unwrap())
    }

    /// A new key in the token; gives what `--key` takes, without the PIN.
    pub(crate) fn token_key(&self, name: &str, kind: &str) -> String {
        let id = id_of(name);
        let make = [
            "--keypairgen",
            "--key-type",
            kind,
            "--label",
            name,
            "--id",
            &id,
        ];
        self.pkcs11(&make);
        let label = LABEL.replace(' ', "%20");
        format!(
            "pkcs11:token={label};object={name}?module-path={}",
            module()
        )
    }

    pub(crate) fn pkcs11(&self, arguments: &[&str]) -> String {
        let token = [
            "--module",
            module(),
            "--token-label",
            LABEL,
            "--login",
            "--pin",
            PIN,
        ];
        self.tool("pkcs11-tool", &[&token[..], arguments].concat())
    }

    /// The public half, as `NAME.pub` in the folder `halves`.
    pub(crate) fn import(&self, source: &str, name: &str) -> String {
        fs::create_dir_all(self.bench.path("halves")).unwrap();
        let out = format!("halves/{name}.pub");
        self.bench
            .run(&["key", "import", source, "--out", &out])
            .ok();
        out
    }

    /// Signs a draft with a key, typing the word that it asks for.
    pub(crate) fn sign(&self, draft: &str, key: &[&str], out: &str) -> Ran {
        let look = ["sign", draft, "--key", "file:none", "--dry-run", "--json"];
        let looked = self.bench.run(&look).ok().json();
        let hash = looked["statement"].as_str().unwrap();
        let word = match draft.strip_suffix(".draft") {
            Some(id) if id.starts_with("KB") => id,
            _ => &hash[..8],
        };
        let sign = [
            "sign",
            draft,
            "--out",
            out,
            "--passphrase-file",
            "pass",
            "--key",
        ];
        let ran = self
            .bench
            .run_with(&[&sign[..], key].concat(), &format!("{word}\n"));
        for stream in [&ran.stdout, &ran.stderr] {
            assert!(!stream.contains(PIN), "a PIN was printed");
        }
        ran
    }

    /// Signs a draft with these keys and assembles it.
    pub(crate) fn assembled(&self, draft: &str, keys: &[Vec<String>]) {
        let mut words = vec!["assemble".to_owned(), draft.to_owned()];
        for (at, key) in keys.iter().enumerate() {
            let key: Vec<&str> = key.iter().map(String::as_str).collect();
            let out = format!("{}.{at}.sig", draft.replace('/', "-"));
            self.sign(draft, &key, &out).ok();
            words.push(out);
        }
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        // Who assembles the targets of a ceremony names the root that was made there.
        let root = ["--root", "c/root.draft/signed.json"];
        if draft == "c/targets.draft" {
            words.extend(root);
        }
        self.bench.run(&words).ok();
    }
}

/// pkcs11-tool signs with the first key it meets unless an id names another.
fn id_of(name: &str) -> String {
    name.bytes()
        .fold(String::new(), |id, byte| format!("{id}{byte:02x}"))
}

/// A tool for `exec:` that signs its input with a P-256 key of the token.
pub(crate) fn exec_tool(path: &Path, name: &str) {
    let script = format!(
        "#!/bin/sh\nset -e\nopenssl dgst -sha256 -binary > {name}.hash\n\
         pkcs11-tool --module {} --token-label '{LABEL}' --login --pin {PIN} --sign -m ECDSA \\\n\
         --signature-format openssl --id {} -i {name}.hash -o {name}.out\n\
         cat {name}.out\n",
        module(),
        id_of(name)
    );
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

pub(crate) fn module() -> &'static str {
    let found = MODULES.into_iter().find(|path| Path::new(path).is_file());
    found.expect("SoftHSM is missing: install softhsm2")
}
