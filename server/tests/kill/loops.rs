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
use sea_orm::{ConnectionTrait as _, Database, QueryResult, Statement};
use serde_json::{Value, json};

/// Kills in each loop; longer loops are run by hand.
const KILLS: usize = 20;
const WRITERS: usize = 8;
/// Tables that migrations after the first one make, each alone.
const LATER_TABLES: usize = 1;

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
async fn a_killed_migration_leaves_the_schema_before_or_after_on_sqlite() {
    kill_while_migrating(|| Some(Home::sqlite()), 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_migration_leaves_the_schema_before_or_after_on_postgresql() {
    kill_while_migrating(Home::postgresql, 400).await;
}

/// Kills first starts at any moment of their first `window` milliseconds.
async fn kill_while_migrating(new: impl Fn() -> Option<Home>, window: u64) {
    let Some(first) = new() else { return };
    first.start().await.kill();
    let whole = first.schema().await;
    assert!(whole.len() > 100, "{whole:?}");
    let mut unfinished = 0;
    for _ in 0..KILLS {
        let home = new().expect("there was one before");
        let server = home.spawn();
        let after = Duration::from_millis(rand::thread_rng().gen_range(0..window));
        tokio::time::sleep(after).await;
        server.kill();
        let left = home.tables().await;
        // The migration tool's own table comes first, alone; then each migration is whole.
        let all = first.tables().await;
        let steps = all - LATER_TABLES..=all;
        assert!(left <= 1 || steps.contains(&left), "{left} tables are left");
        unfinished += usize::from(left <= 1);
        home.start().await.kill();
        assert_eq!(home.schema().await, whole);
    }
    assert!(unfinished > 0, "no start was killed early enough");
}

impl Home {
    /// The rows of `what`, read by the database's owner.
    async fn count(&self, what: &str) -> usize {
        let found = self.ask(&format!("SELECT COUNT(*) AS n FROM {what}")).await;
        let one = found
            .first()
            .map(|row| row.try_get::<i64>("", "n").unwrap());
        usize::try_from(one.unwrap_or_default()).unwrap()
    }

    /// Nothing where there is no database yet.
    async fn ask(&self, sql: &str) -> Vec<QueryResult> {
        if self.sqlite_file().is_some_and(|file| !file.exists()) {
            return Vec::new();
        }
        let conn = Database::connect(self.url()).await.unwrap();
        let ask = Statement::from_string(conn.get_database_backend(), sql.to_owned());
        let rows = conn.query_all_raw(ask).await.unwrap();
        conn.close().await.unwrap();
        rows
    }

    /// How many tables there are.
    async fn tables(&self) -> usize {
        self.count(if self.sqlite_file().is_some() {
            "sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        } else {
            "pg_tables WHERE schemaname = 'public'"
        })
        .await
    }

    /// Every column, index, trigger, wall and right, and the history of the schema.
    async fn schema(&self) -> Vec<String> {
        let sql = if self.sqlite_file().is_some() {
            SQLITE_SCHEMA
        } else {
            POSTGRESQL_SCHEMA
        };
        let rows = self.ask(sql).await;
        rows.iter()
            .map(|row| row.try_get("", "line").unwrap())
            .collect()
    }
}

const SQLITE_SCHEMA: &str = "SELECT line FROM ( \
    SELECT m.name || ': ' || coalesce(c.name || ' ' || c.type || ' ' || c.\"notnull\", m.sql, '') AS line \
      FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) c \
    UNION ALL SELECT 'migrated: ' || version FROM seaql_migrations) ORDER BY line";

const POSTGRESQL_SCHEMA: &str = "SELECT line FROM ( \
    SELECT table_name || ': ' || column_name || ' ' || data_type || ' ' || is_nullable AS line \
      FROM information_schema.columns WHERE table_schema = 'public' \
    UNION ALL SELECT tablename || ': ' || indexdef FROM pg_indexes WHERE schemaname = 'public' \
    UNION ALL SELECT tablename || ': ' || policyname || ' ' || qual FROM pg_policies \
    UNION ALL SELECT table_name || ': ' || grantee || ' ' || privilege_type \
      FROM information_schema.role_table_grants WHERE table_schema = 'public' \
    UNION ALL SELECT 'migrated: ' || version FROM seaql_migrations) AS all_of_it ORDER BY line";
