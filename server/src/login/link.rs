//! The life of a one-time link: made, looked at, used.

use wire::{
    TenantId,
    api::{
        Role,
        me::Actor,
        session::{LinkInfo, RedeemLink},
        user::OneTimeLink,
    },
    id::{AccountId, InviteId},
    name::{Email, TenantSlug},
};

use super::{LOGIN_LINK_LIFE, Reach, SETUP_LINK_LIFE, SignedIn, mint};
use crate::{
    act::{field, tenant, user},
    app::App,
    audit::AuditEvent,
    db::{LinkKind, Reason, SystemRows},
    error::{Error, Result},
    secret::token::{self, Kind},
    tenancy::Changed,
};

/// A link that makes the first owner and the first tenant. It ends those made
/// before; once the server has an account there are none.
pub async fn setup_link(app: &App) -> Result<OneTimeLink> {
    let minted = mint(app, Kind::Setup, SETUP_LINK_LIFE);
    let (hash, expires) = (minted.hash, minted.link.expires);
    app.db
        .write_system(Reason::Setup, move |system| async move {
            if system.has_accounts().await? {
                return Err(Error::Malformed(
                    "This server is set up already; `warren-server login-link` signs an existing \
                     user in."
                        .to_owned(),
                ));
            }
            system.create_link(LinkKind::Setup, &hash, expires).await
        })
        .await?;
    Ok(minted.link)
}

/// A link that signs an existing person in, made at the server's own shell.
pub async fn login_link(app: &App, by: &Actor, email: &Email) -> Result<OneTimeLink> {
    let minted = mint(app, Kind::Login, LOGIN_LINK_LIFE);
    let (hash, expires) = (minted.hash, minted.link.expires);
    let (by, email) = (by.clone(), email.clone());
    app.db
        .write_system(Reason::LocalAdmin, move |system| async move {
            let account = system.find_account_by_email(&email).await?;
            let account = account.ok_or(Error::NotFound)?.id;
            let kind = LinkKind::Login {
                account,
                tenant: None,
            };
            system.create_link(kind, &hash, expires).await?;
            let event = AuditEvent::LoginLinkCreated {
                email: email.to_string(),
            };
            record_everywhere(&system, account, &Reach::All, &by, &event).await
        })
        .await?;
    Ok(minted.link)
}

/// Records an act in each tenant of a person that `reach` covers.
async fn record_everywhere(
    system: &SystemRows,
    account: AccountId,
    reach: &Reach,
    by: &Actor,
    event: &AuditEvent,
) -> Result<()> {
    for (tenant, _) in system.memberships(account).await? {
        if reach.covers(tenant) {
            system.enter(tenant).await?.record(by, event).await?;
        }
    }
    Ok(())
}

/// What a link is for.
pub async fn inspect(app: &App, token: &str) -> Result<LinkInfo> {
    let hash = app.vault.hash(token);
    let system = app.db.system(Reason::SignIn).await?;
    match token::kind_of(token) {
        Some(Kind::Setup | Kind::Login) => {
            let link = system.find_link(&hash).await?.ok_or(Error::LinkInvalid)?;
            let expires = link.expires;
            let (account, tenant) = match link.kind {
                LinkKind::Setup => return Ok(LinkInfo::Setup { expires }),
                LinkKind::Login { account, tenant } => (account, tenant),
            };
            still_there(&system, account, tenant).await?;
            let account = system.find_account(account).await?;
            let email = account.ok_or(Error::LinkInvalid)?.email.to_string();
            Ok(LinkInfo::Login { email, expires })
        }
        Some(Kind::Invite) => {
            let found = system.find_invite(&hash).await?;
            let (tenant, invite) = found.ok_or(Error::LinkInvalid)?;
            let rows = system.enter(tenant).await?;
            let invite = rows.find_invite(invite).await?.ok_or(Error::LinkInvalid)?;
            Ok(LinkInfo::Invite {
                email: invite.email.to_string(),
                tenant: rows.tenant().await?.name,
                role: invite.role,
                expires: invite.expires,
            })
        }
        Some(Kind::Auth) | None => Err(Error::LinkInvalid),
    }
}

/// A link into a tenant that the person has left is worth nothing.
async fn still_there(
    system: &SystemRows,
    account: AccountId,
    tenant: Option<TenantId>,
) -> Result<()> {
    let Some(tenant) = tenant else { return Ok(()) };
    let rows = system.enter(tenant).await?;
    let user = rows.find_user_by_account(account).await?;
    user.map(|_| ()).ok_or(Error::LinkInvalid)
}

/// Uses a link up; of several callers at once exactly one gets in. Who is
/// signed in `already` as the same person keeps what that session reached.
pub async fn redeem(app: &App, link: RedeemLink, already: Option<&SignedIn>) -> Result<SignedIn> {
    let hash = app.vault.hash(&link.token);
    let who = match token::kind_of(&link.token) {
        Some(Kind::Setup) => set_up(app, hash, &link).await?,
        Some(Kind::Login) => log_in(app, hash).await?,
        Some(Kind::Invite) => {
            let name = link.display_name.as_deref();
            accept(app, hash, name.unwrap_or_default().to_owned()).await?
        }
        Some(Kind::Auth) | None => return Err(Error::LinkInvalid),
    };
    let reach = match already {
        Some(before) if before.account == who.account => who.reach.joined(&before.reach),
        Some(_) | None => who.reach,
    };
    Ok(SignedIn { reach, ..who })
}

async fn set_up(app: &App, hash: String, link: &RedeemLink) -> Result<SignedIn> {
    let missing = |pointer| Error::invalid(pointer, "it is needed to set the server up");
    let email = link.email.as_deref().ok_or_else(|| missing("/email"))?;
    let email: Email = field::parse("/email", email)?;
    let tenant_name = link.tenant_name.as_deref();
    let tenant_name = tenant_name.ok_or_else(|| missing("/tenant_name"))?;
    let tenant_name = field::name("/tenant_name", tenant_name)?;
    let display_name = user::display_name_of(&email, link.display_name.as_deref())?;
    let slug = slug_of(&tenant_name)?;
    let (account, tenant) = app
        .db
        .write_system(Reason::Setup, move |system| async move {
            let used = system.use_link(&hash).await?;
            if used.kind != LinkKind::Setup || system.has_accounts().await? {
                return Err(Error::LinkInvalid);
            }
            let by = Actor::User {
                email: email.to_string(),
            };
            let account = system.ensure_account(&email, &display_name).await?.id;
            let slug = free_slug(&system, slug).await?;
            let (tenant, rows) = tenant::found(&system, &by, &slug, &tenant_name).await?;
            user::join(&rows, &by, account, &email, Role::Owner).await?;
            signed_in(&system, account, &email, &Reach::All).await?;
            Ok((account, tenant.id))
        })
        .await?;
    app.hub.changed(tenant, Changed::Users).await;
    Ok(SignedIn {
        account,
        reach: Reach::All,
    })
}

async fn log_in(app: &App, hash: String) -> Result<SignedIn> {
    app.db
        .write_system(Reason::SignIn, move |system| async move {
            let LinkKind::Login { account, tenant } = system.use_link(&hash).await?.kind else {
                return Err(Error::LinkInvalid);
            };
            still_there(&system, account, tenant).await?;
            let found = system.find_account(account).await?;
            let email = found.ok_or(Error::LinkInvalid)?.email;
            let reach = tenant.map_or(Reach::All, Reach::one);
            signed_in(&system, account, &email, &reach).await?;
            Ok(SignedIn { account, reach })
        })
        .await
}

async fn accept(app: &App, hash: String, display_name: String) -> Result<SignedIn> {
    let (account, tenant) = app
        .db
        .write_system(Reason::SignIn, move |system| async move {
            let found: Option<(TenantId, InviteId)> = system.find_invite(&hash).await?;
            let (tenant, invite) = found.ok_or(Error::LinkInvalid)?;
            let rows = system.enter(tenant).await?;
            let invite = rows.use_invite(invite).await?;
            let name = user::display_name_of(&invite.email, Some(&display_name))?;
            let account = system.ensure_account(&invite.email, &name).await?.id;
            let by = Actor::User {
                email: invite.email.to_string(),
            };
            user::join(&rows, &by, account, &invite.email, invite.role).await?;
            signed_in(&system, account, &invite.email, &Reach::one(tenant)).await?;
            Ok((account, tenant))
        })
        .await?;
    app.hub.changed(tenant, Changed::Users).await;
    Ok(SignedIn {
        account,
        reach: Reach::one(tenant),
    })
}

async fn signed_in(
    system: &SystemRows,
    account: AccountId,
    email: &Email,
    reach: &Reach,
) -> Result<()> {
    system.mark_sign_in(account).await?;
    let email = email.to_string();
    let by = Actor::User {
        email: email.clone(),
    };
    let event = AuditEvent::UserSignedIn { email };
    record_everywhere(system, account, reach, &by, &event).await
}

/// Records that a person signs out; the session itself is the caller's to end.
pub async fn sign_out(app: &App, who: &SignedIn) -> Result<()> {
    let who = who.clone();
    app.db
        .write_system(Reason::SignIn, move |system| async move {
            let Some(account) = system.find_account(who.account).await? else {
                return Ok(());
            };
            let email = account.email.to_string();
            let by = Actor::User {
                email: email.clone(),
            };
            let event = AuditEvent::UserSignedOut { email };
            record_everywhere(&system, account.id, &who.reach, &by, &event).await
        })
        .await
}

/// The short name that follows from a tenant's name.
fn slug_of(name: &str) -> Result<TenantSlug> {
    let mut slug = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_lowercase() || (c.is_ascii_digit() && !slug.is_empty()) {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(28);
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "tenant" } else { slug };
    field::parse("/tenant_name", slug)
}

/// The short name, with a number behind it where another tenant has it.
async fn free_slug(system: &SystemRows, wanted: TenantSlug) -> Result<TenantSlug> {
    let mut slug = wanted.clone();
    for number in 2..100 {
        if system.find_tenant_by_slug(&slug).await?.is_none() {
            break;
        }
        slug = field::parse("/tenant_name", &format!("{wanted}-{number}"))?;
    }
    Ok(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_follows_from_the_name() {
        for (name, slug) in [
            ("Acme, Inc.", "acme-inc"),
            ("7 Hills", "hills"),
            ("Ünïcode", "n-code"),
            ("東京", "tenant"),
            (
                "a very long name of a very long tenant",
                "a-very-long-name-of-a-very-l",
            ),
        ] {
            assert_eq!(slug_of(name).unwrap().as_str(), slug, "{name}");
        }
    }
}
