//! One node in its namespace.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use patchmesh_api::answer::Answer;
use patchmesh_api::client::Client;
use patchmesh_api::peers::Peer;
use patchmesh_api::request::Request;
use patchmesh_api::status::Status;

use crate::keeper::Keeper;
use crate::proc::{self, Usage};
use crate::result::Result;
use crate::space::Place;

/// A node must answer this soon after its start.
const START_WITHIN: Duration = Duration::from_mins(1);
/// Port that all nodes listen on.
const PORT: u16 = 7400;

/// What a node is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup<'a> {
    /// The program.
    pub(crate) program: &'a Path,
    /// Root document.
    pub(crate) root: &'a Path,
    /// Log level.
    pub(crate) log: &'a str,
    /// Repository to serve: makes it an origin.
    pub(crate) repository: Option<&'a Path>,
    /// Address of the origin; none for the origin itself.
    pub(crate) bootstrap: Option<&'a str>,
    /// Release line that is wanted.
    pub(crate) line: &'a str,
}

/// A node's process and what was last seen of it.
#[derive(Debug)]
pub(crate) struct Node {
    /// Site, counted from 1; 0 for the origin.
    pub(crate) site: u32,
    /// Short name for people.
    pub(crate) name: String,
    /// Last answer.
    pub(crate) status: Option<Status>,
    /// Last usage.
    pub(crate) usage: Usage,
    /// Seconds from the start of all to its last chunk.
    pub(crate) held_at: Option<f64>,
    /// Seconds from the start of all to the staged release.
    pub(crate) staged_at: Option<f64>,
    /// Seconds from the start of all to its SIGKILL.
    pub(crate) killed_at: Option<f64>,
    folder: PathBuf,
    child: Child,
}

impl Node {
    /// Starts a node; does not wait until it answers.
    pub(crate) fn start(
        folder: &Path,
        place: &Place,
        site: u32,
        setup: &Setup<'_>,
        keeper: &mut Keeper,
    ) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let config = folder.join("node.toml");
        fs::write(&config, text(folder, place, site, setup))?;
        let log = File::create(folder.join("log"))?;
        let child = Command::new("ip")
            .args(["netns", "exec", &place.namespace])
            .arg(setup.program)
            .arg("--config")
            .arg(config)
            .env_remove("PATCHMESH_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        keeper.process(child.id())?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            site,
            name: name.into_owned(),
            status: None,
            usage: Usage::default(),
            held_at: None,
            staged_at: None,
            killed_at: None,
            folder: folder.to_owned(),
            child,
        })
    }

    /// Waits until the node answers and listens.
    pub(crate) fn wait_until_up(&mut self) -> Result<Status> {
        let deadline = Instant::now() + START_WITHIN;
        while Instant::now() < deadline {
            if let Ok(status) = self.ask_status()
                && !status.addresses.is_empty()
            {
                return Ok(status);
            }
            if self.child.try_wait()?.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let end = log.lines().last().unwrap_or_default().to_owned();
        Err(format!("{} does not answer: {end}", self.name).into())
    }

    /// Looks at it; a node that is gone or silent keeps what was last seen.
    pub(crate) fn look(&mut self) {
        if let Some(usage) = proc::usage(self.child.id()) {
            self.usage = usage;
        }
        if let Ok(status) = self.ask_status() {
            self.status = Some(status);
        }
    }

    /// SIGKILL, as a crash.
    pub(crate) fn kill(&mut self, at: f64) -> Result<()> {
        self.look();
        self.child.kill()?;
        self.child.wait()?;
        self.killed_at = Some(at);
        Ok(())
    }

    /// Usage now.
    pub(crate) fn usage_now(&self) -> Option<Usage> {
        proc::usage(self.child.id())
    }

    /// Whether it was not killed.
    pub(crate) fn lives(&self) -> bool {
        self.killed_at.is_none()
    }

    /// State folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    fn ask_status(&self) -> Result<Status> {
        let answer = Client::connect(&self.socket())?.ask(&Request::Status)?;
        let Answer::Status(status) = answer else {
            return Err(format!("{} answered something else: {answer:?}", self.name).into());
        };
        Ok(*status)
    }

    /// Its peers.
    pub(crate) fn peers(&self) -> Result<Vec<Peer>> {
        let answer = Client::connect(&self.socket())?.ask(&Request::Peers)?;
        let Answer::Peers(peers) = answer else {
            return Err(format!("{} answered something else: {answer:?}", self.name).into());
        };
        Ok(peers.peers)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The keeper ends it if this fails.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn text(folder: &Path, place: &Place, site: u32, setup: &Setup<'_>) -> String {
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let path = |path: PathBuf| quote(&path.to_string_lossy());
    let mut lines = vec![
        "[trust]".to_owned(),
        format!("root = {}", path(setup.root.to_owned())),
        "[log]".to_owned(),
        format!("level = {}", quote(setup.log)),
        "[control]".to_owned(),
        format!("socket = {}", path(folder.join("s"))),
        "[node]".to_owned(),
        format!("state = {}", path(folder.join("state"))),
    ];
    if site > 0 {
        lines.push(format!("site = \"site-{site}\""));
    }
    lines.push("[net]".to_owned());
    lines.push(format!("listen = [\"/ip4/{}/tcp/{PORT}\"]", place.address));
    lines.push(format!("mdns = {}", setup.bootstrap.is_some()));
    if let Some(bootstrap) = setup.bootstrap {
        lines.push(format!("bootstrap = [{}]", quote(bootstrap)));
        lines.push(format!("[releases]\nlines = [{}]", quote(setup.line)));
    }
    if let Some(repository) = setup.repository {
        let repository = path(repository.to_owned());
        lines.push(format!("[origin]\nrepository = {repository}"));
    }
    lines.join("\n") + "\n"
}
