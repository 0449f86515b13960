//! The tenant's settings.

use gloo_net::http::Method;
use wire::{TenantId, api::tenant::UpdateTenant, paths::TenantPath};

use super::Result;

/// Changes what is present.
pub(crate) async fn update(tenant: TenantId, change: UpdateTenant) -> Result<()> {
    super::tell(Method::PATCH, &TenantPath { tenant }.to_path(), &change).await
}
