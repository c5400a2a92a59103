//! Who may say what: TUF roles, thresholds and versions, verified from bytes.
//! Pure: no clock, no file, no socket.
//!
//! Chain: root -> timestamp -> snapshot -> targets -> statement of a release
//! line -> SHA-256 of the release index -> chunk ids -> chunks. Each document
//! is signed by keys that the one above lists, and pinned by version and hash.
//!
//! | attack | what stops it | where |
//! |---|---|---|
//! | unknown or too few keys | thresholds of distinct key material | `threshold` |
//! | one text, two readings | strict parser, own canonical form | `canonical` |
//! | giant or deep documents | caps before parsing | `limits`, `envelope` |
//! | weak keys, malleable signatures | strict Ed25519, keys checked when read | `key` |
//! | forged rotation | N to N + 1, signed by both thresholds | `state` |
//! | rollback | floors that outlive the documents | `state` |
//! | fast-forward | floors void when their signers are rotated away | `state` |
//! | mix-and-match | version, length and hash pinned | `state` |
//! | freeze | expiry, and a state that says so | `state` |
//! | speaking for another line | paths of the delegation, terminating | `delegate` |
//! | a lying index | length, two hashes, line, id, severity | `state` |
//! | two statements of one version | a proof that anybody can check | `state` |
//! | one side installs alone | two roles, whose keys must differ | `annex`, `state` |
//! | two logs for two sites | witnesses that are counted by site | `log` |
//! | a stop that starts something | a set that only the threshold makes smaller | `stop` |
//! | a signature in another place | every non-TUF payload has a type | `key` |
//!
//! A [`limits::Profile`] says whether a mesh or a repository of another tool is
//! verified: the second allows every form of the TUF specification.
//!
//! Of two statements of one version the first is kept and the second refused
//! as `Contradiction`; both together are a proof ([`state::equivocation`]).
#![deny(clippy::disallowed_methods, clippy::iter_over_hash_type)]

pub mod annex;
pub mod author;
pub mod canonical;
pub mod key;
pub mod layout;
pub mod limits;
pub mod log;
pub mod member;
pub mod refusal;
pub mod release;
pub mod role;
pub mod state;
pub mod stop;
pub mod threshold;
pub mod time;
pub mod verified;

mod delegate;
mod document;
mod envelope;
