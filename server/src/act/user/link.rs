//! A one-time sign-in link for a member.

use wire::{
    TenantId, UserId,
    api::{Action, me::Actor, user::OneTimeLink},
};

use crate::{
    app::App,
    audit::AuditEvent,
    authz::permit,
    db::{LinkKind, Reason},
    error::Result,
    login,
    secret::token::Kind,
};

/// Makes a one-time link that signs a member in. Its session reaches this
/// tenant only: the person may be a member of others, whose administrators had
/// no say.
pub async fn login_link(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    user: UserId,
) -> Result<OneTimeLink> {
    let minted = login::mint(app, Kind::Login, login::LOGIN_LINK_LIFE);
    let (by, hash, expires) = (by.clone(), minted.hash, minted.link.expires);
    app.db
        .write_system(Reason::SignIn, move |system| async move {
            let rows = system.enter(tenant).await?;
            let standing = permit(&rows, &by, Action::ManageUsers).await?;
            let found = rows.user(user).await?;
            standing.outranks(found.role)?;
            let kind = LinkKind::Login {
                account: found.account,
                tenant: Some(tenant),
            };
            system.create_link(kind, &hash, expires).await?;
            let event = AuditEvent::LoginLinkCreated {
                email: found.email.to_string(),
            };
            rows.record(&by, &event).await
        })
        .await?;
    Ok(minted.link)
}
