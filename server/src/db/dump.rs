//! Everything that a PostgreSQL database holds, for tests that look for what it must not hold.

use sea_orm::{ConnectionTrait as _, QueryResult, Statement};

/// Every row of every table, one a line, as the database's owner sees them.
pub(crate) async fn rows_of(url: &str) -> String {
    let conn = sea_orm::Database::connect(url).await.unwrap();
    let ask = async |sql: String| {
        let ask = Statement::from_string(conn.get_database_backend(), sql);
        let rows = conn.query_all_raw(ask).await.unwrap();
        let line = |row: &QueryResult| row.try_get::<String>("", "line").unwrap();
        rows.iter().map(line).collect::<Vec<_>>()
    };
    let tables = "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public'";
    let mut all = Vec::new();
    for table in ask(tables.to_owned()).await {
        all.extend(ask(format!("SELECT t::text AS line FROM {table} t")).await);
    }
    assert!(!all.is_empty());
    all.join("\n")
}
