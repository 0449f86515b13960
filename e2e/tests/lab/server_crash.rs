//! The server dies in the middle of everything: tunnels stay, and nothing acknowledged is lost.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::{Agent, Via},
    eventually::eventually,
    lab::{Nat, Topology},
    stack::{Stack, Tenant},
    traffic,
};

const PORT: &str = "7200";
const TENANT: &str = "acme";

pub(crate) fn a_killed_server_costs_no_packet_and_no_fact() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let mut stack = Stack::start(&srv)?;
    let owner = stack.tenant(TENANT)?.owner;
    let key = stack.existing(TENANT, &owner).auth_key()?;
    let a = Agent::join(&net.host("a1", Nat::Easy)?, &stack, &key)?;
    let b = Agent::join(&net.host("a2", Nat::Easy)?, &stack, &key)?;
    let mut c = Agent::join(&net.host("a3", Nat::Easy)?, &stack, &key)?;
    let address = b.address()?.to_string();
    a.ping_until(&address, Duration::from_secs(20), Via::is_direct)?;
    let received = traffic::start(&b.host, &["udp-sink", &address, PORT])?;
    let sent = traffic::start(&a.host, &["udp-stream", &address, PORT, "5"])?;

    // Facts acknowledged right before the end, and an agent that has just come back.
    let late_key = stack.existing(TENANT, &owner).auth_key()?;
    stack
        .existing(TENANT, &owner)
        .user("late@acme.example", "member")?;
    c.restart()?;
    online(&stack.existing(TENANT, &owner), &["a3"])?;
    stack.kill();

    let killed = traffic::wall();
    eventually(
        "traffic goes on without a server",
        Duration::from_secs(5),
        || {
            let last = received.last("udp").context("no packet came")?;
            Ok((last.at > killed + 2.0).then_some(()))
        },
    )?;
    stack.start_again()?;
    stack.ready()?;
    let tenant = stack.existing(TENANT, &owner);
    online(&tenant, &["a1", "a2", "a3"])?;

    let new = Agent::join(&net.host("a4", Nat::Easy)?, &stack, &late_key)?;
    for to in [&a, &b, &c] {
        let address = to.address()?.to_string();
        new.ping(&address, Duration::from_secs(10))
            .with_context(|| format!("{} after the restart", to.host.ns))?;
    }
    c.ping(&address, Duration::from_secs(5))?;
    let users = stack.admin(&["user", "list", "--tenant", TENANT])?;
    ensure!(
        users.to_string().contains("late@acme.example"),
        "a user is lost: {users}"
    );
    no_packet_was_lost(sent, received)
}

fn online(tenant: &Tenant<'_>, names: &[&str]) -> Result<()> {
    eventually(
        &format!("{names:?} are online"),
        Duration::from_secs(30),
        || {
            for name in names {
                if tenant.node(name)?["online"] != true {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        },
    )
}

fn no_packet_was_lost(sent: traffic::Traffic, received: traffic::Traffic) -> Result<()> {
    let sent = sent.stop();
    let count = sent
        .iter()
        .rfind(|s| s.words[0] == "sent")
        .and_then(|s| s.number(1));
    let count = count.context("the sender did not say how many packets it sent")?;
    ensure!(
        !sent.iter().any(|s| s.words[0] == "failed"),
        "the sender's own socket refused packets: {sent:?}"
    );
    let last = count.checked_sub(1).context("no packet was sent")?;
    eventually("the last packet comes", Duration::from_secs(3), || {
        let got = received.last("udp").and_then(|s| s.number(1));
        Ok((got == Some(last)).then_some(()))
    })?;
    let said = received.stop();
    let got: BTreeSet<u64> = said
        .iter()
        .filter(|s| s.words[0] == "udp")
        .filter_map(|s| s.number(1))
        .collect();
    let lost: Vec<u64> = (0..count).filter(|n| !got.contains(n)).collect();
    ensure!(
        lost.is_empty(),
        "{} of {count} packets are lost: {lost:?}",
        lost.len()
    );
    Ok(())
}
