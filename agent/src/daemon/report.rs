//! `bugreport`: what a person who helps needs to know, and no secret.

use std::fmt::Write as _;

use super::engine::Engine;
use crate::{
    config::Config,
    local_api::protocol::{Peer, Status},
};

/// The report. Keys appear as their public halves' short forms only; auth keys not at all.
pub(super) fn text(
    config: &Config,
    status: &Status,
    engine: Option<&Engine>,
    log: &[String],
) -> String {
    let mut out = String::new();
    let host = super::host::info(None, &[]);
    let _ = writeln!(
        out,
        "warren {} ({} {})",
        status.version, host.os, host.go_arch
    );
    let _ = writeln!(
        out,
        "kernel: {}, distribution: {}",
        host.os_version, host.distro
    );
    let _ = writeln!(
        out,
        "interface: {}, port: {}",
        config.interface, config.port
    );
    let _ = writeln!(
        out,
        "state: {:?}, server connected: {}",
        status.state, status.connected
    );
    let _ = writeln!(
        out,
        "server: {}",
        status.server.as_deref().unwrap_or("none")
    );
    for problem in &status.problems {
        let _ = writeln!(out, "problem: {problem}");
    }
    if let Some(node) = &status.node {
        let _ = writeln!(
            out,
            "node: {} {} {:?}",
            node.id,
            node.key.short(),
            node.addresses
        );
    }
    let _ = writeln!(
        out,
        "home relay: {:?}",
        status.home_relay.as_ref().map(|r| &r.code)
    );
    let _ = writeln!(out, "endpoints: {:?}", status.endpoints);
    if let Some(engine) = engine {
        let _ = writeln!(out, "UDP port in use: {}", engine.udp_port);
        for (name, count) in engine.counters.all() {
            let _ = writeln!(out, "{name}: {count}");
        }
    }
    let _ = writeln!(out, "\npeers ({}):", status.peers.len());
    for peer in &status.peers {
        let _ = writeln!(out, "{}", line(peer));
    }
    let _ = writeln!(out, "\nlog:");
    for entry in log {
        let _ = writeln!(out, "{entry}");
    }
    out
}

fn line(peer: &Peer) -> String {
    let path = match (&peer.direct, &peer.relay) {
        (Some(direct), _) => format!("direct {direct}"),
        (None, Some(relay)) => format!("relay {}", relay.code),
        (None, None) => "-".to_owned(),
    };
    format!(
        "{} {} online {:?} expired {} {path} rtt {:?} rx {} tx {}",
        peer.id,
        peer.key.short(),
        peer.online,
        peer.expired,
        peer.rtt_ms,
        peer.rx_bytes,
        peer.tx_bytes
    )
}
