//! Every pair of routers: which way the packets go, and that they arrive whole.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::{Agent, Via},
    lab::{Nat, Topology},
    stack::Stack,
    traffic,
};
use serde_json::Value;

const PING: Duration = Duration::from_secs(5);
const PORT: u16 = 7000;

/// Hosts by the kind of their router; the first letter is the one of the pairs below.
const HOSTS: [(&str, Nat); 6] = [
    ("a1", Nat::Easy),
    ("a2", Nat::Easy),
    ("f1", Nat::FullCone),
    ("b1", Nat::Hard),
    ("b2", Nat::Hard),
    ("c1", Nat::UdpBlocked),
];

#[derive(Debug, Clone, Copy)]
enum Expect {
    Direct,
    Relayed,
}

const PAIRS: [(&str, &str, Expect); 6] = [
    ("a1", "a2", Expect::Direct),
    ("f1", "b1", Expect::Direct),
    ("a1", "b1", Expect::Relayed),
    ("b1", "b2", Expect::Relayed),
    ("c1", "a1", Expect::Relayed),
    ("b2", "c1", Expect::Relayed),
];

pub(crate) fn every_pair_of_nats_talks_as_directly_as_it_can() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let key = stack.tenant("acme")?.auth_key()?;
    let mut agents = Vec::new();
    for (name, nat) in HOSTS {
        agents.push(Agent::join(&net.host(name, nat)?, &stack, &key)?);
    }
    let agent = |name: &str| {
        let found = agents.iter().find(|a| a.host.ns == name);
        found.with_context(|| format!("no host is called {name}"))
    };
    let mut wrong = Vec::new();
    for (from, to, expect) in PAIRS {
        if let Err(e) = pair(agent(from)?, agent(to)?, expect) {
            wrong.push(format!("{from}-{to}: {e:#}"));
        }
    }
    for (name, nat) in HOSTS {
        if let Err(e) = names_its_nat(&agent(name)?.netcheck()?, nat) {
            wrong.push(format!("{name}: {e:#}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// One pair: a path of the expected kind within 5 s, and it stays so while a transfer passes
/// each way.
fn pair(from: &Agent, to: &Agent, expect: Expect) -> Result<()> {
    let address = to.address()?;
    from.ping_until(&address.to_string(), PING, |via| is(expect, via))?;
    let sink = traffic::start(&to.host, &["sink", &address.to_string(), &PORT.to_string()])?;
    traffic::send(&from.host, address, PORT, 4 << 20)?;
    drop(sink);
    let back = from.address()?;
    let sink = traffic::start(&from.host, &["sink", &back.to_string(), &PORT.to_string()])?;
    traffic::send(&to.host, back, PORT, 4 << 20)?;
    drop(sink);
    let via = from.ping(&address.to_string(), PING)?;
    ensure!(
        is(expect, &via),
        "expected {expect:?} after the transfers, and it is {via:?}"
    );
    Ok(())
}

fn is(expect: Expect, via: &Via) -> bool {
    match expect {
        Expect::Direct => via.is_direct(),
        Expect::Relayed => *via == Via::Relay,
    }
}

fn names_its_nat(netcheck: &Value, nat: Nat) -> Result<()> {
    let (udp, varies) = match nat {
        Nat::Easy | Nat::FullCone => (true, Some(false)),
        Nat::Hard => (true, Some(true)),
        Nat::UdpBlocked => (false, None),
    };
    ensure!(netcheck["udp"] == udp, "udp is wrong: {netcheck}");
    ensure!(
        netcheck["mapping_varies"].as_bool() == varies,
        "mapping_varies is wrong: {netcheck}"
    );
    Ok(())
}
