//! What else a policy says than who reaches whom: official clients act on it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    eventually::eventually,
    lab::{self, Nat, Topology},
    process::{Process, output},
    stack::Stack,
    tailscale::Tailscale,
};
use serde_json::{Value, json};

const WAIT: Duration = Duration::from_secs(30);
/// How long a sign-in may take on a busy machine.
const SIGN_IN: Duration = Duration::from_secs(20);
const OWNER: &str = "owner@acme.example";

/// Everybody reaches everybody, with these sections beside it.
fn policy(more: &Value) -> String {
    let mut policy = json!({
        "tagOwners": {"tag:web": ["autogroup:admin"], "tag:ops": ["autogroup:admin"]},
        "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        policy[key] = value.clone();
    }
    policy.to_string()
}

fn ssh(sources: &[&str]) -> String {
    policy(&json!({
        "ssh": [{"action": "accept", "src": sources, "dst": ["tag:web"], "users": ["root"]}],
    }))
}

pub(crate) fn people_and_tags_sign_in_by_ssh_until_the_policy_is_edited() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    tenant.set_policy(&ssh(&[OWNER]))?;
    let mut join = |name: &str, more: &[&str]| -> Result<Tailscale> {
        let key = tenant.auth_key_of(OWNER, more)?;
        Tailscale::join(&net.host(name, Nat::Easy)?, &stack, &key)
    };
    let person = join("t1", &[])?;
    let server = join("t2", &["--tags", "tag:web"])?;
    let tagged = join("t3", &["--tags", "tag:ops"])?;
    let offers = server.command(&["set", "--ssh"]);
    e2e::process::run(offers, WAIT).context("the client may offer its SSH server")?;

    // The host key is known from the netmap: nothing is trusted on first use.
    signs_in(&person, "root@t2")?;
    is_refused(&person, "nobody@t2")?;
    is_refused(&tagged, "root@t2")?;

    tenant.set_policy(&ssh(&[OWNER, "tag:ops"]))?;
    signs_in(&tagged, "root@t2")?;

    let log = lab::scratch()?.join("session.log");
    let stays = person.command(&["ssh", "root@t2", "echo here; exec sleep 600"]);
    let mut session = Process::start("a session", stays, &log)?;
    session.says("here", SIGN_IN)?;
    tenant.set_policy(&policy(&json!({})))?;
    eventually("the open session ends with its rule", WAIT, || {
        Ok(session.must_run().is_err().then_some(()))
    })?;
    is_refused(&person, "root@t2")?;
    is_refused(&tagged, "root@t2")?;

    tenant.set_policy(&policy(&json!({
        "ssh": [{"action": "check", "src": [OWNER], "dst": ["tag:web"], "users": ["root"]},
                {"action": "accept", "src": [OWNER], "dst": ["tag:web"], "users": ["root"]}],
    })))?;
    let said = is_refused(&person, "root@t2")?;
    ensure!(
        said.contains("asks for a check"),
        "it does not say why: {said}"
    );
    Ok(())
}

/// It signs in, once the policy has arrived, and is whom it asked to be.
fn signs_in(from: &Tailscale, to: &str) -> Result<()> {
    eventually(&format!("{} signs in to {to}", from.host.ns), WAIT, || {
        let said = output(&mut from.command(&["ssh", to, "id -un"]), SIGN_IN)?;
        Ok((said.status.success() && said.stdout == b"root\n").then_some(()))
    })
}

/// It is refused, once the policy has arrived; gives what it was told.
fn is_refused(from: &Tailscale, to: &str) -> Result<String> {
    let what = format!("{} is refused at {to}", from.host.ns);
    eventually(&what, WAIT, || {
        let said = output(&mut from.command(&["ssh", to, "id -un"]), SIGN_IN)?;
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        let by_policy = told.contains("does not permit") || told.contains("asks for a check");
        if !said.status.success() && !by_policy {
            bail!("{to} answers in another way: {told}");
        }
        Ok((!said.status.success()).then_some(told))
    })
}

pub(crate) fn attributes_of_the_policy_reach_the_clients() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    tenant.set_policy(&policy(&json!({})))?;
    let key = tenant.auth_key()?;
    let one = Tailscale::join(&net.host("t1", Nat::Easy)?, &stack, &key)?;
    let key = tenant.auth_key_of(OWNER, &["--tags", "tag:web"])?;
    let two = Tailscale::join(&net.host("t2", Nat::Easy)?, &stack, &key)?;
    let address = two.address()?.to_string();

    tenant.set_policy(&policy(&json!({
        "randomizeClientPort": true,
        "nodeAttrs": [
            {"target": [OWNER], "attr": ["drive:share"]},
            {"target": ["tag:web"], "app": {"example.com/cap/door": [{"opens": "north"}]}, "attr": ["disable-ipv4"]},
        ],
    })))?;
    carries(&one, "drive:share", Some(&Value::Null))?;
    carries(&one, "randomize-client-port", Some(&Value::Null))?;
    carries(&one, "example.com/cap/door", None)?;
    carries(&two, "drive:share", None)?;
    carries(
        &two,
        "example.com/cap/door",
        Some(&json!([{"opens": "north"}])),
    )?;

    let addresses = |of: &Tailscale| -> Result<Vec<String>> {
        let own = of.status()?["Self"]["TailscaleIPs"].clone();
        Ok(serde_json::from_value(own)?)
    };
    let sixth = eventually("the client is without IPv4", WAIT, || {
        let own = addresses(&two)?;
        Ok(own
            .iter()
            .all(|a| a.contains(':'))
            .then(|| own.first().cloned())
            .flatten())
    })?;
    eventually("its peer knows no other address of it", WAIT, || {
        let peer = one.peer("t2")?.context("the peer")?;
        Ok((peer["TailscaleIPs"] == json!([sixth])).then_some(()))
    })?;
    eventually("it is reached by IPv6", WAIT, || {
        Ok(one.ping(&sixth, Duration::from_secs(5)).ok().map(drop))
    })?;

    tenant.set_policy(&policy(&json!({})))?;
    carries(&one, "drive:share", None)?;
    carries(&one, "randomize-client-port", None)?;
    eventually("the address is back", WAIT, || {
        Ok(addresses(&two)?.contains(&address).then_some(()))
    })?;
    eventually("it is reached by IPv4 again", WAIT, || {
        Ok(one.ping(&address, Duration::from_secs(5)).ok().map(drop))
    })
}

/// The client finds the attribute on itself with this value, or not at all; an
/// attribute without values may be shown as null or as an empty list.
fn carries(client: &Tailscale, name: &str, value: Option<&Value>) -> Result<()> {
    let what = format!("{} carries {name}: {}", client.host.ns, value.is_some());
    eventually(&what, WAIT, || {
        let status = client.status()?;
        let found = status["Self"]["CapMap"].get(name);
        let empty = |v: &Value| v.is_null() || *v == json!([]);
        let right = match (found, value) {
            (None, None) => true,
            (Some(found), Some(value)) => found == value || (empty(found) && empty(value)),
            (Some(_), None) | (None, Some(_)) => false,
        };
        Ok(right.then_some(()))
    })
}
