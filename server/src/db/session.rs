//! Console sessions, by the hash of their id: a leaked table is no session.

use sea_orm::FromQueryResult;
use wire::{Timestamp, id::AccountId};

use super::rows::{SystemRows, text};
use crate::error::Result;

/// A session as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the id in the cookie, in hex.
    pub id_hash: String,
    /// Who is signed in; `None` before sign-in.
    pub account: Option<AccountId>,
    /// What the session layer keeps.
    pub data: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// When it ends whatever happens.
    pub expires: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id_hash: String,
    account_id: Option<String>,
    data: String,
    created: i64,
    last_seen: i64,
    expires: i64,
}

impl SystemRows {
    /// Makes a session; false when the id is taken.
    pub async fn create_session(&self, row: &SessionRow) -> Result<bool> {
        let sql = "INSERT INTO sessions (id_hash, account_id, data, created, last_seen, expires) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id_hash) DO NOTHING";
        let touched = self
            .conn
            .run(
                sql,
                vec![
                    row.id_hash.clone().into(),
                    row.account.map(|a| a.to_string()).into(),
                    row.data.clone().into(),
                    row.created.unix_micros().into(),
                    row.last_seen.unix_micros().into(),
                    row.expires.unix_micros().into(),
                ],
            )
            .await?;
        Ok(touched == 1)
    }

    /// Changes a session that exists; one that has ended is not brought back.
    pub async fn update_session(&self, row: &SessionRow) -> Result<bool> {
        let sql = "UPDATE sessions SET account_id = $2, data = $3, last_seen = $4, expires = $5 \
                   WHERE id_hash = $1";
        let values = vec![
            row.id_hash.clone().into(),
            row.account.map(|a| a.to_string()).into(),
            row.data.clone().into(),
            row.last_seen.unix_micros().into(),
            row.expires.unix_micros().into(),
        ];
        Ok(self.conn.run(sql, values).await? == 1)
    }

    /// Notes that a session is used now; one that has ended is not brought back.
    pub async fn touch_session(&self, id_hash: &str) -> Result<()> {
        let now = self.context.clock.now().unix_micros();
        let sql = "UPDATE sessions SET last_seen = $2 WHERE id_hash = $1";
        self.conn.run(sql, vec![id_hash.into(), now.into()]).await?;
        Ok(())
    }

    /// The session with this hash, ended or not.
    pub async fn find_session(&self, id_hash: &str) -> Result<Option<SessionRow>> {
        let sql = "SELECT id_hash, account_id, data, created, last_seen, expires FROM sessions \
                   WHERE id_hash = $1";
        let row: Option<Row> = self.conn.one(sql, vec![id_hash.into()]).await?;
        row.map(|row| {
            Ok(SessionRow {
                id_hash: row.id_hash,
                account: row.account_id.as_deref().map(text).transpose()?,
                data: row.data,
                created: Timestamp::from_unix_micros(row.created),
                last_seen: Timestamp::from_unix_micros(row.last_seen),
                expires: Timestamp::from_unix_micros(row.expires),
            })
        })
        .transpose()
    }

    /// Ends a session.
    pub async fn delete_session(&self, id_hash: &str) -> Result<()> {
        self.conn
            .run(
                "DELETE FROM sessions WHERE id_hash = $1",
                vec![id_hash.into()],
            )
            .await?;
        Ok(())
    }

    /// Ends all sessions of a person.
    pub async fn delete_sessions_of(&self, account: AccountId) -> Result<u64> {
        let sql = "DELETE FROM sessions WHERE account_id = $1";
        self.conn.run(sql, vec![account.to_string().into()]).await
    }

    /// Removes sessions that ended, or were last used, before these instants.
    pub async fn delete_stale_sessions(
        &self,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<u64> {
        let sql = "DELETE FROM sessions WHERE expires < $1 OR last_seen < $2";
        self.conn
            .run(
                sql,
                vec![now.unix_micros().into(), idle_since.unix_micros().into()],
            )
            .await
    }
}
