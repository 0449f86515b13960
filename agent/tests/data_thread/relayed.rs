//! Traffic through a relay: a task that hands packets from one node to the other.

use agent::data::{Command, Commands, Notice, RelaySend};
use mesh::{event::PathAddr, node::RelayState};
use tokio::sync::mpsc;
use wire::NodeKey;

use crate::{
    pair::{PATIENCE, Pair, REGION, Reach},
    transfer::tcp,
};

/// Hands each packet on as a relay does, one by one.
async fn relay(mut trains: mpsc::Receiver<RelaySend>, from: NodeKey, to: Commands) {
    while let Some(train) = trains.recv().await {
        let mut rest = train.bytes;
        while !rest.is_empty() {
            let packet = rest.split_to(train.segment_size.min(rest.len()));
            to.offer_packet(train.region, from, packet);
        }
    }
}

/// Waits until the node wants its relay, and says that it is connected.
async fn connect(notices: &mut mpsc::Receiver<Notice>, commands: &Commands) {
    while let Some(notice) = notices.recv().await {
        if notice == Notice::RelayWanted(REGION) {
            let state = RelayState::Connected;
            let region = REGION;
            let connected = Command::RelayState { region, state };
            return commands.send(connected).await.unwrap();
        }
    }
    panic!("the relay is wanted before the thread ends");
}

#[test]
fn a_transfer_through_a_relay_arrives_whole() {
    let Some(mut pair) = Pair::with_all_offloads(Reach::Relay) else {
        return;
    };
    let keys: Vec<NodeKey> = [&pair.b, &pair.a]
        .map(|side| pair.status(side).peers[0].key)
        .into();
    let (a, b) = (&mut pair.a.data, &mut pair.b.data);
    let connected = async {
        connect(&mut a.notices, &a.commands).await;
        connect(&mut b.notices, &b.commands).await;
    };
    pair.runtime
        .block_on(async { tokio::time::timeout(PATIENCE, connected).await })
        .expect("both want their relay");
    let take = |queue: &mut mpsc::Receiver<RelaySend>| std::mem::replace(queue, mpsc::channel(1).1);
    let there = relay(take(&mut a.relay), keys[0], b.commands.clone());
    let back = relay(take(&mut b.relay), keys[1], a.commands.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async { tokio::join!(there, back) })
    });
    // Not told to each other, the addresses on the wire are still found by the
    // nodes' calls through the relay; without UDP none of them answers.
    for side in [&pair.a, &pair.b] {
        side.ns.sh("nft add table inet t; nft add chain inet t out '{ type filter hook output priority 0; }'; nft add rule inet t out oifname eth0 udp dport 41641 drop");
    }
    tcp(&pair.a, &pair.b, pair.b.v4, 2_000_000);
    tcp(&pair.b, &pair.a, pair.a.v6, 200_000);
    let path = pair.status(&pair.a).peers[0].path;
    assert_eq!(path, Some(PathAddr::Relay(REGION)));
    assert!(pair.a.data.counters.relay_trains.get() > 0);
}
