//! One-time links: to set the server up, and to sign in.

use sea_orm::FromQueryResult;
use wire::{TenantId, Timestamp, id::AccountId};

use super::rows::{SystemRows, text};
use crate::error::{Error, Result};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Makes the first owner and tenant.
    Setup,
    /// Signs a person in.
    Login {
        /// Whom.
        account: AccountId,
        /// The only tenant that the session reaches; `None`: all of the person's.
        tenant: Option<TenantId>,
    },
}

/// A link that can still be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is for.
    pub kind: LinkKind,
    /// When it ends.
    pub expires: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    kind: String,
    account_id: Option<String>,
    tenant_id: Option<String>,
    expires: i64,
}

#[derive(FromQueryResult)]
struct Count {
    value: i64,
}

impl SystemRows {
    /// Makes a link. A new set-up link ends those before it.
    pub async fn create_link(
        &self,
        kind: LinkKind,
        token_hash: &str,
        expires: Timestamp,
    ) -> Result<()> {
        let now = self.context.clock.now().unix_micros();
        let (word, account, tenant) = match kind {
            LinkKind::Setup => ("setup", None, None),
            LinkKind::Login { account, tenant } => (
                "login",
                Some(account.to_string()),
                tenant.map(|tenant| tenant.to_string()),
            ),
        };
        if kind == LinkKind::Setup {
            self.conn
                .run("DELETE FROM links WHERE kind = 'setup'", vec![])
                .await?;
        }
        let sql = "INSERT INTO links (token_hash, kind, account_id, tenant_id, created, expires, used) \
                   VALUES ($1, $2, $3, $4, $5, $6, NULL)";
        let values = vec![
            token_hash.into(),
            word.into(),
            account.into(),
            tenant.into(),
            now.into(),
            expires.unix_micros().into(),
        ];
        self.conn.run(sql, values).await?;
        Ok(())
    }

    /// The link with this hash, if it can still be used.
    pub async fn find_link(&self, token_hash: &str) -> Result<Option<Link>> {
        let now = self.context.clock.now().unix_micros();
        let sql = "SELECT kind, account_id, tenant_id, expires FROM links \
                   WHERE token_hash = $1 AND used IS NULL AND expires > $2";
        let row: Option<Row> = self
            .conn
            .one(sql, vec![token_hash.into(), now.into()])
            .await?;
        row.map(|row| {
            let kind = match (row.kind.as_str(), row.account_id) {
                ("setup", _) => LinkKind::Setup,
                (_, Some(account)) => LinkKind::Login {
                    account: text(&account)?,
                    tenant: row.tenant_id.as_deref().map(text).transpose()?,
                },
                (other, None) => {
                    return Err(Error::internal(anyhow::anyhow!("a link of kind {other}")));
                }
            };
            Ok(Link {
                kind,
                expires: Timestamp::from_unix_micros(row.expires),
            })
        })
        .transpose()
    }

    /// Uses a link up; of several callers at once exactly one gets it.
    pub async fn use_link(&self, token_hash: &str) -> Result<Link> {
        let link = self
            .find_link(token_hash)
            .await?
            .ok_or(Error::LinkInvalid)?;
        let now = self.context.clock.now().unix_micros();
        let sql = "UPDATE links SET used = $2 WHERE token_hash = $1 AND used IS NULL";
        match self
            .conn
            .run(sql, vec![token_hash.into(), now.into()])
            .await?
        {
            1 => Ok(link),
            _ => Err(Error::LinkInvalid),
        }
    }

    /// Removes links that ended before this instant.
    pub async fn delete_stale_links(&self, before: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM links WHERE expires < $1";
        self.conn.run(sql, vec![before.unix_micros().into()]).await
    }

    /// Whether the server has an account yet: while it has none it can be set up.
    pub async fn has_accounts(&self) -> Result<bool> {
        let count: Option<Count> = self
            .conn
            .one("SELECT COUNT(*) AS value FROM accounts", vec![])
            .await?;
        Ok(count.is_some_and(|c| c.value > 0))
    }
}
