//! A third party on the wire sees WireGuard or TLS, and nothing of what is said.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    agent::{Agent, Via},
    capture::{self, Canary, Capture, payload},
    eventually::eventually,
    lab::{self, Nat, Topology},
    process::run,
    stack::Stack,
    traffic,
};

const SIZE: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(30);
const PORT: &str = "7100";
/// WireGuard's message type of transport data, with its three reserved bytes.
const WIREGUARD_DATA: [u8; 4] = [4, 0, 0, 0];
/// TLS's record type of application data, and its version on the wire.
const TLS_DATA: [u8; 3] = [23, 3, 3];

/// What was captured at three places while the canary passed once by TCP, UDP and ping.
struct Seen {
    public: Vec<Vec<u8>>,
    tun: Vec<Vec<u8>>,
    canary: Canary,
}

pub(crate) fn the_wire_carries_nothing_that_can_be_read() -> Result<()> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start(&srv)?;
    let key = stack.tenant("acme")?.auth_key()?;
    let a = Agent::join(&net.host("a1", Nat::Easy)?, &stack, &key)?;
    let b = Agent::join(&net.host("a2", Nat::Easy)?, &stack, &key)?;
    for (host, interface) in [(&a.host.router, "wan"), (&b.host.router, "wan")] {
        let router = lab::Host {
            ns: host.clone(),
            ..a.host.clone()
        };
        capture::without_superpackets(&router, interface)?;
    }
    capture::without_superpackets(&stack.host, "eth0")?;

    let to = b.address()?.to_string();
    a.ping_until(&to, PATIENCE, Via::is_direct)?;
    let direct = pass(&a, &b)?;
    let data = direct
        .public
        .iter()
        .filter_map(|f| payload(f))
        .filter(|p| p.protocol == 17 && p.bytes.starts_with(&WIREGUARD_DATA))
        .count();
    ensure!(
        data >= 40,
        "only {data} WireGuard data packets were captured"
    );
    nothing_leaks(&direct)?;

    a.host.set_nat(Nat::UdpBlocked)?;
    a.ping_until(&to, PATIENCE, |via| *via == Via::Relay)?;
    let relayed = pass(&a, &b)?;
    let bytes: usize = relayed
        .public
        .iter()
        .filter_map(|f| payload(f))
        .filter(|p| p.protocol == 6 && (p.ports.0 == 443 || p.ports.1 == 443))
        .map(|p| p.bytes.len())
        .sum();
    ensure!(bytes >= SIZE, "only {bytes} bytes of TLS were captured");
    let records = relayed.public.iter().filter_map(|f| payload(f));
    ensure!(
        records.filter(|p| p.bytes.starts_with(&TLS_DATA)).count() > 10,
        "what was captured is not TLS"
    );
    nothing_leaks(&relayed)
}

/// Sends a fresh canary from `from` to `to` by all three ways.
fn pass(from: &Agent, to: &Agent) -> Result<Seen> {
    let canary = Canary::new(SIZE);
    let file = lab::scratch()?.join("canary");
    std::fs::write(&file, &canary.bytes)?;
    let address = to.address()?.to_string();
    let sink = traffic::start(&to.host, &["canary-sink", &address, PORT])?;
    let public = Capture::on_public()?;
    let tun = Capture::on(&to.host, "warren0")?;
    let file = file.display().to_string();
    let sender = traffic::command(&from.host, &["canary", &file, &address, PORT])?;
    run(sender, Duration::from_mins(1))?;
    for way in ["tcp", "udp"] {
        eventually(
            &format!("the canary came by {way}"),
            Duration::from_secs(5),
            || {
                let got = sink.last(way).and_then(|s| s.number(1));
                Ok((got == Some(SIZE as u64)).then_some(()))
            },
        )?;
    }
    sink.stop();
    let seen = Seen {
        public: public.stop()?,
        tun: tun.stop()?,
        canary,
    };
    Ok(seen)
}

fn nothing_leaks(seen: &Seen) -> Result<()> {
    let leaked = seen.canary.found_in(&seen.public);
    ensure!(leaked == 0, "{leaked} runs of the canary are on the wire");
    // TCP, UDP, echo request and echo reply; runs that two packets share are not found.
    let copies = seen.canary.copies_in(&seen.tun);
    ensure!(
        copies > 3.8,
        "the search finds only {copies:.2} of 4 canaries on the TUN, so it proves nothing on the wire"
    );
    Ok(())
}
