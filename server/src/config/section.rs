//! The sections of the configuration, each with its defaults and what unset means.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::Deserialize;
use wire::net::Prefix;

use crate::telemetry::{DEFAULT_FILTER, LogFormat};

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
    /// Connections at a time from one network (IPv4 /24, IPv6 /64); loopback and trusted
    /// proxies are not counted. Default 4000.
    pub max_connections_per_network: usize,
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
            max_connections_per_network: 4_000,
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
    /// A TLS port of the relay's own. Default: the relay answers on `http.listen` when that
    /// speaks TLS or a proxy is in front of it, else on its address with port 8443.
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
    /// The static agent program that `/install.sh` hands out. Default: the one beside this
    /// program, or that of the package; without one, machines need the agent from elsewhere.
    pub agent: Option<PathBuf>,
    /// A URL where the agent lies instead; needs `agent_sha256`.
    pub agent_url: Option<String>,
    /// The SHA-256 of what lies there, in hex.
    pub agent_sha256: Option<String>,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`. Default `text`.
    pub format: LogFormat,
    /// What is logged, as `tracing` filters: `info`, `debug`, `info,server::relay=debug`.
    /// Default: `info`, and warnings of the parts we use.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: DEFAULT_FILTER.to_owned(),
        }
    }
}
