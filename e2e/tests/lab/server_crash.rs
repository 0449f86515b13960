//! The server dies in the middle of everything: tunnels stay, and nothing acknowledged is lost.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::{Agent, Via},
    api::Session,
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
    for agent in [&a, &c] {
        agent.ping_until(&address, Duration::from_secs(20), Via::is_direct)?;
    }
    let received = traffic::start(&b.host, &["udp-sink", &address, PORT])?;
    let sent = traffic::start(&a.host, &["udp-stream", &address, PORT, "5"])?;

    // Facts acknowledged right before the end, and an agent that has just come back.
    let late_key = stack.existing(TENANT, &owner).auth_key()?;
    stack
        .existing(TENANT, &owner)
        .user("late@acme.example", "member")?;
    c.restart()?;
    online(&stack.existing(TENANT, &owner), &["a3"])?;
    let last_key = LastKey::make(&stack, &owner)?;
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
    // An agent that starts while nobody can tell it anything knows what was known last. (Path
    // discovery needs the server, which tells peers its new key: ask by the system's own ping.)
    c.restart()?;
    c.host
        .sh(&format!("ping -n -q -c 1 -w 8 {address}"))
        .context("after a start without a server")?;
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
    last_key.is_there(&stack, &owner)?;
    no_packet_was_lost(sent, received)
}

/// An auth key whose making is the last thing that the server acknowledges.
struct LastKey {
    id: String,
    prefix: String,
}

impl LastKey {
    fn make(stack: &Stack, owner: &str) -> Result<Self> {
        let made = stack.admin(&["auth-key", "create", "--tenant", TENANT, "--user", owner])?;
        let field = |name: &str| {
            let text = made[name].as_str().map(str::to_owned);
            text.with_context(|| format!("no {name} in {made}"))
        };
        Ok(Self {
            id: field("id")?,
            prefix: field("prefix")?,
        })
    }

    /// The key is listed, and the audit log tells of its making: once.
    fn is_there(&self, stack: &Stack, owner: &str) -> Result<()> {
        let keys = stack.admin(&["auth-key", "list", "--tenant", TENANT])?;
        let listed = keys.as_array().context("a list of keys")?.iter();
        let listed = listed.filter(|key| key["id"] == self.id.as_str());
        ensure!(listed.count() == 1, "the last key is lost: {keys}");
        let session = Session::sign_in(stack, owner)?;
        let tenant = session.tenant(TENANT)?;
        let log = session.get(&format!("/api/v1/tenants/{tenant}/audit"))?;
        let records = log["items"].as_array().context("a page of records")?.iter();
        let told = records
            .filter(|r| r["event"] == "auth_key.created" && r["target"] == self.prefix.as_str());
        ensure!(
            told.count() == 1,
            "the audit record of {} is lost: {log}",
            self.prefix
        );
        Ok(())
    }
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

/// Every packet of an `udp-stream` has come to its `udp-sink`.
pub(crate) fn no_packet_was_lost(sent: traffic::Traffic, received: traffic::Traffic) -> Result<()> {
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
