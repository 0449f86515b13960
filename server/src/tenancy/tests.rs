//! Live tenants on a real database.

use std::time::Duration;

use wire::{DiscoKey, NodeKey, control::NetInfo};

use super::*;
use crate::db::NodeOwner;

mod bench;
mod client;
mod presence;
mod routes;
mod time;

use bench::Bench;
use client::Client;

fn disco(n: u8) -> DiscoKey {
    DiscoKey::from_bytes([n; 32])
}

/// A report with this disco key, one endpoint and a home relay.
fn report(n: u8) -> Report {
    Report {
        hostinfo: Some(Hostinfo {
            os: "linux".into(),
            hostname: format!("host-{n}"),
            net_info: Some(NetInfo {
                preferred_relay: RegionId(900),
                ..NetInfo::default()
            }),
            ..Hostinfo::default()
        }),
        endpoints: vec![format!("192.0.2.{n}:41641").parse().unwrap()],
        disco_key: disco(n),
        paths: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_learn_of_each_other_in_both_forms() {
    let bench = Bench::new().await;
    let a = bench.join("a").await;
    let mut plain = Client::open(&bench, a.id, Compression::Plain, Report::default()).await;
    plain.until("the first map", |m| m.node.is_some()).await;
    let own = plain.map.node.clone().unwrap();
    assert_eq!(own.name, "a.acme.example.net.");
    assert!(own.machine_authorized && !own.expired && plain.map.peers.is_empty());
    assert_eq!(plain.map.domain, "Acme");

    let b = bench.join("b").await;
    plain.until("b", |m| m.peers.contains_key(&b.id)).await;
    let mut packed = Client::open(&bench, b.id, Compression::Zstd, Report::default()).await;
    packed.until("a", |m| m.peers.contains_key(&a.id)).await;
    assert!(!packed.map.peers.contains_key(&b.id));
    bench
        .hub
        .report(bench.tenant.id, b.id, report(7))
        .await
        .unwrap();
    let seen = |m: &wire::control::NetMap| m.peers[&b.id].disco_key == disco(7);
    plain.until("b's disco key", seen).await;
    let peer = &plain.map.peers[&b.id];
    assert_eq!((peer.home_relay, peer.endpoints.len()), (RegionId(900), 1));
    assert_eq!(peer.hostinfo.hostname, "host-7");
    assert!(plain.map.user_profiles.contains_key(&peer.user));

    let once = bench
        .hub
        .full(bench.tenant.id, a.id, Compression::Zstd)
        .await
        .unwrap();
    let full = client::read(&once, Compression::Zstd);
    assert_eq!(full.peers.unwrap()[0].disco_key, disco(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_in_memory_from_when_it_is_needed() {
    let bench = Bench::new().await;
    let other = bench.other().await;
    assert_eq!(bench.hub.loaded(), 0);
    bench.join("a").await;
    assert_eq!(bench.hub.loaded(), 1);
    other.join("b").await;
    assert_eq!(bench.hub.loaded(), 2);
    let restarted = bench.restarted().await;
    assert_eq!((other.hub.loaded(), restarted.hub.loaded()), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_stream_of_a_node_wins() {
    let bench = Bench::new().await;
    let a = bench.join("a").await;
    let mut old = Client::open(&bench, a.id, Compression::Plain, Report::default()).await;
    old.until("the first map", |m| m.node.is_some()).await;
    let mut new = Client::open(&bench, a.id, Compression::Plain, Report::default()).await;
    old.ended().await;
    drop(old);
    bench.pass(Duration::from_mins(1)).await;
    new.until("the first map", |m| m.node.is_some()).await;
    assert!(
        bench.presence(a.id).await.online,
        "the older stream's end changed nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_is_cut_off_before_the_act_returns() {
    let bench = Bench::new().await;
    let (a, b) = (bench.join("a").await, bench.join("b").await);
    let mut at_a = Client::open(&bench, a.id, Compression::Plain, Report::default()).await;
    let mut at_b = Client::open(&bench, b.id, Compression::Plain, Report::default()).await;
    at_a.until("b", |m| m.peers.contains_key(&b.id)).await;
    at_b.until("a", |m| m.peers.contains_key(&a.id)).await;
    assert_eq!(
        bench.admission.tenant_of(&b.node_key),
        Some(bench.tenant.id)
    );

    bench.remove(&b).await;
    assert_eq!(bench.admission.tenant_of(&b.node_key), None);
    at_b.ended().await;
    at_a.until("b gone", |m| m.peers.is_empty()).await;
    let again = bench
        .attach(b.id, Compression::Plain, Report::default())
        .await;
    assert!(matches!(again, Err(Error::NotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_waits_for_approval_sees_nobody_and_is_seen_by_nobody() {
    let bench = Bench::new().await;
    let a = bench.join("a").await;
    let b = bench.join_as("b", |new| new.approved = false).await;
    let mut at_a = Client::open(&bench, a.id, Compression::Plain, Report::default()).await;
    let mut at_b = Client::open(&bench, b.id, Compression::Plain, Report::default()).await;
    at_a.until("the first map", |m| m.node.is_some()).await;
    at_b.until("the first map", |m| m.node.is_some()).await;
    assert!(at_a.map.peers.is_empty() && at_b.map.peers.is_empty());
    assert!(!at_b.map.node.as_ref().unwrap().machine_authorized);
    assert!(at_b.map.filter().is_empty());
    assert_eq!(bench.admission.tenant_of(&b.node_key), None);

    bench
        .write(move |rows| async move { rows.approve_node(b.id).await })
        .await;
    bench
        .hub
        .changed(bench.tenant.id, Changed::Node(b.id))
        .await;
    assert_eq!(
        bench.admission.tenant_of(&b.node_key),
        Some(bench.tenant.id)
    );
    at_a.until("b", |m| m.peers.contains_key(&b.id)).await;
    at_b.until("a", |m| m.peers.contains_key(&a.id)).await;
    assert!(at_b.map.node.as_ref().unwrap().machine_authorized);
    assert!(!at_b.map.filter().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_policy_is_on_the_wire_when_the_act_returns() {
    let bench = Bench::new().await;
    let (a, b) = (bench.join("a").await, bench.join("b").await);
    let mut at_a = Client::open(&bench, a.id, Compression::Zstd, Report::default()).await;
    at_a.until("b", |m| m.peers.contains_key(&b.id)).await;
    bench.policy(r#"{"acls": []}"#).await;
    let mut next = at_a.frame_now("the edit").await;
    assert_eq!(next.peers_removed.take(), Some(vec![b.id]));
    assert_eq!(next.packet_filters.unwrap()["base"], Some(vec![]));
    bench
        .policy(r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:22"]}]}"#)
        .await;
    let next = at_a.frame_now("the second edit").await;
    assert_eq!(next.peers_changed.unwrap()[0].id, b.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_never_mix() {
    let bench = Bench::new().await;
    let other = bench.other().await;
    let (a, x) = (bench.join("a").await, other.join("a").await);
    let mut at_a = Client::open(&bench, a.id, Compression::Plain, report(1)).await;
    let mut at_x = Client::open(&other, x.id, Compression::Plain, report(2)).await;
    at_a.until("the first map", |m| m.node.is_some()).await;
    at_x.until("the first map", |m| m.node.is_some()).await;
    let b = bench.join("b").await;
    at_a.until("b", |m| m.peers.len() == 1).await;
    let y = other.join("b").await;
    at_x.until("y", |m| m.peers.len() == 1).await;
    assert!(at_a.map.peers.contains_key(&b.id) && at_x.map.peers.contains_key(&y.id));
    assert!(
        bench
            .attach(x.id, Compression::Plain, report(3))
            .await
            .is_err()
    );
    assert!(matches!(
        bench.hub.report(bench.tenant.id, x.id, report(3)).await,
        Err(Error::NotFound)
    ));
    assert!(
        bench
            .hub
            .full(bench.tenant.id, x.id, Compression::Plain)
            .await
            .is_err()
    );
    assert!(
        !bench
            .hub
            .presence(bench.tenant.id)
            .await
            .contains_key(&x.id)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_takes_the_place_of_the_old_one() {
    let bench = Bench::new().await;
    let (a, b) = (bench.join("a").await, bench.join("b").await);
    let mut at_a = Client::open(&bench, a.id, Compression::Plain, Report::default()).await;
    at_a.until("b", |m| m.peers.contains_key(&b.id)).await;
    let (old, key) = (b.node_key, NodeKey::from_bytes([77; 32]));
    let node = b.clone();
    bench
        .write(move |rows| async move { rows.rotate_node_key(&node, &key, None).await })
        .await;
    bench
        .hub
        .changed(bench.tenant.id, Changed::Node(b.id))
        .await;
    assert_eq!(bench.admission.tenant_of(&old), None);
    assert_eq!(bench.admission.tenant_of(&key), Some(bench.tenant.id));
    at_a.until("the new key", |m| m.peers[&b.id].key == key)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_moves_a_node_to_another_class() {
    let bench = Bench::new().await;
    let (a, b) = (bench.join("a").await, bench.join("b").await);
    let mut at_b = Client::open(&bench, b.id, Compression::Zstd, Report::default()).await;
    let mut at_a = Client::open(&bench, a.id, Compression::Zstd, Report::default()).await;
    at_b.until("a", |m| m.peers.contains_key(&a.id)).await;
    at_a.until("b", |m| m.peers.contains_key(&b.id)).await;
    let owner = NodeOwner::Tags(vec!["tag:other".parse().unwrap()]);
    bench
        .write(move |rows| async move { rows.set_node_owner(b.id, &owner, None).await })
        .await;
    bench
        .hub
        .changed(bench.tenant.id, Changed::Node(b.id))
        .await;
    at_a.until("b out of sight", |m| m.peers.is_empty()).await;
    at_b.until("a out of sight", |m| m.peers.is_empty()).await;
    assert_eq!(at_b.map.node.as_ref().unwrap().tags, ["tag:other"]);
    assert!(at_b.map.filter().is_empty());
}
