//! Lets a machine into a tenant: an earlier node of it signs in again, or a
//! new one joins. Rows and audit are one transaction, the caller's.

use std::time::Duration;

use wire::{
    Timestamp, UserId,
    api::me::Actor,
    name::{Hostname, Tag},
};

use super::pending::Asked;
use crate::{
    audit::AuditEvent,
    db::{NewNode, Node, NodeOwner, Tenant, TenantRows},
    error::Result,
};

/// On what terms a machine is let in.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Who it will belong to.
    pub(crate) owner: NodeOwner,
    /// Who lets it in.
    pub(crate) by: Actor,
    /// It needs no approval.
    pub(crate) preapproved: bool,
    /// It is removed when it goes.
    pub(crate) ephemeral: bool,
}

/// Who a machine belongs to that carries these tags, or else is this user's.
pub(crate) fn owner(user: UserId, mut tags: Vec<Tag>) -> NodeOwner {
    tags.sort();
    tags.dedup();
    if tags.is_empty() {
        NodeOwner::User(user)
    } else {
        NodeOwner::Tags(tags)
    }
}

/// Lets the machine in. No other node may hold its key.
pub(crate) async fn admit(
    rows: &TenantRows,
    asked: &Asked,
    terms: Terms,
    now: Timestamp,
) -> Result<Node> {
    let tenant = rows.tenant().await?;
    let key_expiry = match &terms.owner {
        NodeOwner::User(_) => Some(now.plus(lifetime(&tenant))),
        NodeOwner::Tags(_) => None,
    };
    let approved = terms.preapproved || !tenant.settings.device_approval;
    match earlier(rows, asked, &terms.owner).await? {
        Some(node) => sign_in_again(rows, asked, &terms, &node, approved, key_expiry).await,
        None => join(rows, asked, terms, approved, key_expiry).await,
    }
}

fn lifetime(tenant: &Tenant) -> Duration {
    Duration::from_hours(24 * u64::from(tenant.settings.node_key_expiry_days))
}

/// The node of this installation that signs in again: the one whose key it
/// names as its old one, or the one that has the same owner.
async fn earlier(rows: &TenantRows, asked: &Asked, owner: &NodeOwner) -> Result<Option<Node>> {
    let mut nodes = rows.nodes_of_machine(&asked.machine).await?;
    let rotated = nodes
        .iter()
        .position(|n| n.node_key == asked.old_node_key && may_become(&n.owner, owner));
    let same_owner = || nodes.iter().rposition(|n| n.owner == *owner);
    Ok(rotated.or_else(same_owner).map(|at| nodes.swap_remove(at)))
}

/// A device may be given tags or lose them; another person's stays his.
fn may_become(from: &NodeOwner, to: &NodeOwner) -> bool {
    match (from, to) {
        (NodeOwner::User(from), NodeOwner::User(to)) => from == to,
        (NodeOwner::Tags(_), _) | (_, NodeOwner::Tags(_)) => true,
    }
}

async fn sign_in_again(
    rows: &TenantRows,
    asked: &Asked,
    terms: &Terms,
    node: &Node,
    approved: bool,
    key_expiry: Option<Timestamp>,
) -> Result<Node> {
    rows.rotate_node_key(node, &asked.node_key, key_expiry)
        .await?;
    if node.owner != terms.owner {
        rows.set_node_owner(node.id, &terms.owner, key_expiry)
            .await?;
    }
    if approved && !node.approved {
        rows.approve_node(node.id).await?;
    }
    if node.capability != asked.version {
        rows.set_node_capability(node.id, asked.version).await?;
    }
    let event = AuditEvent::NodeSignedIn {
        node: node.id,
        name: node.name.to_string(),
    };
    rows.record(&terms.by, &event).await?;
    rows.node(node.id).await
}

async fn join(
    rows: &TenantRows,
    asked: &Asked,
    terms: Terms,
    approved: bool,
    key_expiry: Option<Timestamp>,
) -> Result<Node> {
    let tags = match &terms.owner {
        NodeOwner::User(_) => Vec::new(),
        NodeOwner::Tags(tags) => tags.iter().map(ToString::to_string).collect(),
    };
    let new = NewNode {
        name: Hostname::sanitize(&asked.hostinfo.hostname),
        machine_key: asked.machine,
        node_key: asked.node_key,
        owner: terms.owner,
        key_expiry,
        approved,
        ephemeral: terms.ephemeral,
        joined_by: terms.by.clone(),
        capability: asked.version,
        hostinfo: asked.hostinfo.clone(),
    };
    let node = rows.create_node(&new).await?;
    let event = AuditEvent::NodeJoined {
        node: node.id,
        name: node.name.to_string(),
        tags,
        approved,
    };
    rows.record(&terms.by, &event).await?;
    Ok(node)
}
