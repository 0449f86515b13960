//! What nodes know from frames is what they are meant to know.
#![expect(clippy::unwrap_used, reason = "a test states facts and may stop")]

#[path = "steps/world.rs"]
mod world;

use std::collections::BTreeMap;

use netmap::{Form, Log, Snapshot, Told};
use proptest::{prelude::*, test_runner::RngSeed};
use wire::{
    NodeId, Timestamp, UserId,
    control::{MapResponse, NetMap},
};
use world::{Event, arb_event, tenant};

const NOW: Timestamp = Timestamp::from_unix_seconds(7);

/// A packing whose pieces may be joined, as those of Zstandard.
fn flip(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|b| b ^ 0x5a).collect()
}

const FORMS: [Form; 2] = [Form::Plain, Form::Packed(flip)];

fn read(frame: &[u8], form: Form) -> MapResponse {
    let (length, payload) = frame.split_first_chunk::<4>().unwrap();
    assert_eq!(u32::from_le_bytes(*length) as usize, payload.len());
    let json = match form {
        Form::Plain => payload.to_vec(),
        Form::Packed(_) => flip(payload),
    };
    let text = String::from_utf8(json).unwrap();
    assert!(!text.contains("null") && !text.contains('\\'), "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A node's client: where it is, and what it knows.
#[derive(Clone)]
struct Client {
    id: NodeId,
    at: Snapshot,
    knows: NetMap,
}

impl Client {
    fn new(id: NodeId, at: &Snapshot, form: Form) -> Self {
        let mut knows = NetMap::default();
        let full = read(&at.full(id, form, NOW).unwrap().concat(), form);
        let peers: Vec<_> = full.peers.iter().flatten().map(|p| p.id).collect();
        assert!(peers.is_sorted() && full.peers.is_some() && full.node.is_some());
        knows.apply(full);
        let at = at.clone();
        Self { id, at, knows }
    }

    /// Follows the log; false when the node is gone.
    fn follow(&mut self, log: &Log, form: Form) -> bool {
        let Some(step) = log.step_from(&self.at) else {
            return true;
        };
        self.at = log.newest().clone();
        match step.told(self.id, form) {
            Told::Gone => return false,
            Told::Nothing => {}
            Told::Frame(frame) => {
                let response = read(&frame.concat(), form);
                assert!(!mentions(&response, self.id), "{response:?}");
                self.knows.apply(response);
            }
        }
        true
    }

    /// What it knows, without owners of nobody any more.
    fn knowledge(&self) -> NetMap {
        let mut knows = self.knows.clone();
        let node = knows.node.clone();
        let used: Vec<_> = knows.peers.values().chain(&node).map(|n| n.user).collect();
        knows.user_profiles.retain(|id, _| used.contains(id));
        knows
    }

    fn check(&self) {
        assert_eq!(self.knowledge(), self.at.view(self.id, NOW).unwrap());
    }
}

fn mentions(response: &MapResponse, id: NodeId) -> bool {
    let removed = response.peers_removed.iter().flatten().any(|r| *r == id);
    let patched = response.peers_changed_patch.iter().flatten();
    let changed = response.peers_changed.iter().flatten();
    removed || patched.map(|p| p.node_id).any(|p| p == id) || changed.map(|n| n.id).any(|n| n == id)
}

fn apply(at: &Snapshot, events: &[Event]) -> Snapshot {
    // Each event is drawn up on what the ones before it have made.
    let mut seen = at.clone();
    let changes: Vec<_> = events
        .iter()
        .map(|e| {
            let change = e.change(&seen);
            seen = seen.apply([change.clone()]);
            change
        })
        .collect();
    let after = at.apply(changes);
    assert_eq!(
        after.nodes().collect::<Vec<_>>(),
        seen.nodes().collect::<Vec<_>>()
    );
    after
}

fn config() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(20_261_124),
        ..ProptestConfig::with_cases(256)
    }
}

fn arb_rounds() -> impl Strategy<Value = Vec<Vec<Event>>> {
    prop::collection::vec(prop::collection::vec(arb_event(), 1..6), 1..8)
}

/// A tenant with some nodes already in it.
fn start(policy: usize, first: &[Event]) -> Snapshot {
    apply(&Snapshot::new(tenant(policy), []), first)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_view_and_its_frame_are_the_next_view(
        policy in 0..12_usize,
        first in prop::collection::vec(arb_event(), 4..16),
        rounds in arb_rounds(),
        packed in any::<bool>(),
    ) {
        let form = FORMS[usize::from(packed)];
        let mut at = start(policy, &first);
        let mut clients = BTreeMap::new();
        for round in &rounds {
            at = apply(&at, round);
            let log = Log::new(at.clone());
            clients.retain(|_, client: &mut Client| client.follow(&log, form));
            for node in at.nodes() {
                let client = clients.entry(node.id).or_insert_with(|| Client::new(node.id, &at, form));
                client.check();
            }
            prop_assert_eq!(clients.len(), at.nodes().count());
        }
    }

    #[test]
    fn one_step_over_all_is_as_good_as_every_step(
        policy in 0..12_usize,
        first in prop::collection::vec(arb_event(), 4..16),
        rounds in arb_rounds(),
    ) {
        let mut at = start(policy, &first);
        let ids: Vec<_> = at.nodes().map(|n| n.id).collect();
        let mut swift: Vec<_> = ids.iter().map(|id| Client::new(*id, &at, Form::Plain)).collect();
        let mut slow = swift.clone();
        for round in &rounds {
            at = apply(&at, round);
            let log = Log::new(at.clone());
            swift.retain_mut(|c| c.follow(&log, Form::Plain));
        }
        let log = Log::new(at);
        slow.retain_mut(|c| c.follow(&log, Form::Plain));
        for client in swift {
            // A node that went and came again ends the swift stream alone.
            let Some(other) = slow.iter().find(|c| c.id == client.id) else {
                panic!("{} was lost", client.id);
            };
            prop_assert_eq!(client.knowledge(), other.knowledge());
        }
    }

    #[test]
    fn whoever_sees_is_seen(
        policy in 0..12_usize,
        first in prop::collection::vec(arb_event(), 4..24),
    ) {
        let at = start(policy, &first);
        let view = |id| Client::new(id, &at, Form::Plain).knows.peers;
        for node in at.nodes() {
            for peer in view(node.id).keys() {
                prop_assert!(view(*peer).contains_key(&node.id), "{} {peer}", node.id);
            }
            prop_assert!(node.is_active() || view(node.id).is_empty());
        }
    }
}

#[test]
fn nodes_of_a_class_share_the_bytes() {
    let join = world::plain_node;
    let at = Snapshot::new(tenant(3), (1..=300).map(join));
    let mut moved = join(7);
    moved.reach.disco_key = wire::DiscoKey::from_bytes([5; 32]);
    let log = Log::new(at.apply([netmap::Change::Reach(NodeId(7), Box::new(moved.reach))]));
    for form in FORMS {
        let frames: Vec<_> = (1..=300)
            .filter(|id| *id != 7)
            .map(
                |id| match log.step_from(&at).unwrap().told(NodeId(id), form) {
                    Told::Frame(frame) => frame[0].clone(),
                    told @ (Told::Nothing | Told::Gone) => panic!("{told:?}"),
                },
            )
            .collect();
        assert!(frames.iter().all(|f| f.as_ptr() == frames[0].as_ptr()));
        assert!(frames[0].len() < 200, "{}", frames[0].len());
    }
    let own = log.step_from(&at).unwrap().told(NodeId(7), Form::Plain);
    assert_eq!(own, Told::Nothing);
}

#[test]
fn a_large_map_comes_in_pieces_that_nodes_share() {
    let at = Snapshot::new(tenant(3), (1..=2000).map(world::plain_node));
    let full = |id| at.full(NodeId(id), Form::Plain, NOW).unwrap();
    let (one, two) = (full(1), full(2000));
    let all = read(&one.concat(), Form::Plain).peers.unwrap();
    assert_eq!(all.len(), 1999);
    let shared = one
        .iter()
        .filter(|p| two.iter().any(|q| p.as_ptr() == q.as_ptr() && p.len() > 2));
    assert_eq!(shared.count(), 2000 / 128 - 1);
}

#[test]
fn classes_that_are_told_the_same_share_the_bytes() {
    // Under the starter policy each member's devices are a class of their own.
    let node = |id| netmap::Node {
        owner: netmap::Owner::User(UserId(id % 4 + 1)),
        ..world::plain_node(id)
    };
    let at = Snapshot::new(tenant(0), (1..=40).map(node));
    let log = Log::new(at.apply([netmap::Change::Node(Box::new(node(41)))]));
    for form in FORMS {
        let frames: Vec<_> = (1..=40)
            .map(
                |id| match log.step_from(&at).unwrap().told(NodeId(id), form) {
                    Told::Frame(frame) => frame[0].as_ptr(),
                    told @ (Told::Nothing | Told::Gone) => panic!("{told:?}"),
                },
            )
            .collect();
        assert!(frames.iter().all(|f| *f == frames[0]));
    }
}
