//! UDP is blocked, then it is not: the path becomes direct, and no packet notices.

use std::time::Duration;

use anyhow::Result;
use e2e::{
    agent::{Agent, Via},
    lab::{Nat, Topology},
    stack::Stack,
    traffic,
};

use crate::server_crash::no_packet_was_lost;

const PORT: &str = "7600";

pub(crate) fn a_path_becomes_direct_when_udp_returns_and_loses_nothing() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let key = stack.tenant("acme")?.auth_key()?;
    let a = Agent::join(&net.host("c1", Nat::UdpBlocked)?, &stack, &key)?;
    let b = Agent::join(&net.host("a1", Nat::Easy)?, &stack, &key)?;
    let address = b.address()?.to_string();
    a.ping_until(&address, Duration::from_secs(10), |via| *via == Via::Relay)?;
    let mut received = traffic::start(&b.host, &["udp-sink", &address, PORT])?;
    let sent = traffic::start(&a.host, &["udp-stream", &address, PORT, "5"])?;
    received.says_after("udp", traffic::wall(), Duration::from_secs(5))?;

    a.host.allow_udp()?;
    a.ping_until(&address, Duration::from_mins(1), Via::is_direct)?;
    // Some more by the new path.
    let direct = traffic::wall();
    received.says_after("udp", direct + 1.0, Duration::from_secs(5))?;
    no_packet_was_lost(sent, received)
}
