//! Gossip of announcements: parameters, and messages that wait for a verdict.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, IdentityTransform, Message, MessageAcceptance,
    MessageAuthenticity, MessageId, PeerScoreParams, PeerScoreThresholds, TopicHash,
    TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
};
use patchmesh_content::id::blake3;
use patchmesh_core::catalog::peers::REJECTS_MAX;
use patchmesh_core::ids::GossipId;
use patchmesh_core::message::Announcement;
use patchmesh_core::output::Verdict;
use patchmesh_proto::limits::GOSSIP_LEN_MAX;

use crate::limits::GOSSIP_PENDING_MAX;

/// gossipsub with one allowed topic.
pub(crate) type Gossipsub = Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// A message that was seen comes back for as long as someone replays it (G-03).
const DUPLICATES_KEPT: Duration = Duration::from_mins(15);
/// Room for gossipsub's own fields around one message of full length.
const ENVELOPE_LEN: usize = 512;
/// One rejected message outweighs all that a peer can earn by being there.
const INVALID_MESSAGE_WEIGHT: f64 = -100.0;
/// What a peer has when the engine turns it away for what was rejected of it:
/// gossipsub, which squares their number, passes nobody over before, since the
/// engine could not count what it does not see (T-41).
const TURNED_AWAY_SCORE: f64 = {
    let rejects = (REJECTS_MAX + 1) as f64;
    INVALID_MESSAGE_WEIGHT * rejects * rejects
};
/// Most that time in the mesh can earn.
const TIME_IN_MESH_CAP: f64 = 10.0;

/// Messages that wait for a verdict (G-02).
#[derive(Debug)]
pub(crate) struct Gossip {
    topic: IdentTopic,
    pending: BTreeMap<GossipId, (MessageId, PeerId)>,
    next: u64,
}

/// The topic of a mesh.
fn topic(mesh: &str) -> IdentTopic {
    IdentTopic::new(format!("patchmesh/{mesh}/head"))
}

/// gossipsub, subscribed to the topic of the mesh.
pub(crate) fn behaviour(mesh: &str) -> Gossipsub {
    let topic = topic(mesh);
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        // By the bytes, not by the statement in them, of which a broken text may
        // come first (T-39).
        .message_id_fn(|message: &Message| MessageId::from(blake3(&message.data).to_vec()))
        .duplicate_cache_time(DUPLICATES_KEPT)
        .max_transmit_size(GOSSIP_LEN_MAX + ENVELOPE_LEN)
        .flood_publish(false)
        .build()
        .expect("the parameters are constants and agree");
    let filter = WhitelistSubscriptionFilter(HashSet::from([topic.hash()]));
    let mut gossipsub =
        Gossipsub::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)
            .expect("anonymous mode agrees with anonymous validation");
    gossipsub
        .with_peer_score(score(&topic.hash()), thresholds())
        .expect("the weights are constants of the right sign");
    gossipsub
        .subscribe(&topic)
        .expect("the topic is the one that is allowed");
    gossipsub
}

/// Branches share an address and topics are quiet, so neither colocation nor
/// missing deliveries may count against a peer.
fn score(topic: &TopicHash) -> PeerScoreParams {
    let of_topic = TopicScoreParams {
        time_in_mesh_cap: TIME_IN_MESH_CAP,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: INVALID_MESSAGE_WEIGHT,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: HashMap::from([(topic.clone(), of_topic)]),
        ip_colocation_factor_weight: 0.0,
        ..PeerScoreParams::default()
    }
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        graylist_threshold: TURNED_AWAY_SCORE,
        ..PeerScoreThresholds::default()
    }
}

impl Gossip {
    pub(crate) fn new(mesh: &str) -> Self {
        Self {
            topic: topic(mesh),
            pending: BTreeMap::new(),
            next: 0,
        }
    }

    /// A message came: an id to judge it by; `None` where too many wait, and
    /// it is ignored.
    pub(crate) fn came(
        &mut self,
        gossipsub: &mut Gossipsub,
        message: MessageId,
        from: PeerId,
    ) -> Option<GossipId> {
        if self.pending.len() >= GOSSIP_PENDING_MAX {
            report(gossipsub, &message, &from, Verdict::Ignore);
            return None;
        }
        let id = GossipId(self.next);
        self.next += 1;
        self.pending.insert(id, (message, from));
        Some(id)
    }

    /// The verdict on a message.
    pub(crate) fn judge(&mut self, gossipsub: &mut Gossipsub, id: GossipId, verdict: Verdict) {
        if let Some((message, from)) = self.pending.remove(&id) {
            report(gossipsub, &message, &from, verdict);
        }
    }

    /// Publishes; without neighbours there is nobody to tell.
    pub(crate) fn publish(&self, gossipsub: &mut Gossipsub, announcement: &Announcement) {
        if let Err(error) = gossipsub.publish(self.topic.hash(), announcement.encode()) {
            tracing::debug!(%error, "an announcement was not published");
        }
    }
}

/// Tells gossipsub the verdict on a message.
pub(crate) fn report(
    gossipsub: &mut Gossipsub,
    message: &MessageId,
    from: &PeerId,
    verdict: Verdict,
) {
    let acceptance = match verdict {
        Verdict::Accept => MessageAcceptance::Accept,
        Verdict::Ignore => MessageAcceptance::Ignore,
        Verdict::Reject => MessageAcceptance::Reject,
    };
    if !gossipsub.report_message_validation_result(message, from, acceptance) {
        tracing::debug!(%message, "a verdict came after the message was forgotten");
    }
}
