//! Rows of one tenant, and global rows: the values every repository hangs on.

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait as _, DatabaseBackend, DatabaseTransaction, DbErr, FromQueryResult, RuntimeErr,
    Statement, Value, sqlx,
};
use serde::de::DeserializeOwned;
use wire::TenantId;

use super::Context;
use crate::error::{Error, Result};

/// A transaction, on a connection of its own until it ends: what follows a lost
/// connection never reaches the database outside of it.
#[derive(Debug, Clone)]
pub(super) struct Conn(pub(super) Arc<DatabaseTransaction>);

impl Conn {
    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.0.get_database_backend(), sql, values)
    }

    /// All rows that `sql` gives; `$1`, `$2`, … are `values`.
    pub(super) async fn all<T: FromQueryResult>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<T>> {
        let statement = self.statement(sql, values);
        let rows = self.0.query_all_raw(statement).await.map_err(fault)?;
        rows.iter()
            .map(|row| T::from_query_result(row, "").map_err(Error::internal))
            .collect()
    }

    /// The first row, if any.
    pub(super) async fn one<T: FromQueryResult>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Option<T>> {
        let statement = self.statement(sql, values);
        let row = self.0.query_one_raw(statement).await.map_err(fault)?;
        row.map(|row| T::from_query_result(&row, "").map_err(Error::internal))
            .transpose()
    }

    /// Runs `sql`; how many rows it touched.
    pub(super) async fn run(&self, sql: &str, values: Vec<Value>) -> Result<u64> {
        let done = self.0.execute_raw(self.statement(sql, values)).await;
        Ok(done.map_err(fault)?.rows_affected())
    }

    /// Names the tenant to row-level security, until the transaction ends.
    async fn name_tenant(&self, tenant: &str) -> Result<()> {
        if self.0.get_database_backend() == DatabaseBackend::Postgres {
            let sql = "SELECT set_config('app.tenant_id', $1, true)";
            let named = self.statement(sql, vec![tenant.into()]);
            self.0.query_one_raw(named).await.map_err(fault)?;
        }
        Ok(())
    }
}

/// A database that is away is "unavailable", the rest a fault of ours.
pub(super) fn fault(e: DbErr) -> Error {
    let never_there = matches!(e, DbErr::ConnectionAcquire(_) | DbErr::Conn(_));
    let lost = matches!(
        &e,
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) if is_away(e)
    );
    if never_there || lost {
        Error::unavailable(e)
    } else {
        Error::internal(e)
    }
}

fn is_away(e: &sqlx::Error) -> bool {
    if let sqlx::Error::Database(e) = e {
        // PostgreSQL's classes: connection, resources, operator intervention (a
        // shutdown, a start, a statement that took too long).
        let classes = ["08", "53", "57"];
        return e
            .code()
            .is_some_and(|code| code.len() == 5 && classes.iter().any(|c| code.starts_with(c)));
    }
    matches!(
        e,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    )
}

/// Rows of one tenant.
#[derive(Debug)]
pub struct TenantRows {
    pub(super) conn: Conn,
    pub(super) id: TenantId,
    pub(super) tenant: String,
    pub(super) context: Context,
}

impl TenantRows {
    pub(super) async fn enter(conn: Conn, id: TenantId, context: Context) -> Result<Self> {
        let tenant = id.to_string();
        conn.name_tenant(&tenant).await?;
        Ok(Self {
            conn,
            id,
            tenant,
            context,
        })
    }

    /// The tenant.
    pub const fn id(&self) -> TenantId {
        self.id
    }

    /// The tenant's id as the first value of a statement, then the others.
    pub(super) fn scoped<const N: usize>(&self, rest: [Value; N]) -> Vec<Value> {
        std::iter::once(Value::from(self.tenant.clone()))
            .chain(rest)
            .collect()
    }
}

/// Why global rows are touched. Each use is one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Loading tenants, keys and addresses at start.
    Start,
    /// Setting the server up, or making a tenant.
    Setup,
    /// Signing a person in or out, and his sessions.
    SignIn,
    /// Finding the tenant of a key, an invitation or a node.
    Directory,
    /// Acts at the server's own shell.
    LocalAdmin,
    /// Clean-up by the server itself.
    Upkeep,
}

/// Global rows.
#[derive(Debug)]
pub struct SystemRows {
    pub(super) conn: Conn,
    pub(super) context: Context,
}

impl SystemRows {
    pub(super) fn new(conn: Conn, reason: Reason, context: Context) -> Self {
        tracing::trace!(?reason, "global rows");
        Self { conn, context }
    }

    /// Rows of one tenant in the same transaction.
    pub async fn enter(&self, tenant: TenantId) -> Result<TenantRows> {
        TenantRows::enter(self.conn.clone(), tenant, self.context.clone()).await
    }
}

/// A value stored as JSON text.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

/// A value stored as text.
pub(super) fn text<T>(stored: &str) -> Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    stored
        .parse()
        .map_err(|e| Error::internal(anyhow::anyhow!("a stored value is unreadable: {e}")))
}

/// A JSON value as it is stored.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// An unsigned number as it is stored.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A stored number.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}
