//! How patchmeshd ends: exit codes, stable ids, what to do, and the last lines of
//! standard error.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use patchmesh_api::codes;
use patchmesh_api::exit::{BUSY, ExitError, FAILED, NOT_JOINED, TRUST, USAGE};
use patchmesh_api::socket::BindError;
use patchmesh_net::StartError as NetError;
use patchmesh_store::{OpenError, ReadError, SyncError};

use crate::drive::Halt;
use crate::identity::IdentityError;
use crate::room::{Lack, chain};
use crate::start::StartError;

/// For the help text: exit code, meaning, ids.
pub(crate) const ENDS: &str = "\
Exit codes, and the stable ids at the end of the message:
    0  ended as it was told
    1  failed: E_FAILED, E_DISK_FAILED, E_DISK_FULL, E_IDENTITY, E_LISTEN, E_MULTICAST,
       E_NOT_A_STORE, E_REPOSITORY, E_ROOT, E_SOCKET, E_STORE, E_STORE_NEWER
    2  wrong usage or configuration: E_CONFIG
   10  not joined, there is no root document: E_NOT_JOINED
   11  busy, another process has the store, socket or address: E_BUSY, E_ADDRESS_IN_USE
   12  the root document or the stored floors are refused: E_TRUST_.., E_SIG_..
Treat any other code as failure. With log.json the last line is an exit_error object.";

/// An end that is not success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: u8,
    id: &'static str,
    message: String,
    hint: String,
}

impl Failure {
    fn new(code: u8, id: &'static str, error: &dyn Error, hint: &str) -> Self {
        Self {
            code,
            id,
            message: chain(error),
            hint: hint.to_owned(),
        }
    }

    /// A wrong setting; the message says what it takes.
    pub(crate) fn config(error: &dyn Error) -> Self {
        Self::new(USAGE, "E_CONFIG", error, "")
    }

    /// Something that no user has a hand in.
    pub(crate) fn failed(error: &dyn Error) -> Self {
        Self::new(FAILED, codes::FAILED, error, "")
    }

    /// A node that did not start.
    pub(crate) fn of_start(error: &StartError) -> Self {
        let new = |code, id, hint| Self::new(code, id, error, hint);
        match error {
            StartError::Root { source, .. } if source.kind() == io::ErrorKind::NotFound => new(
                NOT_JOINED,
                codes::NOT_JOINED,
                "copy the root document of your network there, or name it in `trust.root`",
            ),
            StartError::Root { .. } => new(
                FAILED,
                "E_ROOT",
                "give the user of the node the right to read it",
            ),
            StartError::Trust { refusal, .. } => new(TRUST, refusal.id(), refusal.advice()),
            StartError::Repository { .. } => new(
                FAILED,
                "E_REPOSITORY",
                "`patchmesh publish` makes the folder; the node's user must be able to read it",
            ),
            StartError::Bootstrap(_) => new(
                USAGE,
                "E_CONFIG",
                "`patchmesh status` on the other node prints its address",
            ),
            StartError::Store(store) => Self::of_store(error, store),
            StartError::Identity(identity) => Self::of_identity(error, identity),
            StartError::Net(net) => Self::of_net(error, net),
            StartError::Socket(socket) => Self::of_socket(error, socket),
        }
    }

    fn of_store(error: &dyn Error, store: &OpenError) -> Self {
        let (code, id, hint) = match store {
            OpenError::Held { .. } => (
                BUSY,
                codes::BUSY,
                "a node runs on this folder already: end it, or name another in `node.state`",
            ),
            OpenError::Newer { .. } => (
                FAILED,
                "E_STORE_NEWER",
                "start the newer version again, or name an empty folder in `node.state`",
            ),
            OpenError::NotAStore { .. } => (
                FAILED,
                "E_NOT_A_STORE",
                "name an empty folder, or one that does not exist, in `node.state`",
            ),
            OpenError::Format { .. } => (
                FAILED,
                "E_STORE",
                "is it the folder of this node? then remove that file; the rest of the folder is \
                 kept, and the file is written anew",
            ),
            OpenError::Io { .. } if store.is_full() => (
                FAILED,
                codes::DISK_FULL,
                "free space on that disk and start again",
            ),
            OpenError::Io { .. } => (
                FAILED,
                "E_STORE",
                "give the user of the node that folder, or name another in `node.state`; else \
                 look at the disk",
            ),
        };
        Self::new(code, id, error, hint)
    }

    fn of_identity(error: &dyn Error, identity: &IdentityError) -> Self {
        let (code, id, hint) = match identity {
            IdentityError::Keep(keep) if keep.is_full() => (
                FAILED,
                codes::DISK_FULL,
                "free space on that disk and start again",
            ),
            IdentityError::Read(ReadError::Damaged { .. }) => (
                FAILED,
                "E_IDENTITY",
                "it was taken away, into `quarantine` in `node.state`: put a backup back in its \
                 place, or start again to join as a new node",
            ),
            IdentityError::Keep(_) | IdentityError::Read(_) => (
                FAILED,
                "E_IDENTITY",
                "look at the disk and the rights of `node.state`",
            ),
            // Their messages say what to do.
            IdentityError::Damaged(_) => (FAILED, "E_IDENTITY", ""),
            IdentityError::Random(_) => (FAILED, codes::FAILED, ""),
            IdentityError::Certificate(_) => (USAGE, "E_CONFIG", ""),
        };
        Self::new(code, id, error, hint)
    }

    fn of_net(error: &dyn Error, net: &NetError) -> Self {
        let (code, id, hint) = match net {
            NetError::Address { .. } => (
                USAGE,
                "E_CONFIG",
                "`net.listen` takes /ip4/ADDRESS/tcp/PORT or /ip6/ADDRESS/tcp/PORT",
            ),
            NetError::Hello => (FAILED, codes::FAILED, "shorten `node.site`"),
            NetError::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => (
                BUSY,
                "E_ADDRESS_IN_USE",
                "another process listens there: end it, or give another port in `net.listen`",
            ),
            NetError::Listen { .. } => (
                FAILED,
                "E_LISTEN",
                "is it an address of this host, and a port above 1023? `net.listen` names it",
            ),
            NetError::Multicast(_) => (
                FAILED,
                "E_MULTICAST",
                "set `net.mdns` to false; peers are then found by the origin",
            ),
        };
        Self::new(code, id, error, hint)
    }

    fn of_socket(error: &dyn Error, socket: &BindError) -> Self {
        let (code, id, hint) = match socket {
            BindError::Busy(_) => (
                BUSY,
                codes::BUSY,
                "end the other node, or name another path in `control.socket`",
            ),
            BindError::TooLong(_) => (USAGE, "E_CONFIG", "shorten `control.socket`"),
            BindError::Io { .. } | BindError::NotASocket(_) => (
                FAILED,
                "E_SOCKET",
                "name a path in `control.socket` that the user of the node can make",
            ),
        };
        Self::new(code, id, error, hint)
    }

    /// A node that stopped by itself.
    pub(crate) fn of_halt(error: &Halt) -> Self {
        let hint = "look at the system's log for this disk, then start again";
        Self::new(FAILED, codes::DISK_FAILED, error, hint)
    }

    /// A node that could not keep its last chunks.
    pub(crate) fn of_sync(error: &SyncError) -> Self {
        let (id, hint) = if Lack::of_sync(error) == Lack::Disk {
            (
                codes::DISK_FULL,
                "free space on that disk; they are fetched again",
            )
        } else {
            (
                codes::DISK_FAILED,
                "look at the disk; they are fetched again",
            )
        };
        Self::new(FAILED, id, error, hint)
    }

    /// Says it on standard error, in JSON if wanted.
    pub(crate) fn end(&self, json: bool) -> ExitCode {
        // There is nowhere left to report that the stream is gone.
        drop(io::stderr().write_all(self.text(json).as_bytes()));
        ExitCode::from(self.code)
    }

    fn text(&self, json: bool) -> String {
        let Self {
            code,
            id,
            message,
            hint,
        } = self;
        if json {
            let end = ExitError {
                code: *code,
                id,
                message,
                hint,
            };
            return end.to_json() + "\n";
        }
        let hint = if hint.is_empty() {
            String::new()
        } else {
            format!("hint: {hint}\n")
        };
        format!("patchmeshd: {message} [{id}]\n{hint}")
    }
}

#[cfg(test)]
mod tests {
    use patchmesh_core::record::Restored;
    use patchmesh_store::Store;
    use patchmesh_trust::refusal::Refusal;

    use crate::identity;

    use super::*;

    #[test]
    fn an_end_has_code_id_and_hint_in_both_forms() {
        let error = StartError::Trust {
            path: "root.json".to_owned(),
            refusal: Refusal::Malformed,
        };
        let failure = Failure::of_start(&error);
        let text = failure.text(false);
        assert!(
            text.starts_with(
                "patchmeshd: failed to trust root.json: Malformed [E_TRUST_MALFORMED]"
            ),
            "{text}"
        );
        assert!(text.contains("\nhint: it is no such document"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&failure.text(true)).expect("JSON");
        assert_eq!(json["code"], 12);
        assert_eq!(json["id"], "E_TRUST_MALFORMED");
        assert_eq!(json["message_type"], "exit_error");
    }

    #[test]
    fn a_damaged_identity_says_where_it_went_and_that_a_start_makes_another() {
        let folder = tempfile::tempdir().unwrap();
        let options = patchmesh_store::Options::new(1);
        let store = Store::open(folder.path(), options).unwrap().store;
        identity::load_or_make(&store, &mut Restored::default()).unwrap();
        std::fs::write(folder.path().join("trust/state/identity"), "").unwrap();
        let damaged = identity::load_or_make(&store, &mut Restored::default())
            .err()
            .unwrap();
        let failure = Failure::of_start(&StartError::Identity(damaged));
        assert_eq!(failure.id, "E_IDENTITY");
        assert!(failure.message.contains("identity"), "{}", failure.message);
        assert!(failure.hint.contains("start again"), "{}", failure.hint);
        assert!(folder.path().join("quarantine/identity").is_file());
        identity::load_or_make(&store, &mut Restored::default()).unwrap();
    }

    #[test]
    fn the_help_names_every_id_that_is_used() {
        let source = include_str!("failure.rs").split("#[cfg(test)]").next();
        let code = source.unwrap_or_default().split("impl Failure").nth(1);
        let ids = code.unwrap_or_default().split('"');
        let ids = ids.filter(|word| word.starts_with("E_") && !word.contains(' '));
        let missing: Vec<_> = ids.filter(|id| !ENDS.contains(id)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        for id in [
            codes::FAILED,
            codes::DISK_FULL,
            codes::DISK_FAILED,
            codes::BUSY,
        ] {
            assert!(ENDS.contains(id), "{id}");
        }
    }
}
