//! The lab's own routers: what is proved behind them is worth what they are.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    lab::{Host, Nat, Topology},
    process::run,
};

/// Sends from one local port to two server ports and prints the source ports that arrive, then
/// waits for packets from a port that was never written to.
const PROBE: &str = r#"
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 40000)); s.settimeout(0.6)
seen = []
for port in (5001, 5002):
    s.sendto(b"?", ("203.0.113.10", port))
    try: seen.append(s.recvfrom(100)[0].decode())
    except TimeoutError: seen.append("none")
try: seen.append("stranger:" + s.recvfrom(100)[0].decode())
except TimeoutError: seen.append("stranger:none")
print(" ".join(seen))
"#;

/// Answers with the source port; after the second port also answers from a third one.
const ECHO: &str = r#"
import select, socket
a, b, c = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
a.bind(("203.0.113.10", 5001)); b.bind(("203.0.113.10", 5002)); c.bind(("203.0.113.10", 5003))
print("ready", flush=True)
while True:
    for s in select.select([a, b], [], [])[0]:
        data, addr = s.recvfrom(100)
        s.sendto(str(addr[1]).encode(), addr)
        if s is b: c.sendto(b"hello", addr)
"#;

fn probe(host: &Host) -> Result<Vec<String>> {
    let mut command = host.command("python3");
    command.args(["-c", PROBE]);
    let said = run(command, Duration::from_secs(10))?;
    Ok(said.split_whitespace().map(str::to_owned).collect())
}

pub(crate) fn the_lab_routers_behave_as_their_kind() -> Result<()> {
    let (mut net, server) = Topology::new()?;
    let mut echo = server.command("python3");
    echo.args(["-c", ECHO]);
    let log = e2e::lab::scratch()?.join("echo.log");
    let mut echo = e2e::process::Process::start("echo", echo, &log)?;
    echo.says("ready", Duration::from_secs(5))?;

    let seen = probe(&net.host("a", Nat::Easy)?)?;
    ensure!(
        seen[0] == seen[1] && seen[0] != "none",
        "easy maps to one port: {seen:?}"
    );
    ensure!(seen[2] == "stranger:none", "easy filters by port: {seen:?}");

    let seen = probe(&net.host("c", Nat::FullCone)?)?;
    ensure!(
        seen[0] == seen[1] && seen[0] != "none",
        "full cone maps to one port: {seen:?}"
    );
    ensure!(
        seen[2] == "stranger:hello",
        "full cone does not filter: {seen:?}"
    );

    let seen = probe(&net.host("h", Nat::Hard)?)?;
    ensure!(
        seen[0] != seen[1] && seen[0] != "none",
        "hard maps to many ports: {seen:?}"
    );

    let seen = probe(&net.host("u", Nat::UdpBlocked)?)?;
    ensure!(
        seen == ["none", "none", "stranger:none"],
        "no UDP passes: {seen:?}"
    );
    Ok(())
}
