//! A machine changes its network under a running agent.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Result, ensure};
use e2e::{
    agent::{Agent, Via},
    eventually::eventually,
    lab::{Nat, Topology},
    stack::Stack,
};

const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn a_machine_that_moves_is_reached_directly_again() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    let key = tenant.auth_key()?;
    let a = Agent::join(&net.host("a1", Nat::Easy)?, &stack, &key)?;
    // Without a router of its own: one that stays behind would remember the old address.
    let b = Agent::join(&net.public_host("a2")?, &stack, &key)?;
    let to = b.address()?.to_string();
    a.ping_until(&to, PATIENCE, Via::is_direct)?;

    let moved = Ipv4Addr::from_bits(b.host.address.to_bits() + 50);
    b.host.sh(&format!(
        "ip addr flush dev eth0 scope global; ip addr add {moved}/24 dev eth0"
    ))?;
    eventually("the new address is announced", PATIENCE, || {
        let endpoints = b.status()?["endpoints"].to_string();
        Ok(endpoints.contains(&moved.to_string()).then_some(()))
    })?;
    eventually("the server is connected", PATIENCE, || {
        Ok((b.status()?["connected"] == true).then_some(()))
    })?;
    a.ping_until(&to, PATIENCE, Via::is_direct)?;
    ensure!(
        tenant.node("a2")?["online"] == true,
        "the server takes it for gone"
    );
    Ok(())
}
