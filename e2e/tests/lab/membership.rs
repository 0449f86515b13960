//! A machine's life as a member: let in by a person, gone, back, expired, let in again, left.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    agent::Agent,
    api::Session,
    eventually::eventually,
    lab::{self, Nat, Topology},
    process::{Process, output},
    stack::Stack,
};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(10);
const TENANT: &str = "acme";
const OWNER: &str = "owner@acme.example";

pub(crate) fn a_person_lets_a_machine_in_and_it_comes_and_goes() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let key = stack.tenant(TENANT)?.auth_key()?;
    let witness = Agent::join(&net.host("w", Nat::Easy)?, &stack, &key)?;
    let mut agent = Agent::start(&net.host("m", Nat::Easy)?)?;
    wrong_keys_are_refused_in_words(&agent, &stack)?;

    let owner = Session::sign_in(&stack, OWNER)?;
    let_in(&agent, &stack, &owner, "m")?;
    let address = agent.address()?;
    witness.ping(&address.to_string(), PATIENCE)?;

    say(&agent, &["down"])?;
    state(&agent, "stopped")?;
    ensure!(
        agent.host.sh("ip link show warren0 2>/dev/null").is_err(),
        "the interface is still there"
    );
    say(&agent, &["up"])?;
    ensure!(agent.address()? == address, "it came back as another");
    witness.ping(&address.to_string(), PATIENCE)?;

    agent.restart()?;
    state(&agent, "running")?;
    routes_are_ours_alone(&agent)?;
    witness.ping(&address.to_string(), PATIENCE)?;

    let tenant = owner.tenant(TENANT)?;
    let id = agent.status()?["node"]["id"].to_string();
    let expire = format!("/api/v1/tenants/{tenant}/nodes/{id}/expire");
    owner.call("POST", &expire, &serde_json::Value::Null)?;
    state(&agent, "expired")?;
    let_in(&agent, &stack, &owner, "m")?;
    ensure!(
        agent.address()? == address,
        "signing in again made another node"
    );
    witness.ping(&address.to_string(), PATIENCE)?;

    nothing_secret_is_told(&witness, &key)?;

    say(&agent, &["logout"])?;
    state(&agent, "needs_login")?;
    let refused = output(&mut agent.command(&["up"])?, PATIENCE)?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(
        said.contains("which server"),
        "after a logout `up` said: {said}"
    );
    Ok(())
}

pub(crate) fn a_machine_waits_until_an_administrator_approves_it() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let key = stack.tenant(TENANT)?.auth_key()?;
    let witness = Agent::join(&net.host("w", Nat::Easy)?, &stack, &key)?;
    let owner = Session::sign_in(&stack, OWNER)?;
    let tenant = format!("/api/v1/tenants/{}", owner.tenant(TENANT)?);
    let settings = json!({
        "device_approval": true, "node_key_expiry_days": 180, "ephemeral_removal_minutes": 30,
    });
    owner.call("PATCH", &tenant, &json!({ "settings": settings }))?;

    let agent = Agent::start(&net.host("m", Nat::Easy)?)?;
    let log = lab::scratch()?.join("up-m");
    let command = agent.up_command(&stack, &["--auth-key", &key])?;
    let mut up = Process::start("warren up", command, &log)?;
    up.says("An administrator must approve", PATIENCE)?;
    state(&agent, "needs_approval")?;
    let nodes = owner.get(&format!("{tenant}/nodes"))?;
    let waiting = nodes
        .as_array()
        .and_then(|n| n.iter().find(|n| n["name"] == "m"));
    let id = waiting.context("the console does not show it")?["id"].to_string();
    let seen = witness.status()?["peers"].to_string();
    ensure!(seen == "[]", "others see it before that: {seen}");

    let approve = format!("{tenant}/nodes/{id}/approve");
    owner.call("POST", &approve, &serde_json::Value::Null)?;
    eventually("`warren up` says so", PATIENCE, || {
        Ok(up.log().contains("up as ").then_some(()))
    })?;
    state(&agent, "running")?;
    witness.ping(&agent.address()?.to_string(), PATIENCE)?;
    Ok(())
}

fn say(agent: &Agent, args: &[&str]) -> Result<()> {
    let said = output(&mut agent.command(args)?, PATIENCE)?;
    let text = String::from_utf8_lossy(&said.stderr);
    ensure!(said.status.success(), "`warren {args:?}` failed: {text}");
    Ok(())
}

fn state(agent: &Agent, wanted: &str) -> Result<()> {
    let what = format!("the state is {wanted}");
    eventually(&what, PATIENCE, || {
        let status = agent.status()?;
        if status["state"] == wanted {
            return Ok(Some(()));
        }
        bail!("it is {}", status["state"])
    })
}

fn wrong_keys_are_refused_in_words(agent: &Agent, stack: &Stack) -> Result<()> {
    let mut up = agent.up_command(stack, &["--auth-key", "no-such-key"])?;
    let refused = output(&mut up, PATIENCE)?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(!refused.status.success(), "a wrong key was taken");
    ensure!(said.contains("refused"), "a wrong key made it say: {said}");
    let wrong = "00".repeat(32);
    let mut up = agent.command(&["up", "--server", &stack.url(), "--server-ca-sha256", &wrong])?;
    let refused = output(&mut up, PATIENCE)?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(
        said.contains("no CA certificate"),
        "a wrong CA made it say: {said}"
    );
    Ok(())
}

/// `warren up` shows a link, the owner opens it and confirms.
fn let_in(agent: &Agent, stack: &Stack, owner: &Session, name: &str) -> Result<()> {
    let log = lab::scratch()?.join(format!("up-{}", agent.host.ns));
    let _ = std::fs::remove_file(&log);
    let mut up = Process::start("warren up", agent.up_command(stack, &[])?, &log)?;
    up.says("To let this machine in", PATIENCE)?;
    let said = up.log();
    let link = said.split_whitespace().find(|w| w.starts_with("https://"));
    let token = link.and_then(|l| l.rsplit(['/', '#']).next());
    let token = token.with_context(|| format!("no link in: {said}"))?;
    let path = format!("/api/v1/registrations/{token}");
    let asked = owner.get(&path)?;
    ensure!(asked["hostname"] == name, "the page shows: {asked}");
    let tenant = owner.tenant(TENANT)?;
    owner.call("POST", &path, &json!({ "tenant": tenant }))?;
    eventually("`warren up` says so", PATIENCE, || {
        Ok(up.log().contains("\nup as ").then_some(()))
    })?;
    state(agent, "running")
}

/// Neither the log nor the report for helpers holds a key that opens anything.
fn nothing_secret_is_told(agent: &Agent, auth_key: &str) -> Result<()> {
    let report = output(&mut agent.command(&["bugreport"])?, PATIENCE)?;
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    ensure!(report.contains("log:"), "the report is: {report}");
    let secret = agent.node_secret()?.to_state_text();
    let secret = secret.trim_start_matches("privkey:");
    for text in [agent.log(), report] {
        for word in [auth_key, secret, "privkey"] {
            ensure!(!text.contains(word), "a secret is told: {text}");
        }
    }
    Ok(())
}

/// After `kill -9` nothing of the old interface is left beside the new one's.
fn routes_are_ours_alone(agent: &Agent) -> Result<()> {
    let count = "ip -o addr show dev warren0 | grep -c 'inet 100\\.'";
    agent.host.sh(&format!("test \"$({count})\" = 1"))?;
    let count = "ip -o route show 100.64.0.0/10 | grep -c warren0";
    agent.host.sh(&format!("test \"$({count})\" = 1"))
}
