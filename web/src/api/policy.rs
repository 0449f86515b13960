//! The access policy.

use gloo_net::http::Method;
use wire::{
    TenantId,
    api::policy::{
        CheckPolicy, CheckedPolicy, Policy, SavePolicy,
        explain::{ExplainPolicy, Explained},
        impact::{Impact, PreviewImpact},
    },
    paths::{PolicyCheckPath, PolicyExplainPath, PolicyImpactPath, PolicyPath},
};

use super::Result;

/// Judges a document without saving it.
pub(crate) async fn check(tenant: TenantId, document: String) -> Result<CheckedPolicy> {
    let path = PolicyCheckPath { tenant }.to_path();
    super::send(Method::POST, &path, &CheckPolicy { document }).await
}

/// Why somebody may reach something, or not.
pub(crate) async fn explain(tenant: TenantId, asked: ExplainPolicy) -> Result<Explained> {
    let path = PolicyExplainPath { tenant }.to_path();
    super::send(Method::POST, &path, &asked).await
}

/// What a change would open and shut.
pub(crate) async fn impact(tenant: TenantId, change: &PreviewImpact) -> Result<Impact> {
    let path = PolicyImpactPath { tenant }.to_path();
    super::send(Method::POST, &path, change).await
}

/// Replaces it.
pub(crate) async fn save(tenant: TenantId, policy: SavePolicy) -> Result<Policy> {
    super::send(Method::PUT, &PolicyPath { tenant }.to_path(), &policy).await
}
