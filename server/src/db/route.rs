//! What was decided about the routes of nodes. A route without a row waits.

use std::collections::BTreeMap;

use sea_orm::FromQueryResult;
use wire::{NodeId, Timestamp, api::me::Actor, net::Prefix};

use super::rows::{TenantRows, json, number, text, to_json, unsigned};
use crate::error::Result;

/// A decision about a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The route.
    pub prefix: Prefix,
    /// Whether the node may serve it.
    pub approved: bool,
    /// By whom; [`Actor::Server`]: by the policy.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    node_id: i64,
    prefix: String,
    approved: bool,
    decided_by: String,
    decided: i64,
}

impl Row {
    fn read(self) -> Result<(NodeId, Decision)> {
        let decision = Decision {
            prefix: text(&self.prefix)?,
            approved: self.approved,
            by: json(&self.decided_by)?,
            at: Timestamp::from_unix_micros(self.decided),
        };
        Ok((NodeId(unsigned(self.node_id)), decision))
    }
}

const COLUMNS: &str =
    "SELECT node_id, prefix, approved, decided_by, decided FROM node_routes WHERE tenant_id = $1";

impl TenantRows {
    /// The decisions about the routes of all nodes.
    pub async fn routes(&self) -> Result<BTreeMap<NodeId, Vec<Decision>>> {
        let rows: Vec<Row> = self.conn.all(COLUMNS, self.scoped([])).await?;
        let mut all: BTreeMap<NodeId, Vec<Decision>> = BTreeMap::new();
        for row in rows {
            let (node, decision) = row.read()?;
            all.entry(node).or_default().push(decision);
        }
        Ok(all)
    }

    /// The decisions about the routes of one node.
    pub async fn routes_of(&self, node: NodeId) -> Result<Vec<Decision>> {
        let sql = format!("{COLUMNS} AND node_id = $2");
        let values = self.scoped([number(node.0).into()]);
        let rows: Vec<Row> = self.conn.all(&sql, values).await?;
        let decisions = rows.into_iter().map(Row::read);
        decisions.map(|read| Ok(read?.1)).collect()
    }

    /// Decides about a route, or decides anew. The node must be the tenant's.
    pub async fn decide_route(
        &self,
        node: NodeId,
        prefix: &Prefix,
        approved: bool,
        by: &Actor,
    ) -> Result<()> {
        let sql = "INSERT INTO node_routes (tenant_id, node_id, prefix, approved, decided_by, decided) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, node_id, prefix) \
                   DO UPDATE SET approved = $4, decided_by = $5, decided = $6";
        let values = self.scoped([
            number(node.0).into(),
            prefix.to_string().into(),
            approved.into(),
            to_json(by)?.into(),
            self.context.clock.now().unix_micros().into(),
        ]);
        self.conn.run(sql, values).await?;
        Ok(())
    }

    /// Forgets a decision: the route waits when it is offered again.
    pub async fn forget_route(&self, node: NodeId, prefix: &Prefix) -> Result<()> {
        let sql = "DELETE FROM node_routes WHERE tenant_id = $1 AND node_id = $2 AND prefix = $3";
        let values = self.scoped([number(node.0).into(), prefix.to_string().into()]);
        self.conn.run(sql, values).await?;
        Ok(())
    }
}
