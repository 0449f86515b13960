//! The loops.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::server_process::{Home, ask, until};
use rand::Rng as _;
use sea_orm::{ConnectionTrait as _, Database, Statement};
use serde_json::{Value, json};

/// Kills in each loop; longer loops are run by hand.
const KILLS: usize = 20;
const WRITERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_sqlite() {
    kill_under_load(&Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_postgresql() {
    let Some(home) = Home::postgresql() else {
        return;
    };
    kill_under_load(&home).await;
}

async fn kill_under_load(home: &Home) {
    let acknowledged: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut server = home.start().await;
    server
        .act(json!({"tenant": {"create": {"slug": "acme", "name": "Acme"}}}))
        .await;
    for round in 0..KILLS {
        let limit = rand::thread_rng().gen_range(1..60);
        let done = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (socket, acknowledged) = (home.socket(), Arc::clone(&acknowledged));
                let done = Arc::clone(&done);
                tokio::spawn(async move {
                    for number in 0.. {
                        let email = format!("w{writer}.{round}.{number}@example.com");
                        let Some(answer) = ask(&socket, &create_user(&email)).await else {
                            return;
                        };
                        assert!(answer.get("Ok").is_some(), "{answer}");
                        acknowledged.lock().unwrap().insert(email);
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let reached = || done.load(Ordering::SeqCst) >= limit;
        until("writes are acknowledged", reached).await;
        server.kill();
        for writer in writers {
            writer.await.unwrap();
        }
        server = home.start().await;
    }
    let users = server
        .act(json!({"user": {"list": {"tenant": "acme"}}}))
        .await;
    let there: BTreeSet<String> = emails(&users);
    let lost: Vec<_> = acknowledged
        .lock()
        .unwrap()
        .difference(&there)
        .cloned()
        .collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    server.kill();
    // Each user came with its audit record, and no record without its user.
    assert_eq!(
        home.count("audit WHERE event = 'user.created'").await,
        there.len()
    );
    assert_eq!(home.count("users").await, there.len());
    assert_eq!(home.count("accounts").await, there.len());
    home.verify_audit().await;
}

fn create_user(email: &str) -> Value {
    json!({"user": {"create": {
        "tenant": "acme", "email": email, "name": "", "role": "member",
    }}})
}

fn emails(answer: &Value) -> BTreeSet<String> {
    let users = answer["value"].as_array().unwrap();
    users
        .iter()
        .map(|user| user["email"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_migration_leaves_the_schema_before_or_after() {
    let whole = {
        let home = Home::sqlite();
        home.start().await.kill();
        home.tables().await
    };
    assert!(whole > 10);
    for _ in 0..KILLS {
        let home = Home::sqlite();
        let server = home.spawn();
        let after = Duration::from_millis(rand::thread_rng().gen_range(0..150));
        tokio::time::sleep(after).await;
        server.kill();
        let left = home.tables().await;
        // The migration tool's own table, and its index, come first.
        assert!(
            left <= 1 || left == whole,
            "{left} of {whole} tables are left"
        );
        home.start().await.kill();
        assert_eq!(home.tables().await, whole);
    }
}

impl Home {
    /// The rows of `what`, read by the database's owner.
    async fn count(&self, what: &str) -> usize {
        if self.sqlite_file().is_some_and(|file| !file.exists()) {
            return 0;
        }
        let conn = Database::connect(self.url()).await.unwrap();
        let sql = format!("SELECT COUNT(*) AS n FROM {what}");
        let ask = Statement::from_string(conn.get_database_backend(), sql);
        let row = conn.query_one_raw(ask).await.unwrap().unwrap();
        usize::try_from(row.try_get::<i64>("", "n").unwrap()).unwrap()
    }

    /// How many tables there are.
    async fn tables(&self) -> usize {
        self.count("sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .await
    }
}
