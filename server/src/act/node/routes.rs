//! An administrator decides about the routes of a machine.

use std::collections::BTreeSet;

use policy::routes::check;
use wire::{
    NodeId, TenantId,
    api::{Action, me::Actor, node::DecideRoutes},
    net::Prefix,
};

use crate::{
    act::field,
    app::App,
    authz::permit,
    db::{self, TenantRows},
    error::{Error, Result},
    route::{MOST_DECISIONS, decide, with_exit_pairs},
    tenancy::Changed,
};

/// Routes of one request.
const MOST_NAMED: usize = 256;

/// What is wished, read.
#[derive(Debug)]
struct Wish {
    approve: BTreeSet<Prefix>,
    withdraw: BTreeSet<Prefix>,
}

/// Approves and withdraws routes of a machine. It need not offer them yet.
pub async fn decide_routes(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    node: NodeId,
    wish: &DecideRoutes,
) -> Result<()> {
    let wish = Wish::read(wish)?;
    let by = by.clone();
    let changed = app
        .db
        .write(tenant, move |rows| async move {
            permit(&rows, &by, Action::ManageRoutes).await?;
            let found = rows.node(node).await?;
            wish.fulfil(&rows, &by, &found).await
        })
        .await?;
    if changed {
        app.hub.changed(tenant, Changed::Node(node)).await;
    }
    Ok(())
}

impl Wish {
    fn read(wish: &DecideRoutes) -> Result<Self> {
        let approve = with_exit_pairs(routes("approve", &wish.approve)?);
        let withdraw = with_exit_pairs(routes("withdraw", &wish.withdraw)?);
        if let Some(both) = approve.intersection(&withdraw).next() {
            return Err(Error::invalid(
                "/withdraw",
                format!("`{both}` is to be approved as well; name it once"),
            ));
        }
        Ok(Self { approve, withdraw })
    }

    /// Whether something has changed.
    async fn fulfil(mut self, rows: &TenantRows, by: &Actor, node: &db::Node) -> Result<bool> {
        let known = rows.routes_of(node.id).await?;
        for decision in &known {
            let wished = if decision.approved {
                &mut self.approve
            } else {
                &mut self.withdraw
            };
            wished.remove(&decision.prefix);
        }
        let is_new = |route: &&Prefix| known.iter().all(|d| d.prefix != **route);
        let more = self.approve.union(&self.withdraw).filter(is_new).count();
        if more > 0 && known.len() + more > MOST_DECISIONS {
            return Err(Error::invalid(
                "/approve",
                format!("decisions about {MOST_DECISIONS} routes of one machine are kept at most"),
            ));
        }
        decide(rows, by, node, &self.approve, true).await?;
        decide(rows, by, node, &self.withdraw, false).await?;
        Ok(!self.approve.is_empty() || !self.withdraw.is_empty())
    }
}

fn routes(field: &str, texts: &[String]) -> Result<Vec<Prefix>> {
    if texts.len() > MOST_NAMED {
        return Err(Error::invalid(
            format!("/{field}"),
            format!("at most {MOST_NAMED} routes fit into one request"),
        ));
    }
    let route = |(place, text): (usize, &String)| {
        let pointer = format!("/{field}/{place}");
        let route: Prefix = field::parse(&pointer, text)?;
        check(&route).map_err(|why| Error::invalid(pointer, format!("`{route}`: {why}")))?;
        Ok(route)
    };
    texts.iter().enumerate().map(route).collect()
}
