//! Auth keys.

use gloo_net::http::Method;
use wire::{
    AuthKeyId, TenantId,
    api::auth_key::{CreateAuthKey, CreatedAuthKey},
    paths::{AuthKeyPath, AuthKeysPath},
};

use super::Result;

/// Makes one.
pub(crate) async fn create(tenant: TenantId, key: CreateAuthKey) -> Result<CreatedAuthKey> {
    super::send(Method::POST, &AuthKeysPath { tenant }.to_path(), &key).await
}

/// Ends one.
pub(crate) async fn revoke(tenant: TenantId, key: AuthKeyId) -> Result<()> {
    super::act(Method::DELETE, &AuthKeyPath { tenant, key }.to_path()).await
}
