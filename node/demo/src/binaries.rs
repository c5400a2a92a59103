//! Finds the programs that the tour starts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Paths of the programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The node.
    pub patchmeshd: PathBuf,
    /// The command line.
    pub patchmesh: PathBuf,
    /// The tour, which also serves as a warden.
    pub demo: PathBuf,
}

impl Binaries {
    /// Takes `PATCHMESH_BIN_DIR`; else, started by cargo, builds them; else
    /// those beside this program. `quic` asks for a node that speaks QUIC;
    /// programs that are there already are taken as they are.
    pub fn find(quic: bool) -> Result<Self> {
        if let Some(folder) = std::env::var_os("PATCHMESH_BIN_DIR") {
            return Self::in_folder(Path::new(&folder));
        }
        if let Some(cargo) = std::env::var_os("CARGO") {
            return build(Path::new(&cargo), quic);
        }
        let own = std::env::current_exe().context("failed to find this program's folder")?;
        Self::in_folder(
            own.parent()
                .context("failed to find this program's folder")?,
        )
    }

    fn in_folder(folder: &Path) -> Result<Self> {
        let found = Self {
            patchmeshd: folder.join("patchmeshd"),
            patchmesh: folder.join("patchmesh"),
            demo: folder.join("patchmesh-demo"),
        };
        for path in [&found.patchmeshd, &found.patchmesh] {
            if !path.is_file() {
                bail!(
                    "{} is missing: set PATCHMESH_BIN_DIR, or run `cargo demo`",
                    path.display()
                );
            }
        }
        Ok(found)
    }
}

/// Builds with the profile of this program, and out of the whole workspace, so
/// that crates get the features they got before and nothing is compiled twice.
fn build(cargo: &Path, quic: bool) -> Result<Binaries> {
    let mut command = Command::new(cargo);
    command.arg("build");
    for name in ["patchmeshd", "patchmesh", "patchmesh-demo"] {
        command.args(["--bin", name]);
    }
    forget_run(&mut command);
    command.args(["--message-format", "json-render-diagnostics"]);
    if quic {
        command.args(["--features", "patchmesh-daemon/quic"]);
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    command.current_dir(root.context("the workspace is two folders up")?);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("failed to start cargo")?;
    if !output.status.success() {
        bail!("the programs did not build");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let executable = |name: &str| {
        text.lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"] == name)
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .with_context(|| format!("cargo did not say where it put {name}"))
    };
    Ok(Binaries {
        patchmeshd: executable("patchmeshd")?,
        patchmesh: executable("patchmesh")?,
        demo: executable("patchmesh-demo")?,
    })
}

/// Takes the variables away that cargo sets for the program that it runs: build
/// scripts of some crates would run again for them, and all above them compile.
pub fn forget_run(command: &mut Command) {
    let is_of_a_run = |name: &str| {
        let starts = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
        starts.iter().any(|start| name.starts_with(start))
    };
    for (name, _) in std::env::vars_os() {
        if is_of_a_run(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
}
