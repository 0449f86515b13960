//! Official clients as subnet routers, as exit nodes, and as those who send traffic through them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{
    api::Session,
    eventually::eventually,
    lab::{Host, Nat, Topology},
    process::{output, run},
    stack::{Stack, Tenant},
    tailscale::Tailscale,
    traffic,
};
use serde_json::{Value, json};

pub(super) const WAIT: Duration = Duration::from_secs(30);
pub(super) const OWNER: &str = "owner@acme.example";
/// The network behind the routers, and a host in it that knows nothing of the mesh.
pub(super) const NETWORK: &str = "192.0.2.0/24";
/// The port that the policy gives, and one that it does not.
pub(super) const GIVEN: u16 = 7500;
pub(super) const DENIED: u16 = 7501;

fn policy() -> String {
    json!({
        "tagOwners": {"tag:gate": ["autogroup:admin"]},
        "autoApprovers": {"routes": {NETWORK: ["tag:gate"]}},
        "acls": [{
            "action": "accept",
            "src": [OWNER],
            "dst": ["192.0.2.0/24:7500", "autogroup:internet:*"],
        }],
    })
    .to_string()
}

/// Two routers of one network, approved by the policy, and somebody who accepts routes.
struct World<'a> {
    tenant: Tenant<'a>,
    gates: [Tailscale; 2],
    person: Tailscale,
    inner: Host,
}

impl<'a> World<'a> {
    fn new(stack: &'a Stack, net: &mut Topology) -> Result<Self> {
        let tenant = stack.tenant("acme")?;
        tenant.set_policy(&policy())?;
        let hosts = [net.host("gate1", Nat::Easy)?, net.host("gate2", Nat::Easy)?];
        let inner = net.behind("inner", &[&hosts[0], &hosts[1]])?;
        let mut gates = Vec::new();
        for host in &hosts {
            let key = tenant.auth_key_of(OWNER, &["--tags", "tag:gate"])?;
            gates.push(Tailscale::join(host, stack, &key)?);
        }
        let key = tenant.auth_key()?;
        let person = Tailscale::join(&net.host("person", Nat::Easy)?, stack, &key)?;
        set(&person, "--accept-routes")?;
        let gates = <[Tailscale; 2]>::try_from(gates).ok();
        Ok(Self {
            tenant,
            gates: gates.context("two routers")?,
            person,
            inner,
        })
    }

    /// The gate's route to the network, as the server shows it.
    fn route(&self, gate: usize) -> Result<Option<Value>> {
        let routes = self.tenant.routes(&self.gates[gate].host.ns)?;
        let mut routes = routes.as_array().context("a list of routes")?.iter();
        Ok(routes.find(|r| r["prefix"] == NETWORK).cloned())
    }

    /// The gate offers the network, and the policy approves it.
    fn offers(&self, gate: usize, primary: bool) -> Result<()> {
        set(&self.gates[gate], &format!("--advertise-routes={NETWORK}"))?;
        eventually("the policy approves the route", WAIT, || {
            let Some(route) = self.route(gate)? else {
                return Ok(None);
            };
            let by_policy = route["standing"]["kind"] == "approved"
                && route["standing"]["by"]["kind"] == "server";
            Ok((by_policy && route["primary"] == primary).then_some(()))
        })
    }

    /// The person's client sends traffic into the network through this gate alone.
    fn goes_through(&self, gate: usize) -> Result<()> {
        let name = &self.gates[gate].host.ns;
        eventually(&format!("the way is through {name}"), WAIT, || {
            let peer = self.person.peer(name)?.unwrap_or_default();
            Ok((peer["PrimaryRoutes"] == json!([NETWORK])).then_some(()))
        })?;
        self.names_the_owner(name)
    }

    /// A router comes into view by its route alone, and with it nobody's machines: the
    /// client has to learn that there are some.
    fn names_the_owner(&self, gate: &str) -> Result<()> {
        let status = self.person.status()?;
        let peer = self.person.peer(gate)?.context("the router")?;
        let owner = &status["User"][peer["UserID"].to_string()]["LoginName"];
        ensure!(
            owner == "tagged-devices",
            "the client takes the router for {owner}'s: {}",
            status["User"]
        );
        Ok(())
    }

    /// By TCP through the routers: the port that the policy gives, and no other.
    fn reaches_what_is_given(&self) -> Result<()> {
        let address = self.inner.address;
        let sink = traffic::start(
            &self.inner,
            &[
                "sink",
                &address.to_string(),
                &GIVEN.to_string(),
                &DENIED.to_string(),
            ],
        )?;
        let word =
            |port| traffic::connect(&self.person.host, address, port, Duration::from_secs(2));
        eventually("the given port opens", WAIT, || {
            Ok((word(GIVEN)? == "open").then_some(()))
        })?;
        traffic::send(&self.person.host, address, GIVEN, 1 << 20)?;
        let said = word(DENIED)?;
        ensure!(
            said == "timeout",
            "the port that the policy does not give is {said}"
        );
        drop(sink);
        Ok(())
    }
}

pub(crate) fn a_network_is_reached_through_a_router_that_the_policy_approves() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let world = World::new(&stack, &mut net)?;
    ensure!(
        world.person.peer("gate1")?.is_none(),
        "a router is seen before anything is behind it"
    );
    let nobody = traffic::connect(
        &world.person.host,
        world.inner.address,
        GIVEN,
        Duration::from_secs(2),
    )?;
    ensure!(nobody != "open", "the network is reached without a router");

    world.offers(0, true)?;
    world.goes_through(0)?;
    world.reaches_what_is_given()?;

    // A second one stands by, and takes over when the first is removed.
    world.offers(1, false)?;
    world.goes_through(0)?;
    world.tenant.act("remove", "gate1")?;
    world.goes_through(1)?;
    world.reaches_what_is_given()?;

    // Who offers it no longer does not serve it, and is approved still.
    set(&world.gates[1], "--advertise-routes=")?;
    eventually("the way is gone", WAIT, || {
        let peer = world.person.peer("gate2")?.unwrap_or_default();
        Ok(peer["PrimaryRoutes"].is_null().then_some(()))
    })?;
    let route = world.route(1)?.context("the decision stays")?;
    ensure!(route["advertised"] == false, "it is offered still: {route}");
    set(&world.gates[1], &format!("--advertise-routes={NETWORK}"))?;
    world.goes_through(1)
}

pub(crate) fn an_exit_node_is_offered_to_others_from_when_a_person_approves_it() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let world = World::new(&stack, &mut net)?;
    let console = Session::sign_in(&stack, OWNER)?;
    let (tenant, gate) = (console.tenant("acme")?, &world.gates[0]);
    set(gate, "--advertise-exit-node")?;
    eventually("the server shows that it waits", WAIT, || {
        let node = world.tenant.node("gate1")?;
        Ok((node["routes"]["waiting"] == 1).then_some(()))
    })?;
    ensure!(
        !exit_nodes(&world.person)?.contains("gate1"),
        "an exit node is offered that nobody has approved"
    );

    let id = world.tenant.node("gate1")?["id"].to_string();
    let path = format!("/api/v1/tenants/{tenant}/nodes/{id}/routes");
    console.call("PATCH", &path, &json!({ "approve": ["0.0.0.0/0"] }))?;
    eventually("it is offered", WAIT, || {
        Ok(exit_nodes(&world.person)?.contains("gate1").then_some(()))
    })?;
    ensure!(world.tenant.node("gate1")?["routes"]["exit_node"] == true);
    set(&world.person, "--exit-node=gate1")?;

    console.call("PATCH", &path, &json!({ "withdraw": ["::/0"] }))?;
    eventually("it is offered no longer", WAIT, || {
        Ok((!exit_nodes(&world.person)?.contains("gate1")).then_some(()))
    })
}

pub(super) fn set(client: &Tailscale, what: &str) -> Result<()> {
    run(client.command(&["set", what]), WAIT).map(|_| ())
}

/// What `tailscale exit-node list` says; it fails when there is none.
fn exit_nodes(client: &Tailscale) -> Result<String> {
    let said = output(&mut client.command(&["exit-node", "list"]), WAIT)?;
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}
