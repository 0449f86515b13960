//! A node's process that starts anew: with the same key, but no tunnels and another path-discovery key.

use wire::DiscoKey;

use crate::{
    stream::Stream,
    world::{Site, World, millis, secs},
};

const PUBLIC: Site = Site::Public;

/// Two nodes that have talked directly for a while, one way.
fn talking() -> (World, Stream) {
    let mut world = World::new(&[PUBLIC, PUBLIC]);
    world.run(secs(1));
    let mut stream = Stream::new(0, 1);
    stream.run(&mut world, secs(10));
    assert!(world.is_direct(0, 1));
    assert_eq!(stream.lost(), [0; 0]);
    (world, stream)
}

#[test]
fn a_silent_peer_that_starts_anew_is_reached_again_at_once() {
    let (mut world, mut stream) = talking();
    world.restart(1);
    stream.run(&mut world, secs(5));
    let lost = stream.lost().len();
    assert!(lost <= Stream::per(millis(100)), "{lost} packets are lost");
    assert!(world.is_direct(0, 1));
}

#[test]
fn a_node_that_starts_anew_without_server_and_relay_reaches_its_peers_and_they_it() {
    let (mut world, _) = talking();
    world.has_server = false;
    world.has_relays = false;
    world.disconnect_relays();
    world.restart(0);
    let mut stream = Stream::new(0, 1);
    let mut back = Stream::new(1, 0);
    world.take_payloads(1);
    for _ in 0..2_000 {
        stream.step(&mut world);
        back.step(&mut world);
    }
    world.run(secs(1));
    stream.collect(&mut world);
    back.collect(&mut world);
    assert_eq!(stream.lost().len(), 0);
    let lost = back.lost().len();
    assert!(lost <= Stream::per(millis(100)), "{lost} answers are lost");
}

#[test]
fn a_server_that_falls_back_to_an_old_key_costs_no_packet() {
    let (mut world, _) = talking();
    let old = world.agents[0].disco_key;
    world.restart(0);
    telling_costs_nothing(world, old);
}

#[test]
fn a_server_that_has_forgotten_a_key_costs_no_packet() {
    let (world, _) = talking();
    telling_costs_nothing(world, DiscoKey::ZERO);
}

/// No packet is lost, either way, when the server tells a wrong key of the
/// first node, no relay is there, and the right key follows.
fn telling_costs_nothing(mut world: World, key: DiscoKey) {
    let right = world.agents[0].disco_key;
    let mut stream = Stream::new(0, 1);
    let mut back = Stream::new(1, 0);
    for _ in 0..500 {
        stream.step(&mut world);
        back.step(&mut world);
    }
    world.run(millis(500));
    stream.collect(&mut world);
    back.collect(&mut world);
    let before = back.lost().len();
    assert!(
        before <= Stream::per(millis(100)),
        "{before} packets are lost"
    );
    assert!(world.is_direct(0, 1) && world.is_direct(1, 0));
    world.has_relays = false;
    world.disconnect_relays();
    for told in [key, right] {
        world.tell_disco_of(0, told);
        for _ in 0..2_000 {
            stream.step(&mut world);
            back.step(&mut world);
        }
    }
    world.run(secs(1));
    stream.collect(&mut world);
    back.collect(&mut world);
    assert_eq!(stream.lost().len(), 0);
    assert_eq!(back.lost().len(), before);
    assert!(world.is_direct(0, 1) && world.is_direct(1, 0));
}
