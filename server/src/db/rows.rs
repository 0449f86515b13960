//! Rows of one tenant, and global rows: the values every repository hangs on.

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait as _, DatabaseBackend, DatabaseConnection, DatabaseTransaction,
    FromQueryResult, Statement, Value,
};
use serde::de::DeserializeOwned;
use wire::TenantId;

use super::Context;
use crate::error::{Error, Result};

/// Where statements go.
#[derive(Debug, Clone)]
pub(super) enum Conn {
    /// A transaction that only reads.
    Reading(Arc<DatabaseTransaction>),
    /// The writing task's connection, inside its transaction.
    Writing(Arc<DatabaseConnection>),
}

impl Conn {
    fn backend(&self) -> DatabaseBackend {
        match self {
            Self::Reading(c) => c.get_database_backend(),
            Self::Writing(c) => c.get_database_backend(),
        }
    }

    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql, values)
    }

    /// All rows that `sql` gives; `$1`, `$2`, … are `values`.
    pub(super) async fn all<T: FromQueryResult>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<T>> {
        let statement = self.statement(sql, values);
        let rows = match self {
            Self::Reading(c) => c.query_all_raw(statement).await,
            Self::Writing(c) => c.query_all_raw(statement).await,
        };
        let rows = rows.map_err(fault)?;
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
        let row = match self {
            Self::Reading(c) => c.query_one_raw(statement).await,
            Self::Writing(c) => c.query_one_raw(statement).await,
        };
        row.map_err(fault)?
            .map(|row| T::from_query_result(&row, "").map_err(Error::internal))
            .transpose()
    }

    /// Runs `sql`; how many rows it touched.
    pub(super) async fn run(&self, sql: &str, values: Vec<Value>) -> Result<u64> {
        let statement = self.statement(sql, values);
        let done = match self {
            Self::Reading(c) => c.execute_raw(statement).await,
            Self::Writing(c) => c.execute_raw(statement).await,
        };
        Ok(done.map_err(fault)?.rows_affected())
    }

    /// Names the tenant to row-level security, until the transaction ends.
    async fn name_tenant(&self, tenant: &str) -> Result<()> {
        if self.backend() == DatabaseBackend::Postgres {
            self.run_discarding("SELECT set_config('app.tenant_id', $1, true)", tenant)
                .await?;
        }
        Ok(())
    }

    async fn run_discarding(&self, sql: &str, value: &str) -> Result<()> {
        let statement = self.statement(sql, vec![value.into()]);
        let done = match self {
            Self::Reading(c) => c.query_one_raw(statement).await,
            Self::Writing(c) => c.query_one_raw(statement).await,
        };
        done.map(|_| ()).map_err(fault)
    }
}

/// A pool that is exhausted or a server that is gone is "unavailable", the rest a fault of ours.
fn fault(e: sea_orm::DbErr) -> Error {
    if matches!(
        e,
        sea_orm::DbErr::ConnectionAcquire(_) | sea_orm::DbErr::Conn(_)
    ) {
        Error::unavailable(e)
    } else {
        Error::internal(e)
    }
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
