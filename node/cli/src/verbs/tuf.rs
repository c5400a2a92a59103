//! `tuf`.

use std::path::Path;

use patchmesh_api::exit;
use patchmesh_trust::limits::Profile;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use serde::Serialize;

use crate::args::tuf::{TufArgs, TufVerb};
use crate::clock;
use crate::failure::Failure;
use crate::files;
use crate::output::Output;
use crate::text::push;
use crate::tuf::folder::Folder;
use crate::tuf::http::Base;
use crate::tuf::refresh::Update;

#[derive(Debug, Serialize)]
struct TufDocument {
    root: u64,
    timestamp: u64,
    snapshot: u64,
    targets: u64,
    downloads: Vec<DownloadLine>,
}

#[derive(Debug, Serialize)]
struct DownloadLine {
    target: String,
    path: String,
    bytes: u64,
    present: bool,
}

/// Runs one of the three verbs. Every failure ends with 1, as programs expect
/// that drive TUF clients.
pub(crate) fn run(args: &TufArgs, output: &Output) -> anyhow::Result<()> {
    let done = match &args.verb {
        TufVerb::Init { root } => init(args, root),
        TufVerb::Refresh => update(args, false, output),
        TufVerb::Download => update(args, true, output),
    };
    let document = done.map_err(|error| {
        let mut failure = Failure::of(&error);
        failure.code = exit::FAILED;
        failure
    })?;
    output.document("patchmesh.tuf/1", &document, || shown(&document))
}

fn init(args: &TufArgs, root: &Path) -> anyhow::Result<TufDocument> {
    let bytes = files::read(root, Profile::Foreign.document_len_max(&RoleName::Root))?;
    Folder::init(&args.metadata_dir, &bytes).map(|verifier| document(&verifier))
}

fn update(args: &TufArgs, download: bool, output: &Output) -> anyhow::Result<TufDocument> {
    let utc = clock::now();
    let base = Base::parse(required(args.metadata_url.as_ref(), "--metadata-url")?)?;
    let targets = if download {
        let base = Base::parse(required(
            args.target_base_url.as_ref(),
            "--target-base-url",
        )?)?;
        Some((base, required(args.target_dir.as_ref(), "--target-dir")?))
    } else {
        None
    };
    let folder = Folder::open(&args.metadata_dir)?;
    let mut update = Update {
        base,
        folder: &folder,
        verifier: folder.load()?,
        utc,
        output,
    };
    update.refresh()?;
    let mut downloads = Vec::new();
    if let Some((base, to)) = targets {
        required(args.target_names.first(), "--target-name")?;
        for name in &args.target_names {
            let download = update.download(name, &base, to)?;
            downloads.push(DownloadLine {
                target: name.clone(),
                path: download.place.display().to_string(),
                bytes: download.len,
                present: download.present,
            });
        }
    }
    Ok(TufDocument {
        downloads,
        ..document(&update.verifier)
    })
}

fn document(verifier: &Verifier) -> TufDocument {
    let head = verifier.head();
    TufDocument {
        root: head.root,
        timestamp: head.timestamp,
        snapshot: head.snapshot,
        targets: verifier.version(&RoleName::Targets),
        downloads: Vec::new(),
    }
}

fn shown(document: &TufDocument) -> String {
    let mut text = format!(
        "root {}, timestamp {}, snapshot {}, targets {}\n",
        document.root, document.timestamp, document.snapshot, document.targets
    );
    for line in &document.downloads {
        let how = if line.present {
            "present"
        } else {
            "downloaded"
        };
        let DownloadLine { path, bytes, .. } = line;
        push(&mut text, format_args!("{path}  {bytes} B  {how}\n"));
    }
    text
}

fn required<'a, T: ?Sized>(value: Option<&'a T>, option: &str) -> anyhow::Result<&'a T> {
    value.ok_or_else(|| Failure::usage(format!("{option} is missing")).into())
}
