//! Members and invitations.

use gloo_net::http::Method;
use wire::{
    TenantId, UserId,
    api::{
        Role,
        user::{CreateInvite, OneTimeLink, UpdateUser},
    },
    id::InviteId,
    paths::{InvitePath, InvitesPath, UserLoginLinkPath, UserPath},
};

use super::Result;

/// Changes what a member may do.
pub(crate) async fn set_role(tenant: TenantId, user: UserId, role: Role) -> Result<()> {
    let path = UserPath { tenant, user }.to_path();
    super::tell(Method::PATCH, &path, &UpdateUser { role }).await
}

/// Removes a member with his machines.
pub(crate) async fn remove(tenant: TenantId, user: UserId) -> Result<()> {
    super::act(Method::DELETE, &UserPath { tenant, user }.to_path()).await
}

/// A one-time link that signs him in.
pub(crate) async fn login_link(tenant: TenantId, user: UserId) -> Result<OneTimeLink> {
    super::ask(Method::POST, &UserLoginLinkPath { tenant, user }.to_path()).await
}

/// A one-time link that makes somebody a member.
pub(crate) async fn invite(tenant: TenantId, email: String, role: Role) -> Result<OneTimeLink> {
    let path = InvitesPath { tenant }.to_path();
    super::send(Method::POST, &path, &CreateInvite { email, role }).await
}

/// Takes an invitation back.
pub(crate) async fn withdraw(tenant: TenantId, invite: InviteId) -> Result<()> {
    super::act(Method::DELETE, &InvitePath { tenant, invite }.to_path()).await
}
