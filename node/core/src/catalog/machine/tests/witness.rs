//! Cosignatures between nodes: each gets all, what is no witness's word costs
//! little, and no witness ever signs two roots of a size.

use std::collections::VecDeque;

use patchmesh_trust::annex::keys::{Keys, Witness};
use patchmesh_trust::key::{NodeKey, PublicKey};
use patchmesh_trust::log::cosignature::Cosignature;
use patchmesh_trust::log::head::LogHead;
use patchmesh_trust::log::tree::Tree;
use proptest::prelude::*;

use super::*;
use crate::fixture::host::Store;
use crate::record::Witnessed;
use crate::time::UtcTime;

const SEED: [u8; 32] = [40; 32];

fn key(number: u8) -> NodeKey {
    NodeKey::from_seed([number; 32])
}

fn id(number: u8) -> PeerId {
    PeerId(key(number).public())
}

/// A network with a log, in which the nodes of these numbers are witnesses.
fn network(witnesses: &[u8]) -> Publisher {
    let mut publisher = Publisher::new();
    publisher.log.tree = Some(Tree::default());
    let witness = |number: &u8| Witness {
        key: PublicKey::ed25519(&key(*number).public()).unwrap(),
        site: format!("site-{number}"),
    };
    let keys = Keys {
        witnesses: witnesses.iter().map(witness).collect(),
        ..Keys::default()
    };
    publisher.keys = Some(keys.write().unwrap());
    publisher
}

fn signed(number: u8, publisher: &Publisher, head: LogHead) -> Cosignature {
    Cosignature::sign(&key(number), &publisher.mesh_id(), head, UTC).unwrap()
}

/// A desk that holds everything that is published.
fn informed(publisher: &Publisher, number: u8) -> Desk {
    let restored = Restored {
        witnessed: Some(Witnessed::default()),
        ..Restored::default()
    };
    let mut desk = Desk::restored(publisher, id(number), restored);
    inform(&mut desk, publisher);
    desk
}

fn inform(desk: &mut Desk, publisher: &Publisher) {
    let version = publisher.version;
    desk.peer_up(FAR, Path::Wan, [1, version, version]);
    desk.settle(&publisher.folder);
    assert_eq!(head(desk)[1], version);
    assert!(!desk.catalog.verifier.lacks_leaves());
    desk.tell(Event::PeerDown { peer: FAR });
}

/// Nodes with numbers and connections; what they say is carried in order.
struct Carrier {
    numbers: Vec<u8>,
    desks: Vec<Desk>,
    mesh_id: [u8; 32],
    sent: usize,
}

impl Carrier {
    fn new(publisher: &Publisher, numbers: &[u8]) -> Self {
        let desks = numbers.iter().map(|number| informed(publisher, *number));
        Self {
            numbers: numbers.to_vec(),
            desks: desks.collect(),
            mesh_id: publisher.mesh_id(),
            sent: 0,
        }
    }

    fn meet(&mut self, a: usize, b: usize) {
        for (me, other) in [(a, b), (b, a)] {
            let head = head(&self.desks[other]);
            let peer = id(self.numbers[other]);
            self.desks[me].peer_up(peer, Path::Lan, head);
        }
    }

    /// Carries what is said of cosignatures until nothing is.
    fn carry(&mut self) {
        let mut line = VecDeque::new();
        loop {
            for at in 0..self.desks.len() {
                let from = id(self.numbers[at]);
                for action in std::mem::take(&mut self.desks[at].said) {
                    let (to, event) = match action {
                        Action::Cosign { head, utc } => {
                            let key = key(self.numbers[at]);
                            let signed = Cosignature::sign(&key, &self.mesh_id, head, utc);
                            let cosignature = Box::new(signed.unwrap());
                            let from = None;
                            (
                                id(self.numbers[at]),
                                Event::Cosignature { from, cosignature },
                            )
                        }
                        Action::SendCosignature { to, cosignature } => {
                            self.sent += 1;
                            let (from, cosignature) = (Some(from), Box::new(cosignature));
                            (to, Event::Cosignature { from, cosignature })
                        }
                        Action::SendCosigned { to, digest, asks } => {
                            (to, Event::Cosigned { from, digest, asks })
                        }
                        _ => continue,
                    };
                    line.push_back((to, event));
                }
            }
            let Some((to, event)) = line.pop_front() else {
                return;
            };
            let to = self.numbers.iter().position(|number| id(*number) == to);
            // Who told them at first is gone.
            if let Some(to) = to {
                self.desks[to].tell(event);
            }
        }
    }

    fn heads(&self, at: usize) -> Vec<Option<LogHead>> {
        let shown = self.desks[at].catalog.witnesses().shown();
        shown.map(|one| one.kept.map(|kept| kept.head)).collect()
    }
}

/// T-76, T-77: along a line of eight with a witness at each end.
#[test]
fn every_node_gets_every_cosignature_once_and_a_late_one_gets_all_from_one() {
    let numbers = [50, 51, 52, 53, 54, 55, 56, 57];
    let mut publisher = network(&[50, 57]);
    publisher.publish(&[], 90);
    let mut mesh = Carrier::new(&publisher, &numbers);
    for at in 0..7 {
        mesh.meet(at, at + 1);
    }
    mesh.carry();
    let newest = publisher.log.head();
    for at in 0..8 {
        assert_eq!(mesh.heads(at), [newest; 2], "node {at}");
    }
    let links = 7;
    assert!(mesh.sent <= 2 * 2 * 2 * links, "{} messages", mesh.sent);
    let before = mesh.sent;
    mesh.carry();
    assert_eq!(mesh.sent, before, "nothing is said again");

    mesh.numbers.push(58);
    mesh.desks.push(informed(&publisher, 58));
    mesh.meet(3, 8);
    mesh.carry();
    assert_eq!(mesh.heads(8), [newest; 2]);
    assert_eq!(mesh.sent, before + 2, "one neighbour sent them");
    // A neighbour that is not at its newest yet keeps the word until it is.
    let news = publisher.publish(&[], 90);
    let hear = |mesh: &mut Carrier, at: usize| {
        let desk = &mut mesh.desks[at];
        desk.peer_up(FAR, Path::Lan, [1, 0, 0]);
        assert_eq!(desk.gossip(FAR, &news), Verdict::Accept);
        desk.tell(Event::PeerDown { peer: FAR });
    };
    for at in [0, 2, 3] {
        hear(&mut mesh, at);
    }
    mesh.carry();
    assert_eq!(mesh.heads(1)[1], newest, "not held yet");
    assert!(!mesh.heads(3).contains(&publisher.log.head()));
    hear(&mut mesh, 1);
    mesh.carry();
    assert!(mesh.heads(3).contains(&publisher.log.head()));
}

/// T-77: what a thief of no witness's key can send.
#[test]
fn attack_forged_cosignatures_change_nothing_and_travel_no_further() {
    let mut publisher = network(&[50, 51]);
    publisher.publish(&[], 90);
    publisher.publish(&[], 90);
    let mut desk = informed(&publisher, 60);
    for peer in [FAR, OTHER] {
        let head = head(&desk);
        desk.peer_up(peer, Path::Lan, head);
    }
    desk.said.clear();
    let newest = publisher.log.head().unwrap();
    let genuine = signed(50, &publisher, newest);
    let bent = |change: &dyn Fn(&mut Cosignature)| {
        let mut one = genuine.clone();
        change(&mut one);
        one
    };
    let forged = [
        signed(99, &publisher, newest),
        bent(&|one| one.witness = key(51).public()),
        bent(&|one| one.witness = key(99).public()),
        bent(&|one| one.head.size -= 1),
        bent(&|one| one.head.size += 1),
        bent(&|one| one.head.root[0] ^= 1),
        bent(&|one| one.signature[3] ^= 1),
        bent(&|one| one.signature[40] ^= 1),
    ];
    let tell = |desk: &mut Desk, one: &Cosignature| {
        let (from, cosignature) = (Some(FAR), Box::new(one.clone()));
        desk.tell(Event::Cosignature { from, cosignature });
        std::mem::take(&mut desk.said)
    };
    let travels = |said: &[Action]| {
        said.iter()
            .any(|action| matches!(action, Action::SendCosignature { .. } | Action::Persist(_)))
    };
    for one in &forged {
        let said = tell(&mut desk, one);
        assert!(!travels(&said), "{one:?}");
        let refused = said.iter().any(|action| match action {
            Action::Notify(Notice::Refused { what, code, .. }) => {
                what == "cosignature" && ["BadSignature", "UnknownKey"].contains(code)
            }
            _ => false,
        });
        assert!(refused, "{one:?}");
    }
    assert_eq!(desk.catalog.witnesses().count(0).keys, 0);
    let said = tell(&mut desk, &genuine);
    let to = said.iter().filter_map(|action| match action {
        Action::SendCosignature { to, .. } => Some(*to),
        _ => None,
    });
    assert_eq!(to.collect::<Vec<_>>(), [OTHER], "not back to who gave it");
    for replay in [&genuine, &signed(50, &publisher, newest)] {
        assert_eq!(tell(&mut desk, replay), [], "a replay is passed over");
    }
    // Above its limit nothing of a peer is looked at, genuine or not.
    let other = signed(51, &publisher, newest);
    for _ in 0..600 {
        tell(&mut desk, &forged[5]);
    }
    assert!(!travels(&tell(&mut desk, &other)));
    desk.now.mono.0 += 1_000_001;
    assert!(travels(&tell(&mut desk, &other)));
    assert_eq!(desk.catalog.witnesses().count(0).keys, 2);
}

/// What happens to a witness.
#[derive(Debug, Clone)]
enum Fate {
    /// It is told of this publication of this view.
    Hears(usize, usize),
    /// Its driver ends after this many outputs of the event, and starts anew.
    Killed(usize, usize, usize),
    /// Its record is gone.
    LosesRecord,
    /// Its leaves, documents and cosignatures are gone, the record is not.
    LosesRest,
    /// Somebody gives it the cosignatures that it made.
    Reminded,
    /// Its clock is set.
    Clock(i64),
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let place = || (0..2_usize, 0..6_usize);
    let fate = prop_oneof![
        6 => place().prop_map(|(view, at)| Fate::Hears(view, at)),
        3 => (place(), 0..9_usize).prop_map(|((view, at), cut)| Fate::Killed(view, at, cut)),
        1 => Just(Fate::LosesRecord),
        1 => Just(Fate::LosesRest),
        1 => Just(Fate::Reminded),
        1 => (-400_i64..400).prop_map(Fate::Clock),
    ];
    proptest::collection::vec(fate, 1..24)
}

/// Two views of one network: they differ from the third publication on.
fn views() -> [Vec<Publisher>; 2] {
    [0_u32, 1].map(|view| {
        (1..7_u32)
            .map(|count| {
                let mut publisher = network(&[40]);
                for at in 0..count {
                    let chunks = 1 + at + if at > 1 { view } else { 0 };
                    publisher.publish(&[index("KB-1", 0, chunks)], 90);
                }
                publisher
            })
            .collect()
    })
}

/// One witness, its disk, and all it ever signed.
struct Lived {
    store: Store,
    desk: Desk,
    utc: UtcTime,
    signed: Vec<Cosignature>,
}

impl Lived {
    fn new(publisher: &Publisher) -> Self {
        let mut store = Store::default();
        store.commit(Record::Witnessed(Witnessed::default()));
        let desk = Desk::restored(publisher, id(40), store.restore());
        Self {
            store,
            desk,
            utc: UTC,
            signed: vec![],
        }
    }

    fn restart(&mut self, publisher: &Publisher) {
        self.desk = Desk::restored(publisher, id(40), self.store.restore());
        self.desk.now.utc = self.utc;
    }

    /// Carries out what was said, up to the cut.
    fn live(&mut self, publisher: &Publisher, mut left: usize) {
        loop {
            let said = std::mem::take(&mut self.desk.said);
            if said.is_empty() {
                return;
            }
            for action in said {
                if left == 0 {
                    return self.restart(publisher);
                }
                left -= 1;
                match action {
                    Action::Persist(record) => self.store.commit(record),
                    Action::Cosign { head, utc } => {
                        let key = NodeKey::from_seed(SEED);
                        let one = Cosignature::sign(&key, &publisher.mesh_id(), head, utc);
                        let one = one.unwrap();
                        self.signed.push(one.clone());
                        let (from, cosignature) = (None, Box::new(one));
                        self.desk.tell(Event::Cosignature { from, cosignature });
                    }
                    _ => {}
                }
            }
        }
    }

    fn hear(&mut self, publisher: &Publisher, cut: usize) {
        let version = publisher.version;
        self.desk.peer_up(FAR, Path::Wan, [1, version, version]);
        self.desk.settle(&publisher.folder);
        self.desk.tell(Event::PeerDown { peer: FAR });
        self.live(publisher, cut);
    }

    fn meet(&mut self, fate: &Fate, views: &[Vec<Publisher>; 2]) {
        let any = &views[0][0];
        match *fate {
            Fate::Hears(view, at) => self.hear(&views[view][at], usize::MAX),
            Fate::Killed(view, at, cut) => self.hear(&views[view][at], cut),
            Fate::LosesRecord => {
                self.store.witnessed = None;
                self.restart(any);
            }
            Fate::LosesRest => {
                let witnessed = self.store.witnessed;
                self.store = Store::default();
                self.store.witnessed = witnessed;
                self.restart(any);
            }
            Fate::Reminded => {
                self.desk.peer_up(FAR, Path::Wan, [1, 0, 0]);
                for one in self.signed.clone() {
                    let (from, cosignature) = (Some(FAR), Box::new(one));
                    self.desk.tell(Event::Cosignature { from, cosignature });
                }
                let (digest, asks) = ([0; 32], false);
                self.desk.tell(Event::Cosigned {
                    from: FAR,
                    digest,
                    asks,
                });
                self.desk.now.mono = self.desk.now.mono.plus(Duration::secs(11));
                self.desk.tell(Event::Tick);
                self.desk.asks.clear();
                self.desk.tell(Event::PeerDown { peer: FAR });
                self.live(any, usize::MAX);
            }
            Fate::Clock(by) => {
                self.utc.0 += by;
                self.desk.now.utc = self.utc;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// T-76.
    #[test]
    fn no_witness_signs_two_roots_of_a_size_nor_goes_back(fates in fates()) {
        let views = views();
        let mut lived = Lived::new(&views[0][0]);
        for fate in &fates {
            lived.meet(fate, &views);
        }
        for pair in lived.signed.windows(2) {
            let (one, two) = (&pair[0], &pair[1]);
            prop_assert!(one.head.size <= two.head.size, "{:?}", fates);
            prop_assert!(one.head.size < two.head.size || one.head.root == two.head.root);
            prop_assert!(one.stated() <= two.stated());
        }
        let sizes: Vec<u64> = lived.signed.iter().map(|one| one.head.size).collect();
        let of = |view: usize| views[view].iter().map(|one| one.log.head().unwrap());
        for view in [0, 1] {
            let heads: Vec<LogHead> = of(view).collect();
            let all = lived.signed.iter().all(|one| heads.contains(&one.head));
            if all {
                return Ok(());
            }
        }
        prop_assert!(sizes.is_empty(), "two views were signed: {:?}", fates);
    }
}
