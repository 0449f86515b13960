//! Machines.

use std::time::Duration;

use wire::{
    NodeId, TenantId, Timestamp, UserId,
    api::{
        Action,
        me::Actor,
        node::{Node, NodeDetail},
        tenant::Settings,
    },
    name::{Hostname, Tag},
};

use super::policy::assignable_tags;
use crate::{
    app::App,
    audit::AuditEvent,
    authz::{Standing, permit},
    db::{self, NodeOwner, TenantRows},
    error::{Error, Result},
    tenancy::Changed,
};

mod routes;
mod view;

pub use routes::decide_routes;

/// Whose machines may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Everybody's, and tagged ones.
    All,
    /// This member's own.
    Of(UserId),
}

impl Sight {
    fn covers(self, node: &db::Node) -> bool {
        match self {
            Self::All => true,
            Self::Of(user) => node.owner == NodeOwner::User(user),
        }
    }
}

/// The machines, oldest first.
pub async fn list(app: &App, tenant: TenantId, sight: Sight) -> Result<Vec<Node>> {
    let presence = app.hub.presence(tenant).await;
    let rows = app.db.tenant(tenant).await?;
    let scene = view::Scene::load(app, &rows, presence).await?;
    let nodes = rows.nodes().await?;
    Ok(nodes
        .iter()
        .filter(|node| sight.covers(node))
        .map(|node| scene.node(node))
        .collect())
}

/// One machine.
pub async fn get(app: &App, tenant: TenantId, node: NodeId, sight: Sight) -> Result<NodeDetail> {
    let presence = app.hub.presence(tenant).await;
    let rows = app.db.tenant(tenant).await?;
    let found = rows.node(node).await?;
    if !sight.covers(&found) {
        return Err(Error::NotFound);
    }
    let scene = view::Scene::load(app, &rows, presence).await?;
    scene.detail(&rows, &found).await
}

/// Gives a machine another name. A taken one is a conflict.
pub async fn rename(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    node: NodeId,
    name: Hostname,
) -> Result<()> {
    change(app, by, tenant, node, Edit::Rename(name)).await
}

/// Lets a machine take part that waits for an administrator.
pub async fn approve(app: &App, by: &Actor, tenant: TenantId, node: NodeId) -> Result<()> {
    change(app, by, tenant, node, Edit::Approve).await
}

/// Replaces a machine's tags. With its first tag it loses its owner and its key
/// never expires; without its last one it belongs to the actor, and its key
/// expires as that of any member's machine.
pub async fn set_tags(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    node: NodeId,
    tags: Vec<String>,
) -> Result<()> {
    change(app, by, tenant, node, Edit::SetTags(tags)).await
}

/// Ends a machine's key now: it is cut off until somebody signs it in again.
pub async fn expire(app: &App, by: &Actor, tenant: TenantId, node: NodeId) -> Result<()> {
    change(app, by, tenant, node, Edit::Expire).await
}

/// When the key of a member's machine ends that signs in now.
pub(crate) fn key_expiry(now: Timestamp, settings: &Settings) -> Timestamp {
    now.plus(Duration::from_hours(
        24 * u64::from(settings.node_key_expiry_days),
    ))
}

/// Removes a machine: it is cut off, and its address rests for a day.
pub async fn remove(app: &App, by: &Actor, tenant: TenantId, node: NodeId) -> Result<()> {
    let by = by.clone();
    let key = app
        .db
        .write(tenant, move |rows| async move {
            permit(&rows, &by, Action::ManageNodes).await?;
            let found = rows.node(node).await?;
            delete(&rows, &by, &found, "removed by an administrator").await?;
            Ok(found.node_key)
        })
        .await?;
    app.hub
        .changed(tenant, Changed::NodeRemoved { node, key })
        .await;
    Ok(())
}

/// Deletes a node's row, and says so.
pub(super) async fn delete(
    rows: &TenantRows,
    by: &Actor,
    node: &db::Node,
    why: &str,
) -> Result<()> {
    rows.delete_node(node).await?;
    let event = AuditEvent::NodeRemoved {
        node: node.id,
        name: node.name.to_string(),
        why: why.to_owned(),
    };
    rows.record(by, &event).await
}

/// A change of one node's row.
#[derive(Debug)]
enum Edit {
    Rename(Hostname),
    Approve,
    SetTags(Vec<String>),
    Expire,
}

async fn change(app: &App, by: &Actor, tenant: TenantId, node: NodeId, edit: Edit) -> Result<()> {
    let (by, now) = (by.clone(), app.clock.now());
    let changed = app
        .db
        .write(tenant, move |rows| async move {
            let standing = permit(&rows, &by, Action::ManageNodes).await?;
            let found = rows.node(node).await?;
            match edit.apply(&rows, &standing, &found, now).await? {
                None => Ok(false),
                Some(event) => {
                    rows.record(&by, &event).await?;
                    Ok(true)
                }
            }
        })
        .await?;
    if changed {
        app.hub.changed(tenant, Changed::Node(node)).await;
    }
    Ok(())
}

impl Edit {
    /// Changes the row; `None` when all is as wanted already.
    async fn apply(
        self,
        rows: &TenantRows,
        standing: &Standing,
        found: &db::Node,
        now: Timestamp,
    ) -> Result<Option<AuditEvent>> {
        let (node, name) = (found.id, found.name.to_string());
        match self {
            Self::Rename(to) => {
                if found.name == to {
                    return Ok(None);
                }
                rows.rename_node(node, &to).await?;
                Ok(Some(AuditEvent::NodeRenamed {
                    node,
                    from: name,
                    to: to.to_string(),
                }))
            }
            Self::Approve => {
                if found.approved {
                    return Ok(None);
                }
                rows.approve_node(node).await?;
                Ok(Some(AuditEvent::NodeApproved { node, name }))
            }
            Self::Expire => {
                if found.key_expiry.is_some_and(|at| at <= now) {
                    return Ok(None);
                }
                rows.set_node_expiry(node, Some(now)).await?;
                Ok(Some(AuditEvent::NodeExpired { node, name }))
            }
            Self::SetTags(tags) => retag(rows, standing, found, &tags, now).await,
        }
    }
}

async fn retag(
    rows: &TenantRows,
    standing: &Standing,
    found: &db::Node,
    tags: &[String],
    now: Timestamp,
) -> Result<Option<AuditEvent>> {
    let from = match &found.owner {
        NodeOwner::User(_) => Vec::new(),
        NodeOwner::Tags(tags) => tags.clone(),
    };
    let to = assignable_tags(rows, standing, tags, &from).await?;
    if from == to {
        return Ok(None);
    }
    let (owner, expiry) = if to.is_empty() {
        let Some(taker) = standing.member() else {
            return Err(Error::invalid(
                "/tags",
                "a machine needs an owner or a tag: take the last tag in the console, and it is yours",
            ));
        };
        let expiry = key_expiry(now, &rows.tenant().await?.settings);
        (NodeOwner::User(taker.id), Some(expiry))
    } else {
        (NodeOwner::Tags(to.clone()), None)
    };
    rows.set_node_owner(found.id, &owner, expiry).await?;
    let texts = |tags: &[Tag]| tags.iter().map(ToString::to_string).collect();
    Ok(Some(AuditEvent::NodeTagged {
        node: found.id,
        name: found.name.to_string(),
        from: texts(&from),
        to: texts(&to),
    }))
}
