//! `membership keys`: which nodes witness the log, and how many must have.

use patchmesh_trust::annex::keys::{Cosignatures, Keys, Witness};
use patchmesh_trust::key::PublicKey;
use patchmesh_trust::member::is_site;

use crate::args::membership::MembershipKeysArgs;
use crate::draft::edits;
use crate::failure::Failure;
use crate::keys::node;
use crate::text::safe;

/// Carries out what the arguments say of witnesses.
pub(crate) fn edit(keys: &mut Keys, args: &MembershipKeysArgs) -> anyhow::Result<()> {
    for text in &args.remove_witness {
        let key = node::read(text);
        let before = keys.witnesses.len();
        keys.witnesses.retain(|one| one.node() != key);
        if key.is_none() || keys.witnesses.len() == before {
            return Err(edits::no_key(text, "membership").into());
        }
    }
    for text in &args.add_witness {
        keys.witnesses.push(witness(text)?);
    }
    if let Some(text) = &args.cosignatures {
        keys.cosignatures = asked(text)?;
    }
    possible(keys)
}

fn witness(text: &str) -> Result<Witness, Failure> {
    let read = text.rsplit_once('@').and_then(|(node, site)| {
        let key = PublicKey::ed25519(&node::read(node)?).ok()?;
        let site = is_site(site).then(|| site.to_owned())?;
        Some(Witness { key, site })
    });
    read.ok_or_else(|| {
        let failure = Failure::usage(format!("{} is no NODE@SITE", safe(text)));
        failure.hint("`patchmesh status` at the node shows its address and its site")
    })
}

fn asked(text: &str) -> Result<Option<Cosignatures>, Failure> {
    if text == "none" {
        return Ok(None);
    }
    let read = text.split_once('/').and_then(|(keys, sites)| {
        let (keys, sites) = (keys.parse().ok()?, sites.parse().ok()?);
        Some(Cosignatures { keys, sites })
    });
    read.map(Some).ok_or_else(|| {
        let failure = Failure::usage(format!("{} is no WITNESSES/SITES", safe(text)));
        failure.hint("2/2 asks for two witnesses in two sites; `none` for none")
    })
}

/// Says what is wrong before the annex is refused as a whole.
fn possible(keys: &Keys) -> anyhow::Result<()> {
    let mut nodes: Vec<_> = keys.witnesses.iter().filter_map(Witness::node).collect();
    nodes.sort_unstable();
    if nodes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Failure::usage("a node is a witness twice").into());
    }
    let Some(asked) = keys.cosignatures else {
        return Ok(());
    };
    let mut sites: Vec<&str> = keys.witnesses.iter().map(|one| one.site.as_str()).collect();
    sites.sort_unstable();
    sites.dedup();
    let enough = |asked: u32, have: usize| asked > 0 && asked as usize <= have;
    if enough(asked.keys, nodes.len()) && enough(asked.sites, sites.len()) {
        return Ok(());
    }
    let message = format!(
        "{} of {} witnesses in {} of {} sites is not possible",
        asked.keys,
        nodes.len(),
        asked.sites,
        sites.len()
    );
    let hint = "--add-witness names more; --cosignatures asks for less";
    Err(Failure::usage(message).hint(hint).into())
}
