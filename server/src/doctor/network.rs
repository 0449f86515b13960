//! Ports, proxies, the clock.

use std::net::SocketAddr;

use tokio::net::{TcpListener, UdpSocket};
use wire::Timestamp;

use super::Finding;
use crate::config::Config;

pub(super) async fn examine(config: &Config, runs: bool) -> Vec<Finding> {
    let mut found = vec![tcp("http.listen", config.http.listen, runs).await];
    if let Some(address) = config.relay_listen() {
        found.push(tcp("relay.listen", address, runs).await);
    }
    if config.relay.enabled {
        for port in config.relay.stun_ports {
            let address = SocketAddr::new(config.stun_ip(), port);
            let bound = UdpSocket::bind(address).await.map(drop);
            found.push(port_finding("relay.stun_ports", address, bound, runs));
        }
    } else {
        found.push(Finding::warn(
            "relay.enabled",
            "without a relay no node gets online, and nodes behind hard NATs never meet",
        ));
    }
    if let Some(address) = config.metrics.listen {
        found.push(tcp("metrics.listen", address, runs).await);
        if !address.ip().is_loopback() {
            found.push(Finding::warn(
                "metrics.listen",
                format!("anybody who reaches {address} can read the metrics"),
            ));
        }
    }
    found.extend(proxies(config));
    found
}

async fn tcp(about: &'static str, address: SocketAddr, runs: bool) -> Finding {
    let bound = TcpListener::bind(address).await.map(drop);
    port_finding(about, address, bound, runs)
}

fn port_finding(
    about: &'static str,
    address: SocketAddr,
    bound: std::io::Result<()>,
    runs: bool,
) -> Finding {
    use std::io::ErrorKind;
    match bound {
        Ok(()) if runs => Finding::warn(
            about,
            format!("the running server does not listen on {address}; was it started otherwise?"),
        ),
        Ok(()) => Finding::good(about, format!("{address} is free")),
        Err(e) if e.kind() == ErrorKind::AddrInUse && runs => {
            Finding::good(about, format!("the running server has {address}"))
        }
        Err(e) if e.kind() == ErrorKind::AddrInUse => Finding::bad(
            about,
            format!("another program has {address}; stop it or choose another port"),
        ),
        Err(e) if e.kind() == ErrorKind::AddrNotAvailable => Finding::bad(
            about,
            format!("{} is no address of this machine", address.ip()),
        ),
        Err(e) => Finding::bad(about, format!("{address} cannot be used: {e}")),
    }
}

fn proxies(config: &Config) -> Vec<Finding> {
    let about = "http.trusted_proxies";
    let http = &config.http;
    let mut found = Vec::new();
    for prefix in &http.trusted_proxies {
        if prefix.is_default_route() {
            let says = format!("{prefix} trusts everybody's word on who he is");
            found.push(Finding::bad(about, says));
        }
    }
    if http.behind_proxy() && !config.uses_tls() && !http.listen.ip().is_loopback() {
        found.push(Finding::warn(
            about,
            format!(
                "{} speaks plain HTTP for the proxy: let nobody else reach it",
                http.listen
            ),
        ));
    }
    found
}

/// The first release is younger than this.
const OLDEST: i64 = 1_790_000_000;

pub(super) fn clock(now: Timestamp) -> Finding {
    if now.unix_seconds() < OLDEST {
        let says = format!("it says {now}, which is long past: links and keys would be refused");
        return Finding::bad("clock", says);
    }
    let sync = std::path::Path::new("/run/systemd/timesync");
    if sync.exists() && !sync.join("synchronized").exists() {
        return Finding::warn("clock", "systemd-timesyncd has not set it yet");
    }
    Finding::good("clock", now.to_string())
}
