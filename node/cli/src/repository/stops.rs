//! The stops that a repository hands out: single ones, until the threshold of
//! membership has settled them.

use std::collections::BTreeSet;
use std::path::Path;

use patchmesh_proto::limits::STOPS_LEN_MAX;
use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::layout::STOPS;
use patchmesh_trust::state::Verifier;
use patchmesh_trust::stop::signed::{SignedStop, Stop, read_file, write_file};

use crate::draft::annexes::{body, in_repository};
use crate::draft::refusal::refused;
use crate::files::{self, MODE_PUBLIC};
use crate::output::Output;

/// The stops in a repository; none without a file.
pub(crate) fn read(repository: &Path) -> anyhow::Result<Vec<SignedStop>> {
    let held = files::read_if_there(&repository.join(STOPS), STOPS_LEN_MAX)?;
    let held = held.map_or(Ok(Vec::new()), |bytes| read_file(&bytes));
    held.map_err(|refusal| refused("the repository's stops", refusal).into())
}

/// Replaces the stops in a repository.
pub(crate) fn write(repository: &Path, stops: &[SignedStop]) -> anyhow::Result<()> {
    let bytes = write_file(stops);
    let bytes = bytes.map_err(|refusal| refused("the repository's stops", refusal))?;
    files::write(&repository.join(STOPS), &bytes, MODE_PUBLIC)
}

/// Takes out what the published list of stops has folded or lifted. What was
/// published stays so if that fails.
pub(crate) fn prune(repository: &Path, verifier: &Verifier, output: &Output) {
    if let Err(error) = without_settled(repository, verifier) {
        output.say(format!(
            "stops that are settled stay in the repository: {error:#}"
        ));
    }
}

fn without_settled(repository: &Path, verifier: &Verifier) -> anyhow::Result<()> {
    let annexes = in_repository(repository, verifier, None)?;
    let Some(AnnexBody::Revocations(list)) = body(&annexes, AnnexName::Revocations)? else {
        return Ok(());
    };
    let settled: BTreeSet<_> = list.folded.iter().chain(&list.lifted).collect();
    let mut stops = read(repository)?;
    let before = stops.len();
    stops.retain(|signed| {
        let stop = Stop::read(&signed.payload);
        stop.is_ok_and(|stop| !settled.contains(&stop.id))
    });
    if stops.len() < before {
        write(repository, &stops)?;
    }
    Ok(())
}
