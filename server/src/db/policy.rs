//! Policy revisions: append-only; the one with the highest number is in force.

use sea_orm::FromQueryResult;
use wire::{Timestamp, api::me::Actor, id::PolicyRevisionId};

use super::rows::{TenantRows, json, number, text, to_json, unsigned};
use crate::error::{Error, Result};

/// One revision, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The id.
    pub id: PolicyRevisionId,
    /// 1, 2, 3, …
    pub number: u64,
    /// Who saved it.
    pub author: Actor,
    /// Why.
    pub reason: String,
    /// The document, byte for byte.
    pub document: String,
    /// When.
    pub created: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    number: i64,
    author: String,
    reason: String,
    document: String,
    created: i64,
}

impl Row {
    fn read(self) -> Result<Revision> {
        Ok(Revision {
            id: text(&self.id)?,
            number: unsigned(self.number),
            author: json(&self.author)?,
            reason: self.reason,
            document: self.document,
            created: Timestamp::from_unix_micros(self.created),
        })
    }
}

#[derive(FromQueryResult)]
struct Id {
    id: String,
}

/// Revisions that a list gives at most; older ones stay and are found by id.
const LISTED: i64 = 200;

const COLUMNS: &str = "SELECT id, number, author, reason, document, created FROM policy_revisions \
    WHERE tenant_id = $1";

impl TenantRows {
    /// The policy in force.
    pub async fn policy(&self) -> Result<Revision> {
        let sql = format!("{COLUMNS} ORDER BY number DESC LIMIT 1");
        let row: Option<Row> = self.conn.one(&sql, self.scoped([])).await?;
        row.ok_or(Error::NotFound)?.read()
    }

    /// Which policy is in force, if any.
    pub async fn policy_in_force(&self) -> Result<Option<PolicyRevisionId>> {
        let sql =
            "SELECT id FROM policy_revisions WHERE tenant_id = $1 ORDER BY number DESC LIMIT 1";
        let row: Option<Id> = self.conn.one(sql, self.scoped([])).await?;
        row.map(|row| text(&row.id)).transpose()
    }

    /// One revision.
    pub async fn policy_revision(&self, id: PolicyRevisionId) -> Result<Revision> {
        let sql = format!("{COLUMNS} AND id = $2");
        let row: Option<Row> = self
            .conn
            .one(&sql, self.scoped([id.to_string().into()]))
            .await?;
        row.ok_or(Error::NotFound)?.read()
    }

    /// The revisions, newest first.
    pub async fn policy_revisions(&self) -> Result<Vec<Revision>> {
        let sql = format!("{COLUMNS} ORDER BY number DESC LIMIT $2");
        let rows: Vec<Row> = self.conn.all(&sql, self.scoped([LISTED.into()])).await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// Puts a document in force.
    pub async fn create_policy_revision(
        &self,
        author: &Actor,
        reason: &str,
        document: &str,
    ) -> Result<Revision> {
        let before = match self.policy().await {
            Ok(revision) => revision.number,
            Err(Error::NotFound) => 0,
            Err(e) => return Err(e),
        };
        let now = self.context.clock.now();
        let id = PolicyRevisionId(self.context.rng.uuid_v7(now));
        let sql = "INSERT INTO policy_revisions (tenant_id, id, number, author, reason, document, created) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = self.scoped([
            id.to_string().into(),
            number(before + 1).into(),
            to_json(author)?.into(),
            reason.into(),
            document.into(),
            now.unix_micros().into(),
        ]);
        self.conn.run(sql, values).await?;
        self.policy_revision(id).await
    }
}
