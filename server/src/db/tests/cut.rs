//! A connection that is lost in the middle of a transaction.

use super::*;
use crate::testing::postgres::database_alone;

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_lost_connection_is_not_written_either() {
    let Some(database) = database_alone() else {
        return;
    };
    let database = Arc::new(database);
    let bench = open(&database.url(), tempfile::tempdir().unwrap(), None).await;
    let emails = ["before@x.example", "after@x.example", "later@x.example"];
    let [before, after, later] = emails.map(|e| e.parse::<wire::name::Email>().unwrap());
    let (first, second, cluster) = (before.clone(), after.clone(), Arc::clone(&database));
    let outcome = bench
        .store
        .write_system(Reason::Setup, move |rows| async move {
            rows.ensure_account(&first, "").await?;
            cluster.stop();
            cluster.start_again();
            // Whoever overlooks the fault must not write half of his work.
            let _overlooked = rows.ensure_account(&second, "").await;
            Ok(())
        });
    let error = outcome.await.expect_err("the commit fails");
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    let store = &bench.store;
    let write = |email: wire::name::Email| async move {
        let work = move |rows: SystemRows| async move { rows.ensure_account(&email, "").await };
        store.write_system(Reason::Setup, work).await
    };
    write(later.clone()).await.expect("the next write works");
    let rows = bench.store.system(Reason::Setup).await.unwrap();
    for (email, is_there) in [(before, false), (after, false), (later, true)] {
        let found = rows.find_account_by_email(&email).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{email}");
    }
}
