//! The catalog machine: which signed metadata and release indexes this node
//! holds. A join of maximum versions, so the order of messages does not matter:
//! gossip spreads news, and head, ask and answer heal what gossip lost.

pub mod action;
pub mod alarms;
pub mod annexes;
pub mod announce;
pub mod answer;
pub mod clock;
pub mod equivocation;
pub mod event;
pub mod indexes;
pub mod log;
pub mod machine;
pub mod needs;
pub mod peers;
pub mod poll;
pub mod pursue;
pub mod sources;
pub mod stops;
pub mod watch;
pub mod witness;

pub use action::Action;
pub use event::Event;
pub use machine::Catalog;
