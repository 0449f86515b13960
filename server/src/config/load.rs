//! Reading and checking the configuration.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize as _;
use toml::{Table, Value};

use super::Config;

/// Why the configuration was refused: every problem, each with its key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has {} problem(s):\n{}", .0.len(), list(.0))]
pub struct ConfigError(pub Vec<String>);

fn list(problems: &[String]) -> String {
    problems
        .iter()
        .map(|p| format!("  - {p}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The file of a packaged server, where there is one.
pub fn default_file() -> Option<PathBuf> {
    let file = PathBuf::from("/etc/warren/server.toml");
    file.exists().then_some(file)
}

/// Reads `file` (none: defaults) and the environment, and checks the whole.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let text = match file {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| ConfigError(vec![format!("{} cannot be read: {e}", path.display())]))?,
    };
    load_from(
        &text,
        std::env::vars().filter(|(k, _)| k.starts_with("WARREN_")),
    )
}

/// As [`load`], from values: the text of a file and the environment's variables.
pub fn load_from(
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut table: Table = text
        .parse()
        .map_err(|e: toml::de::Error| ConfigError(vec![e.to_string()]))?;
    for (key, value) in environment {
        overlay(&mut table, &key, &value);
    }
    let config = Config::deserialize(Value::Table(table))
        .map_err(|e| ConfigError(vec![e.to_string().trim_end().to_owned()]))?;
    let problems = problems(&config);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(ConfigError(problems))
    }
}

/// Variables of the programs that start the server, not of its configuration.
const NOT_OURS: [&str; 8] = [
    "CONFIG",
    "LOG",
    "INSTALL_DIR",
    "IN_LAB",
    "BIN_DIR",
    "CLIENTS",
    "ACCEPT",
    "POLICY_CORPUS",
];

fn overlay(table: &mut Table, key: &str, value: &str) {
    let Some(key) = key.strip_prefix("WARREN_") else {
        return;
    };
    if NOT_OURS.contains(&key) {
        return;
    }
    let path: Vec<String> = key.split("__").map(str::to_lowercase).collect();
    let Some((last, sections)) = path.split_last() else {
        return;
    };
    let mut at = table;
    for section in sections {
        let inner = at
            .entry(section.clone())
            .or_insert_with(|| Value::Table(Table::new()));
        let Some(inner) = inner.as_table_mut() else {
            return;
        };
        at = inner;
    }
    at.insert(last.clone(), parse_value(value));
}

/// A variable is a TOML value where it reads as one that is no text, else a text.
fn parse_value(text: &str) -> Value {
    let as_toml = format!("v = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut t| t.remove("v"));
    match as_toml {
        Some(v @ (Value::Integer(_) | Value::Boolean(_) | Value::Array(_))) => v,
        _ => Value::String(text.to_owned()),
    }
}

fn problems(config: &Config) -> Vec<String> {
    let mut out = Vec::new();
    tls_problems(config, &mut out);
    if let Some(url) = &config.http.public_url {
        url_problems(url, config, &mut out);
    }
    if let Some(url) = &config.database.url
        && !["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|s| url.starts_with(s))
    {
        out.push("database.url: it must start with sqlite:, postgres:// or postgresql://".into());
    }
    if config.relay.stun_ports[0] == config.relay.stun_ports[1] {
        out.push(
            "relay.stun_ports: the two ports must differ, so that nodes can tell a hard NAT".into(),
        );
    }
    let suffix = &config.tenancy.dns_suffix;
    if suffix.is_empty()
        || suffix
            .split('.')
            .any(|l| l.parse::<wire::name::Hostname>().is_err())
    {
        out.push(format!(
            "tenancy.dns_suffix: `{suffix}` is not a DNS name in lower case"
        ));
    }
    address_problems(config, &mut out);
    install_problems(config, &mut out);
    if let Err(e) = tracing_subscriber::EnvFilter::try_new(&config.log.filter) {
        out.push(format!("log.filter: {e}"));
    }
    out
}

fn address_problems(config: &Config, out: &mut Vec<String>) {
    let listen = config.http.listen;
    if listen.ip().is_unspecified() && config.http.public_url.is_none() {
        out.push(format!(
            "http.public_url: it is needed where http.listen is every address ({listen}): people \
             and machines must be told one, like https://warren.example.com"
        ));
    }
    if config.http.behind_proxy() && config.http.public_url.is_none() {
        out.push("http.public_url: it is needed beside http.trusted_proxies: your proxy's".into());
    }
    let host = config.relay_host();
    let is_given = config.http.public_url.is_some() || config.relay.host.is_some();
    if is_given && host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified()) {
        out.push("relay.host: nodes cannot connect to every address; name one".into());
    }
    for (key, value) in [
        ("http.max_connections", config.http.max_connections),
        (
            "http.max_connections_per_network",
            config.http.max_connections_per_network,
        ),
    ] {
        if value == 0 {
            out.push(format!("{key}: nobody could connect with 0"));
        }
    }
}

fn install_problems(config: &Config, out: &mut Vec<String>) {
    let install = &config.install;
    if let Some(agent) = &install.agent
        && !agent.is_file()
    {
        out.push(format!(
            "install.agent: there is no file {}",
            agent.display()
        ));
    }
    if install.agent.is_some() && install.agent_url.is_some() {
        out.push("install.agent_url: set either it or install.agent, not both".into());
    }
    let is_digest = |text: &String| hex::decode(text).is_ok_and(|bytes| bytes.len() == 32);
    match (&install.agent_url, &install.agent_sha256) {
        (Some(_), None) => out.push("install.agent_sha256: it is needed beside agent_url".into()),
        (_, Some(sha256)) if !is_digest(sha256) => {
            out.push("install.agent_sha256: it must be 64 hex digits".into());
        }
        _ => {}
    }
}

fn tls_problems(config: &Config, out: &mut Vec<String>) {
    let tls = &config.tls;
    match (&tls.cert_file, &tls.key_file) {
        (Some(_), None) => out.push("tls.key_file: it is needed beside tls.cert_file".into()),
        (None, Some(_)) => out.push("tls.cert_file: it is needed beside tls.key_file".into()),
        (Some(cert), Some(key)) => {
            for (name, path) in [("cert_file", cert), ("key_file", key)] {
                if !path.is_file() {
                    out.push(format!("tls.{name}: there is no file {}", path.display()));
                }
            }
        }
        (None, None) => {}
    }
    if tls.acme_directory.is_some() && tls.cert_file.is_some() {
        out.push("tls.acme_directory: set either it or tls.cert_file, not both".into());
    }
    if tls.acme_directory.is_some() && tls.acme_domains.is_empty() {
        out.push("tls.acme_domains: name at least one domain to order a certificate for".into());
    }
}

fn url_problems(url: &str, config: &Config, out: &mut Vec<String>) {
    let https = url.starts_with("https://");
    if !https && !url.starts_with("http://") {
        out.push(format!(
            "http.public_url: `{url}` must start with https:// (or http:// on loopback)"
        ));
        return;
    }
    let host = config.public_host();
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if !https && !loopback {
        out.push(format!(
            "http.public_url: plain HTTP is refused off loopback (`{url}`): clients would fail at \
             their first reconnect. Use https://; the server makes a certificate of its own when \
             none is configured"
        ));
    }
    if https && !config.uses_tls() && !config.http.behind_proxy() {
        out.push(
            "http.public_url: it says https, but http.listen is plain HTTP on loopback. Set \
             tls.cert_file and tls.key_file, or listen on another address, or name your reverse \
             proxy in http.trusted_proxies"
                .into(),
        );
    }
}

/// Root: the system's place; others: their own.
pub(super) fn default_data_dir() -> PathBuf {
    if crate::lifecycle::is_root() {
        return "/var/lib/warren-server".into();
    }
    let base = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    base.unwrap_or_else(|| "/var/lib".into())
        .join("warren-server")
}
