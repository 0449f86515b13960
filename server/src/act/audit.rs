//! The audit log, to read.

use wire::{
    TenantId,
    api::{Page, audit::AuditRecord},
};

use crate::{app::App, error::Result};

/// One page, newest first; `cursor` is [`Page::next`] of the page before.
pub async fn page(app: &App, tenant: TenantId, cursor: Option<&str>) -> Result<Page<AuditRecord>> {
    app.db.tenant(tenant).await?.audit_page(cursor).await
}
