//! Members of a tenant, and invitations.

use wire::{
    TenantId, UserId,
    api::{Action, Role, me::Actor, problem::Code, user::User},
    id::AccountId,
    name::Email,
};

use super::{field, node};
use crate::{
    app::App,
    audit::AuditEvent,
    authz::permit,
    db::{self, NodeOwner, Reason, TenantRows},
    error::{Error, Result},
    tenancy::Changed,
};

mod invite;
mod link;

pub use invite::{invite, invites, withdraw_invite};
pub use link::login_link;

/// The members, oldest first.
pub async fn list(app: &App, tenant: TenantId) -> Result<Vec<User>> {
    let users = app.db.tenant(tenant).await?.users().await?;
    Ok(users.into_iter().map(view).collect())
}

/// The member with this e-mail address.
pub async fn find_by_email(app: &App, tenant: TenantId, email: &Email) -> Result<Option<User>> {
    let rows = app.db.tenant(tenant).await?;
    Ok(rows.find_user_by_email(email).await?.map(view))
}

/// Makes a person a member without an invitation; the account is made when
/// there is none. For the operator: others invite.
pub async fn create(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    email: &Email,
    display_name: &str,
    role: Role,
) -> Result<User> {
    let display_name = display_name_of(email, Some(display_name))?;
    let (email, by) = (email.clone(), by.clone());
    let user = app
        .db
        .write_system(Reason::LocalAdmin, move |system| async move {
            let rows = system.enter(tenant).await?;
            permit(&rows, &by, Action::ManageUsers)
                .await?
                .outranks(role)?;
            let account = system.ensure_account(&email, &display_name).await?;
            join(&rows, &by, account.id, &email, role).await
        })
        .await?;
    app.hub.changed(tenant, Changed::Users).await;
    Ok(view(user))
}

/// The name for people: as given, else the e-mail address before its `@`.
pub(crate) fn display_name_of(email: &Email, given: Option<&str>) -> Result<String> {
    match given.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => field::name("/display_name", name),
        None => Ok(email
            .as_str()
            .split('@')
            .next()
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect()),
    }
}

/// The rows of a new member.
pub(crate) async fn join(
    rows: &TenantRows,
    by: &Actor,
    account: AccountId,
    email: &Email,
    role: Role,
) -> Result<db::User> {
    if rows.find_user_by_account(account).await?.is_some() {
        return Err(Error::Conflict(Code::AlreadyMember));
    }
    let user = rows.create_user(account, role).await?;
    let event = AuditEvent::UserCreated {
        email: email.to_string(),
        role,
    };
    rows.record(by, &event).await?;
    Ok(user)
}

/// Gives a member another role. The last owner stays one.
pub async fn set_role(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    user: UserId,
    role: Role,
) -> Result<User> {
    let by = by.clone();
    let user = app
        .db
        .write(tenant, move |rows| async move {
            let standing = permit(&rows, &by, Action::ManageUsers).await?;
            let found = rows.user(user).await?;
            standing.outranks(found.role)?;
            standing.outranks(role)?;
            if found.role == role {
                return Ok(found);
            }
            spare_last_owner(&rows, &found).await?;
            rows.set_role(found.id, role).await?;
            let event = AuditEvent::UserRoleChanged {
                email: found.email.to_string(),
                from: found.role,
                to: role,
            };
            rows.record(&by, &event).await?;
            rows.user(found.id).await
        })
        .await?;
    app.hub.changed(tenant, Changed::Users).await;
    Ok(view(user))
}

/// Removes a member with his machines and auth keys. Whoever is a member of no
/// tenant any more is signed out everywhere. The last owner stays.
pub async fn remove(app: &App, by: &Actor, tenant: TenantId, user: UserId) -> Result<()> {
    let by = by.clone();
    let gone = app
        .db
        .write_system(Reason::SignIn, move |system| async move {
            let rows = system.enter(tenant).await?;
            let standing = permit(&rows, &by, Action::ManageUsers).await?;
            let found = rows.user(user).await?;
            standing.outranks(found.role)?;
            spare_last_owner(&rows, &found).await?;
            let nodes: Vec<_> = rows.nodes().await?;
            let his: Vec<_> = nodes
                .into_iter()
                .filter(|node| node.owner == NodeOwner::User(found.id))
                .collect();
            for node in &his {
                node::delete(&rows, &by, node, "its user was removed").await?;
            }
            rows.delete_user(&found).await?;
            if system.memberships(found.account).await?.is_empty() {
                system.delete_sessions_of(found.account).await?;
            }
            let event = AuditEvent::UserRemoved {
                email: found.email.to_string(),
                nodes: his.len(),
            };
            rows.record(&by, &event).await?;
            Ok(his)
        })
        .await?;
    for node in gone {
        let removed = Changed::NodeRemoved {
            node: node.id,
            key: node.node_key,
        };
        app.hub.changed(tenant, removed).await;
    }
    app.hub.changed(tenant, Changed::Users).await;
    app.hub.changed(tenant, Changed::AuthKeys).await;
    Ok(())
}

async fn spare_last_owner(rows: &TenantRows, user: &db::User) -> Result<()> {
    let users = rows.users().await?;
    let owners = users.iter().filter(|u| u.role == Role::Owner).count();
    if user.role == Role::Owner && owners < 2 {
        return Err(Error::Conflict(Code::LastOwner));
    }
    Ok(())
}

fn view(user: db::User) -> User {
    User {
        id: user.id,
        email: user.email.to_string(),
        display_name: user.display_name,
        role: user.role,
        nodes: user.nodes,
        created: user.created,
        last_sign_in: user.last_sign_in,
    }
}
