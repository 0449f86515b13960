//! Tenants, and the directory that finds the tenant of a key.

use sea_orm::FromQueryResult;
use wire::{
    AuthKeyId, NodeId, NodeKey, TenantId, Timestamp, UserId,
    api::tenant::Settings,
    id::{AccountId, InviteId},
    name::TenantSlug,
};

use super::{
    address::next_id,
    rows::{Conn, SystemRows, TenantRows, json, number, text, to_json, unsigned},
};
use crate::error::{Error, Result};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The id.
    pub id: TenantId,
    /// The short name.
    pub slug: TenantSlug,
    /// The name for people.
    pub name: String,
    /// What its administrators have set.
    pub settings: Settings,
    /// The pseudo-user that tagged nodes belong to.
    pub tagged_user: UserId,
    /// When it was made.
    pub created: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    slug: String,
    name: String,
    settings: String,
    tagged_user: i64,
    created: i64,
}

impl Row {
    fn read(self) -> Result<Tenant> {
        Ok(Tenant {
            id: text(&self.id)?,
            slug: text(&self.slug)?,
            name: self.name,
            settings: json(&self.settings)?,
            tagged_user: UserId(unsigned(self.tagged_user)),
            created: Timestamp::from_unix_micros(self.created),
        })
    }
}

#[derive(FromQueryResult)]
struct Found {
    tenant_id: String,
    item: String,
}

/// What the directory lists.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listing {
    NodeKey,
    AuthKey,
    Invite,
    Member,
}

impl Listing {
    const fn word(self) -> &'static str {
        match self {
            Self::NodeKey => "node_key",
            Self::AuthKey => "auth_key",
            Self::Invite => "invite",
            Self::Member => "member",
        }
    }
}

const COLUMNS: &str = "SELECT id, slug, name, settings, tagged_user, created FROM tenants";

impl SystemRows {
    /// Every tenant, oldest first.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        let rows: Vec<Row> = self
            .conn
            .all(&format!("{COLUMNS} ORDER BY created, id"), vec![])
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The tenant with this short name.
    pub async fn find_tenant_by_slug(&self, slug: &TenantSlug) -> Result<Option<Tenant>> {
        let sql = format!("{COLUMNS} WHERE slug = $1");
        let row: Option<Row> = self.conn.one(&sql, vec![slug.as_str().into()]).await?;
        row.map(Row::read).transpose()
    }

    /// Makes a tenant with default settings. A taken short name is a conflict.
    pub async fn create_tenant(&self, slug: &TenantSlug, name: &str) -> Result<Tenant> {
        if self.find_tenant_by_slug(slug).await?.is_some() {
            return Err(Error::Conflict(wire::api::problem::Code::TenantSlugTaken));
        }
        let now = self.context.clock.now();
        let tenant = Tenant {
            id: TenantId(self.context.rng.uuid_v7(now)),
            slug: slug.clone(),
            name: name.to_owned(),
            settings: Settings::default(),
            tagged_user: UserId(next_id(&self.conn).await?),
            created: now,
        };
        let sql = "INSERT INTO tenants (id, slug, name, settings, tagged_user, created) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let values = vec![
            tenant.id.to_string().into(),
            slug.as_str().into(),
            name.into(),
            to_json(&tenant.settings)?.into(),
            number(tenant.tagged_user.0).into(),
            now.unix_micros().into(),
        ];
        self.conn.run(sql, values).await?;
        Ok(tenant)
    }

    /// The node that holds this key now.
    pub async fn find_node_by_key(&self, key: &NodeKey) -> Result<Option<(TenantId, NodeId)>> {
        self.listed(Listing::NodeKey, &key.to_string()).await
    }

    /// The auth key with this hash.
    pub async fn find_auth_key(&self, hash: &str) -> Result<Option<(TenantId, AuthKeyId)>> {
        self.listed(Listing::AuthKey, hash).await
    }

    /// The invitation with this hash.
    pub async fn find_invite(&self, hash: &str) -> Result<Option<(TenantId, InviteId)>> {
        self.listed(Listing::Invite, hash).await
    }

    /// The tenants that an account is a member of, and who it is there.
    pub async fn memberships(&self, account: AccountId) -> Result<Vec<(TenantId, UserId)>> {
        let sql = "SELECT tenant_id, item FROM directory WHERE kind = 'member' AND value LIKE $1 \
                   ORDER BY item";
        let found: Vec<Found> = self
            .conn
            .all(sql, vec![format!("{account}/%").into()])
            .await?;
        found
            .iter()
            .map(|f| Ok((text(&f.tenant_id)?, text(&f.item)?)))
            .collect()
    }

    async fn listed<T>(&self, listing: Listing, value: &str) -> Result<Option<(TenantId, T)>>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let sql = "SELECT tenant_id, item FROM directory WHERE kind = $1 AND value = $2";
        let values = vec![listing.word().into(), value.into()];
        let found: Option<Found> = self.conn.one(sql, values).await?;
        found
            .map(|f| Ok((text(&f.tenant_id)?, text(&f.item)?)))
            .transpose()
    }
}

impl TenantRows {
    /// The tenant itself.
    pub async fn tenant(&self) -> Result<Tenant> {
        let sql = format!("{COLUMNS} WHERE id = $1");
        let row: Option<Row> = self.conn.one(&sql, self.scoped([])).await?;
        row.ok_or(Error::NotFound)?.read()
    }

    /// Changes the tenant's name and settings.
    pub async fn update_tenant(&self, name: &str, settings: &Settings) -> Result<()> {
        let sql = "UPDATE tenants SET name = $2, settings = $3 WHERE id = $1";
        let values = self.scoped([name.into(), to_json(settings)?.into()]);
        self.conn.run(sql, values).await?;
        Ok(())
    }

    pub(super) async fn list_in_directory(
        &self,
        listing: Listing,
        value: &str,
        item: String,
    ) -> Result<()> {
        list(&self.conn, &self.tenant, listing, value, item).await
    }

    pub(super) async fn unlist(&self, listing: Listing, value: &str) -> Result<()> {
        let sql = "DELETE FROM directory WHERE tenant_id = $1 AND kind = $2 AND value = $3";
        self.conn
            .run(sql, self.scoped([listing.word().into(), value.into()]))
            .await?;
        Ok(())
    }
}

async fn list(
    conn: &Conn,
    tenant: &str,
    listing: Listing,
    value: &str,
    item: String,
) -> Result<()> {
    let sql = "INSERT INTO directory (kind, value, tenant_id, item) VALUES ($1, $2, $3, $4)";
    let values = vec![
        listing.word().into(),
        value.into(),
        tenant.into(),
        item.into(),
    ];
    conn.run(sql, values).await?;
    Ok(())
}
