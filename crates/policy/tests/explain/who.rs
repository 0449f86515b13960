//! Who can reach a place: those whom decisions let through, and nobody else.

use std::collections::BTreeSet;

use policy::{End, Explainer, explain::Inbound};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use wire::{UserId, net::PortRange};

use crate::{addresses, sent::Sent, wider::arb_wide_world, world::World};

/// The tenants of a run.
const WORLDS: usize = 250;

/// Gives two nodes the same routes, and tags that rules with `via` name.
pub(crate) fn twin(world: &mut World) {
    let route = "10.1.0.0/16".parse().unwrap();
    let exits = ["0.0.0.0/0", "::/0"].map(|r| r.parse().unwrap());
    for (node, tag) in world.nodes.iter_mut().zip(["tag:web", "tag:db"]) {
        node.tags = vec![tag.to_owned()];
        node.routes = vec![route];
        node.exit_routes = exits.to_vec();
    }
    if !world.directory.routes.contains(&route) {
        world.directory.routes.push(route);
    }
}

/// Asks about every address of every node of the tenant, and behind it: how many answers were
/// held, how many sources were people, and how many answers named a device that another router
/// lets in.
fn hold(world: &World) -> [usize; 3] {
    let (document, law) = (world.parsed(), world.compiled());
    let explainer = Explainer::new(&document, &world.directory);
    let sent = Sent::new(&law, &world.nodes);
    let (mut held, mut with_people, mut elsewhere) = (0, 0, 0);
    for node in &world.nodes {
        for address in addresses(node) {
            let to = End { node, address };
            for (proto, port) in [(6, 22), (6, 8500), (17, 53), (1, 0), (58, 0)] {
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
                        .any(|from| sent.passes(from, to, proto, port))
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
                let here = |at: &usize| {
                    let from = &world.nodes[*at];
                    let mut own = from.addresses.iter().copied();
                    own.any(|address| {
                        sent.gets_in(
                            End {
                                node: from,
                                address,
                            },
                            to,
                            proto,
                            port,
                        )
                    })
                };
                elsewhere += usize::from(!passing.iter().all(here));
                held += 1;
            }
        }
    }
    [held, with_people, elsewhere]
}

#[test]
fn nobody_is_told_to_reach_a_place_whom_decisions_keep_out() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"who reaches it: those, no other!");
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut held, mut with_people) = (0, 0);
    let mut elsewhere = 0;
    for n in 0..WORLDS {
        let mut world = arb_wide_world().new_tree(&mut runner).unwrap().current();
        if n % 2 == 1 {
            twin(&mut world);
        }
        let [h, p, e] = hold(&world);
        held += h;
        with_people += p;
        elsewhere += e;
    }
    assert!(
        with_people > held / 50,
        "{with_people} of {held} name people"
    );
    assert!(
        elsewhere > 30,
        "{elsewhere} of {held} are let in by another router"
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
