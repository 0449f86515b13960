//! The first owner: while there is none, every start gives a set-up link.

use std::path::PathBuf;

use wire::api::user::OneTimeLink;

use crate::{
    app::App,
    db::Reason,
    error::{Error, Result},
    login,
    tls::material::write_private,
};

/// The file in the data directory that holds the link.
pub const FILE: &str = "setup-link";

/// Where the link is written.
pub fn file(app: &App) -> PathBuf {
    app.config.data_dir().join(FILE)
}

/// A new set-up link, also written for its reader alone; `None` when the
/// server has an owner. A link given before is void.
pub async fn invite(app: &App) -> Result<Option<OneTimeLink>> {
    let rows = app.db.system(Reason::Start).await?;
    let has_owner = rows.has_accounts().await?;
    drop(rows);
    if has_owner {
        let _ = std::fs::remove_file(file(app));
        return Ok(None);
    }
    let link = login::setup_link(app).await?;
    write_private(&file(app), format!("{}\n", link.url).as_bytes()).map_err(Error::Internal)?;
    Ok(Some(link))
}
