//! A signing authority that works as people do: through the command line, with
//! encrypted key files, drafts and signatures.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::programs;
use crate::forge::LINE;

const PASSPHRASE: &str = "correct horse battery staple";

/// Keys, drafts and repository of one network, in one folder.
#[derive(Debug)]
pub struct Ceremony {
    folder: PathBuf,
    /// The key that publishes: a file, or `ssh-agent:` and its fingerprint.
    pub online: String,
    /// Socket of an agent that has it.
    pub keeper: Option<PathBuf>,
}

impl Ceremony {
    /// Two of three people, an online key, the line of the tests; published.
    ///
    /// # Panics
    /// If a verb fails, as everything here.
    pub fn found(folder: &Path) -> Self {
        Self::found_with(folder, &[])
    }

    /// The same with further words for `root init`.
    ///
    /// # Panics
    /// If a verb fails.
    pub fn found_with(folder: &Path, words: &[&str]) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let pass = folder.join("pass");
        fs::write(&pass, PASSPHRASE).expect("a passphrase file");
        fs::set_permissions(&pass, Permissions::from_mode(0o600)).expect("a passphrase file");
        let ceremony = Self {
            folder: folder.to_owned(),
            online: "c/online.key".to_owned(),
            keeper: None,
        };
        let init = ["root", "init", "--out", "c", "--line", LINE];
        ceremony.run(&[&init[..], words, &PASS].concat(), "");
        let root = ceremony.repository().with_extension("root.json");
        fs::copy(folder.join("c/root.json"), root).expect("the first root");
        ceremony.publish(&["c"], None);
        ceremony
    }

    /// The repository folder.
    pub fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    /// A file of the ceremony.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A further key of a person.
    ///
    /// # Panics
    /// If it is not made.
    pub fn key(&self, name: &str) {
        let out = format!("c/{name}.pem");
        self.run(&[&["key", "new", "--out", &out][..], &PASS].concat(), "");
    }

    /// Takes the public half of a key from a file, as `c/NAME.pub`.
    ///
    /// # Panics
    /// If the verb fails.
    pub fn import(&self, source: &Path, name: &str) {
        let (source, out) = (source.to_str().expect("text"), format!("c/{name}.pub"));
        self.run(&["key", "import", source, "--out", &out], "");
    }

    /// Builds and signs a release of a tree, `LINE/ID`; gives the draft.
    ///
    /// # Panics
    /// If a verb fails.
    pub fn release(&self, tree: &Path, release: &str, signers: &[&str]) -> String {
        let (line, id) = release.split_once('/').expect("a line and an id");
        let tree = tree.to_str().expect("a path of text");
        let build = ["release", "build", tree, "--id", id, "--line", line];
        self.run(&[&build[..], &REPOSITORY, &["--level", "1"]].concat(), "");
        let draft = format!("{id}.draft");
        self.sign(&draft, signers);
        draft
    }

    /// Runs a verb that drafts, on the repository.
    ///
    /// # Panics
    /// If it fails.
    pub fn draft(&self, words: &[&str]) {
        self.run(&[words, &REPOSITORY].concat(), "");
    }

    /// Signs a draft with these people's keys and assembles it.
    ///
    /// # Panics
    /// If a verb fails.
    pub fn sign(&self, draft: &str, signers: &[&str]) {
        let mut assemble = vec!["assemble".to_owned(), draft.to_owned()];
        for signer in signers {
            let key = format!("file:c/{signer}.pem");
            let look = ["sign", draft, "--key", &key, "--dry-run", "--json"];
            let look: Value = serde_json::from_str(&self.run(&look, "")).expect("JSON");
            let statement = look["statement"].as_str().expect("a hash");
            // A release is signed by its id, which its draft is named after.
            let id = draft.trim_end_matches(".draft");
            let release = self.path(draft).join("index.bin").exists();
            let word = if release { id } else { &statement[..8] };
            let out = format!("{}.{signer}.sig", draft.replace('/', "-"));
            let sign = ["sign", draft, "--key", &key, "--out", &out];
            self.run(&[&sign[..], &PASS].concat(), &format!("{word}\n"));
            assemble.push(out);
        }
        self.run(&assemble.iter().map(String::as_str).collect::<Vec<_>>(), "");
    }

    /// Stops a release with one key; gives `ID.stop`.
    ///
    /// # Panics
    /// If the verb fails.
    pub fn stop(&self, id: &str, key: &str) {
        let (key, out) = (format!("file:c/{key}.pem"), format!("{id}.stop"));
        let make = ["stop", "make", id, "--reason", "a test", "--key", &key];
        let words = [&make[..], &["--out", &out], &REPOSITORY, &PASS].concat();
        self.run(&words, &format!("{id}\n"));
    }

    /// Publishes drafts, and tells the origin at this socket.
    ///
    /// # Panics
    /// If the verb fails.
    pub fn publish(&self, paths: &[&str], origin: Option<&Path>) {
        let key = if self.keeper.is_some() {
            self.online.clone()
        } else {
            format!("file:{}", self.online)
        };
        let mut words = [&["publish"][..], paths, &REPOSITORY, &PASS].concat();
        words.extend(["--key", &key]);
        let socket = origin.map(|origin| origin.to_str().expect("a path of text"));
        words.extend(socket.iter().flat_map(|socket| ["--socket", socket]));
        self.run(&words, "");
    }

    fn run(&self, words: &[&str], typed: &str) -> String {
        let mut child = Command::new(&programs().patchmesh)
            .args(words)
            .current_dir(&self.folder)
            .env("PATCHMESH_SOCKET", self.folder.join("none"))
            .envs(self.keeper.iter().map(|socket| ("SSH_AUTH_SOCK", socket)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command line starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A verb that asks nothing may have ended without reading.
        drop(stdin.write_all(typed.as_bytes()));
        drop(stdin);
        let output = child.wait_with_output().expect("the command line ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }
}

const PASS: [&str; 2] = ["--passphrase-file", "pass"];
const REPOSITORY: [&str; 2] = ["--repository", "repository"];
