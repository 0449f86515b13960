//! Every pair of routers: which way the packets go, and that they arrive whole.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
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

#[derive(Debug, Clone, Copy, PartialEq)]
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

/// One pair: a path of the expected kind at the first ping or soon after, and it stays so
/// while a transfer passes each way.
fn pair(from: &Agent, to: &Agent, expect: Expect) -> Result<()> {
    let address = to.address()?;
    let first = from.ping(&address.to_string(), PING)?;
    // The first answer may come through the relay while the direct path is being proved.
    let via = match (expect, &first) {
        (Expect::Direct, Via::Relay) => from.ping(&address.to_string(), PING)?,
        _ => first,
    };
    must_be(expect, &via)?;
    let sink = traffic::start(&to.host, &["sink", &address.to_string(), &PORT.to_string()])?;
    traffic::send(&from.host, address, PORT, 4 << 20)?;
    drop(sink);
    let back = from.address()?;
    let sink = traffic::start(&from.host, &["sink", &back.to_string(), &PORT.to_string()])?;
    traffic::send(&to.host, back, PORT, 4 << 20)?;
    drop(sink);
    must_be(expect, &from.ping(&address.to_string(), PING)?)
}

fn must_be(expect: Expect, via: &Via) -> Result<()> {
    match (expect, via) {
        (Expect::Direct, Via::Direct(_)) | (Expect::Relayed, Via::Relay) => Ok(()),
        _ => bail!("expected {expect:?}, and it is {via:?}"),
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
