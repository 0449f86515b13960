//! Machines.

use gloo_net::http::Method;
use wire::{
    NodeId, TenantId,
    api::node::{DecideRoutes, RenameNode, SetTags},
    net::Prefix,
    paths::{NodeApprovePath, NodeExpirePath, NodePath, NodeRoutesPath, NodeTagsPath},
};

use super::Result;

/// Gives a machine another name.
pub(crate) async fn rename(tenant: TenantId, node: NodeId, name: String) -> Result<()> {
    let path = NodePath { tenant, node }.to_path();
    super::tell(Method::PATCH, &path, &RenameNode { name }).await
}

/// Replaces its tags.
pub(crate) async fn set_tags(tenant: TenantId, node: NodeId, tags: Vec<String>) -> Result<()> {
    let path = NodeTagsPath { tenant, node }.to_path();
    super::tell(Method::PUT, &path, &SetTags { tags }).await
}

/// Lets it serve a route; either exit route stands for both.
pub(crate) async fn approve_route(tenant: TenantId, node: NodeId, route: Prefix) -> Result<()> {
    let approve = vec![route.to_string()];
    let wish = DecideRoutes {
        approve,
        ..DecideRoutes::default()
    };
    decide_routes(tenant, node, wish).await
}

/// Lets it serve a route no longer.
pub(crate) async fn withdraw_route(tenant: TenantId, node: NodeId, route: Prefix) -> Result<()> {
    let withdraw = vec![route.to_string()];
    let wish = DecideRoutes {
        withdraw,
        ..DecideRoutes::default()
    };
    decide_routes(tenant, node, wish).await
}

async fn decide_routes(tenant: TenantId, node: NodeId, wish: DecideRoutes) -> Result<()> {
    let path = NodeRoutesPath { tenant, node }.to_path();
    super::tell(Method::PATCH, &path, &wish).await
}

/// Lets it into the network.
pub(crate) async fn approve(tenant: TenantId, node: NodeId) -> Result<()> {
    super::act(Method::POST, &NodeApprovePath { tenant, node }.to_path()).await
}

/// Ends its key now.
pub(crate) async fn expire(tenant: TenantId, node: NodeId) -> Result<()> {
    super::act(Method::POST, &NodeExpirePath { tenant, node }.to_path()).await
}

/// Removes it.
pub(crate) async fn remove(tenant: TenantId, node: NodeId) -> Result<()> {
    super::act(Method::DELETE, &NodePath { tenant, node }.to_path()).await
}
