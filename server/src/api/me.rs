//! Who is signed in.

use std::sync::Arc;

use axum::{Json, extract::State};
use wire::api::me::Me;

use super::{Api, Signed};
use crate::{error::Result, login};

pub(super) async fn get(State(api): State<Arc<Api>>, signed: Signed) -> Result<Json<Me>> {
    Ok(Json(login::me(&api.app, &signed.who).await?))
}
