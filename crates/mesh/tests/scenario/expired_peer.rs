//! Keys end: by the server's word, and by the clock when the server is away.

use mesh::event::{Dropped, Event, PingResult};

use crate::{
    stream::Stream,
    world::{Site, World, secs},
};

fn talking() -> (World, Stream) {
    let mut world = World::new(&[Site::Public, Site::Public]);
    world.run(secs(1));
    let mut stream = Stream::new(0, 1);
    stream.run(&mut world, secs(5));
    assert_eq!(stream.lost(), [0; 0]);
    (world, stream)
}

#[test]
fn a_peer_that_the_server_calls_expired_gets_nothing_more() {
    let (mut world, mut stream) = talking();
    world.expire(1);
    world.take_payloads(1);
    let before = stream.sent();
    stream.run(&mut world, secs(5));
    assert_eq!(stream.lost().len(), stream.sent() - before);
    let node = &world.agents[0].node;
    assert!(node.dropped(Dropped::PeerExpired) > 0);
    assert!(world.agents[1].events.contains(&Event::SelfExpired));
}

#[test]
fn an_expired_peer_cannot_shake_hands_or_be_pinged() {
    let (mut world, _) = talking();
    // Only the first node knows: the second still tries.
    let (id, now) = (world.agents[1].id, world.net.now());
    world.expire_for(0, 1);
    world.take_payloads(0);
    let mut back = Stream::new(1, 0);
    back.run(&mut world, secs(30));
    assert_eq!(back.lost().len(), back.sent());
    let ping = world.agents[0].node.ping(id, now);
    world.run(secs(1));
    assert_eq!(world.answer(0, ping), Some(PingResult::Expired));
}

#[test]
fn a_ping_under_way_ends_with_the_peer_s_key() {
    let mut world = World::new(&[Site::UdpBlocked, Site::Public]);
    world.has_relays = false;
    world.run(secs(1));
    let (id, now) = (world.agents[1].id, world.net.now());
    let ping = world.agents[0].node.ping(id, now);
    world.expire(1);
    world.run(secs(2));
    assert_eq!(world.answer(0, ping), Some(PingResult::Expired));
}

#[test]
fn a_key_ends_by_the_clock_without_the_server() {
    let (mut world, mut stream) = talking();
    world.expire_in(1, secs(60));
    stream.run(&mut world, secs(58));
    assert_eq!(stream.lost(), [0; 0]);
    world.run(secs(3));
    let before = stream.sent();
    stream.run(&mut world, secs(5));
    assert_eq!(stream.lost().len(), stream.sent() - before);
    assert!(world.agents[1].events.contains(&Event::SelfExpired));
}

#[test]
fn without_a_netmap_nothing_passes() {
    let mut world = World::new(&[Site::Public, Site::Public]);
    world.forget_netmap(0);
    world.send(0, 1, 80, b"early");
    assert_eq!(world.agents[0].node.dropped(Dropped::Closed), 1);
}
