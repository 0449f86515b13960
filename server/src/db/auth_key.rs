//! Auth keys: the record, and the one statement that uses one up.

use sea_orm::FromQueryResult;
use wire::{AuthKeyId, Timestamp, UserId, name::Tag};

use super::{
    rows::{TenantRows, json, number, text, to_json, unsigned},
    tenant::Listing,
};
use crate::error::{Error, Result};

/// An auth key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthKey {
    /// The id.
    pub id: AuthKeyId,
    /// What it is for.
    pub description: String,
    /// The part of the secret that may be shown.
    pub prefix: String,
    /// The secret's keyed hash.
    pub secret_hash: String,
    /// Who made it.
    pub user: UserId,
    /// May be used more than once.
    pub reusable: bool,
    /// Its nodes are removed when they go.
    pub ephemeral: bool,
    /// Its nodes need no approval.
    pub preapproved: bool,
    /// Its nodes carry these tags; empty: they are the user's.
    pub tags: Vec<Tag>,
    /// How many nodes joined with it.
    pub uses: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl AuthKey {
    /// Whether it can be used at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires && (self.reusable || self.uses == 0)
    }
}

/// An auth key to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of `AuthKey`")]
pub struct NewAuthKey {
    pub description: String,
    pub prefix: String,
    pub secret_hash: String,
    pub user: UserId,
    pub reusable: bool,
    pub ephemeral: bool,
    pub preapproved: bool,
    pub tags: Vec<Tag>,
    pub expires: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    description: String,
    prefix: String,
    secret_hash: String,
    user_id: i64,
    reusable: bool,
    ephemeral: bool,
    preapproved: bool,
    tags: String,
    uses: i64,
    created: i64,
    expires: i64,
    revoked: Option<i64>,
}

impl Row {
    fn read(self) -> Result<AuthKey> {
        Ok(AuthKey {
            id: text(&self.id)?,
            description: self.description,
            prefix: self.prefix,
            secret_hash: self.secret_hash,
            user: UserId(unsigned(self.user_id)),
            reusable: self.reusable,
            ephemeral: self.ephemeral,
            preapproved: self.preapproved,
            tags: json(&self.tags)?,
            uses: unsigned(self.uses),
            created: Timestamp::from_unix_micros(self.created),
            expires: Timestamp::from_unix_micros(self.expires),
            revoked: self.revoked.map(Timestamp::from_unix_micros),
        })
    }
}

const COLUMNS: &str = "SELECT id, description, prefix, secret_hash, user_id, reusable, ephemeral, \
    preapproved, tags, uses, created, expires, revoked FROM auth_keys WHERE tenant_id = $1";

impl TenantRows {
    /// All auth keys, newest first.
    pub async fn auth_keys(&self) -> Result<Vec<AuthKey>> {
        let sql = format!("{COLUMNS} ORDER BY created DESC, id DESC");
        let rows: Vec<Row> = self.conn.all(&sql, self.scoped([])).await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// One auth key.
    pub async fn auth_key(&self, id: AuthKeyId) -> Result<AuthKey> {
        let sql = format!("{COLUMNS} AND id = $2");
        let row: Option<Row> = self
            .conn
            .one(&sql, self.scoped([id.to_string().into()]))
            .await?;
        row.ok_or(Error::NotFound)?.read()
    }

    /// Makes an auth key.
    pub async fn create_auth_key(&self, new: &NewAuthKey) -> Result<AuthKey> {
        let now = self.context.clock.now();
        let id = AuthKeyId(self.context.rng.uuid_v7(now));
        let sql = "INSERT INTO auth_keys (tenant_id, id, description, prefix, secret_hash, user_id, \
                   reusable, ephemeral, preapproved, tags, uses, created, expires, revoked) VALUES \
                   ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, NULL)";
        let values = self.scoped([
            id.to_string().into(),
            new.description.clone().into(),
            new.prefix.clone().into(),
            new.secret_hash.clone().into(),
            number(new.user.0).into(),
            new.reusable.into(),
            new.ephemeral.into(),
            new.preapproved.into(),
            to_json(&new.tags)?.into(),
            now.unix_micros().into(),
            new.expires.unix_micros().into(),
        ]);
        self.conn.run(sql, values).await?;
        self.list_in_directory(Listing::AuthKey, &new.secret_hash, id.to_string())
            .await?;
        self.auth_key(id).await
    }

    /// Counts one use, if the key can still be used now: of several callers at
    /// once, a one-off key lets exactly one through.
    pub async fn use_auth_key(&self, id: AuthKeyId) -> Result<bool> {
        let now = self.context.clock.now().unix_micros();
        let sql = "UPDATE auth_keys SET uses = uses + 1 WHERE tenant_id = $1 AND id = $2 \
                   AND revoked IS NULL AND expires > $3 AND (reusable OR uses = 0)";
        let touched = self
            .conn
            .run(sql, self.scoped([id.to_string().into(), now.into()]))
            .await?;
        Ok(touched == 1)
    }

    /// Revokes a key; nodes that joined with it stay.
    pub async fn revoke_auth_key(&self, id: AuthKeyId) -> Result<()> {
        let now = self.context.clock.now().unix_micros();
        let sql = "UPDATE auth_keys SET revoked = $3 WHERE tenant_id = $1 AND id = $2 AND revoked IS NULL";
        self.conn
            .run(sql, self.scoped([id.to_string().into(), now.into()]))
            .await?;
        Ok(())
    }

    pub(super) async fn delete_auth_key(&self, key: &AuthKey) -> Result<()> {
        self.unlist(Listing::AuthKey, &key.secret_hash).await?;
        let sql = "DELETE FROM auth_keys WHERE tenant_id = $1 AND id = $2";
        self.conn
            .run(sql, self.scoped([key.id.to_string().into()]))
            .await?;
        Ok(())
    }
}
