//! The server itself, for whoever adds a machine.

use wire::api::server::ServerInfo;

use crate::{
    app::App,
    http::install::{self, Download},
};

/// What a machine must be told to join.
pub fn info(app: &App) -> ServerInfo {
    let url = app.config.public_url();
    let can_install = app.install.as_ref().is_some_and(Download::is_there);
    let certificates = &app.certificates;
    ServerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ca_sha256: certificates.facts().ca_sha256.clone(),
        install_url: can_install.then(|| format!("{url}/install.sh")),
        install_command: can_install.then(|| install::command(&url, &certificates.trust())),
        url,
    }
}
