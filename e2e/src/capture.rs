//! What a third party on the wire sees: captures, and the search for known bytes in them.

use std::{collections::HashMap, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::{
    lab,
    process::{Process, run},
};

const STEP: Duration = Duration::from_secs(10);

/// A running capture, by `tools/traffic.py`: `tcpdump` insists on changing its groups, which a
/// user namespace forbids.
#[derive(Debug)]
pub struct Capture {
    file: PathBuf,
    recorder: Process,
}

impl Capture {
    /// Captures whole packets on this interface of a host.
    pub fn on(host: &lab::Host, interface: &str) -> Result<Self> {
        Self::start(host.command("python3"), interface)
    }

    /// Captures what passes the public segment.
    pub fn on_public() -> Result<Self> {
        Self::start(Command::new("python3"), "public")
    }

    fn start(mut python: Command, interface: &str) -> Result<Self> {
        let scratch = lab::scratch()?;
        let file = scratch.join(format!("{interface}-{}.pcap", crate::traffic::wall()));
        python.arg(crate::traffic::program()?);
        python.args(["capture", interface]).arg(&file);
        let log = file.with_extension("log");
        let mut recorder = Process::start("the capture", python, &log)?;
        recorder.says("ready", STEP)?;
        Ok(Self { file, recorder })
    }

    /// Stops, and gives every frame.
    pub fn stop(mut self) -> Result<Vec<Vec<u8>>> {
        self.recorder.stop();
        let said = self.recorder.log();
        ensure!(
            said.contains(" dropped 0\n"),
            "the capture has holes: {said}"
        );
        frames(&std::fs::read(&self.file)?)
    }
}

/// The frames of a pcap file in this machine's byte order.
fn frames(file: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut rest = file.get(24..).context("the capture has no header")?;
    let mut frames = Vec::new();
    while let Some((head, after)) = rest.split_at_checked(16) {
        let length = u32::from_ne_bytes([head[8], head[9], head[10], head[11]]) as usize;
        let Some((frame, after)) = after.split_at_checked(length) else {
            break;
        };
        frames.push(frame.to_vec());
        rest = after;
    }
    Ok(frames)
}

/// The payload of an IPv4 packet in an Ethernet frame, by protocol and ports.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// 17 for UDP, 6 for TCP.
    pub protocol: u8,
    /// Source and destination port.
    pub ports: (u16, u16),
    /// What is in it.
    pub bytes: &'a [u8],
}

/// Reads an Ethernet frame; `None` for what is no TCP or UDP over IPv4.
pub fn payload(frame: &[u8]) -> Option<Payload<'_>> {
    if frame.get(12..14)? != [8, 0] {
        return None;
    }
    let packet = &frame[14..];
    let header = usize::from(packet.first()? & 15) * 4;
    let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    // A superpacket may say 0, where its length does not fit.
    let packet = if total == 0 {
        packet
    } else {
        packet.get(..total)?
    };
    let inner = packet.get(header..)?;
    let port = |at: usize| Some(u16::from_be_bytes([*inner.get(at)?, *inner.get(at + 1)?]));
    let (protocol, ports) = (*packet.get(9)?, (port(0)?, port(2)?));
    let skip = match protocol {
        17 => 8,
        6 => usize::from(inner.get(12)? >> 4) * 4,
        _ => return None,
    };
    let bytes = inner.get(skip..)?;
    Some(Payload {
        protocol,
        ports,
        bytes,
    })
}

/// Known random bytes, and the search for any run of eight of them.
#[derive(Debug)]
pub struct Canary {
    /// The bytes.
    pub bytes: Vec<u8>,
    runs: HashMap<[u8; RUN], usize>,
}

/// A run this long is in other data by chance once in 10^14 bytes.
const RUN: usize = 8;

impl Canary {
    /// `size` random bytes.
    pub fn new(size: usize) -> Self {
        let bytes: Vec<u8> = (0..size).map(|_| rand::random()).collect();
        let runs = bytes
            .windows(RUN)
            .enumerate()
            .filter_map(|(at, run)| Some((run.try_into().ok()?, at)))
            .collect();
        Self { bytes, runs }
    }

    /// How many different runs of the canary are anywhere in these frames.
    pub fn found_in(&self, frames: &[Vec<u8>]) -> usize {
        let mut found = vec![false; self.bytes.len()];
        for frame in frames {
            for window in frame.windows(RUN) {
                if let Some(&at) = <&[u8; RUN]>::try_from(window)
                    .ok()
                    .and_then(|w| self.runs.get(w))
                {
                    found[at] = true;
                }
            }
        }
        found.iter().filter(|f| **f).count()
    }

    /// How often its bytes pass in these frames, in whole canaries.
    pub fn copies_in(&self, frames: &[Vec<u8>]) -> f64 {
        let mut hits = 0_u32;
        for frame in frames {
            for window in frame.windows(RUN) {
                hits += u32::from(
                    <&[u8; RUN]>::try_from(window).is_ok_and(|w| self.runs.contains_key(w)),
                );
            }
        }
        f64::from(hits) / f64::from(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX))
    }
}

/// Makes `interface` of a host send packets one by one, so that a capture counts what a wire carries.
pub fn without_superpackets(host: &lab::Host, interface: &str) -> Result<()> {
    let mut ip = host.command("ip");
    ip.args(["link", "set", "dev", interface, "gso_max_segs", "1"]);
    run(ip, Duration::from_secs(5)).map(|_| ())
}
