//! What was decided about the routes that nodes offer.
//!
//! A route without a row waits. Which routes a node offers is part of what it
//! reports; nothing follows from that alone.
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

const TABLE: &str = "
CREATE TABLE node_routes (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  node_id BIGINT NOT NULL,
  prefix TEXT NOT NULL,
  approved BOOLEAN NOT NULL,
  decided_by TEXT NOT NULL,
  decided BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, node_id, prefix),
  FOREIGN KEY (tenant_id, node_id) REFERENCES nodes (tenant_id, id) ON DELETE CASCADE
)";

/// `PostgreSQL` only: the second wall between tenants.
const WALL: &str = "
GRANT SELECT, INSERT, UPDATE, DELETE ON node_routes TO warren_app;
ALTER TABLE node_routes ENABLE ROW LEVEL SECURITY;
ALTER TABLE node_routes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON node_routes
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        conn.execute_unprepared(TABLE).await?;
        if conn.get_database_backend() == DatabaseBackend::Postgres {
            conn.execute_unprepared(WALL).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        conn.execute_unprepared("DROP TABLE node_routes").await?;
        Ok(())
    }
}
