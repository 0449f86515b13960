//! Decisions about routes.

use super::*;

fn prefix(text: &str) -> wire::net::Prefix {
    text.parse().unwrap()
}

async fn decide(store: &Store, tenant: TenantId, node: wire::NodeId, route: &str, approved: bool) {
    let route = prefix(route);
    let write = move |rows: TenantRows| async move {
        rows.decide_route(node, &route, approved, &Actor::Server)
            .await
    };
    store.write(tenant, write).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_is_decided_once_for_each_node_and_anew() {
    for bench in benches().await {
        let (t, owner) = tenant(&bench.store, "acme").await;
        let a = join(&bench.store, t.id, new_node(1, NodeOwner::User(owner.id))).await;
        let b = join(&bench.store, t.id, new_node(2, NodeOwner::User(owner.id))).await;
        decide(&bench.store, t.id, a.id, "10.1.0.0/16", true).await;
        decide(&bench.store, t.id, b.id, "10.1.0.0/16", true).await;
        bench.clock.advance(Duration::from_secs(5));
        decide(&bench.store, t.id, a.id, "10.1.0.0/16", false).await;
        decide(&bench.store, t.id, a.id, "2001:db8::/32", true).await;
        let rows = bench.store.tenant(t.id).await.unwrap();
        let of_a = rows.routes_of(a.id).await.unwrap();
        let first = of_a.iter().find(|d| d.prefix == prefix("10.1.0.0/16"));
        let first = first.unwrap();
        assert_eq!((first.approved, first.at), (false, bench.clock.now()));
        assert_eq!(of_a.len(), 2);
        let all = rows.routes().await.unwrap();
        assert_eq!((all[&a.id].len(), all[&b.id].len()), (2, 1));
        assert!(all[&b.id][0].approved);
        drop(rows);

        let forgotten = prefix("10.1.0.0/16");
        let write =
            move |rows: TenantRows| async move { rows.forget_route(a.id, &forgotten).await };
        bench.store.write(t.id, write).await.unwrap();
        let gone = b.clone();
        let write = move |rows: TenantRows| async move { rows.delete_node(&gone).await };
        bench.store.write(t.id, write).await.unwrap();
        let rows = bench.store.tenant(t.id).await.unwrap();
        let left = rows.routes().await.unwrap();
        assert_eq!(left.len(), 1, "they leave with their node");
        assert_eq!(left[&a.id][0].prefix, prefix("2001:db8::/32"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_of_another_tenants_node_cannot_be_decided_nor_seen() {
    for bench in benches().await {
        let (a, _) = tenant(&bench.store, "acme").await;
        let (b, boss) = tenant(&bench.store, "globex").await;
        let node = join(&bench.store, b.id, new_node(1, NodeOwner::User(boss.id))).await;
        decide(&bench.store, b.id, node.id, "10.1.0.0/16", true).await;
        let route = prefix("10.2.0.0/16");
        let write = move |rows: TenantRows| async move {
            rows.decide_route(node.id, &route, true, &Actor::Server)
                .await
        };
        assert!(bench.store.write(a.id, write).await.is_err());
        let route = prefix("10.1.0.0/16");
        let write = move |rows: TenantRows| async move { rows.forget_route(node.id, &route).await };
        bench.store.write(a.id, write).await.unwrap();
        let rows = bench.store.tenant(a.id).await.unwrap();
        assert!(rows.routes().await.unwrap().is_empty());
        assert!(rows.routes_of(node.id).await.unwrap().is_empty());
        drop(rows);
        let rows = bench.store.tenant(b.id).await.unwrap();
        assert_eq!(rows.routes_of(node.id).await.unwrap().len(), 1);
    }
}

/// The second wall alone.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_hides_decisions_from_statements_that_name_no_tenant() {
    let Some(database) = database() else {
        return;
    };
    let url = database.url();
    let bench = open(&url, tempfile::tempdir().unwrap(), Some(database)).await;
    let (t, owner) = tenant(&bench.store, "acme").await;
    let node = join(&bench.store, t.id, new_node(1, NodeOwner::User(owner.id))).await;
    decide(&bench.store, t.id, node.id, "10.1.0.0/16", true).await;
    let run = async |rows: &rows::Conn| {
        rows.run("UPDATE node_routes SET approved = false", vec![])
            .await
            .unwrap()
    };
    let touched = bench
        .store
        .write_system(Reason::Upkeep, move |rows| async move {
            Ok(run(&rows.conn).await)
        });
    assert_eq!(touched.await.unwrap(), 0);
    let rows = bench.store.tenant(t.id).await.unwrap();
    assert!(rows.routes_of(node.id).await.unwrap()[0].approved);
}
