//! Nodes: who they are, and where they were last seen.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use sea_orm::FromQueryResult;
use wire::{
    CapabilityVersion, DiscoKey, MachineKey, NodeId, NodeKey, StableId, Timestamp, UserId,
    api::me::Actor,
    control::Hostinfo,
    name::{Hostname, Tag},
    net::mesh_ipv6_of,
    relay_map::RegionId,
};

use super::{
    address,
    rows::{TenantRows, json, number, text, to_json, unsigned},
    tenant::Listing,
};
use crate::error::{Error, Result};

/// Who a node belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeOwner {
    /// A member.
    User(UserId),
    /// Nobody: at least one tag, sorted.
    Tags(Vec<Tag>),
}

/// A node as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The id.
    pub id: NodeId,
    /// The id that clients show.
    pub stable_id: StableId,
    /// The short name, unique in the tenant.
    pub name: Hostname,
    /// What its machine asked to be called, last; `None`: an administrator has
    /// fixed the name.
    pub asked_name: Option<Hostname>,
    /// The installation it runs on.
    pub machine_key: MachineKey,
    /// Its WireGuard key.
    pub node_key: NodeKey,
    /// Who it belongs to.
    pub owner: NodeOwner,
    /// Its IPv4 address.
    pub ipv4: Ipv4Addr,
    /// Its IPv6 address.
    pub ipv6: Ipv6Addr,
    /// When its key ends; `None`: never.
    pub key_expiry: Option<Timestamp>,
    /// Whether an administrator has approved it (or nobody needs to).
    pub approved: bool,
    /// It is removed when it goes.
    pub ephemeral: bool,
    /// Who let it join.
    pub joined_by: Actor,
    /// When it joined.
    pub created: Timestamp,
    /// What its client understands.
    pub capability: CapabilityVersion,
    /// Where it was last seen, and what it said of itself.
    pub presence: PresenceRow,
}

/// What a node reports and nobody audits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PresenceRow {
    /// What it says of itself.
    pub hostinfo: Hostinfo,
    /// Where it may be reached.
    pub endpoints: Vec<SocketAddr>,
    /// Its disco key; zero when none was reported.
    pub disco_key: DiscoKey,
    /// Its home relay; 0 when none was reported.
    pub home_relay: RegionId,
    /// When it was last connected; `None`: never.
    pub last_seen: Option<Timestamp>,
}

/// A node that is about to join.
#[derive(Debug, Clone)]
pub struct NewNode {
    /// What it would like to be called; another node's name gets a number behind it.
    pub name: Hostname,
    /// The installation it runs on.
    pub machine_key: MachineKey,
    /// Its WireGuard key.
    pub node_key: NodeKey,
    /// Who it belongs to.
    pub owner: NodeOwner,
    /// When its key ends.
    pub key_expiry: Option<Timestamp>,
    /// Whether it may take part at once.
    pub approved: bool,
    /// It is removed when it goes.
    pub ephemeral: bool,
    /// Who lets it join.
    pub joined_by: Actor,
    /// What its client understands.
    pub capability: CapabilityVersion,
    /// What it says of itself.
    pub hostinfo: Hostinfo,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    stable_id: String,
    name: String,
    asked_name: Option<String>,
    machine_key: String,
    node_key: String,
    user_id: Option<i64>,
    tags: String,
    ipv4: String,
    ipv6: String,
    key_expiry: Option<i64>,
    approved: bool,
    ephemeral: bool,
    joined_by: String,
    created: i64,
    capability: i64,
    hostinfo: String,
    endpoints: String,
    disco_key: String,
    home_relay: i64,
    last_seen: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Node> {
        let owner = match self.user_id {
            Some(user) => NodeOwner::User(UserId(unsigned(user))),
            None => NodeOwner::Tags(json(&self.tags)?),
        };
        Ok(Node {
            id: NodeId(unsigned(self.id)),
            stable_id: text(&self.stable_id)?,
            name: text(&self.name)?,
            asked_name: self.asked_name.as_deref().map(text).transpose()?,
            machine_key: text(&self.machine_key)?,
            node_key: text(&self.node_key)?,
            owner,
            ipv4: text(&self.ipv4)?,
            ipv6: text(&self.ipv6)?,
            key_expiry: self.key_expiry.map(Timestamp::from_unix_micros),
            approved: self.approved,
            ephemeral: self.ephemeral,
            joined_by: json(&self.joined_by)?,
            created: Timestamp::from_unix_micros(self.created),
            capability: CapabilityVersion(u16::try_from(self.capability).unwrap_or_default()),
            presence: PresenceRow {
                hostinfo: json(&self.hostinfo)?,
                endpoints: json(&self.endpoints)?,
                disco_key: text(&self.disco_key)?,
                home_relay: RegionId(u16::try_from(self.home_relay).unwrap_or_default()),
                last_seen: self.last_seen.map(Timestamp::from_unix_micros),
            },
        })
    }
}

const COLUMNS: &str = "SELECT id, stable_id, name, asked_name, machine_key, node_key, user_id, tags, ipv4, ipv6, \
    key_expiry, approved, ephemeral, joined_by, created, capability, hostinfo, endpoints, disco_key, \
    home_relay, last_seen FROM nodes WHERE tenant_id = $1";

impl TenantRows {
    /// All nodes, oldest first.
    pub async fn nodes(&self) -> Result<Vec<Node>> {
        let sql = format!("{COLUMNS} ORDER BY id");
        let rows: Vec<Row> = self.conn.all(&sql, self.scoped([])).await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The names of all nodes.
    pub async fn node_names(&self) -> Result<BTreeMap<NodeId, String>> {
        let sql = "SELECT id, name FROM nodes WHERE tenant_id = $1";
        let rows: Vec<Name> = self.conn.all(sql, self.scoped([])).await?;
        let names = rows.into_iter();
        Ok(names
            .map(|row| (NodeId(unsigned(row.id)), row.name))
            .collect())
    }

    /// One node, if it is this tenant's.
    pub async fn find_node(&self, id: NodeId) -> Result<Option<Node>> {
        let sql = format!("{COLUMNS} AND id = $2");
        let row: Option<Row> = self
            .conn
            .one(&sql, self.scoped([number(id.0).into()]))
            .await?;
        row.map(Row::read).transpose()
    }

    /// One node.
    pub async fn node(&self, id: NodeId) -> Result<Node> {
        self.find_node(id).await?.ok_or(Error::NotFound)
    }

    /// The node with this name.
    pub async fn find_node_by_name(&self, name: &Hostname) -> Result<Option<Node>> {
        let sql = format!("{COLUMNS} AND name = $2");
        let row: Option<Row> = self
            .conn
            .one(&sql, self.scoped([name.as_str().into()]))
            .await?;
        row.map(Row::read).transpose()
    }

    /// The nodes of one installation, oldest first.
    pub async fn nodes_of_machine(&self, machine: &MachineKey) -> Result<Vec<Node>> {
        let sql = format!("{COLUMNS} AND machine_key = $2 ORDER BY id");
        let values = self.scoped([machine.to_string().into()]);
        let rows: Vec<Row> = self.conn.all(&sql, values).await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// Lets a node join: takes an id, a free name and an address.
    pub async fn create_node(&self, new: &NewNode) -> Result<Node> {
        let now = self.context.clock.now();
        let id = NodeId(address::next_id(&self.conn).await?);
        let ipv4 = address::take(&self.conn, &self.tenant, id, now.unix_micros()).await?;
        let ipv6 = mesh_ipv6_of(ipv4);
        let name = self.free_name(id, &new.name).await?;
        let (user, tags) = owner_columns(&new.owner)?;
        let sql = "INSERT INTO nodes (tenant_id, id, stable_id, name, machine_key, node_key, user_id, \
                   tags, ipv4, ipv6, key_expiry, approved, ephemeral, joined_by, created, capability, \
                   hostinfo, endpoints, disco_key, home_relay, last_seen, asked_name) VALUES ($1, $2, \
                   $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, '[]', $18, 0, \
                   NULL, $19)";
        let values = self.scoped([
            number(id.0).into(),
            self.context.rng.uuid_v7(now).to_string().into(),
            name.as_str().into(),
            new.machine_key.to_string().into(),
            new.node_key.to_string().into(),
            user.into(),
            tags.into(),
            ipv4.to_string().into(),
            ipv6.to_string().into(),
            new.key_expiry.map(Timestamp::unix_micros).into(),
            new.approved.into(),
            new.ephemeral.into(),
            to_json(&new.joined_by)?.into(),
            now.unix_micros().into(),
            i64::from(new.capability.0).into(),
            to_json(&new.hostinfo)?.into(),
            DiscoKey::ZERO.to_string().into(),
            new.name.as_str().into(),
        ]);
        self.conn.run(sql, values).await?;
        self.list_in_directory(Listing::NodeKey, &new.node_key.to_string(), id.to_string())
            .await?;
        self.node(id).await
    }

    /// `wanted`, or with a number behind it that no other node than `id` has: the
    /// one after a taken one, found in few steps however many share the name.
    async fn free_name(&self, id: NodeId, wanted: &Hostname) -> Result<Hostname> {
        if !self.is_name_taken(id, wanted).await? {
            return Ok(wanted.clone());
        }
        let (mut taken, mut free) = (0, 1);
        while self.is_name_taken(id, &numbered(wanted, free)?).await? {
            (taken, free) = (free, free * 2);
        }
        while free - taken > 1 {
            let middle = taken.midpoint(free);
            if self.is_name_taken(id, &numbered(wanted, middle)?).await? {
                taken = middle;
            } else {
                free = middle;
            }
        }
        numbered(wanted, free)
    }

    /// Whether a node other than `id` has the name.
    async fn is_name_taken(&self, id: NodeId, name: &Hostname) -> Result<bool> {
        let sql = "SELECT name FROM nodes WHERE tenant_id = $1 AND name = $2 AND id <> $3";
        let values = self.scoped([name.as_str().into(), number(id.0).into()]);
        Ok(self.conn.one::<Named>(sql, values).await?.is_some())
    }

    /// Names a node as its machine asks, with a number behind it where another
    /// node has that name; what it is called now.
    pub async fn follow_asked_name(&self, id: NodeId, asked: &Hostname) -> Result<Hostname> {
        let name = self.free_name(id, asked).await?;
        let values = [name.as_str().into(), asked.as_str().into()];
        self.set_node(id, "name = $3, asked_name = $4", values)
            .await?;
        Ok(name)
    }

    /// Gives a node another name, and fixes it. A taken one is a conflict.
    pub async fn rename_node(&self, id: NodeId, name: &Hostname) -> Result<()> {
        if self
            .find_node_by_name(name)
            .await?
            .is_some_and(|other| other.id != id)
        {
            return Err(Error::Conflict(wire::api::problem::Code::NodeNameTaken));
        }
        self.set_node(id, "name = $3, asked_name = NULL", [name.as_str().into()])
            .await
    }

    /// Changes who a node belongs to, and when its key ends.
    pub async fn set_node_owner(
        &self,
        id: NodeId,
        owner: &NodeOwner,
        key_expiry: Option<Timestamp>,
    ) -> Result<()> {
        let (user, tags) = owner_columns(owner)?;
        let values = [
            user.into(),
            tags.into(),
            key_expiry.map(Timestamp::unix_micros).into(),
        ];
        self.set_node(id, "user_id = $3, tags = $4, key_expiry = $5", values)
            .await
    }

    /// Lets a node take part.
    pub async fn approve_node(&self, id: NodeId) -> Result<()> {
        self.set_node(id, "approved = $3", [true.into()]).await
    }

    /// Ends a node's key at `at`.
    pub async fn set_node_expiry(&self, id: NodeId, at: Option<Timestamp>) -> Result<()> {
        self.set_node(
            id,
            "key_expiry = $3",
            [at.map(Timestamp::unix_micros).into()],
        )
        .await
    }

    /// Notes what a node's client understands.
    pub async fn set_node_capability(&self, id: NodeId, version: CapabilityVersion) -> Result<()> {
        self.set_node(id, "capability = $3", [i64::from(version.0).into()])
            .await
    }

    /// Gives a node a new key; the old one finds nobody any more.
    pub async fn rotate_node_key(
        &self,
        node: &Node,
        key: &NodeKey,
        key_expiry: Option<Timestamp>,
    ) -> Result<()> {
        self.unlist(Listing::NodeKey, &node.node_key.to_string())
            .await?;
        self.list_in_directory(Listing::NodeKey, &key.to_string(), node.id.to_string())
            .await?;
        let values = [
            key.to_string().into(),
            key_expiry.map(Timestamp::unix_micros).into(),
        ];
        self.set_node(node.id, "node_key = $3, key_expiry = $4", values)
            .await
    }

    /// Stores what nodes have reported since the last time.
    pub async fn store_presence(&self, rows: &[(NodeId, PresenceRow)]) -> Result<()> {
        for (id, row) in rows {
            let values = self.scoped([
                number(id.0).into(),
                to_json(&row.hostinfo)?.into(),
                to_json(&row.endpoints)?.into(),
                row.disco_key.to_string().into(),
                i64::from(row.home_relay.0).into(),
                row.last_seen.map(Timestamp::unix_micros).into(),
            ]);
            let sql = "UPDATE nodes SET hostinfo = $3, endpoints = $4, disco_key = $5, \
                       home_relay = $6, last_seen = $7 WHERE tenant_id = $1 AND id = $2";
            self.conn.run(sql, values).await?;
        }
        Ok(())
    }

    /// Removes a node; its address rests for a day.
    pub async fn delete_node(&self, node: &Node) -> Result<()> {
        self.unlist(Listing::NodeKey, &node.node_key.to_string())
            .await?;
        let now = self.context.clock.now().unix_micros();
        address::release(&self.conn, &self.tenant, node.id, now).await?;
        let sql = "DELETE FROM nodes WHERE tenant_id = $1 AND id = $2";
        self.conn
            .run(sql, self.scoped([number(node.id.0).into()]))
            .await?;
        Ok(())
    }

    async fn set_node<const N: usize>(
        &self,
        id: NodeId,
        columns: &str,
        values: [sea_orm::Value; N],
    ) -> Result<()> {
        let sql = format!("UPDATE nodes SET {columns} WHERE tenant_id = $1 AND id = $2");
        let mut all = self.scoped([number(id.0).into()]);
        all.extend(values);
        match self.conn.run(&sql, all).await? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }
}

#[derive(FromQueryResult)]
struct Name {
    id: i64,
    name: String,
}

#[derive(FromQueryResult)]
struct Named {
    #[expect(dead_code, reason = "only whether there is one is asked")]
    name: String,
}

fn numbered(name: &Hostname, number: u32) -> Result<Hostname> {
    let suffix = format!("-{number}");
    let stem: String = name.as_str().chars().take(63 - suffix.len()).collect();
    format!("{stem}{suffix}")
        .parse()
        .map_err(|e: wire::name::NameError| Error::internal(e))
}

fn owner_columns(owner: &NodeOwner) -> Result<(Option<i64>, String)> {
    match owner {
        NodeOwner::User(user) => Ok((Some(number(user.0)), "[]".to_owned())),
        NodeOwner::Tags(tags) => Ok((None, to_json(tags)?)),
    }
}
