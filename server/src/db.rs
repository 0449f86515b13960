//! The only door to rows.
//!
//! Rows of a tenant are reached through [`TenantRows`], which is bound to one
//! tenant when it is made: every statement of its repositories starts from that
//! tenant. What is global is reached through [`SystemRows`], for a stated
//! [`Reason`]. On PostgreSQL row-level security is the second wall: each
//! transaction names its tenant, under a role that cannot bypass it.
//!
//! All writes of a process go through one connection and one task: writes that
//! wait at the same time share a commit, each in a savepoint of its own.

use std::sync::Arc;

use sea_orm::{ConnectOptions, Database, DatabaseBackend, DatabaseConnection, TransactionTrait};
use wire::TenantId;

use crate::{
    clock::Clock,
    error::{Error, Result},
    rng::Rng,
    secret::Vault,
};

mod account;
mod address;
mod audit;
mod auth_key;
mod connect;
mod invite;
mod link;
mod node;
mod policy;
mod route;
mod rows;
mod secrets;
mod session;
mod tenant;
mod user;
mod writer;

pub use account::Account;
pub use auth_key::{AuthKey, NewAuthKey};
pub use connect::{connect, holds_secrets, inspect};
pub use invite::Invite;
pub use link::{Link, LinkKind};
pub use node::{NewNode, Node, NodeOwner, PresenceRow};
pub use policy::Revision;
pub use route::Decision;
pub use rows::{Reason, SystemRows, TenantRows};
pub use session::SessionRow;
pub use tenant::Tenant;
pub use user::{Profile, User};

/// The database.
#[derive(Clone)]
pub struct Store {
    readers: DatabaseConnection,
    writer: writer::Writer,
    context: Context,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.backend())
            .finish_non_exhaustive()
    }
}

/// What repositories need besides rows.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Rng,
    pub(crate) vault: Arc<Vault>,
}

impl Store {
    fn backend(&self) -> DatabaseBackend {
        self.readers.get_database_backend()
    }

    /// Rows of one tenant, to read: one consistent view until dropped.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantRows> {
        let tx = self.readers.begin().await.map_err(Error::unavailable)?;
        TenantRows::enter(rows::Conn(Arc::new(tx)), tenant, self.context.clone()).await
    }

    /// Global rows, to read.
    pub async fn system(&self, reason: Reason) -> Result<SystemRows> {
        let tx = self.readers.begin().await.map_err(Error::unavailable)?;
        Ok(SystemRows::new(
            rows::Conn(Arc::new(tx)),
            reason,
            self.context.clone(),
        ))
    }

    /// Writes rows of one tenant: all that `work` does or nothing. When it
    /// returns the commit is durable.
    pub async fn write<T, F, Fut>(&self, tenant: TenantId, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(TenantRows) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let context = self.context.clone();
        self.writer
            .submit(move |conn| async move {
                let rows = TenantRows::enter(conn, tenant, context).await?;
                work(rows).await
            })
            .await
    }

    /// Writes global rows, as [`Self::write`].
    pub async fn write_system<T, F, Fut>(&self, reason: Reason, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(SystemRows) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let context = self.context.clone();
        self.writer
            .submit(move |conn| async move { work(SystemRows::new(conn, reason, context)).await })
            .await
    }
}

async fn pool(options: ConnectOptions) -> Result<DatabaseConnection> {
    Database::connect(options).await.map_err(Error::unavailable)
}

#[cfg(test)]
pub(crate) mod dump;
#[cfg(test)]
mod tests;
