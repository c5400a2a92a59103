//! Ids that pair an order with its answer. Each is answered exactly once.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u64);
    )*};
}

ids! {
    /// A document asked for by the engine (`Output::Ask` to `Input::Answered`).
    AskId,
    /// A document asked for by a peer (`Input::Asked` to `Output::Answer`).
    AskedId,
    /// A command of a user (`Input::Command` to `Output::Reply`).
    CommandId,
    /// A chunk asked for by the engine (`Output::Fetch` to `Input::Fetched`).
    FetchId,
    /// A gossip message (`Input::Gossip` to `Output::Judge`).
    GossipId,
    /// A connection that wants in (`Input::Hello` to `Output::Admit`).
    HelloId,
    /// A step on this host (`Output::Install` to `Input::Installed`).
    InstallId,
    /// A chunk asked for by a peer (`Input::Requested` to `Output::Serve` or `Output::Decline`).
    ServeId,
}
