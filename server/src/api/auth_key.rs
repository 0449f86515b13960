//! Auth keys.

use axum::Json;
use http::StatusCode;
use wire::{
    api::auth_key::{AuthKey, CreateAuthKey, CreatedAuthKey},
    paths::AuthKeyPath,
};

use super::Ctx;
use crate::{act, authz::may, error::Result, http::extract};

pub(super) async fn list(ctx: Ctx<may::ViewAuthKeys>) -> Result<Json<Vec<AuthKey>>> {
    Ok(Json(act::auth_key::list(ctx.app(), ctx.tenant).await?))
}

pub(super) async fn create(
    ctx: Ctx<may::ManageAuthKeys>,
    extract::Json(body): extract::Json<CreateAuthKey>,
) -> Result<(StatusCode, Json<CreatedAuthKey>)> {
    let (by, user) = (ctx.by(), ctx.user.id);
    let key = act::auth_key::create(ctx.app(), &by, ctx.tenant, user, body).await?;
    Ok((StatusCode::CREATED, Json(key)))
}

pub(super) async fn revoke(
    ctx: Ctx<may::ManageAuthKeys>,
    extract::Path(path): extract::Path<AuthKeyPath>,
) -> Result<StatusCode> {
    act::auth_key::revoke(ctx.app(), &ctx.by(), ctx.tenant, path.key).await?;
    Ok(StatusCode::NO_CONTENT)
}
