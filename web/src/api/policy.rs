//! The access policy.

use gloo_net::http::Method;
use wire::{
    TenantId,
    api::policy::{Policy, SavePolicy},
    paths::PolicyPath,
};

use super::Result;

/// Replaces it.
pub(crate) async fn save(tenant: TenantId, policy: SavePolicy) -> Result<Policy> {
    super::send(Method::PUT, &PolicyPath { tenant }.to_path(), &policy).await
}
