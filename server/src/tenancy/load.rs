//! Rows as the netmap takes them.

use std::{collections::BTreeSet, sync::Arc};

use netmap::{Node, Owner, Person, Reach, Tenant};
use policy::Document;
use wire::{NodeId, Timestamp, api::tenant::Settings, relay_map::RelayMap};

use crate::{
    db::{self, NodeOwner, PresenceRow, TenantRows},
    error::{Error, Result},
};

/// A tenant as loaded.
pub(super) struct Loaded {
    pub(super) tenant: Tenant,
    pub(super) settings: Settings,
    pub(super) nodes: Vec<Node>,
    /// Nodes that are removed when they go.
    pub(super) ephemeral: BTreeSet<NodeId>,
}

/// Everything of a tenant.
pub(super) async fn all(
    rows: &TenantRows,
    dns_suffix: &str,
    relay_map: Arc<RelayMap>,
    now: Timestamp,
) -> Result<Loaded> {
    let row = rows.tenant().await?;
    let tenant = Tenant {
        name: row.name,
        dns_suffix: format!("{}.{dns_suffix}", row.slug),
        tagged_user: row.tagged_user,
        people: people(rows).await?,
        domains: Vec::new(),
        connections: Vec::new(),
        policy: policy(rows).await?,
        relay_map,
    };
    let nodes = rows.nodes().await?;
    let ephemeral = nodes.iter().filter(|n| n.ephemeral).map(|n| n.id);
    Ok(Loaded {
        tenant,
        settings: row.settings,
        ephemeral: ephemeral.collect(),
        nodes: nodes.into_iter().map(|n| node(n, now)).collect(),
    })
}

/// The members.
pub(super) async fn people(rows: &TenantRows) -> Result<Vec<Person>> {
    let person = |user: db::User| Person {
        id: user.id,
        email: user.email.as_str().to_owned(),
        display_name: user.display_name,
        role: user.role,
    };
    Ok(rows.users().await?.into_iter().map(person).collect())
}

/// The policy in force; none at all, or one that cannot be read, allows nothing.
pub(super) async fn policy(rows: &TenantRows) -> Result<Arc<Document>> {
    let revision = match rows.policy().await {
        Ok(revision) => revision,
        Err(Error::NotFound) => return Ok(Arc::default()),
        Err(e) => return Err(e),
    };
    let (document, found) = policy::parse(&revision.document);
    if policy::has_errors(&found) {
        tracing::error!(
            tenant.id = %rows.id(),
            revision = revision.number,
            "the stored policy has errors: what cannot be read in it allows nothing"
        );
    }
    Ok(Arc::new(document))
}

/// A node, offline.
pub(super) fn node(row: db::Node, now: Timestamp) -> Node {
    Node {
        id: row.id,
        stable_id: row.stable_id,
        name: row.name,
        owner: match row.owner {
            NodeOwner::User(user) => Owner::User(user),
            NodeOwner::Tags(tags) => Owner::Tags(tags),
        },
        key: row.node_key,
        machine: row.machine_key,
        ipv4: row.ipv4,
        ipv6: row.ipv6,
        key_expiry: row.key_expiry,
        approved: row.approved,
        expired: row.key_expiry.is_some_and(|at| at <= now),
        created: row.created,
        routes: Vec::new(),
        exit_routes: Vec::new(),
        capability: row.capability,
        reach: Reach {
            online: false,
            last_seen: row.presence.last_seen,
            endpoints: row.presence.endpoints,
            disco_key: row.presence.disco_key,
            home_relay: row.presence.home_relay,
            hostinfo: row.presence.hostinfo,
        },
    }
}

/// What is stored of a node's reach.
pub(super) fn presence_row(reach: &Reach) -> PresenceRow {
    PresenceRow {
        hostinfo: reach.hostinfo.clone(),
        endpoints: reach.endpoints.clone(),
        disco_key: reach.disco_key,
        home_relay: reach.home_relay,
        last_seen: reach.last_seen,
    }
}
