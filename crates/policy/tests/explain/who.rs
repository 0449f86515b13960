//! Who can reach a place: those whom decisions let through, and nobody else.

use std::collections::BTreeSet;

use policy::{End, Explainer, explain::Inbound};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use wire::{UserId, net::PortRange};

use crate::{addresses, wider::arb_wide_world, world::World};

/// The tenants of a run.
const WORLDS: usize = 250;

/// Asks about every address of every node of the tenant, and behind it: how many answers were
/// held, and how many named a person.
fn hold(world: &World) -> [usize; 2] {
    let (document, law) = (world.parsed(), world.compiled());
    let explainer = Explainer::new(&document, &world.directory);
    let (mut held, mut with_people) = (0, 0);
    for node in &world.nodes {
        for address in addresses(node) {
            let to = End { node, address };
            for (proto, port) in [(6, 22), (6, 8500), (17, 53), (1, 0)] {
                let ports = [PortRange::one(port)];
                let asked = Inbound {
                    to,
                    proto,
                    ports: &ports,
                };
                let reaches = explainer.who_reaches(&asked, &world.nodes);
                let others = world.nodes.iter().enumerate();
                let passing: BTreeSet<usize> = others
                    .filter(|(_, from)| *from != node)
                    .filter(|(_, from)| {
                        let own = from.addresses.iter().copied();
                        own.map(|address| End {
                            node: from,
                            address,
                        })
                        .any(|from| law.decide(from, to, proto, port).is_allowed())
                    })
                    .map(|(at, _)| at)
                    .collect();
                let why = || format!("{to:?} {proto} {port} {reaches:#?}\n{}", world.document);
                let sources = || reaches.iter().flat_map(|reach| &reach.sources);
                let told: BTreeSet<usize> = sources().flat_map(|s| s.devices.clone()).collect();
                assert_eq!(told, passing, "{}", why());
                for source in sources() {
                    let devices = source.devices.iter().map(|at| &world.nodes[*at]);
                    let owners: BTreeSet<UserId> =
                        devices.filter_map(policy::NodeFacts::owner).collect();
                    let people: BTreeSet<UserId> = source.people.iter().copied().collect();
                    assert!(people.is_subset(&owners), "{}", why());
                    assert!(people.is_empty() || people == owners, "{}", why());
                    with_people += usize::from(!people.is_empty());
                }
                held += 1;
            }
        }
    }
    [held, with_people]
}

#[test]
fn nobody_is_told_to_reach_a_place_whom_decisions_keep_out() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"who reaches it: those, no other!");
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut held, mut with_people) = (0, 0);
    for _ in 0..WORLDS {
        let world = arb_wide_world().new_tree(&mut runner).unwrap().current();
        let [h, p] = hold(&world);
        held += h;
        with_people += p;
    }
    assert!(
        with_people > held / 50,
        "{with_people} of {held} name people"
    );
}

#[test]
fn autogroup_self_lets_the_owner_in_alone() {
    let text = r#"{
        "groups": {"group:dev": ["ada@example.com", "bob@example.com"]},
        "acls": [{"action": "accept", "src": ["autogroup:member", "group:dev", "*"], "dst": ["autogroup:self:22"]}]
    }"#;
    let (document, found) = policy::parse(text);
    assert!(!policy::has_errors(&found), "{found:?}");
    let users = ["ada@example.com", "bob@example.com", "eve@example.com"];
    let directory = policy::Directory {
        users: (1..)
            .zip(users)
            .map(|(id, email)| policy::User {
                id: UserId(id),
                email: email.to_owned(),
                role: wire::api::Role::Member,
            })
            .collect(),
        ..policy::Directory::default()
    };
    let nodes: Vec<policy::NodeFacts> = [1_u8, 1, 2, 3]
        .into_iter()
        .zip(1_u8..)
        .map(|(user, last)| policy::NodeFacts {
            user: Some(UserId(user.into())),
            addresses: vec![[100, 64, 0, last].into()],
            ..policy::NodeFacts::default()
        })
        .collect();
    let explainer = Explainer::new(&document, &directory);
    let asked = Inbound {
        to: End {
            node: &nodes[0],
            address: nodes[0].addresses[0],
        },
        proto: 6,
        ports: &[PortRange::one(22)],
    };
    let reaches = explainer.who_reaches(&asked, &nodes);
    let told: Vec<_> = reaches[0]
        .sources
        .iter()
        .map(|s| (s.selector.as_str(), s.people.clone(), s.devices.clone()))
        .collect();
    let ada = vec![UserId(1)];
    assert_eq!(
        told,
        [
            ("autogroup:member", ada.clone(), vec![1]),
            ("group:dev", ada, vec![1]),
            ("*", vec![], vec![1]),
        ]
    );
}
