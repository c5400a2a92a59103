//! Makes `proto/src/generated` from `proto/patchmesh`, without a system `protoc`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

const FILES: [&str; 7] = [
    "patchmesh/v1/annex.proto",
    "patchmesh/v1/envelope.proto",
    "patchmesh/v1/gossip.proto",
    "patchmesh/v1/index.proto",
    "patchmesh/v1/member.proto",
    "patchmesh/v1/stop.proto",
    "patchmesh/v1/swarm.proto",
];

/// Top of the repository.
pub(crate) fn top() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("scripts has no parent folder")
}

/// Writes the generated module, or with `check` fails where it is not current.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = top()?;
    let text = generate(&root.join("proto"))?;
    let target = root.join("proto/src/generated/v1.rs");
    if check {
        let found = fs::read_to_string(&target).context("failed to read the generated module")?;
        if found != text {
            bail!("proto/src/generated/v1.rs is not current: run `cargo x codegen`");
        }
        return Ok(());
    }
    fs::write(&target, text).context("failed to write the generated module")
}

fn generate(proto: &Path) -> Result<String> {
    let set = protox::compile(FILES, [proto]).context("failed to compile the schema")?;
    let out = std::env::temp_dir().join(format!("patchmesh-codegen-{}", std::process::id()));
    fs::create_dir_all(&out).context("failed to make the output folder")?;
    let made = prost_build::Config::new().out_dir(&out).compile_fds(set);
    let text = fs::read_to_string(out.join("patchmesh.v1.rs"));
    fs::remove_dir_all(&out).context("failed to remove the output folder")?;
    made.context("failed to generate the types")?;
    let body = text.context("failed to read the generated text")?;
    Ok(format!(
        "//! Types of the wire schema; made by `cargo x codegen`.\n\n{body}"
    ))
}
