//! A node's wish for other tags, which arrives with a report: granted when the
//! policy lets its owner give them, else the key ends and its person must sign
//! in again.

use wire::{Timestamp, api::me::Actor, name::Tag};

use super::super::{
    Control,
    known::Known,
    tags::{self, Giver},
};
use crate::{
    audit::AuditEvent,
    db::{Node, NodeOwner, TenantRows},
    error::Result,
    tenancy::Changed,
};

/// Follows the wish, if it is one: a node that asks for nothing keeps what it has.
pub(super) async fn follow(control: &Control, known: &Known, requested: &[String]) -> Result<()> {
    let held = held(&known.node);
    if requested.is_empty()
        || requested
            .iter()
            .all(|r| held.iter().any(|h| h.as_str() == r))
    {
        return Ok(());
    }
    let (id, now) = (known.node.id, control.app.clock.now());
    let requested = requested.to_vec();
    let write = move |rows: TenantRows| async move {
        let node = rows.node(id).await?;
        decide(&rows, &node, &requested, now).await
    };
    control.app.db.write(known.tenant, write).await?;
    let changed = Changed::Node(id);
    control.app.hub.changed(known.tenant, changed).await;
    Ok(())
}

fn held(node: &Node) -> &[Tag] {
    match &node.owner {
        NodeOwner::User(_) => &[],
        NodeOwner::Tags(tags) => tags,
    }
}

async fn decide(
    rows: &TenantRows,
    node: &Node,
    requested: &[String],
    now: Timestamp,
) -> Result<()> {
    if node.key_expiry.is_some_and(|expiry| expiry <= now) {
        return Ok(());
    }
    let giver = match &node.owner {
        NodeOwner::User(user) => Giver::User(*user),
        NodeOwner::Tags(tags) => Giver::Tags(tags),
    };
    let name = node.name.to_string();
    let wanted = match tags::read(requested) {
        Ok(mut wanted) if tags::refused(rows, giver, &wanted).await?.is_empty() => {
            wanted.sort();
            wanted.dedup();
            wanted
        }
        Ok(_) | Err(_) => {
            rows.set_node_expiry(node.id, Some(now)).await?;
            let event = AuditEvent::NodeExpired {
                node: node.id,
                name,
            };
            return rows.record(&Actor::Server, &event).await;
        }
    };
    let texts = |tags: &[Tag]| tags.iter().map(ToString::to_string).collect::<Vec<_>>();
    let event = AuditEvent::NodeTagged {
        node: node.id,
        name,
        from: texts(held(node)),
        to: texts(&wanted),
    };
    rows.set_node_owner(node.id, &NodeOwner::Tags(wanted), None)
        .await?;
    rows.record(&node.joined_by, &event).await
}
