//! Invitations: a one-time link for one e-mail address, shown once.

use std::time::Duration;

use wire::{
    TenantId,
    api::{
        Action,
        me::Actor,
        problem::Code,
        user::{CreateInvite, Invite, OneTimeLink},
    },
    id::InviteId,
    name::Email,
    paths,
};

use crate::{
    act::field,
    app::App,
    audit::AuditEvent,
    authz::permit,
    error::{Error, Result},
    secret::token::{self, Kind},
    tenancy::Changed,
};

/// How long an invitation is open.
const OPEN: Duration = Duration::from_hours(7 * 24);

/// The open invitations, newest first.
pub async fn invites(app: &App, tenant: TenantId) -> Result<Vec<Invite>> {
    let open = app.db.tenant(tenant).await?.invites().await?;
    Ok(open
        .into_iter()
        .map(|invite| Invite {
            id: invite.id,
            email: invite.email.to_string(),
            role: invite.role,
            invited_by: invite.invited_by,
            created: invite.created,
            expires: invite.expires,
        })
        .collect())
}

/// Invites a person. The link lets its holder in as that person, in this tenant.
pub async fn invite(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    new: CreateInvite,
) -> Result<OneTimeLink> {
    let email: Email = field::parse("/email", &new.email)?;
    let secret = token::generate(Kind::Invite, app.rng);
    let expires = app.clock.now().plus(OPEN);
    let (by, hash) = (by.clone(), app.vault.hash(&secret));
    app.db
        .write(tenant, move |rows| async move {
            permit(&rows, &by, Action::ManageUsers)
                .await?
                .outranks(new.role)?;
            if rows.find_user_by_email(&email).await?.is_some() {
                return Err(Error::Conflict(Code::AlreadyMember));
            }
            let (role, inviter) = (new.role, inviter(&by));
            rows.create_invite(&email, role, &inviter, &hash, expires)
                .await?;
            let event = AuditEvent::UserInvited {
                email: email.to_string(),
                role,
            };
            rows.record(&by, &event).await
        })
        .await?;
    app.hub.changed(tenant, Changed::Users).await;
    Ok(OneTimeLink {
        url: paths::one_time_link(&app.config.public_url(), &secret),
        expires,
    })
}

/// Withdraws an open invitation: its link lets nobody in any more.
pub async fn withdraw_invite(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    invite: InviteId,
) -> Result<()> {
    let by = by.clone();
    app.db
        .write(tenant, move |rows| async move {
            permit(&rows, &by, Action::ManageUsers).await?;
            let withdrawn = rows.withdraw_invite(invite).await?;
            let event = AuditEvent::InviteWithdrawn {
                email: withdrawn.email.to_string(),
            };
            rows.record(&by, &event).await
        })
        .await?;
    app.hub.changed(tenant, Changed::Users).await;
    Ok(())
}

/// Who invited, for people.
fn inviter(by: &Actor) -> String {
    match by {
        Actor::User { email } => email.clone(),
        Actor::LocalAdmin { login } => format!("{login} (server)"),
        Actor::AuthKey { .. } | Actor::Server => "server".to_owned(),
    }
}
