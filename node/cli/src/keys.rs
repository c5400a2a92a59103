//! Keys of people: encrypted files, passphrases, and what `--key` may say.

pub(crate) mod agent;
pub(crate) mod node;
pub(crate) mod passphrase;
pub(crate) mod pem;
pub(crate) mod public;
pub(crate) mod spec;
pub(crate) mod ssh;
#[cfg(feature = "pkcs11")]
pub(crate) mod token;
pub(crate) mod tool;
pub(crate) mod uri;
