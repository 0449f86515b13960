//! Members.

use axum::Json;
use http::StatusCode;
use wire::{
    api::user::{OneTimeLink, UpdateUser, User},
    paths::{UserLoginLinkPath, UserPath},
};

use super::Ctx;
use crate::{act, authz::may, error::Result, http::extract};

pub(super) async fn list(ctx: Ctx<may::ViewUsers>) -> Result<Json<Vec<User>>> {
    Ok(Json(act::user::list(ctx.app(), ctx.tenant).await?))
}

pub(super) async fn update(
    ctx: Ctx<may::ManageUsers>,
    extract::Path(path): extract::Path<UserPath>,
    extract::Json(body): extract::Json<UpdateUser>,
) -> Result<Json<User>> {
    let by = ctx.by();
    let user = act::user::set_role(ctx.app(), &by, ctx.tenant, path.user, body.role).await?;
    Ok(Json(user))
}

pub(super) async fn remove(
    ctx: Ctx<may::ManageUsers>,
    extract::Path(path): extract::Path<UserPath>,
) -> Result<StatusCode> {
    act::user::remove(ctx.app(), &ctx.by(), ctx.tenant, path.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn login_link(
    ctx: Ctx<may::ManageUsers>,
    extract::Path(path): extract::Path<UserLoginLinkPath>,
) -> Result<(StatusCode, Json<OneTimeLink>)> {
    let link = act::user::login_link(ctx.app(), &ctx.by(), ctx.tenant, path.user).await?;
    Ok((StatusCode::CREATED, Json(link)))
}
