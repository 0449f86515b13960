//! The server, for whoever adds a machine.

use std::sync::Arc;

use axum::{Json, extract::State};
use wire::api::server::ServerInfo;

use super::{Api, Signed};
use crate::http::install;

pub(super) async fn get(State(api): State<Arc<Api>>, _: Signed) -> Json<ServerInfo> {
    let app = &api.app;
    let url = app.config.public_url();
    let can_install = app
        .install
        .as_ref()
        .is_some_and(install::Download::is_there);
    let certificates = &app.certificates;
    Json(ServerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ca_sha256: certificates.facts.ca_sha256.clone(),
        install_url: can_install.then(|| format!("{url}/install.sh")),
        install_command: can_install.then(|| install::command(&url, &certificates.trust())),
        url,
    })
}
