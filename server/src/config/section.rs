//! The sections of the configuration, each with its defaults and what unset means.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::Deserialize;
use wire::net::Prefix;

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port of console and control. Default `127.0.0.1:8080`: plain HTTP, this
    /// machine only. On any other address it speaks TLS.
    pub listen: SocketAddr,
    /// The URL that people and machines use. Default: made from `listen`.
    pub public_url: Option<String>,
    /// Prefixes of reverse proxies that speak TLS for us; their `X-Forwarded-For` is believed,
    /// and plain HTTP is allowed on `listen`. Default: none.
    pub trusted_proxies: Vec<Prefix>,
    /// Connections at a time. Default 20000.
    pub max_connections: usize,
}

impl Http {
    /// Whether somebody else speaks TLS for us.
    pub fn behind_proxy(&self) -> bool {
        !self.trusted_proxies.is_empty()
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: None,
            trusted_proxies: Vec::new(),
            max_connections: 20_000,
        }
    }
}

/// `[tls]`. With nothing set and an address that is not loopback, the server makes a CA of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// PEM file of the certificate chain, leaf first.
    pub cert_file: Option<PathBuf>,
    /// PEM file of its key.
    pub key_file: Option<PathBuf>,
    /// URL of an ACME directory; certificates for `acme_domains` are ordered there.
    pub acme_directory: Option<String>,
    /// Names to order certificates for.
    pub acme_domains: Vec<String>,
    /// `mailto:` address for the ACME account.
    pub acme_contact: Option<String>,
    /// PEM file of a CA to trust for the ACME directory itself (private or test CAs).
    pub acme_ca_file: Option<PathBuf>,
    /// More names and addresses for the certificate of the server's own CA; the host of
    /// `http.public_url` and the address of `http.listen` are always in it.
    pub local_ca_names: Vec<String>,
}

/// `[database]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite://FILE?mode=rwc` or `postgres://USER@HOST/NAME`. Default: `warren.db` in the data
    /// directory.
    pub url: Option<String>,
}

/// `[relay]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Relay {
    /// Run the relay and STUN. Default true; without a relay no node gets online.
    pub enabled: bool,
    /// A TLS port of the relay's own. Default: `http.listen` itself when that speaks TLS, else
    /// its address with port 8443.
    pub listen: Option<SocketAddr>,
    /// The two UDP ports of STUN. Default 3478 and 3479.
    pub stun_ports: [u16; 2],
    /// The host name or address that nodes use. Default: that of `http.public_url`.
    pub host: Option<String>,
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: None,
            stun_ports: [3478, 3479],
            host: None,
        }
    }
}

/// `[tenancy]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenancy {
    /// Machines are called `NAME.TENANT.SUFFIX`. Default `warren.internal`.
    pub dns_suffix: String,
}

impl Default for Tenancy {
    fn default() -> Self {
        Self {
            dns_suffix: "warren.internal".to_owned(),
        }
    }
}

/// `[metrics]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Address and port of Prometheus metrics. Default: none are served.
    pub listen: Option<SocketAddr>,
}

/// `[install]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Install {
    /// The static agent program that `/install.sh` hands out. Default: none; then machines
    /// need the agent from elsewhere.
    pub agent: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`. Default `text`.
    pub format: LogFormat,
    /// What is logged, as `tracing` filters. Default `info`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".to_owned(),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
