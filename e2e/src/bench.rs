//! Our agent and tailscaled, measured in turn on the same two cores: `make bench`.
//!
//! Only ratios of one run count: absolute figures drift with the machine.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{
    eventually::eventually,
    lab::{self, Host, Topology},
    process::{Process, run},
    stack::Stack,
};

mod console;
mod measure;
mod pair;
mod report;

use measure::{Round, STEP};
use pair::Pair;

/// How much is measured; from the environment, for a quick look.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Rounds of ours and theirs in turn.
    pairs: usize,
    /// Seconds of one transfer.
    seconds: u32,
    /// Whether the direct path is measured too.
    direct: bool,
}

/// All that was measured.
#[derive(Debug)]
struct Results {
    direct: Vec<(Round, Round)>,
    relayed: Vec<(Round, Round)>,
    /// Peak memory of sender and receiver, MB: ours and theirs.
    memory: [(f64, f64); 2],
    /// Peak memory of the relay, MB: ours (with control and console) and derper.
    relay_memory: [f64; 2],
    /// Or why no browser could load it.
    console: Result<console::FirstLoad>,
}

/// Runs the measurements in a lab of their own and writes the report.
pub fn main() -> Result<()> {
    if lab::scratch().is_err() {
        return start();
    }
    lab::enter()?;
    let effort = Effort {
        pairs: number("BENCH_PAIRS", 5),
        seconds: u32::try_from(number("BENCH_SECONDS", 8))?,
        direct: std::env::var_os("BENCH_ONLY").is_none_or(|only| only != "relayed"),
    };
    let results = measure_all(effort)?;
    if !effort.direct {
        return Ok(());
    }
    report::write(&results, effort)
}

/// The outer program: a folder for the logs, and the lab.
fn start() -> Result<()> {
    lab::check()?;
    let mut scratch = tempfile::Builder::new().prefix("warren-bench-").tempdir()?;
    let status = Command::new(std::env::current_exe()?)
        .arg("bench")
        .env(lab::SCRATCH, scratch.path())
        .status()?;
    if !status.success() {
        scratch.disable_cleanup(true);
        anyhow::bail!("the bench failed; logs are in {}", scratch.path().display());
    }
    Ok(())
}

fn number(name: &str, default: usize) -> usize {
    let set = std::env::var_os(name).and_then(|v| v.to_str()?.parse().ok());
    set.unwrap_or(default)
}

fn measure_all(effort: Effort) -> Result<Results> {
    let (mut net, srv) = Topology::new()?;
    let stack = Stack::start_with(&srv, &[("WARREN_RELAY__LISTEN", "203.0.113.10:8443")])?;
    let tenant = stack.tenant("bench")?;
    tenant.set_policy(r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}"#)?;
    let key = tenant.auth_key()?;
    let derper_host = net.public_host("derper")?;
    let derper = start_derper(&derper_host, &stack)?;

    let ours = Pair::ours(&mut net, &stack, &key)?;
    let theirs = Pair::theirs(&mut net, &stack, &key, &derper_host)?;
    for pair in [&ours, &theirs] {
        pair.until(pair::Path::Direct)?;
    }
    let direct = if effort.direct {
        rounds("direct", &ours, &theirs, effort, [None, None])?
    } else {
        Vec::new()
    };
    for pair in [&ours, &theirs] {
        pair.block_udp()?;
        pair.until(pair::Path::Relayed)?;
    }
    let relays = [Some(stack.pid()), Some(derper.pid())];
    let relayed = rounds("relayed", &ours, &theirs, effort, relays)?;
    Ok(Results {
        direct,
        relayed,
        memory: [ours.memory()?, theirs.memory()?],
        relay_memory: [
            measure::peak_mb(stack.pid())?,
            measure::peak_mb(derper.pid())?,
        ],
        console: console::first_load(&stack),
    })
}

/// Ours, then theirs, as often as asked; `relays` are the processes in the middle.
fn rounds(
    what: &str,
    ours: &Pair,
    theirs: &Pair,
    effort: Effort,
    relays: [Option<u32>; 2],
) -> Result<Vec<(Round, Round)>> {
    let mut all = Vec::new();
    for n in 1..=effort.pairs {
        let our = ours.round(effort.seconds, relays[0])?;
        let their = theirs.round(effort.seconds, relays[1])?;
        println!(
            "{what} {n}/{}: ours {our}; tailscaled {their}",
            effort.pairs
        );
        all.push((our, their));
    }
    Ok(all)
}

/// The official relay, on a host of its own, with our relay's certificate: what the netmap
/// announces and pins stays true when packets to our relay are sent to this one instead.
fn start_derper(host: &Host, stack: &Stack) -> Result<Process> {
    let dir = lab::scratch()?.join("derper");
    std::fs::create_dir_all(&dir)?;
    // Certificate and key in one file, for the name that it holds for.
    let name = stack.host.address.to_string();
    for ending in ["crt", "key"] {
        let from = stack.data().join("tls/server.pem");
        std::fs::copy(from, dir.join(format!("{name}.{ending}")))?;
    }
    let mut command = host.command(crate::tailscale::clients()?.join("derper"));
    command
        .args([
            "-a",
            &format!("{}:443", host.address),
            "-http-port",
            "-1",
            "-stun=false",
        ])
        .args(["-certmode", "manual", "-hostname", &name, "-certdir"])
        .arg(&dir)
        .arg("-c")
        .arg(dir.join("derper.key"))
        .env("HOME", &dir);
    let derper = Process::start("derper", command, &dir.join("log"))?;
    eventually("derper serves", STEP, || {
        let mut curl = host.command("curl");
        curl.args(["-fsk", "--max-time", "2", "-o", "/dev/null"]);
        curl.arg(format!("https://{}/generate_204", host.address));
        run(curl, STEP).map(Some)
    })
    .with_context(|| format!("derper said:\n{}", derper.log()))?;
    Ok(derper)
}
