//! Tenants.

use wire::{
    TenantId,
    api::{
        Action,
        me::Actor,
        tenant::{Settings, Tenant, UpdateTenant},
    },
    name::TenantSlug,
};

use super::field;
use crate::{
    app::App,
    audit::AuditEvent,
    authz::permit,
    db::{self, Reason, SystemRows, TenantRows},
    error::Result,
    tenancy::Changed,
};

/// Makes a tenant with default settings and the starter policy. It has no
/// member yet. Only the operator makes tenants. A taken short name is a conflict.
pub async fn create(app: &App, by: &Actor, slug: &TenantSlug, name: &str) -> Result<Tenant> {
    let name = field::name("/name", name)?;
    let (slug, by) = (slug.clone(), by.clone());
    let tenant = app
        .db
        .write_system(Reason::LocalAdmin, move |rows| async move {
            let (tenant, _) = found(&rows, &by, &slug, &name).await?;
            Ok(tenant)
        })
        .await?;
    app.hub.changed(tenant.id, Changed::Settings).await;
    Ok(view(app, &tenant))
}

/// The rows of a new tenant.
pub(crate) async fn found(
    rows: &SystemRows,
    by: &Actor,
    slug: &TenantSlug,
    name: &str,
) -> Result<(db::Tenant, TenantRows)> {
    let tenant = rows.create_tenant(slug, name).await?;
    let inside = rows.enter(tenant.id).await?;
    inside
        .create_policy_revision(
            by,
            "The policy that a new tenant starts with",
            policy::STARTER,
        )
        .await?;
    let event = AuditEvent::TenantCreated {
        slug: slug.to_string(),
        name: name.to_owned(),
    };
    inside.record(by, &event).await?;
    Ok((tenant, inside))
}

/// Every tenant, oldest first; for the operator.
pub async fn list(app: &App) -> Result<Vec<Tenant>> {
    let all = app.db.system(Reason::LocalAdmin).await?.tenants().await?;
    Ok(all.iter().map(|tenant| view(app, tenant)).collect())
}

/// The tenant with this short name; for the operator.
pub async fn find_by_slug(app: &App, slug: &TenantSlug) -> Result<Option<Tenant>> {
    let rows = app.db.system(Reason::LocalAdmin).await?;
    let found = rows.find_tenant_by_slug(slug).await?;
    Ok(found.map(|tenant| view(app, &tenant)))
}

/// One tenant.
pub async fn get(app: &App, tenant: TenantId) -> Result<Tenant> {
    let tenant = app.db.tenant(tenant).await?.tenant().await?;
    Ok(view(app, &tenant))
}

/// Changes the tenant's name and settings.
pub async fn update(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    update: UpdateTenant,
) -> Result<Tenant> {
    let name = update
        .name
        .map(|name| field::name("/name", &name))
        .transpose()?;
    let settings = update.settings.map(check).transpose()?;
    let by = by.clone();
    let tenant = app
        .db
        .write(tenant, move |rows| async move {
            permit(&rows, &by, Action::ManageTenant).await?;
            let old = rows.tenant().await?;
            let name = name.unwrap_or(old.name);
            let settings = settings.unwrap_or(old.settings);
            rows.update_tenant(&name, &settings).await?;
            rows.record(&by, &AuditEvent::TenantUpdated { name, settings })
                .await?;
            rows.tenant().await
        })
        .await?;
    app.hub.changed(tenant.id, Changed::Settings).await;
    Ok(view(app, &tenant))
}

fn check(settings: Settings) -> Result<Settings> {
    let Settings {
        device_approval: _,
        node_key_expiry_days,
        ephemeral_removal_minutes,
    } = settings;
    field::within(
        "/settings/node_key_expiry_days",
        node_key_expiry_days,
        1,
        180,
    )?;
    field::within(
        "/settings/ephemeral_removal_minutes",
        ephemeral_removal_minutes,
        1,
        1440,
    )?;
    Ok(settings)
}

/// The suffix of a tenant's machine names.
pub(crate) fn dns_suffix(app: &App, tenant: &db::Tenant) -> String {
    format!("{}.{}", tenant.slug, app.config.tenancy.dns_suffix)
}

fn view(app: &App, tenant: &db::Tenant) -> Tenant {
    Tenant {
        id: tenant.id,
        slug: tenant.slug.to_string(),
        name: tenant.name.clone(),
        dns_suffix: dns_suffix(app, tenant),
        created: tenant.created,
        settings: tenant.settings.clone(),
    }
}
