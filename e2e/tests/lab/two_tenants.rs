//! Two tenants on one server, with the same names, have nothing to do with each other.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, ensure};
use e2e::{
    agent::Agent,
    lab::{Nat, Topology},
    relay::RelaySession,
    stack::Stack,
    traffic,
};
use wire::NodeSecret;

const PORT: u16 = 7400;

pub(crate) fn tenants_with_the_same_names_never_meet() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let mut agents = Vec::new();
    for slug in ["acme", "twin"] {
        let key = stack.tenant(slug)?.auth_key()?;
        // One direct and one that has nothing but the relay.
        for (name, nat) in [("web", Nat::Easy), ("db", Nat::UdpBlocked)] {
            let host = net.host(&format!("{name}-{slug}"), nat)?;
            let mut agent = Agent::start(&host)?;
            name.clone_into(&mut agent.name);
            agent.up(&stack, &["--auth-key", &key])?;
            agents.push(agent);
        }
    }
    let addresses = agents
        .iter()
        .map(Agent::address)
        .collect::<Result<Vec<_>>>()?;
    let different: BTreeSet<_> = addresses.iter().collect();
    ensure!(different.len() == 4, "addresses are shared: {addresses:?}");
    for (slug, own) in [("acme", 0..2), ("twin", 2..4)] {
        let names: Vec<_> = stack.existing(slug, "").nodes()?;
        let names: BTreeSet<_> = names.iter().map(|n| n["name"].to_string()).collect();
        ensure!(
            names == BTreeSet::from(["\"db\"".to_owned(), "\"web\"".to_owned()]),
            "{slug} has other names: {names:?}"
        );
        for i in own.clone() {
            let (me, address) = (&agents[i], &addresses);
            for j in 0..4 {
                if own.contains(&j) && i != j {
                    me.ping(&address[j].to_string(), Duration::from_secs(5))?;
                } else if !own.contains(&j) {
                    never_meet(me, &agents[j])?;
                }
            }
        }
    }
    the_relay_keeps_them_apart(&stack, agents)
}

/// Somebody takes the keys of four nodes and speaks to the relay himself.
fn the_relay_keeps_them_apart(stack: &Stack, mut agents: Vec<Agent>) -> Result<()> {
    let mut keys = Vec::new();
    for agent in &mut agents {
        agent.stop();
        keys.push(agent.node_secret()?);
    }
    let public: Vec<_> = keys.iter().map(NodeSecret::public).collect();
    let mut sessions = Vec::new();
    for key in keys {
        sessions.push(RelaySession::connect(stack, key)?);
    }
    let [acme_web, acme_db, twin_web, twin_db] = &mut sessions[..] else {
        anyhow::bail!("four sessions");
    };
    acme_web.send(&public[2], b"from the other tenant")?;
    acme_web.send(&public[1], b"to a peer")?;
    twin_db.send(&public[2], b"from a peer")?;
    let patience = Duration::from_secs(5);
    let got = acme_db.receive(patience)?;
    ensure!(
        got == Some((public[0], b"to a peer".to_vec())),
        "the relay does not carry packets within a tenant: {got:?}"
    );
    // Sent before the peer's packet, the stranger's would have come first.
    let got = twin_web.receive(patience)?;
    ensure!(
        got == Some((public[3], b"from a peer".to_vec())),
        "the relay delivered {got:?}"
    );
    let more = twin_web.receive(Duration::from_secs(1))?;
    ensure!(more.is_none(), "the relay delivered {more:?}");
    Ok(())
}

fn never_meet(me: &Agent, stranger: &Agent) -> Result<()> {
    let address = stranger.address()?;
    let status = me.status()?.to_string();
    ensure!(
        !status.contains(&address.to_string()),
        "{} sees a node of the other tenant: {status}",
        me.host.ns
    );
    me.must_not_reach(&address.to_string(), Duration::from_secs(1))?;
    let sink = traffic::start(
        &stranger.host,
        &["sink", &address.to_string(), &PORT.to_string()],
    )?;
    let said = traffic::connect(&me.host, address, PORT, Duration::from_secs(1))?;
    drop(sink);
    ensure!(said != "open", "{} reaches {address}", me.host.ns);
    Ok(())
}
