//! What nodes report: told at once, stored soon, kept over a restart.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_presence_and_the_fallback_counts_only_without_one() {
    let bench = Bench::new().await;
    let (a, b) = (bench.join("a").await, bench.join("b").await);
    bench
        .hub
        .report(bench.tenant.id, a.id, report(1))
        .await
        .unwrap();
    let stream = bench
        .attach(a.id, Compression::Plain, report(9))
        .await
        .unwrap();
    assert_eq!(bench.presence(a.id).await.disco_key, disco(1));
    drop(stream);

    let bench = bench.restarted().await;
    let before = bench.presence(a.id).await;
    assert_eq!((before.disco_key, before.online), (disco(1), false));
    assert!(before.last_seen.is_some());
    let _a = bench
        .attach(a.id, Compression::Plain, report(9))
        .await
        .unwrap();
    let _b = bench
        .attach(b.id, Compression::Plain, report(9))
        .await
        .unwrap();
    let (a, b) = (bench.presence(a.id).await, bench.presence(b.id).await);
    assert_eq!((a.disco_key, a.online), (disco(1), true));
    assert_eq!((b.disco_key, b.home_relay), (disco(9), RegionId(900)));
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_stored_within_a_second_without_an_audit_record() {
    let bench = Bench::new().await;
    let a = bench.join("a").await;
    bench
        .hub
        .report(bench.tenant.id, a.id, report(1))
        .await
        .unwrap();
    let (db, tenant) = (&bench.deps.db, bench.tenant.id);
    bench
        .eventually("the report is stored", || async {
            let rows = db.tenant(tenant).await.unwrap();
            rows.node(a.id).await.unwrap().presence.disco_key == disco(1)
        })
        .await;
    let rows = db.tenant(tenant).await.unwrap();
    assert!(rows.audit_page(None).await.unwrap().items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_offline_a_while_after_its_stream() {
    let bench = Bench::new().await;
    let (a, b) = (bench.join("a").await, bench.join("b").await);
    let mut at_a = Client::open(&bench, a.id, Compression::Plain, Report::default()).await;
    let at_b = Client::open(&bench, b.id, Compression::Plain, Report::default()).await;
    let online =
        |is| move |m: &wire::control::NetMap| m.peers.get(&b.id).and_then(|p| p.online) == Some(is);
    at_a.until("b online", online(true)).await;
    let left = bench.clock.now();
    drop(at_b);
    // The task has heard of it before time passes.
    bench.pass(Duration::ZERO).await;
    bench.pass(Duration::from_secs(1)).await;
    let noticed = bench.clock.now();
    assert!(bench.presence(b.id).await.online, "most come back at once");
    bench.pass(Duration::from_secs(5)).await;
    at_a.until("b offline", online(false)).await;
    let last_seen = at_a.map.peers[&b.id].last_seen.unwrap();
    assert!((left..=noticed).contains(&last_seen));
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_events_reach_the_console() {
    let bench = Bench::new().await;
    let a = bench.join("a").await;
    let mut events = bench.hub.subscribe();
    let paths = Some(vec![PathReport {
        peer: NodeId(1),
        direct: None,
        relay: Some(RegionId(900)),
        rtt_us: Some(4000),
    }]);
    let with_paths = Report {
        paths: paths.clone(),
        ..report(1)
    };
    bench
        .hub
        .report(bench.tenant.id, a.id, with_paths)
        .await
        .unwrap();
    assert_eq!(bench.presence(a.id).await.paths, paths);
    let event = tokio::time::timeout(Duration::from_secs(10), events.recv()).await;
    assert_eq!(event.unwrap().unwrap(), (bench.tenant.id, Event::Nodes));
    bench.policy(r#"{"acls": []}"#).await;
    while events.recv().await.unwrap() != (bench.tenant.id, Event::Policy) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn other_relays_are_told_to_all() {
    let bench = Bench::new().await;
    let a = bench.join("a").await;
    let mut at_a = Client::open(&bench, a.id, Compression::Zstd, Report::default()).await;
    at_a.until("the first map", |m| m.node.is_some()).await;
    let map = RelayMap {
        omit_default_regions: true,
        ..RelayMap::default()
    };
    bench.relays(map.clone());
    at_a.until("the relays", |m| m.relay_map == map).await;
}
