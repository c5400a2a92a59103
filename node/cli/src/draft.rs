//! Documents on their way from person to person: folders, signature files, and
//! what a signer is shown.

pub(crate) mod annexes;
pub(crate) mod authority;
pub(crate) mod change;
pub(crate) mod compare;
pub(crate) mod compare_annexes;
pub(crate) mod drafts;
pub(crate) mod edits;
pub(crate) mod folder;
pub(crate) mod ground;
pub(crate) mod names;
pub(crate) mod new_folder;
pub(crate) mod refusal;
pub(crate) mod signature;
