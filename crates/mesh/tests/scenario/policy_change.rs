//! The filter decides, and a change of policy ends open flows.

use mesh::event::Dropped;
use wire::net::PortRange;

use crate::world::{Site, World, allow, secs};

fn arrives(world: &mut World, port: u16) -> bool {
    world.take_payloads(1);
    world.send(0, 1, port, b"knock");
    world.run(secs(1));
    !world.take_payloads(1).is_empty()
}

#[test]
fn only_allowed_ports_are_reached() {
    let mut world = World::new(&[Site::Public, Site::Public]);
    world.set_policy(vec![allow("100.64.0.1", PortRange::one(22))]);
    world.run(secs(1));
    assert!(arrives(&mut world, 22));
    assert!(!arrives(&mut world, 80));
    assert!(world.agents[1].node.dropped(Dropped::Refused) > 0);
}

#[test]
fn an_open_flow_ends_when_the_policy_no_longer_allows_it() {
    let mut world = World::new(&[Site::Public, Site::Public]);
    world.run(secs(1));
    assert!(arrives(&mut world, 80));
    world.set_policy(vec![allow("*", PortRange::one(22))]);
    assert!(!arrives(&mut world, 80));
    world.set_policy(vec![allow("*", PortRange::ANY)]);
    assert!(arrives(&mut world, 80));
}

#[test]
fn answers_pass_without_a_rule() {
    let mut world = World::new(&[Site::Public, Site::Public]);
    world.set_policy_of(0, vec![]);
    world.run(secs(1));
    assert!(arrives(&mut world, 4001));
    world.answer_from(1, 0, 4001, b"welcome");
    world.run(secs(1));
    assert_eq!(world.take_payloads(0), [b"welcome"]);
    world.send(1, 0, 4002, b"unasked");
    world.run(secs(1));
    assert!(world.take_payloads(0).is_empty());
}

#[test]
fn no_rules_let_nothing_in() {
    let mut world = World::new(&[Site::Public, Site::Public]);
    world.set_policy(vec![]);
    world.run(secs(1));
    assert!(!arrives(&mut world, 22));
}
