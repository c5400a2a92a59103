//! Repositories of one tool, read by another: ours by python-tuf and by
//! sigstore-tuf, python-tuf's by ours (T-59).

use std::fs;
use std::path::{Path, PathBuf};

use futures::executor::block_on;
use jiff::Timestamp;
use patchmesh_tests::web::Web;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::{TrustState, Verifier};
use patchmesh_trust::time::UtcTime;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Repository, Updater};

use crate::published::{TARGET, folder, patchmesh, python};

/// Files of a published folder for the other client.
struct Folder(PathBuf);

impl Folder {
    fn fetch(&self, path: &str, len_max: u64) -> FetchFuture<'_> {
        let bytes = fs::read(self.0.join(path)).ok();
        let fits = bytes.filter(|bytes| bytes.len() as u64 <= len_max);
        Box::pin(async move { Ok(fits) })
    }
}

impl Repository for Folder {
    fn fetch_metadata<'a>(&'a self, name: &'a str, len_max: u64) -> FetchFuture<'a> {
        self.fetch(&format!("metadata/{name}"), len_max)
    }

    fn fetch_target<'a>(&'a self, path: &'a str, len_max: u64) -> FetchFuture<'a> {
        self.fetch(&format!("targets/{path}"), len_max)
    }
}

/// The release index, as the repository holds it.
fn index(repository: &Path) -> Vec<u8> {
    let entries = fs::read_dir(repository.join("targets/release/desktop")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let index = fs::read(paths.next().unwrap()).unwrap();
    assert!(paths.next().is_none(), "one release is published");
    index
}

#[test]
fn sigstore_tuf_reads_what_the_command_line_published() {
    let repository = folder().join("repo");
    let root = fs::read(folder().join("ceremony/root.json")).unwrap();
    let mut updater = Updater::new(Folder(repository.clone()), &root).unwrap();
    let now = Timestamp::now();
    block_on(updater.refresh(now)).unwrap();
    let bytes = block_on(updater.get_target(TARGET, now)).unwrap();
    assert_eq!(bytes, index(&repository));
}

#[test]
#[ignore = "needs python-tuf: cargo x interop"]
fn python_tuf_reads_what_the_command_line_published() {
    let repository = folder().join("repo");
    let web = Web::serve(&repository);
    let client = tempfile::tempdir().unwrap();
    let client = client.path().join("client");
    let root = folder().join("ceremony/root.json");
    let arguments = [
        &web.base,
        root.to_str().unwrap(),
        client.to_str().unwrap(),
        TARGET,
    ];
    let saved = python("read.py", &arguments);
    assert_eq!(fs::read(saved).unwrap(), index(&repository));
}

#[test]
#[ignore = "needs python-tuf: cargo x interop"]
fn the_command_line_and_a_node_read_what_python_tuf_wrote() {
    let written = tempfile::tempdir().unwrap();
    python("write.py", &[written.path().to_str().unwrap()]);
    for kind in ["consistent", "plain"] {
        let repository = written.path().join(kind);
        let web = Web::serve(&repository);
        let root = repository.join("metadata/1.root.json");
        let client = tempfile::tempdir().unwrap();
        let init = format!("tuf --metadata-dir D init {}", root.display());
        patchmesh(client.path(), &init, "");
        let mut expected = vec![
            ("a/file".to_owned(), "said by a team".to_owned()),
            (
                "a/deep/file".to_owned(),
                "said by a team of a team".to_owned(),
            ),
            ("hashed/file".to_owned(), "said by a hash".to_owned()),
        ];
        expected.extend((0..20).map(|n| (format!("bin/{n}"), format!("bin {n}"))));
        let names: Vec<_> = expected
            .iter()
            .map(|(path, _)| format!("--target-name {path}"))
            .collect();
        let download = format!(
            "tuf --metadata-url {base}/metadata --metadata-dir D {} --target-dir X \
             --target-base-url {base}/targets download",
            names.join(" "),
            base = web.base,
        );
        patchmesh(client.path(), &download, "");
        for (path, text) in expected {
            let saved = client.path().join("X").join(path.replace('/', "%2F"));
            assert_eq!(fs::read_to_string(saved).unwrap(), text, "{kind} {path}");
        }
    }
    node_reads(&written.path().join("mesh"));
}

/// As a node of a mesh: every line, and the release in it.
fn node_reads(repository: &Path) {
    let read = |name: &str| fs::read(repository.join("metadata").join(name)).unwrap();
    let now = UtcTime(Timestamp::now().as_second());
    let mut verifier = Verifier::new(&read("1.root.json"), &["*".to_owned()]).unwrap();
    let line = RoleName::Line("desktop".to_owned());
    for (role, name) in [
        (RoleName::Root, "2.root.json"),
        (RoleName::Timestamp, "timestamp.json"),
        (RoleName::Snapshot, "1.snapshot.json"),
        (RoleName::Targets, "1.targets.json"),
        (line, "1.release%2Fdesktop.json"),
    ] {
        let admission = verifier.admit(&role, &read(name), now);
        verifier.apply(admission.unwrap_or_else(|refusal| panic!("{role}: {refusal}")));
    }
    assert_eq!(verifier.state(now), TrustState::Current);
    let releases = verifier.releases(now);
    assert_eq!(releases.len(), 1);
    assert_eq!(
        (&*releases[0].id, &*releases[0].severity),
        ("KB-1", "critical")
    );
}
