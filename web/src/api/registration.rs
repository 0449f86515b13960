//! Machines that wait for a person.

use gloo_net::http::Method;
use wire::{
    TenantId,
    api::registration::{ConfirmRegistration, ConfirmedRegistration},
    paths::RegistrationPath,
};

use super::Result;

/// Lets one join.
pub(crate) async fn confirm(token: String, tenant: TenantId) -> Result<ConfirmedRegistration> {
    let path = RegistrationPath { token }.to_path();
    super::send(Method::POST, &path, &ConfirmRegistration { tenant }).await
}
