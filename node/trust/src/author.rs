//! Writing documents: build an unsigned one, collect signatures on copies of
//! it, assemble. Secrets stay with the caller; a draft is the future document
//! with no signatures yet.
//!
//! ```
//! use patchmesh_trust::author::{Authority, Draft, RootPlan, assemble};
//! use patchmesh_trust::key::SecretKey;
//! use patchmesh_trust::role::RoleName;
//! use patchmesh_trust::threshold::RoleKeys;
//! use patchmesh_trust::time::UtcTime;
//!
//! let now = UtcTime(1_800_000_000);
//! let signers = [1, 2, 3].map(|seed| SecretKey::from_seed([seed; 32]));
//! let people = RoleKeys::new(&[0, 1, 2].map(|n: usize| signers[n].public_key()), 2)?;
//! let online = RoleKeys::new(&[SecretKey::from_seed([9; 32]).public_key()], 1)?;
//! let plan = RootPlan {
//!     version: 1,
//!     expires: now.plus_days(365),
//!     root: people.clone(),
//!     timestamp: online.clone(),
//!     snapshot: online,
//!     targets: people,
//! };
//! let file = plan.build()?.bytes();
//!
//! // Each signer works on a copy of the file.
//! let mut copies = Vec::new();
//! for signer in &signers[..2] {
//!     let mut copy = Draft::read(&RoleName::Root, &file)?;
//!     let signature = signer.sign(&copy.signing_bytes());
//!     copy.add_signature(&signer.public_key().key_id(), &signature)?;
//!     copies.push(copy);
//! }
//! assert!(assemble(&copies[..1], &Authority::default(), now).is_err());
//! let root = assemble(&copies, &Authority::default(), now)?;
//! # assert!(patchmesh_trust::state::Verifier::new(&root, &[]).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assemble;
mod build;
mod draft;
mod error;

pub use assemble::{Authority, assemble};
pub use build::{
    AnnexPlan, LineKeys, LinePlan, ReleaseEntry, RootPlan, SnapshotPlan, TargetsPlan, TimestampPlan,
};
pub use draft::{Draft, signing_bytes};
pub use error::{AuthorError, Missing};
