//! Keys of people: encrypted files, passphrases, and what `--key` may say.

pub(crate) mod passphrase;
pub(crate) mod pem;
pub(crate) mod public;
pub(crate) mod spec;
pub(crate) mod tool;
