//! The configuration: one TOML file, then the environment, then checks that list every problem.
//!
//! Environment variables are `WARREN_` and the key in capitals, sections
//! joined by two underscores: `WARREN_HTTP__LISTEN`. They win over the file.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

mod load;
mod section;

pub use load::{ConfigError, load, load_from};
pub use section::{Database, Http, Install, Log, LogFormat, Metrics, Relay, Tenancy, Tls};

/// Everything that can be set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where everything lies that the server keeps: database, key file, certificates, admin
    /// socket. Made with mode 0700. Default: `/var/lib/warren-server` for root, else
    /// `~/.local/share/warren-server`.
    pub data_dir: Option<PathBuf>,
    /// The listener of console and control.
    pub http: Http,
    /// Certificates of that listener.
    pub tls: Tls,
    /// Where rows lie.
    pub database: Database,
    /// The relay and STUN.
    pub relay: Relay,
    /// What tenants share.
    pub tenancy: Tenancy,
    /// Prometheus metrics.
    pub metrics: Metrics,
    /// What other machines download to join.
    pub install: Install,
    /// What is logged.
    pub log: Log,
}

impl Config {
    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(load::default_data_dir)
    }

    /// The database's URL.
    pub fn database_url(&self) -> String {
        self.database.url.clone().unwrap_or_else(|| {
            format!(
                "sqlite://{}?mode=rwc",
                self.data_dir().join("warren.db").display()
            )
        })
    }

    /// The database file, when it is `SQLite`.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let url = self.database_url();
        let path = url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        Some(Path::new(path.split('?').next().unwrap_or(path)).to_owned())
    }

    /// Where local administration connects to.
    pub fn admin_socket(&self) -> PathBuf {
        self.data_dir().join("admin.sock")
    }

    /// Whether the main listener speaks TLS: always off loopback, unless a proxy does it.
    pub fn uses_tls(&self) -> bool {
        self.tls.cert_file.is_some()
            || self.tls.acme_directory.is_some()
            || !(self.http.listen.ip().is_loopback() || self.http.behind_proxy())
    }

    /// The URL that people and machines use, without a slash at its end.
    pub fn public_url(&self) -> String {
        if let Some(url) = &self.http.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let (scheme, usual) = if self.uses_tls() {
            ("https", 443)
        } else {
            ("http", 80)
        };
        match self.http.listen.port() {
            port if port == usual => format!("{scheme}://{}", host_of(self.http.listen)),
            port => format!("{scheme}://{}:{port}", host_of(self.http.listen)),
        }
    }

    /// The host part of [`Self::public_url`].
    pub fn public_host(&self) -> String {
        let url = self.public_url();
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or(rest);
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        };
        host.trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned()
    }
}

fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(a) => a.ip().to_string(),
        SocketAddr::V6(a) => format!("[{}]", a.ip()),
    }
}

#[cfg(test)]
mod tests;
