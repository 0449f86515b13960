//! The report: medians and ratios of one run, the losing ones too.

use std::{fmt::Write as _, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Effort, Results, Round};
use crate::process::run;

/// One row of a comparison: its title, and how its figure is read.
struct Row {
    title: &'static str,
    figure: fn(&Round) -> Option<f64>,
}

const ROWS: &[Row] = &[
    Row {
        title: "One TCP stream, Gb/s",
        figure: |r| Some(r.gbps),
    },
    Row {
        title: "CPU of both ends, s/GB",
        figure: |r| Some(r.cpu_per_gb),
    },
    Row {
        title: "CPU of the relay, s/GB",
        figure: |r| r.relay_cpu_per_gb,
    },
    Row {
        title: "TCP retransmits",
        figure: |r| Some(r.retransmits),
    },
    Row {
        title: "Ping idle p50, ms",
        figure: |r| Some(r.idle.p50),
    },
    Row {
        title: "Ping idle p99, ms",
        figure: |r| Some(r.idle.p99),
    },
    Row {
        title: "Ping under load p50, ms",
        figure: |r| Some(r.loaded.p50),
    },
    Row {
        title: "Ping under load p99, ms",
        figure: |r| Some(r.loaded.p99),
    },
];

/// Writes `docs/performance.md` below the current folder.
pub(super) fn write(results: &Results, effort: Effort) -> Result<()> {
    let mut text = String::from(
        "# Performance\n\nMeasured by `make bench`, which writes this file. Only the ratios count: \
         absolute figures drift with the machine. Both programs run in turn in network namespaces \
         on the same cores, TUN MTU 1280 each.\n\n",
    );
    machine(&mut text)?;
    writeln!(
        text,
        "\nEach figure is the median of {} rounds of {} s, ours and theirs in turn; a ratio is the \
         median of the rounds' ratios, ours to theirs.\n",
        effort.pairs, effort.seconds
    )?;
    comparison(&mut text, "Direct", "tailscaled", &results.direct)?;
    comparison(
        &mut text,
        "Relayed, UDP blocked",
        "tailscaled through derper",
        &results.relayed,
    )?;
    memory(&mut text, results)?;
    load(&mut text)?;
    console(&mut text, results)?;
    let before = std::fs::read_to_string("docs/performance.md").unwrap_or_default();
    text.push_str(kept(&before));
    std::fs::write("docs/performance.md", text)?;
    Ok(())
}

/// What other programs measured and `make bench` does not: the end of the file
/// from the first of their sections on.
fn kept(before: &str) -> &str {
    const FIRST: &str = "\n## Policy engine";
    before.find(FIRST).map_or("", |at| &before[at..])
}

fn machine(text: &mut String) -> Result<()> {
    let info = std::fs::read_to_string("/proc/cpuinfo")?;
    let models: Vec<&str> = info
        .lines()
        .filter_map(|l| l.strip_prefix("model name")?.split(": ").nth(1))
        .collect();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let model = models.first().copied().unwrap_or("unknown CPU");
    writeln!(
        text,
        "* Machine: {} × {model}, Linux {}",
        models.len(),
        kernel.trim()
    )?;
    let version = |program: &Path, arg: &str| {
        let mut command = Command::new(program);
        command.arg(arg);
        let said = run(command, Duration::from_secs(5))?;
        Ok::<_, anyhow::Error>(said.lines().next().unwrap_or_default().trim().to_owned())
    };
    let ours = version(&crate::program::program("warren")?, "version")?;
    let theirs = version(&crate::tailscale::clients()?.join("tailscale"), "version")?;
    // What `go install` builds knows its version and nothing of its commit.
    let theirs = theirs.trim_end_matches("-ERR-BuildInfo");
    let iperf = version(Path::new("iperf3"), "--version")?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    let nice = std::fs::read_to_string("/proc/self/stat")?;
    let nice = nice
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(16));
    writeln!(
        text,
        "* Load of the machine at the end: {load}; niceness of all that was measured: {}",
        nice.unwrap_or_default()
    )?;
    writeln!(
        text,
        "* Ours: {ours}; theirs: tailscaled and derper {theirs}; {iperf}"
    )?;
    Ok(())
}

fn comparison(text: &mut String, title: &str, peer: &str, rounds: &[(Round, Round)]) -> Result<()> {
    writeln!(
        text,
        "## {title}\n\n| | Warren | {peer} | ratio |\n|---|---|---|---|"
    )?;
    for row in ROWS {
        let read = |r: &Round| (row.figure)(r);
        let pairs: Option<Vec<(f64, f64)>> = rounds
            .iter()
            .map(|(a, b)| Some((read(a)?, read(b)?)))
            .collect();
        let Some(pairs) = pairs else { continue };
        let ours = median(pairs.iter().map(|p| p.0));
        let theirs = median(pairs.iter().map(|p| p.1));
        let ratios: Vec<f64> = pairs
            .iter()
            .filter(|p| p.1 > 0.0)
            .map(|p| p.0 / p.1)
            .collect();
        let ratio = if ratios.len() == pairs.len() {
            format!("{:.2}", median(ratios.into_iter()))
        } else {
            "–".to_owned()
        };
        writeln!(
            text,
            "| {} | {ours:.2} | {theirs:.2} | {ratio} |",
            row.title
        )?;
    }
    text.push('\n');
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

fn memory(text: &mut String, results: &Results) -> Result<()> {
    let [ours, theirs] = results.memory;
    let [relay, derper] = results.relay_memory;
    writeln!(
        text,
        "## Peak memory after all rounds, MB\n\n| | Warren | Tailscale | ratio |\n|---|---|---|---|\n\
         | Sender | {:.0} | {:.0} | {:.2} |\n| Receiver | {:.0} | {:.0} | {:.2} |\n\
         | Relay (ours with control and console) | {relay:.0} | {derper:.0} | {:.2} |\n",
        ours.0,
        theirs.0,
        ours.0 / theirs.0,
        ours.1,
        theirs.1,
        ours.1 / theirs.1,
        relay / derper
    )?;
    Ok(())
}

/// The load driver's answers, one JSON object a file, where `make bench` could run it.
fn load(text: &mut String) -> Result<()> {
    let Some(file) = std::env::var_os("BENCH_LOAD") else {
        return Ok(());
    };
    let said = std::fs::read_to_string(&file)?;
    let answers = serde_json::Deserializer::from_str(&said).into_iter::<Value>();
    writeln!(
        text,
        "## Control plane\n\nThe load driver joins so many nodes with Tailscale's own client library, one \
         reusable key, starter policy.\n\n| nodes | joins/s | failed | all see all | change to last node p50 / p99, ms \
         | changes lost | streams died | server CPU per change, ms | server RSS, MB |\n|---|---|---|---|---|---|---|---|---|"
    )?;
    for answer in answers {
        let a = answer.context("the load driver's answer")?;
        let n = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
        writeln!(
            text,
            "| {} | {:.0} | {} | {} of {} | {:.1} / {:.1} | {} | {} | {:.2} | {:.0} |",
            a["nodes"],
            n(&a["register_per_s"]),
            a["register_failed"],
            a["nodes_with_all_peers"],
            a["nodes"],
            n(&a["change_to_last_node_ms"]["P50"]),
            n(&a["change_to_last_node_ms"]["P99"]),
            a["changes_lost"],
            a["streams_died"],
            n(&a["server_cpu_ms_per_change"]),
            n(&a["server_rss_mb"]),
        )?;
    }
    text.push('\n');
    Ok(())
}

fn console(text: &mut String, results: &Results) -> Result<()> {
    match &results.console {
        Ok(load) => writeln!(
            text,
            "## Console\n\nFirst load of the sign-in page with an empty cache, over TLS, in headless Chromium: \
             {:.0} kB over the wire, {:.0} kB of them the program; first paint after {:.0} ms.",
            load.bytes / 1000.0,
            load.program / 1000.0,
            load.painted_ms
        )?,
        Err(why) => {
            println!("NOT MEASURED: the console's first load: {why:#}");
            writeln!(text, "## Console\n\nNot measured: {why:#}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::kept;

    #[test]
    fn the_figures_of_other_programs_are_kept() {
        let theirs = "\n## Policy engine\n\nparse: 9 ms\n\n## Packet filter\n";
        assert_eq!(kept(&format!("# Performance\n\nours\n{theirs}")), theirs);
        assert_eq!(kept("# Performance\n"), "");
    }
}
