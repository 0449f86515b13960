//! Invitations: one-time, for one e-mail address, with a role.

use sea_orm::FromQueryResult;
use wire::{Timestamp, api::Role, id::InviteId, name::Email};

use super::{
    rows::{TenantRows, text},
    tenant::Listing,
};
use crate::error::{Error, Result};

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The id.
    pub id: InviteId,
    /// Whom.
    pub email: Email,
    /// As what.
    pub role: Role,
    /// Who invited.
    pub invited_by: String,
    /// The secret's keyed hash.
    pub token_hash: String,
    /// When.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    email: String,
    role: String,
    invited_by: String,
    token_hash: String,
    created: i64,
    expires: i64,
}

impl Row {
    fn read(self) -> Result<Invite> {
        Ok(Invite {
            id: text(&self.id)?,
            email: text(&self.email)?,
            role: text(&self.role)?,
            invited_by: self.invited_by,
            token_hash: self.token_hash,
            created: Timestamp::from_unix_micros(self.created),
            expires: Timestamp::from_unix_micros(self.expires),
        })
    }
}

const COLUMNS: &str = "SELECT id, email, role, invited_by, token_hash, created, expires FROM invites \
    WHERE tenant_id = $1 AND used IS NULL AND expires > $2";

impl TenantRows {
    /// Open invitations, newest first.
    pub async fn invites(&self) -> Result<Vec<Invite>> {
        let sql = format!("{COLUMNS} ORDER BY created DESC");
        let now = self.context.clock.now().unix_micros();
        let rows: Vec<Row> = self.conn.all(&sql, self.scoped([now.into()])).await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// One open invitation.
    pub async fn find_invite(&self, id: InviteId) -> Result<Option<Invite>> {
        let sql = format!("{COLUMNS} AND id = $3");
        let now = self.context.clock.now().unix_micros();
        let values = self.scoped([now.into(), id.to_string().into()]);
        let row: Option<Row> = self.conn.one(&sql, values).await?;
        row.map(Row::read).transpose()
    }

    /// Invites a person.
    pub async fn create_invite(
        &self,
        email: &Email,
        role: Role,
        invited_by: &str,
        token_hash: &str,
        expires: Timestamp,
    ) -> Result<InviteId> {
        let now = self.context.clock.now();
        let id = InviteId(self.context.rng.uuid_v7(now));
        let sql = "INSERT INTO invites (tenant_id, id, email, role, invited_by, token_hash, created, \
                   expires, used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)";
        let values = self.scoped([
            id.to_string().into(),
            email.as_str().into(),
            role.as_str().into(),
            invited_by.into(),
            token_hash.into(),
            now.unix_micros().into(),
            expires.unix_micros().into(),
        ]);
        self.conn.run(sql, values).await?;
        self.list_in_directory(Listing::Invite, token_hash, id.to_string())
            .await?;
        Ok(id)
    }

    /// Uses an invitation up; of several callers at once exactly one gets it.
    pub async fn use_invite(&self, id: InviteId) -> Result<Invite> {
        let invite = self.find_invite(id).await?.ok_or(Error::LinkInvalid)?;
        match self.close_invite(id).await? {
            1 => Ok(invite),
            _ => Err(Error::LinkInvalid),
        }
    }

    /// Withdraws an open invitation.
    pub async fn withdraw_invite(&self, id: InviteId) -> Result<Invite> {
        let invite = self.find_invite(id).await?.ok_or(Error::NotFound)?;
        self.close_invite(id).await?;
        Ok(invite)
    }

    async fn close_invite(&self, id: InviteId) -> Result<u64> {
        let now = self.context.clock.now().unix_micros();
        let sql = "UPDATE invites SET used = $3 WHERE tenant_id = $1 AND id = $2 AND used IS NULL";
        self.conn
            .run(sql, self.scoped([id.to_string().into(), now.into()]))
            .await
    }
}
