//! The server, for whoever adds a machine.

use std::sync::Arc;

use axum::{Json, extract::State};
use wire::api::server::ServerInfo;

use super::{Api, Signed};

pub(super) async fn get(State(api): State<Arc<Api>>, _: Signed) -> Json<ServerInfo> {
    Json(ServerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: api.app.config.public_url(),
        ca_sha256: None,
        install_url: None,
        install_command: None,
    })
}
