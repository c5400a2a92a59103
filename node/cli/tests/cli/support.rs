//! Runs the program in a folder of its own.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use pkcs8::der::Decode as _;
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use serde_json::Value;
use tempfile::TempDir;

/// The passphrase of every key in the tests; it must never be printed.
pub(crate) const PASSPHRASE: &str = "correct horse battery";

/// A folder, a passphrase file and the program.
pub(crate) struct Bench {
    folder: TempDir,
    variables: Vec<(&'static str, OsString)>,
}

/// What a run left.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    /// An empty folder with a passphrase file of mode 0600.
    pub(crate) fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        };
        bench.write_secret("pass", PASSPHRASE);
        bench
    }

    /// A folder in which a ceremony was held and published: 2 of 3, line
    /// `desktop`, repository `repo`. Made once and copied, since keys are slow.
    pub(crate) fn published() -> Self {
        static MADE: OnceLock<Bench> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let bench = Self::new();
            let pass = ["--passphrase-file", "pass"];
            let init = ["root", "init", "--out", "ceremony"];
            bench.run(&[&init[..], &pass].concat()).ok();
            let key = "file:ceremony/online.key";
            let publish = ["publish", "ceremony", "--repository", "repo", "--key", key];
            bench.run(&[&publish[..], &pass].concat()).ok();
            for key in ["key-1.pem", "key-2.pem", "key-3.pem", "online.key"] {
                cheapen(&bench.path("ceremony").join(key));
            }
            bench
        });
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        };
        copy(made.folder.path(), bench.folder.path());
        bench
    }

    /// Every run from now on sees this variable.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.push((name, value.into()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn write_secret(&self, name: &str, text: &str) {
        self.write(name, text);
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.path(name), mode).unwrap();
    }

    /// A small tree: text, binary, a link, an empty file, an empty folder.
    pub(crate) fn tree(&self, name: &str, seed: u8) {
        self.write(&format!("{name}/bin/tool"), noise(200_000, seed));
        self.write(&format!("{name}/etc/conf"), b"level = 1\n".repeat(100));
        self.write(&format!("{name}/etc/empty"), b"");
        fs::create_dir_all(self.path(&format!("{name}/var"))).unwrap();
        let link = self.path(&format!("{name}/bin/alias"));
        std::os::unix::fs::symlink("tool", link).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// Runs with this text on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that never reads its input may be gone already.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        Ran::of(&child.wait_with_output().unwrap())
    }

    pub(crate) fn command(&self) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_patchmesh"))
    }

    /// Another program, in the folder and with the variables of this bench.
    pub(crate) fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        command.env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("PATCHMESH_SOCKET", self.path("no-node.sock"));
        command.envs(self.variables.iter().cloned());
        command
    }

    /// Builds a release of `tree` into `ID.draft`.
    pub(crate) fn build(&self, tree: &str, id: &str) -> Ran {
        let arguments = ["release", "build", tree, "--id", id, "--line", "desktop"];
        let fast = [
            "--repository",
            "repo",
            "--level",
            "1",
            "--cve",
            "CVE-2026-1234",
        ];
        self.run(&[&arguments[..], &fast, &["--severity", "critical"]].concat())
    }

    /// Signs a draft, typing what is given.
    pub(crate) fn sign(&self, draft: &str, key: &str, typed: &str) -> Ran {
        let key_spec = format!("file:ceremony/{key}.pem");
        let out = format!("{key}.sig");
        let arguments = ["sign", draft, "--key", &key_spec, "--out", &out];
        let pass = ["--passphrase-file", "pass"];
        self.run_with(&[&arguments[..], &pass].concat(), typed)
    }

    pub(crate) fn publish(&self, paths: &[&str]) -> Ran {
        let key = "file:ceremony/online.key";
        let options = [
            "--repository",
            "repo",
            "--key",
            key,
            "--passphrase-file",
            "pass",
        ];
        self.run(&[&["publish"], paths, &options].concat())
    }

    /// Builds, signs with key-1 and key-3, assembles.
    pub(crate) fn assembled(&self, tree: &str, id: &str) {
        self.build(tree, id).ok();
        let draft = format!("{id}.draft");
        self.sign(&draft, "key-1", &format!("{id}\n")).ok();
        self.sign(&draft, "key-3", &format!("{id}\n")).ok();
        self.run(&["assemble", &draft, "key-1.sig", "key-3.sig"])
            .ok();
    }

    /// Signs a draft with these keys, assembles and publishes it.
    pub(crate) fn accepted(&self, draft: &str, signers: &[&str]) {
        let look = self.run(&["sign", draft, "--key", "file:none", "--dry-run", "--json"]);
        let look = look.ok().json();
        let word = look["statement"].as_str().unwrap()[..8].to_owned();
        let mut words = vec!["assemble".to_owned(), draft.to_owned()];
        for signer in signers {
            self.sign(draft, signer, &format!("{word}\n")).ok();
            words.push(format!("{signer}.sig"));
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.run(&words).ok();
        self.publish(&[draft]).ok();
    }

    pub(crate) fn verify(&self, path: &str) -> Ran {
        self.run(&["verify", path, "--root", "ceremony/root.json"])
    }
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        let ran = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        };
        for stream in [&ran.stdout, &ran.stderr] {
            assert!(!stream.contains(PASSPHRASE), "a passphrase was printed");
            assert!(!stream.contains("panicked"), "{stream}");
        }
        ran
    }

    /// Exit 0, or show what went wrong.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// This exit code and this stable id.
    pub(crate) fn fails(self, code: i32, id: &str) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        assert!(self.stderr.contains(id), "{id} not in {}", self.stderr);
        self
    }

    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        let lines = self.json_lines();
        assert_eq!(lines.len(), 1, "{}", self.stdout);
        lines.into_iter().next().unwrap()
    }

    /// Every line of stdout, each of which must name its schema first.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            assert!(line.starts_with("{\"schema\":\"patchmesh."), "{line}");
            serde_json::from_str(line).unwrap()
        };
        self.stdout.lines().map(parse).collect()
    }
}

/// Encrypts a key file again so that it opens at once: the cost of guessing is
/// not what these tests are about, and dozens of signatures are made.
fn cheapen(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let (_, document) = SecretDocument::from_pem(&text).unwrap();
    let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes()).unwrap();
    let plain = info.decrypt(PASSPHRASE).unwrap();
    let key = PrivateKeyInfoRef::from_der(plain.as_bytes()).unwrap();
    let cost = scrypt::Params::new(4, 8, 1).unwrap();
    let scheme = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &[1; 16], [2; 16]);
    let cheap = key
        .encrypt_with_params(scheme.unwrap(), PASSPHRASE)
        .unwrap();
    fs::write(
        path,
        cheap
            .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
            .unwrap(),
    )
    .unwrap();
}

/// Bytes that do not compress, the same for the same seed.
pub(crate) fn noise(len: usize, seed: u8) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file below a folder, with its bytes.
pub(crate) fn all_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else if path.is_file() {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files
}
