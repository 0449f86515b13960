//! A node that the server knows comes back.

use wire::{
    NodeId, TenantId, Timestamp,
    control::{RegisterRequest, RegisterResponse},
};

use super::{
    super::{Control, known::Known},
    logged_out, wish,
};
use crate::{
    audit::AuditEvent,
    db::{Node, TenantRows},
    error::Result,
    tenancy::Changed,
};

/// Tells how things stand, after the little that the node itself may change.
pub(super) async fn answer(
    control: &Control,
    known: Known,
    request: &RegisterRequest,
) -> Result<RegisterResponse> {
    let now = control.app.clock.now();
    let Known { tenant, mut node } = known;
    match wish(request) {
        Some(expiry) if expiry <= now => {
            log_out(control, tenant, node).await?;
            return Ok(logged_out());
        }
        Some(expiry) if node.key_expiry.is_none_or(|ours| expiry < ours) => {
            shorten(control, tenant, &node, expiry).await?;
            node.key_expiry = Some(expiry);
        }
        Some(_) | None => {}
    }
    note_version(control, tenant, &node, request).await?;
    Known { tenant, node }.standing(&control.app).await
}

/// Ends the key now; an ephemeral node goes altogether.
async fn log_out(control: &Control, tenant: TenantId, node: Node) -> Result<()> {
    let now = control.app.clock.now();
    if node.key_expiry.is_some_and(|expiry| expiry <= now) && !node.ephemeral {
        return Ok(());
    }
    let (id, key) = (node.id, node.node_key);
    let write = move |rows: TenantRows| async move {
        // Meanwhile it may be gone, or have another key.
        let found = rows.find_node(id).await?;
        let Some(node) = found.filter(|node| node.node_key == key) else {
            return Ok(None);
        };
        let event = AuditEvent::NodeLoggedOut {
            node: id,
            name: node.name.to_string(),
        };
        rows.record(&node.joined_by, &event).await?;
        if node.ephemeral {
            rows.delete_node(&node).await?;
            return Ok(Some(Changed::NodeRemoved { node: id, key }));
        }
        rows.set_node_expiry(id, Some(now)).await?;
        Ok(Some(Changed::Node(id)))
    };
    if let Some(changed) = control.app.db.write(tenant, write).await? {
        control.app.hub.changed(tenant, changed).await;
    }
    Ok(())
}

async fn shorten(
    control: &Control,
    tenant: TenantId,
    node: &Node,
    expiry: Timestamp,
) -> Result<()> {
    let (id, by) = (node.id, node.joined_by.clone());
    let event = AuditEvent::NodeExpiryShortened {
        node: id,
        name: node.name.to_string(),
        until: expiry,
    };
    let write = move |rows: TenantRows| async move {
        // Meanwhile it may have been expired: never later than the rows say.
        let ours = rows.node(id).await?.key_expiry;
        if ours.is_some_and(|ours| ours <= expiry) {
            return Ok(());
        }
        rows.set_node_expiry(id, Some(expiry)).await?;
        rows.record(&by, &event).await
    };
    control.app.db.write(tenant, write).await?;
    changed(control, tenant, id).await;
    Ok(())
}

async fn note_version(
    control: &Control,
    tenant: TenantId,
    node: &Node,
    request: &RegisterRequest,
) -> Result<()> {
    if node.capability == request.version {
        return Ok(());
    }
    let (id, version) = (node.id, request.version);
    let write = move |rows: TenantRows| async move { rows.set_node_capability(id, version).await };
    control.app.db.write(tenant, write).await?;
    changed(control, tenant, id).await;
    Ok(())
}

async fn changed(control: &Control, tenant: TenantId, node: NodeId) {
    control.app.hub.changed(tenant, Changed::Node(node)).await;
}
