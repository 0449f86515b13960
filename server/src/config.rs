//! The configuration: one TOML file, then the environment, then checks that list every problem.
//!
//! Environment variables are `WARREN_` and the key in capitals, sections
//! joined by two underscores: `WARREN_HTTP__LISTEN`. They win over the file.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::Deserialize;

mod load;
mod section;

pub use load::{ConfigError, default_file, load, load_from};
pub use section::{Database, Http, Install, Log, Metrics, Relay, Tenancy, Tls};

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
        self.public_authority().0
    }

    /// The port of `http.public_url`; `None` when that is not set.
    pub fn public_port(&self) -> Option<u16> {
        let url = self.http.public_url.as_ref()?;
        let usual = if url.starts_with("https://") { 443 } else { 80 };
        Some(self.public_authority().1.unwrap_or(usual))
    }

    fn public_authority(&self) -> (String, Option<u16>) {
        let url = self.public_url();
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or(rest);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
                (host, port.parse().ok())
            }
            _ => (authority, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (host.to_owned(), port)
    }

    /// The relay's own TLS listener; `None`: it answers on the main listener, or is off.
    pub fn relay_listen(&self) -> Option<SocketAddr> {
        if !self.relay.enabled {
            return None;
        }
        match self.relay.listen {
            Some(own) => (own != self.http.listen).then_some(own),
            None if self.uses_tls() || self.http.behind_proxy() => None,
            None => Some(SocketAddr::new(self.http.listen.ip(), 8443)),
        }
    }

    /// The name or address that nodes reach the relay by.
    pub fn relay_host(&self) -> String {
        let host = self.relay.host.clone();
        host.unwrap_or_else(|| self.public_host())
    }

    /// Where STUN listens: beside the relay; on every address when only a proxy is in front.
    pub fn stun_ip(&self) -> IpAddr {
        let beside = self.relay_listen().unwrap_or(self.http.listen).ip();
        match beside {
            ip if !(self.http.behind_proxy() && ip.is_loopback()) => ip,
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        }
    }

    /// The names and addresses that a certificate of our own must cover.
    pub fn own_names(&self) -> Vec<String> {
        let mut names = vec![self.public_host(), self.relay_host()];
        let ip = self.http.listen.ip();
        if !ip.is_unspecified() {
            names.push(ip.to_string());
        }
        names.extend(self.tls.local_ca_names.iter().cloned());
        names.sort();
        names.dedup();
        names
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
