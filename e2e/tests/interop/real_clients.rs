//! The life of official clients on our server, among themselves and with our agent.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::{Agent, Via},
    api::Session,
    eventually::eventually,
    lab::{self, Host, Nat, Topology},
    process::{Process, run},
    stack::{Stack, Tenant},
    tailscale::Tailscale,
    traffic,
};
use serde_json::json;

const PING: Duration = Duration::from_secs(5);
const WAIT: Duration = Duration::from_secs(30);

/// Everybody reaches everybody.
const OPEN: &str = r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}"#;
/// The same, and port 80 alone is closed.
const NOT_80: &str =
    r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:1-79", "*:81-65535"]}]}"#;

pub(crate) fn real_clients_join_talk_obey_survive_and_leave() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let mut stack = Stack::start(&srv)?;
    let owner = stack.tenant("acme")?.owner;
    let key = stack.existing("acme", &owner).auth_key()?;
    let one = Tailscale::join(&net.host("t1", Nat::Easy)?, &stack, &key)?;
    let two = Tailscale::start(&net.host("t2", Nat::Easy)?, &stack.ca_file()?)?;
    let console = Session::sign_in(&stack, &owner)?;
    two.up_by_link(&stack, |link| confirm(&console, link, "t2"))?;
    let (first, second) = (one.address()?, two.address()?);

    becomes(
        "direct",
        || one.ping(&second.to_string(), PING),
        Via::is_direct,
    )?;
    one.host.set_nat(Nat::UdpBlocked)?;
    becomes(
        "relayed",
        || one.ping(&second.to_string(), PING),
        |v| *v == Via::Relay,
    )?;
    two.ping(&first.to_string(), PING)?;
    sends(&one.host, &two.host, second)?;
    one.host.set_nat(Nat::Easy)?;
    becomes(
        "direct again",
        || one.ping(&second.to_string(), PING),
        Via::is_direct,
    )?;
    shows_peer(&one, "t2", second)?;
    shows_peer(&two, "t1", first)?;

    obeys(
        &stack.existing("acme", &owner),
        &one.host,
        &two.host,
        second,
    )?;

    stack.kill();
    one.ping(&second.to_string(), PING)
        .context("without a server")?;
    stack.start_again()?;
    stack.ready()?;
    let tenant = stack.existing("acme", &owner);
    eventually("both are online again", Duration::from_mins(1), || {
        let online = |name| Ok::<_, anyhow::Error>(tenant.node(name)?["online"] == true);
        Ok((online("t1")? && online("t2")?).then_some(()))
    })?;
    one.ping(&second.to_string(), PING)
        .context("after the restart")?;
    let late = Tailscale::join(&net.host("t3", Nat::Easy)?, &stack, &key)?;
    becomes("reached", || late.ping(&second.to_string(), PING), |_| true)?;

    two.logout()?;
    eventually("the server shows the logout", WAIT, || {
        Ok((tenant.node("t2")?["expired"] == true).then_some(()))
    })?;
    eventually("the client is logged out", WAIT, || {
        Ok((two.status()?["BackendState"] == "NeedsLogin").then_some(()))
    })?;
    eventually("a peer knows that it has left", WAIT, || {
        let peer = one.peer("t2")?;
        Ok(peer
            .is_none_or(|p| p["Online"] == false || p["Expired"] == true)
            .then_some(()))
    })
}

pub(crate) fn real_clients_and_our_agent_talk_both_ways() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    let key = tenant.auth_key()?;
    let theirs = Tailscale::join(&net.host("t1", Nat::Easy)?, &stack, &key)?;
    let ours = Agent::join(&net.host("w1", Nat::Easy)?, &stack, &key)?;
    let (their_address, our_address) = (theirs.address()?, ours.address()?);

    becomes(
        "direct",
        || ours.ping(&their_address.to_string(), PING),
        Via::is_direct,
    )?;
    becomes(
        "direct",
        || theirs.ping(&our_address.to_string(), PING),
        Via::is_direct,
    )?;
    sends(&theirs.host, &ours.host, our_address)?;
    sends(&ours.host, &theirs.host, their_address)?;
    shows_peer(&theirs, "w1", our_address)?;
    obeys(&tenant, &theirs.host, &ours.host, our_address)?;
    obeys(&tenant, &ours.host, &theirs.host, their_address)?;

    ours.host.set_nat(Nat::UdpBlocked)?;
    becomes(
        "relayed",
        || ours.ping(&their_address.to_string(), PING),
        |v| *v == Via::Relay,
    )?;
    becomes(
        "relayed",
        || theirs.ping(&our_address.to_string(), PING),
        |v| *v == Via::Relay,
    )?;
    sends(&theirs.host, &ours.host, our_address)?;
    sends(&ours.host, &theirs.host, their_address)
}

pub(crate) fn our_agent_between_real_clients_joins_obeys_survives_and_leaves() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let mut stack = Stack::start(&srv)?;
    let owner = stack.tenant("acme")?.owner;
    let key = stack.existing("acme", &owner).auth_key()?;
    let one = Tailscale::join(&net.host("t1", Nat::Easy)?, &stack, &key)?;
    let two = Tailscale::join(&net.host("t2", Nat::Easy)?, &stack, &key)?;
    let ours = Agent::start(&net.host("w1", Nat::Easy)?)?;
    let console = Session::sign_in(&stack, &owner)?;
    up_by_link(&ours, &stack, &console)?;
    let address = ours.address()?;
    let theirs = [one.address()?, two.address()?];

    everybody_reaches(&ours, [&one, &two], Via::is_direct)?;
    shows_peer(&one, "w1", address)?;
    shows_peer(&two, "w1", address)?;
    shows_both(&ours, theirs)?;
    obeys(
        &stack.existing("acme", &owner),
        &two.host,
        &ours.host,
        address,
    )?;
    ours.host.set_nat(Nat::UdpBlocked)?;
    everybody_reaches(&ours, [&one, &two], |via| *via == Via::Relay)?;
    sends(&one.host, &ours.host, address)?;
    sends(&ours.host, &two.host, theirs[1])?;
    ours.host.set_nat(Nat::Easy)?;
    everybody_reaches(&ours, [&one, &two], Via::is_direct)?;

    stack.kill();
    ours.ping(&theirs[0].to_string(), PING)
        .context("without a server")?;
    stack.start_again()?;
    stack.ready()?;
    let tenant = stack.existing("acme", &owner);
    eventually("all are online again", Duration::from_mins(1), || {
        let online = |name| Ok::<_, anyhow::Error>(tenant.node(name)?["online"] == true);
        Ok((online("t1")? && online("t2")? && online("w1")?).then_some(()))
    })?;
    everybody_reaches(&ours, [&one, &two], |_| true)?;

    run(ours.command(&["logout"])?, WAIT)?;
    eventually("the server shows the logout", WAIT, || {
        Ok((tenant.node("w1")?["expired"] == true).then_some(()))
    })?;
    eventually("a peer knows that it has left", WAIT, || {
        let peer = one.peer("w1")?;
        Ok(peer
            .is_none_or(|p| p["Online"] == false || p["Expired"] == true)
            .then_some(()))
    })?;
    ensure!(ours.status()?["state"] == "needs_login", "it is still in");
    ours.up(&stack, &["--auth-key", &key])?;
    everybody_reaches(&ours, [&one, &two], |_| true)
}

/// `warren up` shows a link, and the person who is signed in confirms it.
fn up_by_link(ours: &Agent, stack: &Stack, console: &Session) -> Result<()> {
    let log = lab::scratch()?.join("up-by-link");
    let mut up = Process::start("warren up", ours.up_command(stack, &[])?, &log)?;
    up.says("To let this machine in", WAIT)?;
    let said = up.log();
    let link = said.split_whitespace().find(|w| w.starts_with("https://"));
    confirm(console, link.context("the link")?, &ours.name)?;
    eventually("`warren up` says that it has joined", WAIT, || {
        Ok(up.log().contains("\nup as ").then_some(()))
    })
}

/// Pings each way between our agent and each client until they come by a path of this kind.
fn everybody_reaches(
    ours: &Agent,
    theirs: [&Tailscale; 2],
    wanted: impl Fn(&Via) -> bool,
) -> Result<()> {
    let own = ours.address()?.to_string();
    for client in theirs {
        let address = client.address()?.to_string();
        let name = &client.host.ns;
        becomes(
            &format!("good to {name}"),
            || ours.ping(&address, PING),
            &wanted,
        )?;
        becomes(
            &format!("good from {name}"),
            || client.ping(&own, PING),
            &wanted,
        )?;
    }
    Ok(())
}

/// Our own status shows both clients online.
fn shows_both(ours: &Agent, theirs: [Ipv4Addr; 2]) -> Result<()> {
    eventually("the status shows both online", WAIT, || {
        let status = ours.status()?;
        let peers = status["peers"].as_array().context("a list of peers")?;
        let online = |address: Ipv4Addr| {
            let is_it = |p: &&serde_json::Value| p["addresses"][0] == address.to_string();
            peers
                .iter()
                .find(is_it)
                .is_some_and(|p| p["online"] == true)
        };
        Ok(theirs.into_iter().all(online).then_some(()))
    })
}

/// A signed-in person lets the machine behind this link join.
fn confirm(console: &Session, link: &str, name: &str) -> Result<()> {
    let token = link.rsplit(['/', '#']).next().context("a token")?;
    let path = format!("/api/v1/registrations/{token}");
    let shown = console.get(&path)?;
    ensure!(
        shown["hostname"] == name,
        "the page shows another machine: {shown}"
    );
    let tenant = console.tenant("acme")?;
    console
        .call("POST", &path, &json!({ "tenant": tenant }))
        .map(|_| ())
}

fn becomes(
    what: &str,
    ping: impl Fn() -> Result<Via>,
    wanted: impl Fn(&Via) -> bool,
) -> Result<()> {
    eventually(&format!("the path becomes {what}"), WAIT, || {
        Ok(wanted(&ping()?).then_some(()))
    })
}

fn sends(from: &Host, to: &Host, address: Ipv4Addr) -> Result<()> {
    let sink = traffic::start(to, &["sink", &address.to_string(), "7500"])?;
    traffic::send(from, address, 7500, 2 << 20)?;
    drop(sink);
    Ok(())
}

fn shows_peer(client: &Tailscale, name: &str, address: Ipv4Addr) -> Result<()> {
    eventually(&format!("the status shows {name} online"), WAIT, || {
        let Some(peer) = client.peer(name)? else {
            return Ok(None);
        };
        ensure!(
            peer["TailscaleIPs"][0] == address.to_string(),
            "{name} has another address: {peer}"
        );
        Ok((peer["Online"] == true).then_some(()))
    })
}

/// Port 80 closes within 2 s of the edit and opens again, and port 22 is open all the time.
fn obeys(tenant: &Tenant<'_>, from: &Host, to: &Host, address: Ipv4Addr) -> Result<()> {
    let is = |port, word, since| {
        traffic::becomes(from, (address, port), word, since, Duration::from_secs(2))
    };
    let edit = |document| -> Result<f64> {
        let edited = traffic::wall();
        tenant.set_policy(document)?;
        Ok(edited)
    };
    let opened = edit(OPEN)?;
    let sink = traffic::start(to, &["sink", &address.to_string(), "22", "80"])?;
    is(80, "open", opened)?;
    let closed = edit(NOT_80)?;
    is(80, "timeout", closed)?;
    is(22, "open", closed)?;
    let opened = edit(OPEN)?;
    is(80, "open", opened)?;
    drop(sink);
    Ok(())
}
