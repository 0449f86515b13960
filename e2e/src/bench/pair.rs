//! Two hosts that run the same program.

use std::time::Duration;

use anyhow::Result;

use super::measure::{Ends, Round, peak_mb, round};
use crate::{
    agent::{Agent, Via},
    eventually::eventually,
    lab::{Host, Topology},
    stack::Stack,
    tailscale::Tailscale,
};

const PING: Duration = Duration::from_secs(5);

/// Which way packets shall go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path {
    /// By UDP.
    Direct,
    /// Through the relay.
    Relayed,
}

/// The two ends of one program.
#[derive(Debug)]
pub(super) enum Pair {
    /// Our agent.
    Ours([Agent; 2]),
    /// tailscaled.
    Theirs([Tailscale; 2]),
}

impl Pair {
    /// Two hosts with our agent.
    pub(super) fn ours(net: &mut Topology, stack: &Stack, key: &str) -> Result<Self> {
        let mut join = |name| Agent::join(&net.public_host(name)?, stack, key);
        Ok(Self::Ours([join("w1")?, join("w2")?]))
    }

    /// Two hosts with tailscaled, where packets to our relay go to `relay` instead.
    pub(super) fn theirs(
        net: &mut Topology,
        stack: &Stack,
        key: &str,
        relay: &Host,
    ) -> Result<Self> {
        let redirect = format!(
            "table ip instead {{ chain out {{ type nat hook output priority -100;
             ip daddr {} tcp dport 8443 dnat to {}:443; }}\n}}",
            stack.host.address, relay.address
        );
        let mut join = |name| {
            let host = net.public_host(name)?;
            load(&host, &redirect)?;
            Tailscale::join(&host, stack, key)
        };
        Ok(Self::Theirs([join("t1")?, join("t2")?]))
    }

    fn hosts(&self) -> [&Host; 2] {
        match self {
            Self::Ours([a, b]) => [&a.host, &b.host],
            Self::Theirs([a, b]) => [&a.host, &b.host],
        }
    }

    fn pids(&self) -> [u32; 2] {
        match self {
            Self::Ours([a, b]) => [a.pid(), b.pid()],
            Self::Theirs([a, b]) => [a.pid(), b.pid()],
        }
    }

    fn receiver(&self) -> Result<String> {
        Ok(match self {
            Self::Ours([_, b]) => b.address()?,
            Self::Theirs([_, b]) => b.address()?,
        }
        .to_string())
    }

    /// Waits until packets go this way.
    pub(super) fn until(&self, path: Path) -> Result<()> {
        let to = self.receiver()?;
        eventually(
            &format!("the path is {path:?}"),
            Duration::from_mins(1),
            || {
                let via = match self {
                    Self::Ours([a, _]) => a.ping(&to, PING)?,
                    Self::Theirs([a, _]) => a.ping(&to, PING)?,
                };
                let is = matches!(
                    (path, via),
                    (Path::Direct, Via::Direct(_)) | (Path::Relayed, Via::Relay)
                );
                Ok(is.then_some(()))
            },
        )
    }

    /// No UDP leaves the hosts any more.
    pub(super) fn block_udp(&self) -> Result<()> {
        let block = "table inet block { chain out { type filter hook output priority 0;
            oifname \"eth0\" meta l4proto udp drop; }\n}";
        self.hosts()
            .into_iter()
            .try_for_each(|host| load(host, block))
    }

    /// Measures one transfer.
    pub(super) fn round(&self, seconds: u32, relay: Option<u32>) -> Result<Round> {
        let [sender, receiver] = self.hosts();
        let ends = Ends {
            sender,
            receiver,
            to: self.receiver()?,
            tunnels: self.pids(),
            relay,
        };
        round(&ends, seconds)
    }

    /// Peak memory of sender and receiver, MB.
    pub(super) fn memory(&self) -> Result<(f64, f64)> {
        let [a, b] = self.pids();
        Ok((peak_mb(a)?, peak_mb(b)?))
    }
}

fn load(host: &Host, rules: &str) -> Result<()> {
    host.sh(&format!("nft -f - <<'RULES'\n{rules}\nRULES"))
}
