//! The first schema: tenants, people, nodes, keys, policy, sessions, audit.
#![expect(
    elided_lifetimes_in_paths,
    reason = "the trait of sea-orm-migration elides them"
)]

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DatabaseBackend},
};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Both databases take these words.
const TABLES: &str = include_str!("m20261123_000001_create_schema.sql");
/// `SQLite` only: audit records are never changed.
const SQLITE: &str = include_str!("m20261123_000001_create_schema.sqlite.sql");
/// `PostgreSQL` only: the serving role and row-level security.
const POSTGRES: &str = include_str!("m20261123_000001_create_schema.postgres.sql");

const TABLE_NAMES: [&str; 14] = [
    "audit",
    "invites",
    "links",
    "sessions",
    "policy_revisions",
    "auth_keys",
    "addresses",
    "nodes",
    "users",
    "accounts",
    "directory",
    "counters",
    "secrets",
    "tenants",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        conn.execute_unprepared(TABLES).await?;
        let own = if conn.get_database_backend() == DatabaseBackend::Postgres {
            POSTGRES
        } else {
            SQLITE
        };
        conn.execute_unprepared(own).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        for table in TABLE_NAMES {
            conn.execute_unprepared(&format!("DROP TABLE IF EXISTS {table}"))
                .await?;
        }
        Ok(())
    }
}
