//! `membership`: who may stop, and which stops the threshold takes over or lifts.

use std::path::Path;

use patchmesh_trust::annex::body::AnnexBody;
use patchmesh_trust::annex::keys::Keys;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::annex::revocations::Revocations;
use patchmesh_trust::key::unhex;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::stop::signed::Stop;
use serde::Serialize;

use crate::args::membership::{
    MembershipDraftArgs, MembershipKeysArgs, MembershipVerb, RevocationsArgs,
};
use crate::clock;
use crate::draft::annexes::{Annexes, body};
use crate::draft::compare_annexes::facts;
use crate::draft::drafts::{self, About};
use crate::draft::edits;
use crate::draft::ground::Ground;
use crate::draft::refusal::refused;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{push, safe};
use crate::verbs::authority::{stop, witnesses};

/// Drafts, or shows.
pub(crate) fn run(verb: &MembershipVerb, output: &Output) -> anyhow::Result<()> {
    match verb {
        MembershipVerb::Keys(args) => keys(args, output),
        MembershipVerb::Revocations(args) => revocations(args, output),
        MembershipVerb::Show(args) => show(args.repository()?, output),
    }
}

fn keys(args: &MembershipKeysArgs, output: &Output) -> anyhow::Result<()> {
    let mut ground = Ground::in_repository(&args.draft.repository)?;
    let mut annexes = ground.annexes(&RoleName::Membership)?;
    let mut keys = match body(&annexes, AnnexName::Keys)? {
        Some(AnnexBody::Keys(keys)) => keys,
        _ => Keys::default(),
    };
    let before = keys.clone();
    witnesses::edit(&mut keys, args)?;
    let stops = args.add_revocation.is_empty() && args.remove_revocation.is_empty();
    if stops && keys == before {
        return Err(Failure::usage("nothing to add, to remove or to change is named").into());
    }
    for text in &args.remove_revocation {
        let named =
            |id: &str| ground.names.of(id) == *text || text.len() >= 8 && id.starts_with(text);
        let before = keys.revocation.len();
        keys.revocation.retain(|key| !named(&key.key_id()));
        if keys.revocation.len() == before {
            return Err(edits::no_key(text, "membership").into());
        }
    }
    for path in &args.add_revocation {
        keys.revocation
            .push(edits::public(path, &mut ground.names)?);
    }
    let bytes = keys
        .write()
        .map_err(|refusal| refused("the keys", refusal))?;
    annexes.insert(AnnexName::Keys, bytes);
    draft("membership-keys", &args.draft, &ground, annexes, output)
}

fn revocations(args: &RevocationsArgs, output: &Output) -> anyhow::Result<()> {
    let ground = Ground::in_repository(&args.draft.repository)?;
    let mut annexes = ground.annexes(&RoleName::Membership)?;
    let mut list = match body(&annexes, AnnexName::Revocations)? {
        Some(AnnexBody::Revocations(list)) => list,
        _ => Revocations::default(),
    };
    if args.fold.is_empty() && args.lift.is_empty() {
        return Err(Failure::usage("nothing to fold or to lift is named").into());
    }
    for path in &args.fold {
        let (signed, stop) = stop::read(path)?;
        if !list.standing.contains(&signed.payload) {
            list.standing.push(signed.payload);
        }
        add(&mut list.folded, stop.id);
    }
    for text in &args.lift {
        let id = unhex(text).and_then(|id| <[u8; 16]>::try_from(id).ok());
        let id = id.ok_or_else(|| {
            let failure = Failure::usage(format!("{} is no id of a stop", safe(text)));
            failure.hint("32 digits, as `patchmesh stop show` and `patchmesh status` have them")
        })?;
        let other = |payload: &Vec<u8>| Stop::read(payload).map(|stop| stop.id) != Ok(id);
        list.standing.retain(other);
        add(&mut list.lifted, id);
    }
    list.version = list.version.saturating_add(1);
    let bytes = list
        .write()
        .map_err(|refusal| refused("the list", refusal))?;
    annexes.insert(AnnexName::Revocations, bytes);
    draft(
        "membership-revocations",
        &args.draft,
        &ground,
        annexes,
        output,
    )
}

fn add(ids: &mut Vec<[u8; 16]>, id: [u8; 16]) {
    if let Err(at) = ids.binary_search(&id) {
        ids.insert(at, id);
    }
}

fn draft(
    action: &'static str,
    args: &MembershipDraftArgs,
    ground: &Ground,
    annexes: Annexes,
    output: &Output,
) -> anyhow::Result<()> {
    let about = About {
        action,
        notes: Vec::new(),
        dry_run: args.place.dry_run,
    };
    let expires = clock::now().plus_days(i64::from(args.expires));
    let out = args.place.out.as_deref();
    let planned = ground.with_annexes(&RoleName::Membership, annexes, expires, out)?;
    drafts::write(about, vec![planned], &ground.names, output)
}

#[derive(Debug, Serialize)]
struct MembershipDocument {
    facts: Vec<String>,
}

fn show(repository: &Path, output: &Output) -> anyhow::Result<()> {
    let ground = Ground::in_repository(repository)?;
    let annexes = ground.annexes(&RoleName::Membership)?;
    let mut document = MembershipDocument { facts: Vec::new() };
    for name in AnnexName::of(&RoleName::Membership) {
        let Some(annex) = body(&annexes, name)? else {
            continue;
        };
        let said = facts(&annex, &ground.names);
        document.facts.extend(
            said.into_iter()
                .map(|(what, text)| format!("{what}: {text}")),
        );
    }
    output.document("patchmesh.membership/1", &document, || {
        let mut text = String::new();
        for fact in &document.facts {
            push(&mut text, format_args!("{fact}\n"));
        }
        text
    })
}
