//! Machines.

use serde::{Deserialize, Serialize};
use wire::{
    TenantId,
    api::{
        me::Actor,
        node::{DecideRoutes, Node},
    },
};

use super::{Answer, tenant};
use crate::{
    act::node::{self, Sight},
    app::App,
    error::{Error, Result},
};

/// What is to be done; a machine is meant by its id or its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "names and fields speak for themselves")]
pub enum Request {
    List {
        tenant: tenant::Name,
    },
    Approve {
        tenant: tenant::Name,
        node: String,
    },
    Expire {
        tenant: tenant::Name,
        node: String,
    },
    Remove {
        tenant: tenant::Name,
        node: String,
    },
    Routes {
        tenant: tenant::Name,
        node: String,
    },
    DecideRoutes {
        tenant: tenant::Name,
        node: String,
        wish: DecideRoutes,
    },
}

pub(super) async fn perform(app: &App, by: &Actor, request: Request) -> Result<Answer> {
    match request {
        Request::List { tenant } => {
            let tenant = tenant::find(app, &tenant).await?;
            node::list(app, tenant, Sight::All).await.map(Answer::Nodes)
        }
        Request::Approve { tenant, node } => {
            let tenant = tenant::find(app, &tenant).await?;
            let found = find(app, tenant, &node).await?;
            node::approve(app, by, tenant, found.id).await?;
            after(app, tenant, &found).await
        }
        Request::Expire { tenant, node } => {
            let tenant = tenant::find(app, &tenant).await?;
            let found = find(app, tenant, &node).await?;
            node::expire(app, by, tenant, found.id).await?;
            after(app, tenant, &found).await
        }
        Request::Remove { tenant, node } => {
            let tenant = tenant::find(app, &tenant).await?;
            let found = find(app, tenant, &node).await?;
            node::remove(app, by, tenant, found.id).await?;
            Ok(Answer::Node(Box::new(found)))
        }
        Request::Routes { tenant, node } => {
            let tenant = tenant::find(app, &tenant).await?;
            let found = find(app, tenant, &node).await?;
            routes(app, tenant, &found).await
        }
        Request::DecideRoutes { tenant, node, wish } => {
            let tenant = tenant::find(app, &tenant).await?;
            let found = find(app, tenant, &node).await?;
            node::decide_routes(app, by, tenant, found.id, &wish).await?;
            routes(app, tenant, &found).await
        }
    }
}

async fn routes(app: &App, tenant: TenantId, node: &Node) -> Result<Answer> {
    let detail = node::get(app, tenant, node.id, Sight::All).await?;
    Ok(Answer::Routes(detail.routes_detail))
}

async fn after(app: &App, tenant: TenantId, node: &Node) -> Result<Answer> {
    let detail = node::get(app, tenant, node.id, Sight::All).await?;
    Ok(Answer::Node(Box::new(detail.node)))
}

async fn find(app: &App, tenant: TenantId, name: &str) -> Result<Node> {
    let all = node::list(app, tenant, Sight::All).await?;
    all.into_iter()
        .find(|node| node.name == name || node.fqdn == name || node.id.to_string() == name)
        .ok_or_else(|| {
            Error::Malformed(format!(
                "there is no machine `{name}`; `warren-server node list` shows them"
            ))
        })
}
