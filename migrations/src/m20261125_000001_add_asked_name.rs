//! The name that a node's machine asks for, so that the node's name follows it.
//!
//! Where it is empty an administrator has fixed the name. Nodes that joined
//! before keep theirs.
#![expect(
    elided_lifetimes_in_paths,
    reason = "the trait of sea-orm-migration elides them"
)]

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        conn.execute_unprepared("ALTER TABLE nodes ADD COLUMN asked_name TEXT")
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        conn.execute_unprepared("ALTER TABLE nodes DROP COLUMN asked_name")
            .await?;
        Ok(())
    }
}
