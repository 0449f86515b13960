//! Machines.

use axum::Json;
use http::StatusCode;
use wire::{
    api::node::{DecideRoutes, Node, NodeDetail, RenameNode, SetTags},
    paths::{NodeApprovePath, NodeExpirePath, NodePath, NodeRoutesPath, NodeTagsPath},
};

use super::Ctx;
use crate::{
    act::{self, field},
    authz::may,
    error::Result,
    http::extract,
};

pub(super) async fn list(ctx: Ctx<may::ViewNodes>) -> Result<Json<Vec<Node>>> {
    let nodes = act::node::list(ctx.app(), ctx.tenant, ctx.sight()).await?;
    Ok(Json(nodes))
}

pub(super) async fn get(
    ctx: Ctx<may::ViewNodes>,
    extract::Path(path): extract::Path<NodePath>,
) -> Result<Json<NodeDetail>> {
    let node = act::node::get(ctx.app(), ctx.tenant, path.node, ctx.sight()).await?;
    Ok(Json(node))
}

pub(super) async fn rename(
    ctx: Ctx<may::ManageNodes>,
    extract::Path(path): extract::Path<NodePath>,
    extract::Json(body): extract::Json<RenameNode>,
) -> Result<StatusCode> {
    let name = field::parse("/name", &body.name)?;
    act::node::rename(ctx.app(), &ctx.by(), ctx.tenant, path.node, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    ctx: Ctx<may::ManageNodes>,
    extract::Path(path): extract::Path<NodePath>,
) -> Result<StatusCode> {
    act::node::remove(ctx.app(), &ctx.by(), ctx.tenant, path.node).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn approve(
    ctx: Ctx<may::ManageNodes>,
    extract::Path(path): extract::Path<NodeApprovePath>,
) -> Result<StatusCode> {
    act::node::approve(ctx.app(), &ctx.by(), ctx.tenant, path.node).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn expire(
    ctx: Ctx<may::ManageNodes>,
    extract::Path(path): extract::Path<NodeExpirePath>,
) -> Result<StatusCode> {
    act::node::expire(ctx.app(), &ctx.by(), ctx.tenant, path.node).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn set_tags(
    ctx: Ctx<may::ManageNodes>,
    extract::Path(path): extract::Path<NodeTagsPath>,
    extract::Json(body): extract::Json<SetTags>,
) -> Result<StatusCode> {
    act::node::set_tags(ctx.app(), &ctx.by(), ctx.tenant, path.node, body.tags).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn decide_routes(
    ctx: Ctx<may::ManageRoutes>,
    extract::Path(path): extract::Path<NodeRoutesPath>,
    extract::Json(body): extract::Json<DecideRoutes>,
) -> Result<StatusCode> {
    act::node::decide_routes(ctx.app(), &ctx.by(), ctx.tenant, path.node, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
