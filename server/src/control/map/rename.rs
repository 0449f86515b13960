//! A machine's wish for another name, which arrives with a report: a node is
//! called what its machine asks for, until an administrator fixes its name.

use wire::name::Hostname;

use super::super::{Control, known::Known};
use crate::{
    audit::AuditEvent,
    db::{Node, TenantRows},
    error::Result,
    tenancy::Changed,
};

/// Follows the wish, if it is one. What comes too often waits for a later report.
pub(super) async fn follow(control: &Control, known: &Known, hostname: &str) -> Result<()> {
    if hostname.is_empty() {
        return Ok(());
    }
    let (app, id) = (&control.app, known.node.id);
    let asked = Hostname::sanitize(hostname);
    if !is_news(&known.node, &asked) || control.renames.take(id, app.clock.instant()).is_err() {
        return Ok(());
    }
    let write = move |rows: TenantRows| async move {
        // Meanwhile an administrator may have fixed it.
        let node = rows.node(id).await?;
        if !is_news(&node, &asked) {
            return Ok(());
        }
        let to = rows.follow_asked_name(id, &asked).await?;
        if to == node.name {
            return Ok(());
        }
        let event = AuditEvent::NodeRenamed {
            node: id,
            from: node.name.to_string(),
            to: to.to_string(),
        };
        rows.record(&node.joined_by, &event).await
    };
    app.db.write(known.tenant, write).await?;
    app.hub.changed(known.tenant, Changed::Node(id)).await;
    Ok(())
}

fn is_news(node: &Node, asked: &Hostname) -> bool {
    node.asked_name.as_ref().is_some_and(|last| last != asked)
}
