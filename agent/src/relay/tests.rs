//! The relay client against a relay on loopback.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use link::relay::Frame;
use mesh::node::RelayState;
use tokio::{net::TcpListener, sync::mpsc, time::Instant};
use wire::{
    NodeKey, NodeSecret,
    relay_map::{RegionId, RelayMap},
};

use self::derp::Relay;
use super::{Relays, Setup, probe};
use crate::{
    data::{Command, Commands, RelaySend},
    state::profile::random,
    testing::soon,
    tls::{Tls, Trust},
};

mod derp;

const REGION: RegionId = RegionId(900);

struct World {
    relays: Relays,
    node: NodeKey,
    packets: mpsc::Sender<RelaySend>,
    commands: mpsc::Receiver<Command>,
}

impl World {
    fn new(map: RelayMap) -> Self {
        let node = NodeSecret::from_bytes(random());
        let (commands, heard) = Commands::loose();
        let (packets, queue) = mpsc::channel(16);
        let key = node.public();
        let setup = Setup {
            tls: Tls::new(None),
            trust: Trust::Public,
            node,
            commands,
        };
        let relays = Relays::start(setup, queue);
        relays.set_map(Arc::new(map));
        Self {
            relays,
            node: key,
            packets,
            commands: heard,
        }
    }

    async fn command(&mut self) -> Command {
        soon("the data thread is told", self.commands.recv())
            .await
            .unwrap()
    }

    /// Waits for the news of a connection that is up, or down.
    async fn until(&mut self, wanted: RelayState) {
        loop {
            if let Command::RelayState { region, state } = self.command().await
                && state == wanted
            {
                assert_eq!(region, REGION);
                return;
            }
        }
    }
}

#[tokio::test]
async fn packets_pass_both_ways_and_pings_are_answered() {
    let mut relay = Relay::start().await;
    let mut world = World::new(relay.map(REGION));
    world.relays.want(REGION).await;
    world.relays.set_home(REGION);
    let mut client = relay.client().await;
    assert_eq!(client.key, world.node);
    world.until(RelayState::Connected).await;
    let home = client.next(|f| f == Frame::NotePreferred(true)).await;
    assert_eq!(home, Some(true));

    let peer = NodeKey::from_bytes([7; 32]);
    let train = RelaySend {
        region: REGION,
        to: peer,
        segment_size: 3,
        bytes: Bytes::from_static(b"onetwo!!"),
    };
    world.packets.send(train).await.unwrap();
    for expected in [&b"one"[..], b"two", b"!!"] {
        let is_it = client
            .next(|f| matches!(f, Frame::SendPacket { to, packet } if to == peer && packet == expected))
            .await;
        assert_eq!(is_it, Some(true));
    }

    let packet = b"hello";
    client.send(Frame::RecvPacket { from: peer, packet }).await;
    let Command::RelayPacket {
        region,
        from,
        bytes,
    } = world.command().await
    else {
        panic!("not a packet")
    };
    assert_eq!((region, from, &bytes[..]), (REGION, peer, &packet[..]));

    client.send(Frame::Ping([5; 8])).await;
    assert_eq!(client.next(|f| f == Frame::Pong([5; 8])).await, Some(true));
}

#[tokio::test]
async fn a_lost_connection_is_told_and_made_again() {
    let mut relay = Relay::start().await;
    let mut world = World::new(relay.map(REGION));
    world.relays.want(REGION).await;
    drop(relay.client().await);
    world.until(RelayState::Connected).await;
    world.until(RelayState::Disconnected).await;
    let _again = relay.client().await;
    world.until(RelayState::Connected).await;
}

#[tokio::test]
async fn what_is_not_wanted_any_more_is_closed() {
    let mut relay = Relay::start().await;
    let mut world = World::new(relay.map(REGION));
    world.relays.want(REGION).await;
    let mut client = relay.client().await;
    world.until(RelayState::Connected).await;
    world.relays.unwant(REGION).await;
    while client.next(|_| ()).await.is_some() {}
}

#[tokio::test]
async fn a_new_node_key_connects_anew() {
    let mut relay = Relay::start().await;
    let mut world = World::new(relay.map(REGION));
    world.relays.want(REGION).await;
    let _old = relay.client().await;
    world.until(RelayState::Connected).await;
    let node = NodeSecret::from_bytes(random());
    let key = node.public();
    world.relays.set_identity(node, Trust::Public).await;
    assert_eq!(relay.client().await.key, key);
    world.until(RelayState::Disconnected).await;
    world.until(RelayState::Connected).await;
}

#[tokio::test]
async fn a_silent_connection_is_asked_after_a_change_of_the_network() {
    let mut relay = Relay::start().await;
    let mut world = World::new(relay.map(REGION));
    world.relays.want(REGION).await;
    let mut client = relay.client().await;
    world.until(RelayState::Connected).await;
    world.relays.check().await;
    while client.next(|f| matches!(f, Frame::Ping(_))).await == Some(false) {}
    // It does not answer: the agent gives it up and comes again.
    world.until(RelayState::Disconnected).await;
    relay.client().await;
}

#[tokio::test]
async fn what_was_under_way_before_a_change_of_the_network_is_no_answer() {
    let mut relay = Relay::start().await;
    let mut world = World::new(relay.map(REGION));
    world.relays.want(REGION).await;
    let mut client = relay.client().await;
    world.until(RelayState::Connected).await;
    world.relays.check().await;
    while client.next(|f| matches!(f, Frame::Ping(_))).await == Some(false) {}
    client.send(Frame::Pong(*b"too old!")).await;
    client.send(Frame::KeepAlive).await;
    world.until(RelayState::Disconnected).await;
    relay.client().await;
}

#[tokio::test]
async fn after_a_change_of_the_network_a_dead_attempt_is_not_waited_for() {
    // It takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = Relay::start().await;
    let mut map = relay.map(REGION);
    let port = mute.local_addr().unwrap().port();
    map.regions.get_mut(&REGION).unwrap().nodes[0].relay_port = port.into();
    let world = World::new(map);
    world.relays.want(REGION).await;
    let _first = soon("an attempt", mute.accept()).await.unwrap();
    let begun = Instant::now();
    world.relays.check().await;
    let _second = soon("another", mute.accept()).await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "the handshake's own patience is 10 s: {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_relay_with_another_certificate_gets_nothing() {
    let (mut relay, other) = (Relay::start().await, Relay::start().await);
    let mut map = relay.map(REGION);
    let theirs = other.map(REGION);
    let hosts = |map: &RelayMap| map.regions[&REGION].nodes[0].cert_name.clone();
    let wrong = hosts(&theirs);
    map.regions.get_mut(&REGION).unwrap().nodes[0].cert_name = wrong;
    let mut world = World::new(map);
    world.relays.want(REGION).await;
    world.until(RelayState::Disconnected).await;
    world.until(RelayState::Disconnected).await;
    // The right map is taken at once.
    world.relays.set_map(Arc::new(relay.map(REGION)));
    relay.client().await;
}

#[tokio::test]
async fn the_way_over_https_is_measured() {
    let relay = Relay::start().await;
    let found = probe::latencies(&relay.map(REGION), &Tls::new(None), &Trust::Public).await;
    assert!(found.contains_key(&REGION));
    let nowhere = RelayMap::default();
    assert!(
        probe::latencies(&nowhere, &Tls::new(None), &Trust::Public)
            .await
            .is_empty()
    );
}
