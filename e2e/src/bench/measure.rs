//! One transfer with everything that is measured beside it.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process::{Process, run};

pub(super) const STEP: Duration = Duration::from_secs(20);
/// How long before and after a transfer's steady part nothing is pinged.
const MARGIN_S: u32 = 2;

/// The figures of one transfer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// What the receiver got, Gb/s.
    pub(super) gbps: f64,
    /// CPU seconds of both tunnel processes for a GB.
    pub(super) cpu_per_gb: f64,
    /// The same of the relay between them.
    pub(super) relay_cpu_per_gb: Option<f64>,
    /// TCP segments sent again.
    pub(super) retransmits: f64,
    /// Round trips without load, ms.
    pub(super) idle: Latency,
    /// Round trips during the transfer, ms.
    pub(super) loaded: Latency,
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.2} Gb/s, {:.2} CPU s/GB, ping {:.2} and {:.2} ms idle, {:.2} and {:.2} under load",
            self.gbps,
            self.cpu_per_gb,
            self.idle.p50,
            self.idle.p99,
            self.loaded.p50,
            self.loaded.p99
        )
    }
}

/// Quantiles of round trips, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// Who takes part in a transfer.
#[derive(Debug)]
pub(super) struct Ends<'a> {
    /// Makes a command on the sender's and on the receiver's host.
    pub(super) sender: &'a crate::lab::Host,
    pub(super) receiver: &'a crate::lab::Host,
    /// The receiver's mesh address.
    pub(super) to: String,
    /// The processes whose CPU counts.
    pub(super) tunnels: [u32; 2],
    pub(super) relay: Option<u32>,
}

/// Pings without load, then a transfer of `seconds` with pings in its middle.
pub(super) fn round(ends: &Ends<'_>, seconds: u32) -> Result<Round> {
    let idle = latency(&run(ping(ends, 200), STEP)?)?;
    let scratch = crate::lab::scratch()?;
    let mut serve = ends.receiver.command("iperf3");
    serve.args(["-s", "-1", "-B", &ends.to, "--forceflush"]);
    let log = scratch.join(format!("iperf3-{}.log", crate::traffic::wall()));
    let mut server = Process::start("iperf3 -s", serve, &log)?;
    server.says("Server listening", STEP)?;

    let cpu = |pids: &[u32]| {
        pids.iter()
            .map(|pid| cpu_seconds(*pid))
            .sum::<Result<f64>>()
    };
    let (tunnels, relay) = (
        cpu(&ends.tunnels)?,
        ends.relay.map(cpu_seconds).transpose()?,
    );
    let pings = std::thread::scope(|scope| {
        let during = scope.spawn(|| {
            let count = (seconds.saturating_sub(2 * MARGIN_S)) * 100;
            let mut delayed = Command::new("sh");
            // The slow start of the transfer is no part of its steady state.
            delayed.args(["-c", &format!("sleep {MARGIN_S}; exec \"$0\" \"$@\"")]);
            let inner = ping(ends, count.max(100));
            delayed.arg(inner.get_program()).args(inner.get_args());
            run(delayed, Duration::from_secs(u64::from(seconds)) + STEP)
        });
        let mut client = ends.sender.command("iperf3");
        client.args(["-c", &ends.to, "-t", &seconds.to_string(), "-J"]);
        let sent = run(client, Duration::from_secs(u64::from(seconds)) + STEP);
        let pings = during
            .join()
            .map_err(|_| anyhow::anyhow!("the ping thread ended"))?;
        Ok::<_, anyhow::Error>((sent?, pings?))
    });
    let (sent, pinged) = pings?;
    let tunnels = cpu(&ends.tunnels)? - tunnels;
    let relay = match (ends.relay, relay) {
        (Some(pid), Some(before)) => Some(cpu_seconds(pid)? - before),
        _ => None,
    };
    let said: Value = serde_json::from_str(&sent).context("iperf3 said no JSON")?;
    let end = &said["end"];
    let number = |v: &Value| v.as_f64().with_context(|| format!("iperf3 said {end}"));
    let gigabytes = number(&end["sum_received"]["bytes"])? / 1e9;
    Ok(Round {
        gbps: number(&end["sum_received"]["bits_per_second"])? / 1e9,
        cpu_per_gb: tunnels / gigabytes,
        relay_cpu_per_gb: relay.map(|cpu| cpu / gigabytes),
        retransmits: number(&end["sum_sent"]["retransmits"])?,
        idle,
        loaded: latency(&pinged)?,
    })
}

fn ping(ends: &Ends<'_>, count: u32) -> Command {
    let mut ping = ends.sender.command("ping");
    ping.args([
        "-n",
        "-i",
        "0.01",
        "-c",
        &count.to_string(),
        "-W",
        "2",
        &ends.to,
    ]);
    ping
}

/// Reads `time=… ms` of each line.
fn latency(said: &str) -> Result<Latency> {
    let mut times: Vec<f64> = said
        .lines()
        .filter_map(|line| line.split_once("time=")?.1.split(' ').next()?.parse().ok())
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get(times.len() * percent / 100).copied();
    let (Some(p50), Some(p99)) = (at(50), at(99)) else {
        anyhow::bail!("no ping was answered: {said}");
    };
    Ok(Latency { p50, p99 })
}

/// User and system time of a process, with all its threads.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, after) = stat.rsplit_once(')').context("a name in /proc/PID/stat")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |n: usize| -> Result<f64> {
        Ok(fields.get(n).context("times in /proc/PID/stat")?.parse()?)
    };
    // In ticks of 10 ms.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// The most memory a process has had, MB.
pub(super) fn peak_mb(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next());
    let kib: f64 = kib.context("VmHWM in /proc/PID/status")?.parse()?;
    Ok(kib * 1024.0 / 1e6)
}
