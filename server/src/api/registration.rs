//! Machines that wait for a person to sign in.

use std::sync::Arc;

use axum::{Json, extract::State};
use wire::{
    api::registration::{ConfirmRegistration, ConfirmedRegistration, Registration},
    paths::RegistrationPath,
};

use super::{Api, Signed, ctx};
use crate::{act, error::Result, http::extract};

/// What a machine says of itself. Whoever holds its token may look, once he is
/// signed in; whether he can let it join shows when he does.
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    _: Signed,
    extract::Path(path): extract::Path<RegistrationPath>,
) -> Result<Json<Registration>> {
    Ok(Json(act::registration::look(&api.app, &path.token)?))
}

/// Lets it join a tenant of which the person is a member: every member may add
/// machines of his own.
pub(super) async fn confirm(
    State(api): State<Arc<Api>>,
    signed: Signed,
    extract::Path(path): extract::Path<RegistrationPath>,
    extract::Json(body): extract::Json<ConfirmRegistration>,
) -> Result<Json<ConfirmedRegistration>> {
    let user = ctx::member(&api.app, &signed.who, body.tenant).await?;
    let by = ctx::actor(&user);
    let joined = act::registration::confirm(&api.app, &by, body.tenant, &path.token).await?;
    Ok(Json(joined))
}
