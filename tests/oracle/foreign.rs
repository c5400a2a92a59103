//! Repositories of one tool, read by another: ours by python-tuf and by
//! sigstore-tuf, python-tuf's by ours (T-59).

use std::fs;
use std::path::{Path, PathBuf};

use futures::executor::block_on;
use jiff::Timestamp;
use patchmesh_content::index::ReleaseIndex;
use patchmesh_tests::ceremony::Ceremony;
use patchmesh_tests::input;
use patchmesh_tests::web::Web;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::key::{NodeKey, sha256};
use patchmesh_trust::layout::annex_path;
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
    assert_eq!(fs::read(&saved[0]).unwrap(), index(&repository));
}

/// Both parties, members who may stop and witness, a cosignature policy, a stop
/// that the members took over, and the log: to another client the annexes are
/// targets like any other.
#[test]
#[ignore = "needs python-tuf: cargo x interop"]
fn python_tuf_reads_a_network_with_every_role() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("network"));
    let web = Web::serve(&network.repository());
    let client = folder.path().join("client");
    let root = network.repository().with_extension("root.json");
    let (annexes, release) = (AnnexName::ALL, "release/desktop/D-2");
    let mut arguments = vec![&*web.base, root.to_str().unwrap(), client.to_str().unwrap()];
    arguments.extend(annexes.iter().map(|annex| annex.path()));
    arguments.push(release);
    let saved = python("read.py", &arguments);
    assert_eq!(saved.len(), annexes.len() + 1);
    let read = |at: usize| fs::read(&saved[at]).unwrap();
    for (at, annex) in annexes.iter().enumerate() {
        let bytes = read(at);
        let path = network
            .repository()
            .join(annex_path(*annex, &sha256(&bytes)));
        assert_eq!(fs::read(path).unwrap(), bytes, "{annex}");
        match AnnexBody::read(*annex, &bytes).unwrap() {
            AnnexBody::Policy(policy) => {
                let ids: Vec<_> = policy.approvals.iter().map(|one| &*one.id).collect();
                assert_eq!(ids, ["D-2"], "what is not listed any more is not approved");
            }
            AnnexBody::Keys(keys) => {
                assert_eq!((keys.revocation.len(), keys.witnesses.len()), (1, 2));
                assert!(keys.cosignatures.is_some());
            }
            AnnexBody::Revocations(list) => assert_eq!(list.standing.len(), 1),
        }
    }
    let index = read(annexes.len());
    assert_eq!(ReleaseIndex::decode(&index).unwrap().id, "D-2");
    println!("python-tuf read {} annexes and an index", annexes.len());
}

/// Made with the command line alone, in the way of people.
fn network(folder: &Path) -> Ceremony {
    let network = Ceremony::found_with(folder, &["--operations", "3"]);
    // The people of security speak for membership too.
    let (security, operations) = (["key-1", "key-2"], ["operations-1", "operations-2"]);
    network.key("stopper");
    let publish = |draft: &str, signers: &[&str]| {
        network.sign(draft, signers);
        network.publish(&[draft], None);
    };
    let [paris, rome] = [1, 2].map(|seed| {
        let node = NodeKey::from_seed([seed; 32]).public();
        patchmesh_content::id::hex(&node)
    });
    let keys = format!(
        "membership keys --add-revocation c/stopper.pub --add-witness {paris}@paris \
         --add-witness {rome}@rome --cosignatures 2/2"
    );
    network.draft(&keys.split_whitespace().collect::<Vec<_>>());
    publish("membership-1.draft", &security);
    let folder = folder.join("trees");
    for (seed, id) in [(5, "D-1"), (6, "D-2")] {
        let tree = folder.join(id);
        input::tree(&tree, seed, 50_000);
        let draft = network.release(&tree, &format!("desktop/{id}"), &security);
        network.publish(&[&draft], None);
        network.draft(&["rollout", "approve", id]);
        publish(&format!("rollout-{}.draft", seed - 4), &operations);
    }
    network.stop("D-1", "stopper");
    network.draft(&["membership", "revocations", "--fold", "D-1.stop"]);
    publish("membership-2.draft", &security);
    network
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
