//! Invitations.

use axum::Json;
use http::StatusCode;
use wire::{
    api::user::{CreateInvite, Invite, OneTimeLink},
    paths::InvitePath,
};

use super::Ctx;
use crate::{act, authz::may, error::Result, http::extract};

pub(super) async fn list(ctx: Ctx<may::ViewUsers>) -> Result<Json<Vec<Invite>>> {
    Ok(Json(act::user::invites(ctx.app(), ctx.tenant).await?))
}

pub(super) async fn create(
    ctx: Ctx<may::ManageUsers>,
    extract::Json(body): extract::Json<CreateInvite>,
) -> Result<(StatusCode, Json<OneTimeLink>)> {
    let link = act::user::invite(ctx.app(), &ctx.by(), ctx.tenant, body).await?;
    Ok((StatusCode::CREATED, Json(link)))
}

pub(super) async fn withdraw(
    ctx: Ctx<may::ManageUsers>,
    extract::Path(path): extract::Path<InvitePath>,
) -> Result<StatusCode> {
    act::user::withdraw_invite(ctx.app(), &ctx.by(), ctx.tenant, path.invite).await?;
    Ok(StatusCode::NO_CONTENT)
}
