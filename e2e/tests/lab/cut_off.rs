//! A node that is removed, or whose key is expired in the console, is cut off at once.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::{Agent, Via},
    api::Session,
    lab::{Nat, Topology},
    stack::{Stack, Tenant},
    traffic::{self, Traffic},
};
use serde_json::Value;

const PORT: &str = "7300";
/// How long a cut may take.
const CUT: f64 = 2.0;

pub(crate) fn a_removed_or_expired_node_is_cut_off_within_two_seconds() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    let key = tenant.auth_key()?;
    let direct = Agent::join(&net.host("a1", Nat::Easy)?, &stack, &key)?;
    let relayed = Agent::join(&net.host("c1", Nat::UdpBlocked)?, &stack, &key)?;
    let removed = Agent::join(&net.host("a2", Nat::Easy)?, &stack, &key)?;
    let expired = Agent::join(&net.host("a3", Nat::Easy)?, &stack, &key)?;
    let console = Session::sign_in(&stack, &tenant.owner)?;
    let nodes = format!("/api/v1/tenants/{}/nodes", console.tenant("acme")?);

    let id = |name: &str| -> Result<String> { Ok(tenant.node(name)?["id"].to_string()) };
    let remove = format!("{nodes}/{}", id("a2")?);
    cut(&removed, &direct, &relayed, || {
        let at = traffic::wall();
        console.call("DELETE", &remove, &Value::Null).map(|_| at)
    })
    .context("removal")?;
    let expire = format!("{nodes}/{}/expire", id("a3")?);
    cut(&expired, &direct, &relayed, || {
        let at = traffic::wall();
        console.call("POST", &expire, &Value::Null).map(|_| at)
    })
    .context("expiry")?;
    unreachable_for_peers(&tenant, &direct, &expired)?;
    // The others still reach each other.
    direct.ping(&relayed.address()?.to_string(), Duration::from_secs(5))?;
    Ok(())
}

/// `node` streams to both peers and they to it; two seconds after the moment that `act` gives
/// nothing arrives anywhere.
pub(crate) fn cut(
    node: &Agent,
    direct: &Agent,
    relayed: &Agent,
    act: impl Fn() -> Result<f64>,
) -> Result<()> {
    let to_direct = direct.address()?.to_string();
    node.ping_until(&to_direct, Duration::from_secs(20), Via::is_direct)?;
    let via = node.ping(&relayed.address()?.to_string(), Duration::from_secs(5))?;
    ensure!(via == Via::Relay, "expected the relay, and it is {via:?}");
    let mut streams = Vec::new();
    for (from, to) in [
        (node, direct),
        (node, relayed),
        (direct, node),
        (relayed, node),
    ] {
        streams.push(stream(from, to)?);
    }
    let at = act()?;
    let mut late = Vec::new();
    for (name, _sender, receiver) in &mut streams {
        let last = receiver
            .silent("udp", Duration::from_secs(8))
            .context(name.clone())?;
        if last > at + CUT {
            late.push(format!("{name}: {:.2} s", last - at));
        }
    }
    ensure!(late.is_empty(), "cut off too late: {}", late.join(", "));
    node.must_not_reach(&to_direct, Duration::from_secs(1))
}

/// A stream of datagrams that is known to arrive.
fn stream(from: &Agent, to: &Agent) -> Result<(String, Traffic, Traffic)> {
    let name = format!("{} to {}", from.host.ns, to.host.ns);
    // Two streams end at the same host: each has a port of its own.
    let port = (PORT.parse::<u16>()? + u16::from(from.address()?.octets()[3])).to_string();
    let address = to.address()?.to_string();
    let mut receiver = traffic::start(&to.host, &["udp-sink", &address, &port])?;
    let sender = traffic::start(&from.host, &["udp-stream", &address, &port, "20"])?;
    receiver
        .says_after("udp", traffic::wall(), Duration::from_secs(5))
        .with_context(|| name.clone())?;
    Ok((name, sender, receiver))
}

fn unreachable_for_peers(tenant: &Tenant<'_>, peer: &Agent, gone: &Agent) -> Result<()> {
    let node = tenant.node(&gone.host.ns)?;
    ensure!(
        node["expired"] == true,
        "the list does not show the expiry: {node}"
    );
    let address = node["addresses"][0].as_str().context("an address")?;
    peer.must_not_reach(address, Duration::from_secs(1))
}
