//! Opening the database: pragmas, migrations, and the wall's own checks.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use migrations::{Migrator, MigratorTrait as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, Statement,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use super::{Context, Store, pool, writer::Writer};
use crate::{clock::Clock, rng::Rng, secret::Vault};

const READERS: u32 = 8;
/// The number of PostgreSQL's advisory lock on the schema: any will do.
const MIGRATING: i64 = 0x7761_7272_656e;

/// Connects, migrates, and refuses a database whose walls do not stand.
pub async fn connect(
    url: &str,
    clock: Arc<dyn Clock>,
    rng: Rng,
    vault: Arc<Vault>,
) -> Result<Store> {
    let postgres = url.starts_with("postgres");
    migrate(url).await?;
    let readers = pool(options(url, READERS, postgres))
        .await
        .context("opening the database")?;
    let writer = pool(options(url, 1, postgres))
        .await
        .context("opening the database to write")?;
    if postgres {
        check_walls(&readers).await?;
    }
    let context = Context { clock, rng, vault };
    Ok(Store {
        readers,
        writer: Writer::start(writer),
        context,
    })
}

/// Whether the database holds secrets that its key file must open.
pub async fn holds_secrets(url: &str) -> Result<bool> {
    let conn = Database::connect(owner_options(url))
        .await
        .context("connecting to the database")?;
    let ask = Statement::from_string(
        conn.get_database_backend(),
        "SELECT name FROM secrets LIMIT 1".to_owned(),
    );
    // A database without the table is a new one.
    let found = conn.query_one_raw(ask).await.is_ok_and(|row| row.is_some());
    conn.close().await?;
    Ok(found)
}

/// How many migrations the database waits for; fails when it cannot be reached.
pub async fn inspect(url: &str) -> Result<usize> {
    let conn = Database::connect(owner_options(url))
        .await
        .context("connecting to the database")?;
    let waiting = Migrator::get_pending_migrations(&conn)
        .await
        .context("reading the schema's history")?;
    conn.close().await?;
    Ok(waiting.len())
}

async fn migrate(url: &str) -> Result<()> {
    let conn = Database::connect(owner_options(url))
        .await
        .context("connecting to the database")?;
    if url.starts_with("postgres") {
        // One at a time, and not before the end of one whose program was killed:
        // PostgreSQL holds this until the connection ends.
        let wait = format!("SELECT pg_advisory_lock({MIGRATING})");
        conn.execute_unprepared(&wait)
            .await
            .context("waiting for another program that changes the schema")?;
    }
    Migrator::up(&conn, None)
        .await
        .context("bringing the schema up to date")?;
    conn.close().await?;
    Ok(())
}

/// As the user that the URL names: the schema is his.
fn owner_options(url: &str) -> ConnectOptions {
    if !url.starts_with("postgres") {
        return options(url, 1, false);
    }
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    options
}

fn options(url: &str, connections: u32, postgres: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(2))
        .sqlx_logging(false);
    if postgres {
        options.map_sqlx_postgres_opts(|pg| {
            pg.options([("role", "warren_app"), ("statement_timeout", "5000")])
        });
    } else {
        options.map_sqlx_sqlite_opts(|lite| {
            lite.create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5))
        });
    }
    options
}

/// The serving role must not be able to see past row-level security.
async fn check_walls(conn: &DatabaseConnection) -> Result<()> {
    let backend = conn.get_database_backend();
    let ask = |sql: &str| Statement::from_string(backend, sql.to_owned());
    let role = conn
        .query_one_raw(ask(
            "SELECT rolname::text AS role, (rolsuper OR rolbypassrls) AS bypasses FROM pg_roles WHERE rolname = current_user",
        ))
        .await?
        .context("PostgreSQL does not say which role is used")?;
    let (name, bypasses): (String, bool) =
        (role.try_get("", "role")?, role.try_get("", "bypasses")?);
    ensure!(
        !bypasses,
        "the database role `{name}` bypasses row-level security, the wall between tenants; the \
         server does not serve like this"
    );
    let open = conn
        .query_all_raw(ask(
            "SELECT relname::text AS name FROM pg_class WHERE relname IN ('users','auth_keys','nodes','policy_revisions','invites','audit') \
             AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity) AND relnamespace = current_schema()::regnamespace",
        ))
        .await?;
    if let Some(table) = open.first() {
        let table: String = table.try_get("", "name")?;
        bail!("row-level security is off for table `{table}`; the server does not serve like this");
    }
    Ok(())
}
