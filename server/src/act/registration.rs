//! A person lets a waiting machine join.

use wire::{
    NodeId, TenantId, UserId,
    api::{
        me::Actor,
        problem::Code,
        registration::{ConfirmedRegistration, Registration},
    },
    name::Tag,
};

use crate::{
    app::App,
    control::{
        admit::{Terms, admit, owner},
        pending::Asked,
        tags::{self, Giver},
    },
    db::{NodeOwner, Reason, TenantRows},
    error::{Error, Result},
    tenancy::Changed,
};

/// What the machine with this token says of itself.
pub fn look(app: &App, token: &str) -> Result<Registration> {
    let asked = waiting(app, token)?;
    Ok(Registration {
        hostname: asked.hostinfo.hostname,
        os: asked.hostinfo.os,
        client_version: asked.hostinfo.client_version,
        node_key: asked.node_key.short(),
        address: asked.address.to_string(),
        created: asked.created,
        requested_tags: asked.hostinfo.request_tags,
        tenant: asked.previous.map(|(tenant, _)| tenant),
    })
}

/// Lets it join a tenant that the person who decides is a member of; the
/// machine will be his, or carry the tags that it asks for and he may give.
pub async fn confirm(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    token: &str,
) -> Result<ConfirmedRegistration> {
    let asked = waiting(app, token)?;
    if asked.previous.is_some_and(|(earlier, _)| earlier != tenant) {
        return Err(Error::invalid(
            "/tenant",
            "this machine belongs to another tenant already; log it out there first",
        ));
    }
    let (by, now) = (by.clone(), app.clock.now());
    let node = app
        .db
        .write_system(Reason::Directory, move |rows| async move {
            let scoped = rows.enter(tenant).await?;
            let user = member(&scoped, &by).await?;
            // Two people at once, or a key that another machine holds.
            if rows.find_node_by_key(&asked.node_key).await?.is_some() {
                return Err(Error::Conflict(Code::RegistrationGone));
            }
            let tags = tags_of(&scoped, &asked, user).await?;
            let terms = Terms {
                owner: owner(user, tags),
                by,
                preapproved: false,
                ephemeral: asked.ephemeral,
            };
            admit(&scoped, &asked, terms, now).await
        })
        .await?;
    app.hub.changed(tenant, Changed::Node(node.id)).await;
    app.pending.leave(token);
    Ok(ConfirmedRegistration {
        name: node.name.to_string(),
        approved: node.approved,
    })
}

/// Who a person is in the tenant now. Others do not learn that it exists.
async fn member(rows: &TenantRows, by: &Actor) -> Result<UserId> {
    let Actor::User { email } = by else {
        return Err(Error::Forbidden);
    };
    let email = email.parse().map_err(|_| Error::NotFound)?;
    let user = rows.find_user_by_email(&email).await?;
    Ok(user.ok_or(Error::NotFound)?.id)
}

fn waiting(app: &App, token: &str) -> Result<Asked> {
    let found = app.pending.look(token, app.clock.now());
    found.ok_or(Error::Conflict(Code::RegistrationGone))
}

/// The tags it asks for, if `user` may give them. A machine that asks for none
/// keeps those it has, if he may give those.
async fn tags_of(rows: &TenantRows, asked: &Asked, user: UserId) -> Result<Vec<Tag>> {
    let wanted = tags::read(&asked.hostinfo.request_tags)
        .map_err(|why| Error::invalid("/requested_tags", why))?;
    let refused = tags::refused(rows, Giver::User(user), &wanted).await?;
    if !refused.is_empty() {
        return Err(Error::invalid("/requested_tags", tags::refusal(&refused)));
    }
    if !wanted.is_empty() {
        return Ok(wanted);
    }
    let held = match asked.previous {
        Some((_, node)) => held_tags(rows, node).await?,
        None => Vec::new(),
    };
    let may_keep = tags::refused(rows, Giver::User(user), &held)
        .await?
        .is_empty();
    Ok(if may_keep { held } else { Vec::new() })
}

async fn held_tags(rows: &TenantRows, node: NodeId) -> Result<Vec<Tag>> {
    Ok(match rows.find_node(node).await?.map(|n| n.owner) {
        Some(NodeOwner::Tags(tags)) => tags,
        Some(NodeOwner::User(_)) | None => Vec::new(),
    })
}
