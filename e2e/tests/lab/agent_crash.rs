//! `kill -9` of an agent, again and again.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::Agent,
    eventually::now,
    lab::{Nat, Topology},
    stack::Stack,
};
use rand::Rng as _;

const KILLS: u32 = 30;
const FIRST_PING: Duration = Duration::from_secs(3);

pub(crate) fn a_killed_agent_keeps_its_state_and_leaves_nothing_behind() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    let key = tenant.auth_key()?;
    let witness = Agent::join(&net.host("w", Nat::Easy)?, &stack, &key)?;
    let mut agent = Agent::join(&net.host("m", Nat::Easy)?, &stack, &key)?;
    let (address, own) = (agent.address()?, agent.node_secret()?.public());
    let to = witness.address()?.to_string();
    for nth in 1..=KILLS {
        // Some die while they join again, some while they write what they have just heard.
        std::thread::sleep(Duration::from_millis(rand::thread_rng().gen_range(1..400)));
        agent.restart().with_context(|| format!("kill {nth}"))?;
        let now = agent.node_secret().with_context(|| format!("kill {nth}"))?;
        ensure!(now.public() == own, "kill {nth} has cost the key");
    }
    let start = now();
    agent.ping(&to, FIRST_PING)?;
    ensure!(
        now().duration_since(start) <= FIRST_PING + Duration::from_secs(1),
        "the first ping took longer"
    );
    ensure!(agent.address()? == address, "it came back as another node");
    ensure!(
        tenant.nodes()?.len() == 2,
        "a restart has made a node of its own"
    );
    let left = "ip -o addr show dev warren0 | grep -c 'inet 100\\.'";
    agent.host.sh(&format!("test \"$({left})\" = 1"))?;
    let left = "ip -o link | grep -c ': warren'";
    agent.host.sh(&format!("test \"$({left})\" = 1"))?;
    let left = "ip -o route show 100.64.0.0/10 | grep -c .";
    agent.host.sh(&format!("test \"$({left})\" = 1"))
}
