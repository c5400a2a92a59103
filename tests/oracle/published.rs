//! A repository that the command line made, and programs that read or write one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use patchmesh_tests::bench::programs;
use patchmesh_tests::input;
use tempfile::TempDir;

/// The one release of the repository, as a target.
pub(crate) const TARGET: &str = "release/desktop/2026-11";

/// A folder with `repo` and `ceremony`; made once, in the way of the README.
pub(crate) fn folder() -> &'static Path {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        secret(&at.join("pass"), "a passphrase");
        input::tree(&at.join("payload"), 4, 100_000);
        let run = |words: &str, typed: &str| patchmesh(at, words, typed);
        run(
            "root init --threshold 2 --out ceremony --passphrase-file pass",
            "",
        );
        run(
            "release build payload --line desktop --id 2026-11 --authority ceremony",
            "",
        );
        for key in ["key-1", "key-3"] {
            let sign = format!("sign 2026-11.draft --key file:ceremony/{key}.pem --out {key}.sig");
            run(&format!("{sign} --passphrase-file pass"), "2026-11\n");
        }
        run("assemble 2026-11.draft key-1.sig key-3.sig", "");
        let online = "--key file:ceremony/online.key --passphrase-file pass";
        run(
            &format!("publish ceremony 2026-11.draft --repository repo {online}"),
            "",
        );
        folder
    })
    .path()
}

fn secret(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Runs the command line in a folder; it must succeed.
pub(crate) fn patchmesh(folder: &Path, words: &str, typed: &str) {
    let input = folder.join("typed");
    std::fs::write(&input, typed).unwrap();
    let output = Command::new(&programs().patchmesh)
        .args(words.split(' '))
        .current_dir(folder)
        .stdin(std::fs::File::open(input).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}: {said}");
}

/// Runs one of the Python programs; gives the lines that it printed.
///
/// # Panics
/// Without `PATCHMESH_PYTHON`, a Python that has python-tuf: `cargo x interop`.
pub(crate) fn python(program: &str, arguments: &[&str]) -> Vec<String> {
    let python = std::env::var_os("PATCHMESH_PYTHON");
    let python = python.expect("PATCHMESH_PYTHON is not set: run cargo x interop");
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("python")
        .join(program);
    let output = Command::new(python)
        .arg(program)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(str::to_owned).collect()
}
