//! Machines.

use gloo_net::http::Method;
use wire::{
    NodeId, TenantId,
    api::node::{RenameNode, SetTags},
    paths::{NodeApprovePath, NodeExpirePath, NodePath, NodeTagsPath},
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
