//! What a node knows of the witnesses, and of itself as one.

use std::collections::BTreeSet;
use std::sync::Arc;

use patchmesh_content::id::PeerId;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::log::witnesses::Witnesses;

use crate::catalog::watch::recovering::Recovering;
use crate::output::Silent;
use crate::record::Witnessed;
use crate::time::Time;

/// Witnesses, what they signed, and this node as one of them.
#[derive(Debug, Clone)]
pub struct Cosigning {
    pub(crate) set: Witnesses,
    /// From the store, until the keys say whose they are.
    pub(crate) stored: Vec<Cosignature>,
    /// SHA-256 of the annex that was taken over.
    pub(crate) keys: Option<[u8; 32]>,
    /// Head of the leaves that the cosignatures were judged by.
    pub(crate) judged_by: LogHead,
    pub(crate) own: Own,
    /// How many witnesses were said to have signed another log.
    pub(crate) told_other: usize,
}

/// This node as a witness.
#[derive(Debug, Clone)]
pub struct Own {
    /// The highest head that it is known to have signed.
    pub(crate) signed: Witnessed,
    /// The store lost what it signed last: it signs nothing before others have
    /// said what they have of it.
    pub(crate) lost: Option<Recovering>,
    /// Why it was said to be silent.
    pub(crate) told: Option<Silent>,
    /// Whether a log contains what was signed: heads of both, and the answer.
    pub(crate) compared: Option<((LogHead, LogHead), bool)>,
    /// The head that the driver was told to sign.
    pub(crate) ordered: Option<LogHead>,
}

impl Cosigning {
    /// With what the store kept. Every node has a record of what it signed since
    /// it has a key, so that one that is missing was lost.
    pub fn restore(
        mesh_id: &[u8; 32],
        cosignatures: &[Arc<[u8]>],
        witnessed: Option<Witnessed>,
        (bootstrap, now): (BTreeSet<PeerId>, Time),
    ) -> Self {
        let stored = cosignatures.iter();
        let stored = stored.filter_map(|bytes| Cosignature::decode(bytes).ok());
        let lost = witnessed.is_none();
        Self {
            set: Witnesses::new(mesh_id),
            stored: stored.collect(),
            keys: None,
            judged_by: LogHead::empty(),
            own: Own {
                signed: witnessed.unwrap_or_default(),
                lost: lost.then(|| Recovering::new(bootstrap, now)),
                told: None,
                compared: None,
                ordered: None,
            },
            told_other: 0,
        }
    }
}
