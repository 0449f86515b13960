//! What a peer or a stranger must not be able to do.

use std::net::Ipv4Addr;

use mesh::event::Dropped;
use wire::net::protocol;

use crate::{
    packet::udp_packet,
    world::{Site, World, secs},
};

fn pair() -> World {
    let mut world = World::new(&[Site::Public, Site::Public]);
    world.run(secs(1));
    world.send(0, 1, 80, b"hello");
    world.run(secs(1));
    assert_eq!(world.take_payloads(1), [b"hello"]);
    world
}

#[test]
fn an_inner_source_that_is_not_the_peers_is_dropped() {
    let mut world = pair();
    for source in [Ipv4Addr::new(100, 64, 0, 9), world.agents[1].ip] {
        let packet = udp_packet(source, world.agents[1].ip, 80, b"forged");
        world.send_packet(0, &packet);
        world.run(secs(1));
    }
    assert!(world.agents[1].inbox.is_empty());
    assert_eq!(world.agents[1].node.dropped(Dropped::ForgedSource), 2);
}

#[test]
fn messages_between_nodes_never_reach_the_operating_system() {
    let mut world = pair();
    let mut packet = udp_packet(world.agents[0].ip, world.agents[1].ip, 80, b"!");
    packet[9] = protocol::TSMP;
    world.send_packet(0, &packet);
    world.run(secs(1));
    assert!(world.agents[1].inbox.is_empty());
    assert_eq!(world.agents[1].node.dropped(Dropped::InTunnelMessage), 1);
}

#[test]
fn garbage_is_counted_and_changes_nothing() {
    let mut world = pair();
    let now = world.net.now();
    let from = "203.0.113.77:1".parse().unwrap();
    for len in 0..300 {
        for first in [0, 1, 2, 3, 4, 0x54] {
            let mut bytes = vec![0xa5; len];
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            if first < 5 && len >= 4 {
                bytes[1..4].fill(0);
            }
            let node = &mut world.agents[1].node;
            node.handle_udp(from, len, &mut bytes, now);
            node.handle_relay(crate::world::REGION, wire::NodeKey::ZERO, &bytes, now);
            node.handle_tun(&mut bytes, now);
        }
    }
    world.run(secs(1));
    assert!(world.agents[1].inbox.is_empty());
    world.send(0, 1, 80, b"still here");
    world.run(secs(1));
    assert_eq!(world.take_payloads(1), [b"still here"]);
}
