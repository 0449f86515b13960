//! Rows as the netmap takes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use netmap::{Node, Owner, Person, Reach, Tenant};
use policy::Document;
use wire::{NodeId, Timestamp, api::tenant::Settings, id::PolicyRevisionId, relay_map::RelayMap};

use crate::{
    db::{self, Decision, NodeOwner, PresenceRow, TenantRows},
    error::{Error, Result},
    route::served,
};

/// A tenant as loaded.
pub(super) struct Loaded {
    pub(super) tenant: Tenant,
    pub(super) settings: Settings,
    pub(super) nodes: Vec<Node>,
    /// Which policy is in force.
    pub(super) revision: Option<PolicyRevisionId>,
    /// What was decided about the routes of nodes.
    pub(super) decisions: BTreeMap<NodeId, Vec<Decision>>,
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
    let in_force = policy(rows).await?;
    let tenant = Tenant {
        name: row.name,
        dns_suffix: format!("{}.{dns_suffix}", row.slug),
        tagged_user: row.tagged_user,
        people: people(rows).await?,
        domains: Vec::new(),
        connections: Vec::new(),
        policy: in_force.document,
        relay_map,
    };
    let nodes = rows.nodes().await?;
    let decisions = rows.routes().await?;
    let of = |id| decisions.get(&id).map(Vec::as_slice).unwrap_or_default();
    let ephemeral = nodes.iter().filter(|n| n.ephemeral).map(|n| n.id);
    Ok(Loaded {
        tenant,
        settings: row.settings,
        ephemeral: ephemeral.collect(),
        revision: in_force.revision,
        nodes: nodes
            .into_iter()
            .map(|n| {
                let decisions = of(n.id);
                node(n, decisions, now)
            })
            .collect(),
        decisions,
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

/// The policy in force.
#[derive(Debug, Default)]
pub(super) struct InForce {
    pub(super) revision: Option<PolicyRevisionId>,
    pub(super) document: Arc<Document>,
}

/// The policy in force; none at all, or one that cannot be read, allows nothing.
pub(super) async fn policy(rows: &TenantRows) -> Result<InForce> {
    let revision = match rows.policy().await {
        Ok(revision) => revision,
        Err(Error::NotFound) => return Ok(InForce::default()),
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
    Ok(InForce {
        revision: Some(revision.id),
        document: Arc::new(document),
    })
}

/// A node, offline, with the routes that it serves after these decisions.
pub(super) fn node(row: db::Node, decisions: &[Decision], now: Timestamp) -> Node {
    let serves = served(&row.presence.hostinfo.routable_ips, decisions);
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
        routes: serves.routes,
        exit_routes: serves.exit_routes,
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
