//! The server, for whoever adds a machine.

use std::sync::Arc;

use axum::{Json, extract::State};
use wire::api::server::ServerInfo;

use super::{Api, Signed};
use crate::act::server;

pub(super) async fn get(State(api): State<Arc<Api>>, _: Signed) -> Json<ServerInfo> {
    Json(server::info(&api.app))
}
