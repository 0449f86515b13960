//! The access policy.

use gloo_net::http::Method;
use wire::{
    TenantId,
    api::policy::{CheckPolicy, CheckedPolicy, Policy, SavePolicy},
    paths::{PolicyCheckPath, PolicyPath},
};

use super::Result;

/// Judges a document without saving it.
pub(crate) async fn check(tenant: TenantId, document: String) -> Result<CheckedPolicy> {
    let path = PolicyCheckPath { tenant }.to_path();
    super::send(Method::POST, &path, &CheckPolicy { document }).await
}

/// Replaces it.
pub(crate) async fn save(tenant: TenantId, policy: SavePolicy) -> Result<Policy> {
    super::send(Method::PUT, &PolicyPath { tenant }.to_path(), &policy).await
}
