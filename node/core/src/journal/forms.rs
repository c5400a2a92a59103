//! The recorded form of each type: fields in this order, variants by number. A
//! number is never used again for something else.

use patchmesh_content::geometry::{ChunkIndex, SpanIndex};
use patchmesh_content::id::{ChunkId, ContentId, PeerId};
use patchmesh_proto::frame::FrameRefusal;
use patchmesh_trust::annex::name::AnnexName;
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::stop::set::Mark;
use patchmesh_trust::stop::signed::SignedStop;

use crate::config::{Config, Mode};
use crate::ids::{AskId, AskedId, CommandId, FetchId, GossipId, HelloId, InstallId, ServeId};
use crate::input::{Answered, Command, Fetched, HostChange, Input, Installed};
use crate::journal::codec::{Form, Reader, Writer};
use crate::message::{Announcement, Decline, DeclineReason, DocumentRef, Message, Want};
use crate::peer::{Down, Proof};
use crate::record::{ReleaseState, Restored, StoredStops, Witnessed};
use crate::rng::Seed;
use crate::time::{Duration, Now, Time, UtcTime};

macro_rules! newtypes {
    ($($name:ident),* $(,)?) => {$(
        impl Form for $name {
            fn put(&self, to: &mut Writer) {
                self.0.put(to);
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                Form::take(from).map(Self)
            }
        }
    )*};
}

macro_rules! structs {
    ($($name:ident { $($field:ident),* $(,)? })*) => {$(
        impl Form for $name {
            fn put(&self, to: &mut Writer) {
                $(self.$field.put(to);)*
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                Some(Self { $($field: Form::take(from)?),* })
            }
        }
    )*};
}

macro_rules! enums {
    ($($name:ident {
        $($tag:literal $variant:ident $({ $($field:ident),* })? $(($item:ident))?),* $(,)?
    })*) => {$(
        impl Form for $name {
            fn put(&self, to: &mut Writer) {
                match self {
                    $(Self::$variant $({ $($field),* })? $(($item))? => {
                        to.bytes.push($tag);
                        $($($field.put(to);)*)?
                        $($item.put(to);)?
                    })*
                }
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                match u8::take(from)? {
                    $($tag => {
                        $(let $item = Form::take(from)?;)?
                        Some(Self::$variant
                            $({ $($field: Form::take(from)?),* })?
                            $(($item))?)
                    })*
                    _ => None,
                }
            }
        }
    )*};
}

newtypes! {
    AskId, AskedId, ChunkId, ChunkIndex, CommandId, ContentId, Duration, FetchId, GossipId,
    HelloId, InstallId, PeerId, Seed, ServeId, SpanIndex, Time, UtcTime,
}

structs! {
    Announcement { root_version, timestamp, log_from, leaves }
    Config { peer, site, lines, automatic, mode, weight, bootstrap }
    Cosignature { witness, head, signature }
    Decline { reason, retry_after, holders }
    LogHead { size, root }
    Now { mono, utc }
    Proof { peer, certificate, signature, protocol, head, mark, addresses }
    Mark { version, digest }
    SignedStop { payload, key, signature }
    StoredStops { list, outstanding }
    Restored { documents, floors, proofs, annexes, log, witnessed, cosignatures, stops, indexes,
        releases, chunks }
    Want { content, chunk, unreachable }
    Witnessed { head, utc }
}

enums! {
    Answered { 0 Bytes(bytes), 1 Failed, 2 Gone }
    Command { 0 Fetch { release }, 1 Forget { release }, 2 Refresh, 3 Stop { bytes } }
    DeclineReason { 0 Busy, 1 Gone, 2 HeldBySite, 3 Leased, 4 Refused }
    DocumentRef { 0 Metadata { role, version }, 1 Index { sha256, name },
        2 Annex { name, sha256 } }
    Down { 0 Closed, 1 Local, 2 TimedOut }
    Fetched { 0 Corrupt, 1 Declined(decline), 2 Held, 3 NoRoom, 4 Stalled }
    FrameRefusal { 0 Malformed, 1 TooManyElements, 2 TooLarge }
    HostChange { 0 Room(room) }
    Input {
        0 Answered { ask, outcome },
        1 Asked { asked, from, document },
        2 Command { id, command },
        3 Damaged { content, chunk },
        4 Discovered { peer, addresses },
        5 Fetched { fetch, outcome },
        6 Gossip { id, from, announcement },
        7 Hello { hello, proof },
        8 Host(change),
        9 Installed { install, outcome },
        10 Message { from, message },
        11 PeerDown { peer, why },
        12 PeerUp { peer },
        13 Requested { serve, from, want },
        14 Served { serve, bytes },
        15 Tick,
        16 Cosigned { cosignature },
        17 Refused { from, refusal },
    }
    Installed { 0 Failed(reason), 1 Passed }
    Message {
        0 Have { content, all, words },
        1 Claim { holder, content, span, duration },
        2 Head(head),
        3 Interest { content },
        4 Introduce(peers),
        5 Release { content, span },
        6 Digest { version, digest, log },
        7 Alarm { role, version },
        8 Mark(mark),
        9 Stop(stop),
        10 Cosignature(cosignature),
        11 Cosigned { digest, asks },
    }
    Mode { 0 Endpoint, 1 EndpointWithHttp, 2 Origin }
    ReleaseState { 0 Known, 1 Fetching, 2 Staged, 3 Failed, 4 Applying, 5 Good }
}

impl Form for AnnexName {
    fn put(&self, to: &mut Writer) {
        self.to_string().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        String::take(from)?.parse().ok()
    }
}

impl Form for RoleName {
    fn put(&self, to: &mut Writer) {
        self.to_string().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        String::take(from)?.parse().ok()
    }
}
