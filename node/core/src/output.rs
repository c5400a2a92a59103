//! Everything a node can do.

use std::sync::Arc;

use patchmesh_content::id::ContentId;
use patchmesh_trust::log::head::{LogHead, Replaced};
use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::release::Release;
use patchmesh_trust::stop::set::{Mark, Standing};
use patchmesh_trust::time::UtcTime;
use patchmesh_trust::verified::Verified;
use serde::{Deserialize, Serialize};

use crate::ids::{AskId, AskedId, CommandId, FetchId, GossipId, HelloId, InstallId, ServeId};
use crate::message::{Announcement, Decline, DocumentRef, Message, Want};
use crate::peer::{Address, Member, Path, PeerId, PeerRefusal};
use crate::reason::{Frozen, WakeReason, Withheld};
use crate::record::{Record, ReleaseState};
use crate::time::{Duration, Time};

/// One order to the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Answer to `Input::Hello`.
    Admit {
        /// The connection.
        hello: HelloId,
        /// Let it in as this member over this path, or close it.
        verdict: Result<Box<(Member, Path)>, PeerRefusal>,
    },
    /// Answer to `Input::Asked`.
    Answer {
        /// The request.
        asked: AskedId,
        /// The document; `None` where it is not held.
        document: Option<Answer>,
    },
    /// Ask for a document; answered by `Input::Answered`.
    Ask {
        /// Pairs the answer.
        ask: AskId,
        /// From whom.
        from: Source,
        /// What.
        document: Box<DocumentRef>,
        /// Longest acceptable answer in bytes.
        len_max: usize,
    },
    /// Give up a fetch; it is still answered, by `Fetched::Stalled` at least.
    CancelFetch {
        /// The fetch.
        fetch: FetchId,
    },
    /// End a step on this host as soon as may be; it is still answered.
    CancelInstall {
        /// The step.
        install: InstallId,
    },
    /// Sign this head of the log with the node's key, as a witness; answered by
    /// `Input::Cosigned`. That it is signed is durable.
    Cosign {
        /// The head.
        head: LogHead,
        /// The time to state.
        utc: UtcTime,
    },
    /// Answer to `Input::Requested`: no.
    Decline {
        /// The request.
        serve: ServeId,
        /// Why, and where else.
        decline: Box<Decline>,
    },
    /// Connect to a peer.
    Dial {
        /// The peer that must prove to be at the other end.
        peer: PeerId,
        /// Where.
        addresses: Vec<Address>,
    },
    /// Close all connections to a peer.
    Disconnect {
        /// The peer.
        peer: PeerId,
        /// Why.
        why: PeerRefusal,
    },
    /// Fetch one chunk; answered by `Input::Fetched`.
    Fetch {
        /// Pairs the answer.
        fetch: FetchId,
        /// From whom.
        from: Source,
        /// What.
        want: Box<Want>,
        /// When to give up.
        by: Time,
        /// Give up before, where no byte of any chunk has come from there for so
        /// long.
        idle: Duration,
    },
    /// Do a step on this host; answered by `Input::Installed`.
    Install {
        /// Pairs the answer.
        install: InstallId,
        /// What.
        step: Step,
    },
    /// Answer to `Input::Gossip`.
    Judge {
        /// The message.
        id: GossipId,
        /// Forward it, or not.
        verdict: Verdict,
    },
    /// Something people, metrics or watchers may want to know.
    Notify(Box<Notice>),
    /// Make a fact durable before anything that follows becomes visible.
    Persist(Box<Record>),
    /// Publish on the gossip topic.
    Publish {
        /// The message.
        announcement: Box<Announcement>,
    },
    /// Answer to `Input::Command`.
    Reply {
        /// The command.
        id: CommandId,
        /// The answer.
        answer: Reply,
    },
    /// Send a control message to an admitted peer.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: Box<Message>,
    },
    /// Answer to `Input::Requested`: send the chunk, then report `Input::Served`.
    Serve {
        /// The request.
        serve: ServeId,
        /// To whom.
        to: PeerId,
        /// What.
        want: Box<Want>,
    },
    /// End of a drain: call again at this time at the latest.
    Wait(Option<(Time, WakeReason)>),
}

const _: () = assert!(size_of::<Output>() <= 96 && size_of::<crate::input::Input>() <= 96);

/// Where documents and chunks come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// The HTTP origin of the configuration, or an origin's own folder.
    Origin,
    /// An admitted peer.
    Peer(PeerId),
}

/// A document to hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// The release index of this content, which the store holds.
    Index(ContentId),
}

/// A step on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Assemble every file of a release into the staging folder and compare
    /// all hashes.
    Stage {
        /// The release.
        release: Box<Verified<Release>>,
    },
    /// Compare a staged release with its index once more, and put it into use
    /// in place of what its line had: all of it or nothing, whatever happens.
    Apply {
        /// The release.
        release: Box<Verified<Release>>,
    },
}

impl Step {
    /// The release that the step is about.
    pub fn release(&self) -> &Verified<Release> {
        match self {
            Self::Stage { release } | Self::Apply { release } => release,
        }
    }
}

/// Gossip verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// New and verified: forward it.
    Accept,
    /// Not new, or not to be judged yet: drop it silently.
    Ignore,
    /// Broken or forged: drop it, and score the sender.
    Reject,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done or under way.
    Done,
    /// There is nothing to look at: no folder and no HTTP origin.
    NoSource,
    /// It was refused, with a stable code.
    Refused(Refusal),
    /// No such release.
    UnknownRelease,
}

/// Something people, metrics or watchers may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// New verified metadata: root, timestamp, snapshot.
    HeadMoved([u64; 3]),
    /// A document, gossip message or peer was refused; the code is stable.
    Refused {
        /// What: a role, `gossip`, `hello`, `index`, `chunk`, `cosignature`.
        what: String,
        /// Stable code.
        code: &'static str,
        /// From whom, where it was a peer.
        from: Option<PeerId>,
    },
    /// A peer misbehaved; it is shown in the list of peers.
    PeerScored {
        /// The peer.
        peer: PeerId,
        /// Stable code.
        code: &'static str,
    },
    /// A release changed its state on this host.
    Release {
        /// Name of the content.
        content: ContentId,
        /// Release id.
        id: String,
        /// New state.
        state: ReleaseState,
        /// For people: why it failed, or empty.
        detail: String,
    },
    /// The version floors are lost, or that is over (T-33).
    FloorsLost(bool),
    /// A timestamp waits until its log is shown to continue the known one.
    Unproven {
        /// Its version.
        version: u64,
        /// Leaves of its log.
        size: u64,
    },
    /// A witness has cosigned a higher head of the log.
    Cosigned {
        /// The witness.
        witness: PeerId,
        /// Its site.
        site: String,
        /// Leaves of the log that it saw.
        size: u64,
    },
    /// Witnesses that have cosigned another log than the known one, by now.
    OtherLogs(Vec<OtherLog>),
    /// Why this node, a witness, signs nothing; `None` when that is over.
    WitnessSilent(Option<Silent>),
    /// A rotation let another log take the place of the known one; `None` when that
    /// is no longer told.
    LogReplaced(Option<Replaced>),
    /// Roles that are frozen by now; none when that is over.
    Frozen(Vec<Frozen>),
    /// Stops that are in force by now.
    Stops {
        /// All of them.
        standing: Vec<Standing>,
        /// What later hellos say of them.
        mark: Mark,
    },
    /// Documents that are missing for too long by now; none when that is over.
    Withheld(Vec<Withheld>),
}

/// A witness that has cosigned a head that the known log does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherLog {
    /// The witness.
    pub witness: PeerId,
    /// Its site.
    pub site: String,
    /// Leaves of the head that it signed.
    pub size: u64,
}

/// Why a witness signs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silent {
    /// Its store lost what it signed last, and too few have said what they have.
    Lost,
    /// It has signed a head that the log does not contain.
    OtherLog,
}
