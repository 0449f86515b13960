//! The tenant and its settings.

use axum::Json;
use wire::api::tenant::{Tenant, UpdateTenant};

use super::Ctx;
use crate::{act, authz::may, error::Result, http::extract};

pub(super) async fn get(ctx: Ctx<may::Enter>) -> Result<Json<Tenant>> {
    Ok(Json(act::tenant::get(ctx.app(), ctx.tenant).await?))
}

pub(super) async fn update(
    ctx: Ctx<may::ManageTenant>,
    extract::Json(body): extract::Json<UpdateTenant>,
) -> Result<Json<Tenant>> {
    let updated = act::tenant::update(ctx.app(), &ctx.by(), ctx.tenant, body).await?;
    Ok(Json(updated))
}
