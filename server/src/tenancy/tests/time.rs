//! What time does to nodes.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_ends_cuts_its_node_off() {
    let bench = Bench::new().await;
    let a = bench.join("a").await;
    let ends = bench.clock.now().plus(Duration::from_hours(1));
    let b = bench.join_as("b", |new| new.key_expiry = Some(ends)).await;
    let mut at_a = Client::open(&bench, a.id, Compression::Zstd, Report::default()).await;
    let mut at_b = Client::open(&bench, b.id, Compression::Zstd, Report::default()).await;
    at_a.until("b", |m| m.peers.contains_key(&b.id)).await;
    at_b.until("a", |m| m.peers.contains_key(&a.id)).await;

    bench.pass(Duration::from_mins(59)).await;
    assert!(bench.admission.tenant_of(&b.node_key).is_some());
    bench.pass(Duration::from_mins(1)).await;
    assert_eq!(bench.admission.tenant_of(&b.node_key), None);
    at_a.until("b out of sight", |m| m.peers.is_empty()).await;
    at_b.until("a out of sight", |m| m.peers.is_empty()).await;
    let own = at_b.map.node.as_ref().unwrap();
    assert!(own.expired && own.key_expiry == Some(ends));

    let bench = bench.restarted().await;
    assert_eq!(bench.admission.tenant_of(&b.node_key), None);
    assert!(bench.admission.tenant_of(&a.node_key).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_node_is_removed_half_an_hour_after_it_went() {
    let bench = Bench::new().await;
    let keep = bench.join("keep").await;
    let node = bench.join_as("brief", |new| new.ephemeral = true).await;
    let there = |id| {
        let hub = bench.hub.clone();
        let tenant = bench.tenant.id;
        async move { hub.presence(tenant).await.contains_key(&id) }
    };
    bench.pass(Duration::from_hours(2)).await;
    assert!(there(node.id).await, "never before its first stream");

    let stream = bench
        .attach(node.id, Compression::Plain, Report::default())
        .await
        .unwrap();
    bench.pass(Duration::from_hours(2)).await;
    assert!(there(node.id).await, "not while it is connected");
    drop(stream);
    // The task is told of the end, then the grace passes.
    bench
        .eventually("it is offline", || async {
            bench.pass(Duration::from_secs(4)).await;
            !bench.presence(node.id).await.online
        })
        .await;
    bench.pass(Duration::from_mins(29)).await;
    assert!(there(node.id).await, "not before half an hour");
    bench.pass(Duration::from_mins(2)).await;
    bench
        .eventually("it is removed", || async { !there(node.id).await })
        .await;
    assert!(there(keep.id).await);
    assert_eq!(bench.admission.tenant_of(&node.node_key), None);
    let rows = bench.deps.db.tenant(bench.tenant.id).await.unwrap();
    assert!(rows.find_node(node.id).await.unwrap().is_none());
    let audit = rows.audit_page(None).await.unwrap().items;
    assert_eq!(audit[0].event, "node.removed");
}
