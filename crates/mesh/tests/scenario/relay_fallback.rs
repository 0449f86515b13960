//! UDP comes and goes; the relay carries on meanwhile.

use mesh::event::PathAddr;
use simnet::{host::Udp, nat::Behaviour, trace::Fate};

use crate::{
    stream::Stream,
    world::{REGION, Site, World, millis, secs},
};

const EASY: Site = Site::Behind(Behaviour::EASY);

#[test]
fn the_first_packet_arrives_over_the_relay_and_the_path_becomes_direct() {
    let mut world = World::new(&[EASY, EASY]);
    world.run(secs(1));
    world.send(0, 1, 80, b"first");
    world.run(millis(200));
    assert_eq!(world.take_payloads(1), [b"first"]);
    world.wait(secs(5), "a direct path both ways", |w| w.is_direct(0, 1));
}

#[test]
fn without_udp_everything_goes_through_the_relay_and_nothing_is_lost() {
    let mut world = World::new(&[Site::UdpBlocked, EASY]);
    world.run(secs(5));
    let mut stream = Stream::new(0, 1);
    stream.run(&mut world, secs(20));
    assert_eq!(world.path(0, 1), Some(PathAddr::Relay(REGION)));
    assert_eq!(stream.lost(), [0; 0]);
}

#[test]
fn when_udp_returns_the_path_upgrades_and_no_packet_is_lost() {
    let mut world = World::new(&[Site::UdpBlocked, EASY]);
    world.run(secs(5));
    let mut stream = Stream::new(0, 1);
    let mut back = Stream::new(1, 0);
    for _ in 0..200 {
        stream.step(&mut world);
        back.step(&mut world);
    }
    let host = world.agents[0].host;
    world.net.set_udp(host, Udp::Passes);
    for _ in 0..4_000 {
        stream.step(&mut world);
        back.step(&mut world);
    }
    assert!(world.is_direct(0, 1), "the path has upgraded");
    assert!(world.is_direct(1, 0), "both ways");
    world.run(secs(1));
    stream.collect(&mut world);
    back.collect(&mut world);
    assert_eq!(stream.lost(), [0; 0]);
    assert_eq!(back.lost(), [0; 0]);
}

#[test]
fn when_udp_goes_only_what_was_sent_within_the_trust_is_lost() {
    let mut world = World::new(&[EASY, EASY]);
    world.run(secs(1));
    let mut stream = Stream::new(0, 1);
    stream.run(&mut world, secs(10));
    assert!(world.is_direct(0, 1));
    let host = world.agents[0].host;
    world.net.set_udp(host, Udp::Blocked);
    let before = stream.sent();
    stream.run(&mut world, secs(30));
    let lost = stream.lost();
    assert_eq!(world.path(0, 1), Some(PathAddr::Relay(REGION)));
    let last = lost.last().map_or(before, |n| n + 1);
    assert!(
        last - before <= Stream::per(millis(6_600)),
        "lost up to {last}, blocked at {before}"
    );
}

#[test]
fn without_relays_the_first_packet_is_answered() {
    let mut world = World::new(&[Site::Public, Site::Public]);
    world.has_relays = false;
    world.run(secs(1));
    world.send(0, 1, 80, b"first");
    world.wait(secs(2), "the first packet", |w| {
        !w.agents[1].inbox.is_empty()
    });
    world.answer_from(1, 0, 80, b"answer");
    world.run(secs(1));
    assert_eq!(world.take_payloads(0), [b"answer"]);
}

#[test]
fn a_path_that_stays_silent_is_spared_the_packets_that_the_relay_carries() {
    let mut world = World::new(&[EASY, EASY]);
    world.run(secs(1));
    let mut stream = Stream::new(0, 1);
    stream.run(&mut world, secs(10));
    let host = world.agents[0].host;
    world.net.set_udp(host, Udp::Blocked);
    stream.run(&mut world, secs(40));
    let before = world.net.trace().entries.len();
    let lost = stream.lost().len();
    stream.run(&mut world, secs(20));
    let wasted = world.net.trace().entries[before..]
        .iter()
        .filter(|e| e.what == "data" && e.fate == Fate::Blocked);
    assert_eq!(wasted.count(), 0);
    world.net.set_udp(host, Udp::Passes);
    stream.run(&mut world, secs(20));
    assert!(world.is_direct(0, 1), "it is still tried");
    assert_eq!(stream.lost().len(), lost);
}
