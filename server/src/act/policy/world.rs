//! The people and machines of a tenant, as questions about its policy need them.

use std::collections::BTreeSet;

use policy::{Directory, NodeFacts, explain::Device};
use wire::{NodeId, Timestamp, net::Prefix};

use super::directory;
use crate::{
    db::{self, TenantRows},
    error::Result,
    tenancy,
};

/// The people, and the machines that are let in.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) directory: Directory,
    pub(super) machines: Vec<Machine>,
    /// Machines that wait for approval: they reach nothing.
    pub(super) waiting: BTreeSet<NodeId>,
}

/// A machine.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) id: NodeId,
    pub(super) name: String,
    pub(super) facts: NodeFacts,
    /// Routes that it offers and nobody approved.
    pub(super) offered: Vec<Prefix>,
    /// True when it says that it takes sign-ins by `ssh` rules: it has told its host keys.
    pub(super) runs_ssh: bool,
}

impl World {
    /// Reads it.
    pub(super) async fn load(rows: &TenantRows, now: Timestamp) -> Result<Self> {
        let mut directory = directory(rows).await?;
        let decisions = rows.routes().await?;
        let of = |id| decisions.get(&id).map(Vec::as_slice).unwrap_or_default();
        let (approved, waiting): (Vec<_>, Vec<_>) =
            rows.nodes().await?.into_iter().partition(|n| n.approved);
        let machines: Vec<Machine> = approved
            .into_iter()
            .map(|node| {
                let decisions = of(node.id);
                machine(node, decisions, now)
            })
            .collect();
        let routes: BTreeSet<Prefix> = machines
            .iter()
            .flat_map(|machine| machine.facts.routes.iter().copied())
            .collect();
        directory.routes = routes.into_iter().collect();
        Ok(Self {
            directory,
            machines,
            waiting: waiting.into_iter().map(|node| node.id).collect(),
        })
    }

    /// What the law knows of the machines.
    pub(super) fn facts(&self) -> Vec<NodeFacts> {
        let machines = self.machines.iter();
        machines.map(|machine| machine.facts.clone()).collect()
    }

    /// The machines, as questions name them.
    pub(super) fn devices(&self) -> Vec<Device<'_>> {
        let machines = self.machines.iter();
        machines
            .map(|machine| Device {
                name: &machine.name,
                facts: &machine.facts,
                offered: &machine.offered,
                is_thought: false,
            })
            .collect()
    }
}

fn machine(row: db::Node, decisions: &[db::Decision], now: Timestamp) -> Machine {
    let (id, name) = (row.id, row.name.to_string());
    let mut offered = row.presence.hostinfo.routable_ips.clone();
    let runs_ssh = !row.presence.hostinfo.ssh_host_keys.is_empty();
    let facts = tenancy::facts(row, decisions, now);
    offered.retain(|r| !facts.routes.contains(r) && !facts.exit_routes.contains(r));
    Machine {
        id,
        name,
        facts,
        offered,
        runs_ssh,
    }
}
