//! Data directory, key file, database, and the agent to give.

use std::{io::Read as _, os::unix::fs::PermissionsExt as _, path::Path};

use super::Finding;
use crate::{
    app::KEY_FILE,
    config::Config,
    db,
    http::install::Download,
    lifecycle::{own_uid, raise_limit},
};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let dir = config.data_dir();
    let mut found = vec![data_dir(&dir)];
    if dir.exists() {
        found.push(key_file(&dir, config));
    }
    found.push(agent(config));
    found.push(open_files(config));
    found
}

fn data_dir(dir: &Path) -> Finding {
    use std::os::unix::fs::MetadataExt as _;
    let about = "data_dir";
    let shown = dir.display();
    let metadata = match std::fs::metadata(dir) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Finding::good(about, format!("{shown} will be made at the first start"));
        }
        Err(e) => return Finding::bad(about, format!("{shown} cannot be looked at: {e}")),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let says = format!("{shown} may be entered by others (mode {mode:o}): chmod 700 {shown}");
        return Finding::bad(about, says);
    }
    if metadata.uid() != own_uid() && own_uid() != 0 {
        return Finding::bad(about, format!("{shown} belongs to another user"));
    }
    Finding::good(about, format!("{shown} is private"))
}

fn key_file(dir: &Path, config: &Config) -> Finding {
    let about = "key file";
    let path = dir.join(KEY_FILE);
    let shown = path.display();
    let has_database = config.sqlite_file().is_none_or(|file| file.exists());
    match std::fs::metadata(&path) {
        Ok(metadata) => match metadata.permissions().mode() & 0o777 {
            mode if mode & 0o077 != 0 => Finding::bad(
                about,
                format!("{shown} may be read by others (mode {mode:o}): chmod 600 {shown}"),
            ),
            _ => Finding::good(
                about,
                format!("{shown} is private; keep a copy of it apart from the database's"),
            ),
        },
        Err(_) if has_database => Finding::bad(
            about,
            format!(
                "{shown} is missing: without it the database's secrets are unreadable. Restore \
                 it from your backup"
            ),
        ),
        Err(_) => Finding::good(about, format!("{shown} will be made at the first start")),
    }
}

pub(super) async fn database(config: &Config) -> Finding {
    let about = "database.url";
    if let Some(file) = config.sqlite_file()
        && !file.exists()
    {
        let says = format!("{} will be made at the first start", file.display());
        return Finding::good(about, says);
    }
    match db::inspect(&config.database_url()).await {
        Err(error) => Finding::bad(about, format!("{error:#}")),
        Ok(0) => Finding::good(about, "the database answers, and its schema is up to date"),
        Ok(waiting) => Finding::good(
            about,
            format!("the database answers; {waiting} migrations will run at the next start"),
        ),
    }
}

fn agent(config: &Config) -> Finding {
    let about = "install.agent";
    if let Some(url) = &config.install.agent_url {
        return Finding::good(about, format!("machines fetch the agent from {url}"));
    }
    let Some(path) = config.install.agent.clone().or_else(Download::usual_place) else {
        return Finding::warn(
            about,
            "there is no agent to give: /install.sh answers 404, and \"Add device\" shows no \
             install command. Name the static `warren` program here",
        );
    };
    let shown = path.display();
    let mut head = vec![0; 4096];
    let read = std::fs::File::open(&path).and_then(|mut file| file.read(&mut head));
    match read {
        Err(e) => Finding::bad(about, format!("{shown} cannot be read: {e}")),
        Ok(_) if !head.starts_with(b"\x7fELF") => {
            Finding::bad(about, format!("{shown} is no Linux program"))
        }
        Ok(_) if head.windows(7).any(|w| w == b"ld-linu") => Finding::warn(
            about,
            format!("{shown} is not static: it fails on machines with other libraries"),
        ),
        Ok(_) => Finding::good(about, format!("machines get {shown}")),
    }
}

fn open_files(config: &Config) -> Finding {
    let about = "http.max_connections";
    let (limit, wanted) = (raise_limit(), config.http.max_connections as u64 + 100);
    if limit < wanted {
        let says = format!(
            "this process may open {limit} files only: raise LimitNOFILE (or `ulimit -n`) to \
             {wanted}, or lower the cap"
        );
        return Finding::warn(about, says);
    }
    Finding::good(about, format!("{limit} files may be open"))
}
