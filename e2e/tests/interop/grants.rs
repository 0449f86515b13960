//! What grants say beside who reaches what: by way of which router, on which devices, with which capability.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    eventually::eventually,
    lab::{Host, Nat, Topology},
    process::output,
    stack::{Stack, Tenant},
    tailscale::Tailscale,
    traffic,
};
use serde_json::{Value, json};

use super::routes::{DENIED, GIVEN, NETWORK, OWNER, WAIT, set};

const GUEST: &str = "guest@acme.example";
const DOOR: &str = "example.com/cap/door";

/// The owner may use the network by way of `tag:side` alone, and `tag:gate` from devices whose
/// client has this version; the guest may use the network by any router, and `tag:gate` from a Mac.
fn policy(version: &str) -> String {
    let port = format!("tcp:{GIVEN}");
    json!({
        "tagOwners": {"tag:gate": ["autogroup:admin"], "tag:side": ["autogroup:admin"]},
        "autoApprovers": {"routes": {NETWORK: ["tag:gate", "tag:side"]}},
        "ipsets": {"ipset:inner": [NETWORK, "remove 192.0.2.240/28"]},
        "postures": {
            "posture:fit": ["node:os == 'linux'", format!("node:tsVersion >= '{version}'")],
            "posture:mac": ["node:os == 'macos'"],
        },
        "grants": [
            {"src": [OWNER], "dst": [NETWORK], "ip": [port], "via": ["tag:side"]},
            {"src": [GUEST], "dst": ["ipset:inner"], "ip": [port]},
            {"src": [OWNER], "dst": ["tag:gate"], "ip": [port], "srcPosture": ["posture:fit"],
             "app": {DOOR: [{"opens": ["north"]}]}},
            {"src": [GUEST], "dst": ["tag:gate"], "ip": [port], "srcPosture": ["posture:mac"]},
        ],
    })
    .to_string()
}

pub(crate) fn grants_hold_by_router_by_posture_and_with_their_capabilities() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    tenant.user(GUEST, "member")?;
    tenant.set_policy(&policy("1.100"))?;
    let hosts = [net.host("gate1", Nat::Easy)?, net.host("gate2", Nat::Easy)?];
    let inner = net.behind("inner", &[&hosts[0], &hosts[1]])?;
    let gate = router(&tenant, &stack, &hosts[0], "tag:gate")?;
    let _side = router(&tenant, &stack, &hosts[1], "tag:side")?;
    let mut join = |name: &str, email: &str| -> Result<Tailscale> {
        let key = tenant.auth_key_of(email, &[])?;
        let client = Tailscale::join(&net.host(name, Nat::Easy)?, &stack, &key)?;
        set(&client, "--accept-routes")?;
        Ok(client)
    };
    let (owner, guest) = (join("owner", OWNER)?, join("guest", GUEST)?);

    goes_through(&owner, "gate2", "gate1")?;
    goes_through(&guest, "gate1", "gate2")?;
    let _behind = sink(&inner, inner.address)?;
    reaches(&owner, inner.address)?;
    reaches(&guest, inner.address)?;

    let address = gate.address()?;
    let _at_gate = sink(&gate.host, address)?;
    reaches(&owner, address)?;
    let said = word(&guest, address, GIVEN)?;
    ensure!(said == "timeout", "a device that is no Mac finds it {said}");
    let (owner_at, guest_at) = (owner.address()?, guest.address()?);
    let north = json!([{"opens": ["north"]}]);
    knows(&gate, owner_at, Some(&north))?;
    knows(&gate, guest_at, None)?;

    // The same device under a condition that it does not meet.
    tenant.set_policy(&policy("1.200"))?;
    knows(&gate, owner_at, None)?;
    eventually("an old client is kept out", WAIT, || {
        Ok((word(&owner, address, GIVEN)? == "timeout").then_some(()))
    })?;
    reaches(&owner, inner.address)
}

/// A router of the network with this tag, whose route the policy has approved.
fn router(tenant: &Tenant<'_>, stack: &Stack, host: &Host, tag: &str) -> Result<Tailscale> {
    let key = tenant.auth_key_of(OWNER, &["--tags", tag])?;
    let client = Tailscale::join(host, stack, &key)?;
    set(&client, &format!("--advertise-routes={NETWORK}"))?;
    eventually("the policy approves the route", WAIT, || {
        let routes = tenant.routes(&host.ns)?;
        let mut routes = routes.as_array().context("a list of routes")?.iter();
        let approved = |r: &Value| r["prefix"] == NETWORK && r["standing"]["kind"] == "approved";
        Ok(routes.any(approved).then_some(()))
    })?;
    Ok(client)
}

/// The client sends traffic into the network through this router, and not through the other.
fn goes_through(client: &Tailscale, by: &str, other: &str) -> Result<()> {
    let what = format!("the way of {} is through {by}", client.host.ns);
    let routes = |name| -> Result<Value> {
        let peer = client.peer(name)?.unwrap_or_default();
        Ok(peer["PrimaryRoutes"].clone())
    };
    eventually(&what, WAIT, || {
        let alone = routes(by)? == json!([NETWORK]) && routes(other)?.is_null();
        Ok(alone.then_some(()))
    })
}

fn sink(host: &Host, address: Ipv4Addr) -> Result<traffic::Traffic> {
    let (address, ports) = (address.to_string(), [GIVEN, DENIED].map(|p| p.to_string()));
    traffic::start(host, &["sink", &address, &ports[0], &ports[1]])
}

fn word(from: &Tailscale, to: Ipv4Addr, port: u16) -> Result<String> {
    traffic::connect(&from.host, to, port, Duration::from_secs(2))
}

/// The port that is given, and not the other.
fn reaches(from: &Tailscale, to: Ipv4Addr) -> Result<()> {
    let what = format!("{} reaches {to}:{GIVEN}", from.host.ns);
    eventually(&what, WAIT, || {
        Ok((word(from, to, GIVEN)? == "open").then_some(()))
    })?;
    let said = word(from, to, DENIED)?;
    ensure!(said == "timeout", "{to}:{DENIED} is {said}");
    Ok(())
}

/// What `tailscale whois` at the destination says of the capability of who comes from `from`; of
/// whom the policy does not let come at all it knows nothing.
fn knows(at: &Tailscale, from: Ipv4Addr, door: Option<&Value>) -> Result<()> {
    let what = format!("whois {from} shows the door: {}", door.is_some());
    eventually(&what, WAIT, || {
        let said = output(
            &mut at.command(&["whois", "--json", &from.to_string()]),
            WAIT,
        )?;
        let error = String::from_utf8_lossy(&said.stderr).into_owned();
        let who = if error.contains("peer not found") {
            Value::Null
        } else {
            serde_json::from_slice(&said.stdout).context(error)?
        };
        Ok((who["CapMap"].get(DOOR) == door).then_some(()))
    })
}
