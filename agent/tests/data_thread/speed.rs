//! How fast, and for how much work. Not a test of right and wrong: run it by
//! `cargo test --release -p agent --test data_thread -- --ignored --nocapture throughput`.

use std::{fs, time::Duration};

use crate::pair::{Pair, Reach, Side};

const SECONDS: u64 = 8;

/// CPU time of the data threads of this process, user and system.
fn cpu_of_data_threads() -> Duration {
    let mut ticks = 0;
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        let Ok(stat) = fs::read_to_string(path.join("stat")) else {
            continue;
        };
        if let Some((head, rest)) = stat.rsplit_once(") ")
            && head.ends_with("(data")
        {
            let fields: Vec<&str> = rest.split(' ').collect();
            ticks += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    Duration::from_millis(ticks * 10)
}

/// What iperf3 reports of one run.
fn iperf(from: &Side, to: &Side, options: &str) -> serde_json::Value {
    to.ns
        .sh(&format!("iperf3 -s -1 -D -B {} --forceflush", to.v4));
    let line = format!(
        "for i in 1 2 3 4 5 6 7 8 9; do ss -Htln | grep -q :5201 && break; sleep 0.1; done
         iperf3 -c {} -J {options}",
        to.v4
    );
    serde_json::from_str(&from.ns.sh(&line)).unwrap()
}

fn bits_per_second(sum: &serde_json::Value) -> f64 {
    sum["bits_per_second"].as_f64().unwrap()
}

#[test]
#[ignore = "a measurement of 25 seconds; needs iperf3"]
fn throughput() {
    let Some(pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    let Pair { a, b, .. } = &pair;
    for (name, options) in [
        ("one stream", ""),
        ("four streams", "-P 4"),
        ("reverse", "-R"),
    ] {
        let before = cpu_of_data_threads();
        let report = iperf(a, b, &format!("-t {SECONDS} {options}"));
        let bits = bits_per_second(&report["end"]["sum_received"]);
        let cpu = cpu_of_data_threads().saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
        let gigabytes = bits * SECONDS as f64 / 8e9;
        eprintln!(
            "{name}: {:.2} Gb/s, {:.2} CPU s/GB",
            bits / 1e9,
            cpu.as_secs_f64() / gigabytes
        );
    }
    let load = a.ns.sh(&format!("ping -n -q -c 100 -i 0.01 {}", b.v4));
    eprintln!("idle {}", load.lines().last().unwrap_or_default());
    for side in [a, b] {
        eprintln!("{:?}", side.data.counters.all());
    }
}

#[test]
#[ignore = "sessions are renewed after two minutes; needs iperf3"]
fn a_session_is_renewed_while_a_stream_runs() {
    let Some(pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    let report = iperf(&pair.a, &pair.b, "-t 130 -b 200M");
    let seconds = report["intervals"].as_array().unwrap();
    assert!(seconds.len() >= 130);
    for second in seconds {
        let bits = bits_per_second(&second["sum"]);
        assert!(bits > 20e6, "{second}");
    }
    let peers = pair.status(&pair.a).peers;
    let since = agent::clock::Clock::system()
        .now()
        .saturating_duration_since(peers[0].last_handshake.unwrap());
    assert!(since < Duration::from_mins(1), "renewed {since:?} ago");
}
