//! The schema's history: append-only, each migration inside one transaction.

use sea_orm_migration::prelude::*;

mod m20261123_000001_create_schema;
mod m20261125_000001_add_asked_name;
mod m20261125_000002_create_node_routes;

/// Runs the migrations in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_create_schema::Migration),
            Box::new(m20261125_000001_add_asked_name::Migration),
            Box::new(m20261125_000002_create_node_routes::Migration),
        ]
    }
}

pub use sea_orm_migration::MigratorTrait;
