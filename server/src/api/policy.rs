//! The access policy and its revisions.

use axum::Json;
use wire::{
    api::policy::{
        CheckPolicy, CheckedPolicy, Policy, Revision, SavePolicy,
        explain::{ExplainPolicy, Explained},
        impact::{Impact, PreviewImpact},
    },
    paths::PolicyRevisionPath,
};

use super::Ctx;
use crate::{
    act,
    authz::may,
    error::Result,
    http::extract::{self, POLICY_BODY_LIMIT},
};

pub(super) async fn get(ctx: Ctx<may::ViewPolicy>) -> Result<Json<Policy>> {
    Ok(Json(act::policy::current(ctx.app(), ctx.tenant).await?))
}

pub(super) async fn save(
    ctx: Ctx<may::ManagePolicy>,
    extract::Json(body): extract::Json<SavePolicy, POLICY_BODY_LIMIT>,
) -> Result<Json<Policy>> {
    let saved = act::policy::save(ctx.app(), &ctx.by(), ctx.tenant, body).await?;
    Ok(Json(saved))
}

pub(super) async fn check(
    ctx: Ctx<may::ViewPolicy>,
    extract::Json(body): extract::Json<CheckPolicy, POLICY_BODY_LIMIT>,
) -> Result<Json<CheckedPolicy>> {
    let checked = act::policy::check(ctx.app(), ctx.tenant, body.document).await?;
    Ok(Json(checked))
}

pub(super) async fn explain(
    ctx: Ctx<may::ViewPolicy>,
    extract::Json(body): extract::Json<ExplainPolicy, POLICY_BODY_LIMIT>,
) -> Result<Json<Explained>> {
    let explained = act::policy::explain(ctx.app(), ctx.tenant, body).await?;
    Ok(Json(explained))
}

pub(super) async fn impact(
    ctx: Ctx<may::ViewPolicy>,
    extract::Json(body): extract::Json<PreviewImpact, POLICY_BODY_LIMIT>,
) -> Result<Json<Impact>> {
    let asker = Some(ctx.user.id);
    let impact = act::policy::impact(ctx.app(), ctx.tenant, asker, body).await?;
    Ok(Json(impact))
}

pub(super) async fn revisions(ctx: Ctx<may::ViewPolicy>) -> Result<Json<Vec<Revision>>> {
    Ok(Json(act::policy::revisions(ctx.app(), ctx.tenant).await?))
}

pub(super) async fn revision(
    ctx: Ctx<may::ViewPolicy>,
    extract::Path(path): extract::Path<PolicyRevisionPath>,
) -> Result<Json<Policy>> {
    let revision = act::policy::revision(ctx.app(), ctx.tenant, path.revision).await?;
    Ok(Json(revision))
}
