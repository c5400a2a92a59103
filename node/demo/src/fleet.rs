//! Real nodes as child processes, each with its own folder and socket.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use patchmesh_api::answer::Answer;
use patchmesh_api::client::Client;
use patchmesh_api::peers::Peer;
use patchmesh_api::request::Request;
use patchmesh_api::status::Status;
use rustix::process::{Pid, Signal, kill_process};

use crate::warden::Warden;

/// A node must answer this soon after its start.
const START_WITHIN: Duration = Duration::from_secs(20);
/// Between two looks at a node that is starting.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a node is to be.
#[derive(Debug, Clone)]
pub enum Role {
    /// Serves this repository.
    Origin {
        /// The folder.
        repository: PathBuf,
    },
    /// Fetches from peers.
    Endpoint {
        /// Its site.
        site: String,
        /// Address of its origin, with the peer.
        bootstrap: String,
        /// The release line it wants.
        line: String,
    },
    /// Fetches from peers of its site and from a plain HTTP origin.
    HttpEndpoint {
        /// Its site.
        site: String,
        /// Base address of the origin.
        http: String,
        /// A peer of its site, with its address, if it is to know one.
        bootstrap: Option<String>,
        /// The release line it wants.
        line: String,
    },
}

/// One node.
#[derive(Debug)]
pub struct Daemon {
    /// Short name for people.
    pub name: String,
    /// Site; empty for an origin.
    pub site: String,
    /// Its stored chunks are altered on purpose, so it cannot stage; nobody
    /// waits for it.
    pub altered: bool,
    /// Variables that its next start gets, such as `PATCHMESH_STORE__QUOTA`.
    pub settings: Vec<(String, String)>,
    folder: PathBuf,
    program: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    /// Writes the configuration; [`Self::restart`] starts the node.
    pub fn prepare(program: &Path, folder: &Path, root: &Path, role: &Role) -> Result<Self> {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        fs::create_dir_all(folder).context("failed to make a node's folder")?;
        fs::write(folder.join("node.toml"), config(folder, root, role))
            .context("failed to write a node's configuration")?;
        let site = match role {
            Role::Origin { .. } => String::new(),
            Role::Endpoint { site, .. } | Role::HttpEndpoint { site, .. } => site.clone(),
        };
        Ok(Self {
            name,
            site,
            settings: Vec::new(),
            folder: folder.to_owned(),
            program: program.to_owned(),
            altered: false,
            child: None,
        })
    }

    /// Starts the node's process, again or for the first time; does not wait
    /// until it answers.
    pub fn restart(&mut self, warden: &mut Warden) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"));
        let log = log.context("failed to open a node's log")?;
        let child = Command::new(&self.program)
            .arg("--config")
            .arg(self.folder.join("node.toml"))
            .env_remove("PATCHMESH_SOCKET")
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("failed to start {}", self.program.display()))?;
        warden.watch(child.id())?;
        self.child = Some(child);
        Ok(())
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// Folder of staged releases.
    pub fn staging(&self) -> PathBuf {
        self.folder.join("state/staging")
    }

    /// The node's state folder.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Waits until the node answers and listens.
    pub fn wait_until_up(&mut self) -> Result<Status> {
        self.wait_until_listening(1)
    }

    /// Waits until the node answers and listens at so many addresses.
    pub fn wait_until_listening(&mut self, addresses: usize) -> Result<Status> {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            if let Ok(status) = self.status()
                && status.addresses.len() >= addresses
            {
                return Ok(status);
            }
            if let Some(child) = &mut self.child
                && let Some(ended) = child.try_wait().context("failed to look at a node")?
            {
                bail!(
                    "{} ended at once with {ended}: {}",
                    self.name,
                    self.last_words()
                );
            }
            if Instant::now() > deadline {
                bail!("{} does not answer: {}", self.name, self.last_words());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// The node on one screen.
    pub fn status(&self) -> Result<Status> {
        let answer = self.ask(&Request::Status)?;
        let Answer::Status(status) = answer else {
            bail!("{} answered something else: {answer:?}", self.name)
        };
        Ok(*status)
    }

    /// The node's peers.
    pub fn peers(&self) -> Result<Vec<Peer>> {
        let answer = self.ask(&Request::Peers)?;
        let Answer::Peers(peers) = answer else {
            bail!("{} answered something else: {answer:?}", self.name)
        };
        Ok(peers.peers)
    }

    /// Asks the node.
    pub fn ask(&self, request: &Request) -> Result<Answer> {
        Ok(Client::connect(&self.socket())?.ask(request)?)
    }

    /// SIGKILL, as a crash; returns once the process is gone.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().context("failed to kill a node")?;
            child.wait().context("failed to wait for a node")?;
        }
        Ok(())
    }

    /// SIGTERM, as a service manager does it; waits for the end.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        let mut child = self.child.take().context("the node does not run")?;
        kill_process(Pid::from_child(&child), Signal::TERM).context("failed to end a node")?;
        child.wait().context("failed to wait for a node")
    }

    /// The node's log since its first start.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The end of the node's log.
    pub fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The warden ends it if this fails.
        drop(self.kill());
    }
}

fn config(folder: &Path, root: &Path, role: &Role) -> String {
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let path = |path: &Path| quote(&path.to_string_lossy());
    let (origin, site, line, bootstrap) = match role {
        Role::Origin { repository } => (
            format!("[origin]\nrepository = {}\n", path(repository)),
            "",
            "*",
            None,
        ),
        Role::Endpoint {
            site,
            bootstrap,
            line,
        } => (String::new(), site.as_str(), line.as_str(), Some(bootstrap)),
        Role::HttpEndpoint {
            site,
            http,
            bootstrap,
            line,
        } => {
            let origin = format!("[origin]\nhttp = {}\n", quote(http));
            (origin, site.as_str(), line.as_str(), bootstrap.as_ref())
        }
    };
    let bootstrap = bootstrap.map(|peer| quote(peer)).unwrap_or_default();
    format!(
        "{origin}[trust]\nroot = {}\n\
         [node]\nsite = {}\nstate = {}\n\
         [releases]\nlines = [{}]\n\
         [net]\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\nmdns = false\nbootstrap = [{bootstrap}]\n\
         [control]\nsocket = {}\n",
        path(root),
        quote(site),
        path(&folder.join("state")),
        quote(line),
        path(&folder.join("s")),
    )
}
