//! Machines as the API shows them: rows, and what nodes report.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use wire::{
    NodeId, Timestamp, UserId,
    api::node::{Node, NodeDetail, Owner, Path, PathSummary, Route},
    control::{Hostinfo, map::PathReport},
    net::Prefix,
    relay_map::RegionId,
};

use crate::{
    act::tenant::dns_suffix,
    app::App,
    db::{self, Decision, NodeOwner, TenantRows},
    error::Result,
    tenancy::Presence,
};

mod routes;

/// What the rows of nodes are read against.
pub(super) struct Scene {
    suffix: String,
    people: BTreeMap<UserId, db::User>,
    presence: BTreeMap<NodeId, Presence>,
    decisions: BTreeMap<NodeId, Vec<Decision>>,
    now: Timestamp,
}

/// Where a node is: as it reports, or as it was stored last.
struct Report<'a> {
    online: bool,
    last_seen: Option<Timestamp>,
    endpoints: &'a [SocketAddr],
    home_relay: RegionId,
    hostinfo: &'a Hostinfo,
    paths: Option<&'a [PathReport]>,
    primary: &'a [Prefix],
}

impl Scene {
    pub(super) async fn load(
        app: &App,
        rows: &TenantRows,
        presence: BTreeMap<NodeId, Presence>,
    ) -> Result<Self> {
        let people = rows.users().await?.into_iter().map(|user| (user.id, user));
        Ok(Self {
            suffix: dns_suffix(app, &rows.tenant().await?),
            people: people.collect(),
            presence,
            decisions: rows.routes().await?,
            now: app.clock.now(),
        })
    }

    pub(super) fn node(&self, node: &db::Node) -> Node {
        let seen = self.seen(node);
        Node {
            id: node.id,
            name: node.name.to_string(),
            fqdn: format!("{}.{}", node.name, self.suffix),
            addresses: vec![IpAddr::V4(node.ipv4), IpAddr::V6(node.ipv6)],
            owner: self.owner(&node.owner),
            os: seen.hostinfo.os.clone(),
            client_version: seen.hostinfo.client_version.clone(),
            online: seen.online,
            last_seen: seen.last_seen,
            approved: node.approved,
            ephemeral: node.ephemeral,
            key_expiry: node.key_expiry,
            expired: node.key_expiry.is_some_and(|at| at <= self.now),
            paths: seen.paths.map(summary),
            routes: routes::summary(&self.routes(node)),
            created: node.created,
        }
    }

    pub(super) async fn detail(&self, rows: &TenantRows, node: &db::Node) -> Result<NodeDetail> {
        let seen = self.seen(node);
        let net_info = seen.hostinfo.net_info.as_ref();
        Ok(NodeDetail {
            node: self.node(node),
            node_key: node.node_key.to_string(),
            machine_key: node.machine_key.to_string(),
            os_version: seen.hostinfo.os_version.clone(),
            hostname: seen.hostinfo.hostname.clone(),
            endpoints: seen.endpoints.to_vec(),
            home_relay: (seen.home_relay != RegionId(0)).then_some(seen.home_relay),
            hard_nat: net_info.and_then(|net| net.mapping_varies_by_dest_ip),
            routes_detail: self.routes(node),
            paths_detail: paths(rows, seen.paths.unwrap_or_default()).await?,
            joined_by: node.joined_by.clone(),
        })
    }

    fn routes(&self, node: &db::Node) -> Vec<Route> {
        let seen = self.seen(node);
        let decisions = self.decisions.get(&node.id);
        let decisions = decisions.map(Vec::as_slice).unwrap_or_default();
        routes::routes(&seen.hostinfo.routable_ips, decisions, seen.primary)
    }

    fn seen<'a>(&'a self, node: &'a db::Node) -> Report<'a> {
        match self.presence.get(&node.id) {
            Some(now) => Report {
                online: now.online,
                last_seen: now.last_seen,
                endpoints: &now.endpoints,
                home_relay: now.home_relay,
                hostinfo: &now.hostinfo,
                paths: now.paths.as_deref(),
                primary: &now.primary,
            },
            None => Report {
                online: false,
                last_seen: node.presence.last_seen,
                endpoints: &node.presence.endpoints,
                home_relay: node.presence.home_relay,
                hostinfo: &node.presence.hostinfo,
                paths: None,
                primary: &[],
            },
        }
    }

    fn owner(&self, owner: &NodeOwner) -> Owner {
        match owner {
            NodeOwner::Tags(tags) => Owner::Tags {
                tags: tags.iter().map(ToString::to_string).collect(),
            },
            NodeOwner::User(user) => {
                let person = self.people.get(user);
                Owner::User {
                    user: *user,
                    email: person.map(|p| p.email.to_string()).unwrap_or_default(),
                    display_name: person.map(|p| p.display_name.clone()).unwrap_or_default(),
                }
            }
        }
    }
}

fn summary(paths: &[PathReport]) -> PathSummary {
    let direct = paths.iter().filter(|path| path.direct.is_some()).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    PathSummary {
        direct: count(direct),
        relayed: count(paths.len() - direct),
    }
}

/// The paths to nodes of this tenant; a report of any other is left out.
async fn paths(rows: &TenantRows, reported: &[PathReport]) -> Result<Vec<Path>> {
    if reported.is_empty() {
        return Ok(Vec::new());
    }
    let names = rows.node_names().await?;
    Ok(reported
        .iter()
        .filter_map(|path| {
            Some(Path {
                peer: path.peer,
                peer_name: names.get(&path.peer)?.clone(),
                direct: path.direct,
                rtt_us: path.rtt_us,
            })
        })
        .collect())
}
