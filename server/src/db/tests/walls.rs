//! The walls between tenants, at the rows themselves.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn one_tenants_ids_give_nothing_in_anothers_scope() {
    for bench in benches().await {
        let (a, _) = tenant(&bench.store, "acme").await;
        let (b, boss) = tenant(&bench.store, "globex").await;
        let node = join(&bench.store, b.id, new_node(1, NodeOwner::User(boss.id))).await;
        let rows = bench.store.tenant(a.id).await.unwrap();
        assert!(rows.find_node(node.id).await.unwrap().is_none());
        assert!(matches!(rows.user(boss.id).await, Err(Error::NotFound)));
        assert_eq!(rows.nodes().await.unwrap().len(), 0);
        drop(rows);
        let id = node.id;
        let renamed = bench
            .store
            .write(a.id, move |rows| async move {
                rows.rename_node(id, &"x".parse().unwrap()).await
            })
            .await;
        assert!(matches!(renamed, Err(Error::NotFound)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_cannot_belong_to_another_tenants_user() {
    for bench in benches().await {
        let (a, _) = tenant(&bench.store, "acme").await;
        let (_, boss) = tenant(&bench.store, "globex").await;
        let joined = bench
            .store
            .write(a.id, move |rows| async move {
                rows.create_node(&new_node(1, NodeOwner::User(boss.id)))
                    .await
            })
            .await;
        assert!(joined.is_err());
    }
}

/// The second wall alone: statements without a tenant of their own see nothing.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_hides_rows_from_statements_that_name_no_tenant() {
    let Some(database) = database() else {
        return;
    };
    let url = database.url();
    let bench = open(&url, tempfile::tempdir().unwrap(), Some(database)).await;
    let (t, owner) = tenant(&bench.store, "acme").await;
    join(&bench.store, t.id, new_node(1, NodeOwner::User(owner.id))).await;
    let count = |conn: rows::Conn| async move {
        #[derive(sea_orm::FromQueryResult)]
        struct Count {
            value: i64,
        }
        let row: Option<Count> = conn
            .one("SELECT COUNT(*) AS value FROM nodes", vec![])
            .await
            .unwrap();
        row.unwrap().value
    };
    let system = bench.store.system(Reason::Start).await.unwrap();
    assert_eq!(count(system.conn.clone()).await, 0);
    drop(system);
    let inside = bench.store.tenant(t.id).await.unwrap();
    assert_eq!(count(inside.conn.clone()).await, 1);
    drop(inside);
    let after = bench.store.system(Reason::Start).await.unwrap();
    assert_eq!(
        count(after.conn.clone()).await,
        0,
        "the tenant was still named after its transaction"
    );
}
