//! The signing authority of the tour: throw-away keys, two signers of three,
//! everything through the real command line.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Compression level of the tour: the default level would take longer to pack
/// than the rollout takes.
const LEVEL: &str = "3";
/// Exit code of a refusal by trust.
const EXIT_TRUST: i32 = 12;

/// Keys and repository of one throw-away network.
#[derive(Debug)]
pub struct Authority {
    patchmesh: PathBuf,
    ceremony: PathBuf,
    passphrase: PathBuf,
    /// The repository folder.
    pub repository: PathBuf,
    /// The release line.
    pub line: String,
}

/// What a refused assembly said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Exit code; 12 is trust.
    pub code: i32,
    /// The text for people.
    pub text: String,
}

impl Authority {
    /// Makes root, targets and keys: two of three people, two of three of
    /// operations, and an online key.
    pub fn found(patchmesh: &Path, folder: &Path, line: &str) -> Result<Self> {
        let passphrase = folder.join("passphrase");
        fs::write(&passphrase, "correct horse battery staple\n").context("no passphrase file")?;
        fs::set_permissions(&passphrase, Permissions::from_mode(0o600))
            .context("no passphrase file")?;
        let authority = Self {
            patchmesh: patchmesh.to_owned(),
            ceremony: folder.join("ceremony"),
            passphrase,
            repository: folder.join("repository"),
            line: line.to_owned(),
        };
        let mut init = authority.command(&["root", "init", "--threshold", "2", "--keys", "3"]);
        init.args(["--operations", "3", "--line", line, "--out"])
            .arg(&authority.ceremony);
        run(authority.with_passphrase(&mut init), "")?;
        authority.publish(&authority.ceremony, None)?;
        Ok(authority)
    }

    /// The root document that nodes start from.
    pub fn root(&self) -> PathBuf {
        self.ceremony.join("root.json")
    }

    /// Drafts a release from a folder; returns the draft.
    pub fn build(&self, folder: &Path, id: &str, into: &Path) -> Result<PathBuf> {
        let draft = into.join(format!("{id}.draft"));
        let mut build = self.command(&["release", "build", "--level", LEVEL]);
        build.args(["--id", id, "--line", &self.line, "--severity", "critical"]);
        build
            .arg("--repository")
            .arg(&self.repository)
            .arg("--out")
            .arg(&draft)
            .arg(folder);
        run(&mut build, "")?;
        Ok(draft)
    }

    /// One person signs; returns the signature file.
    pub fn sign(&self, draft: &Path, id: &str, person: u32) -> Result<PathBuf> {
        let out = draft.with_extension(format!("{person}.sig"));
        let key = format!(
            "file:{}",
            self.ceremony.join(format!("key-{person}.pem")).display()
        );
        let mut sign = self.command(&["sign", "--key", &key, "--out"]);
        sign.arg(&out).arg(draft);
        run(self.with_passphrase(&mut sign), &format!("{id}\n"))?;
        Ok(out)
    }

    /// Joins signatures to a draft.
    pub fn assemble(&self, draft: &Path, signatures: &[PathBuf]) -> Result<()> {
        run(self.command(&["assemble"]).arg(draft).args(signatures), "").map(drop)
    }

    /// Joins too few signatures to a draft, and gives what refused it.
    pub fn assemble_refused(&self, draft: &Path, signatures: &[PathBuf]) -> Result<Refused> {
        let mut assemble = self.command(&["assemble"]);
        let output = start(assemble.arg(draft).args(signatures), "")?;
        match output.status.code() {
            Some(EXIT_TRUST) => Ok(Refused {
                code: EXIT_TRUST,
                text: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            }),
            other => bail!("one signature of two was not refused: exit {other:?}"),
        }
    }

    /// Publishes a ceremony or an assembled draft, and tells an origin.
    pub fn publish(&self, path: &Path, socket: Option<&Path>) -> Result<()> {
        let key = format!("file:{}", self.ceremony.join("online.key").display());
        let mut publish = self.command(&["publish", "--key", &key, "--repository"]);
        publish.arg(&self.repository).arg(path);
        if let Some(socket) = socket {
            publish.arg("--socket").arg(socket);
        }
        run(self.with_passphrase(&mut publish), "").map(drop)
    }

    /// Two of operations approve a release for every node; published, and told to
    /// an origin.
    pub fn approve(&self, id: &str, into: &Path, socket: &Path) -> Result<()> {
        let draft = into.join(format!("approve-{id}.draft"));
        let mut approve = self.command(&["rollout", "approve", id, "--repository"]);
        approve.arg(&self.repository).arg("--out").arg(&draft);
        run(&mut approve, "")?;
        let look = start(
            self.command(&["sign", "--dry-run", "--key", "file:none"])
                .arg(&draft),
            "",
        )?;
        let said = String::from_utf8_lossy(&look.stderr).into_owned();
        let hash = said
            .lines()
            .find_map(|line| line.trim().strip_prefix("hash: "));
        let word = hash
            .and_then(|hash| hash.get(..8))
            .context("a draft without a hash")?;
        let mut signatures = Vec::new();
        for person in 1..=2 {
            let out = draft.with_extension(format!("{person}.sig"));
            let key = self.ceremony.join(format!("operations-{person}.pem"));
            let key = format!("file:{}", key.display());
            let mut sign = self.command(&["sign", "--key", &key, "--out"]);
            sign.arg(&out).arg(&draft);
            run(self.with_passphrase(&mut sign), &format!("{word}\n"))?;
            signatures.push(out);
        }
        self.assemble(&draft, &signatures)?;
        self.publish(&draft, Some(socket))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.patchmesh);
        command.args(words);
        command
    }

    fn with_passphrase<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.arg("--passphrase-file").arg(&self.passphrase)
    }
}

fn run(command: &mut Command, input: &str) -> Result<String> {
    let output = start(command, input)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} ended with {}: {}", output.status, text.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn start(command: &mut Command, input: &str) -> Result<Output> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("failed to start {command:?}"))?;
    let mut pipe = child.stdin.take().context("no pipe")?;
    // A program that asks nothing may have ended without reading.
    drop(pipe.write_all(input.as_bytes()));
    drop(pipe);
    child
        .wait_with_output()
        .with_context(|| format!("failed to wait for {command:?}"))
}
