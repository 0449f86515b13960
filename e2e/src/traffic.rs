//! Traffic between hosts, by the senders and receivers of `tools/traffic.py`.

use std::{
    net::Ipv4Addr,
    path::PathBuf,
    process::Command,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    eventually::eventually,
    lab::{self, Host},
    process::{Process, run},
};

const PROGRAM: &str = include_str!("../tools/traffic.py");
const STEP: Duration = Duration::from_secs(10);

/// A sender or receiver on `host`.
pub fn command(host: &Host, args: &[&str]) -> Result<Command> {
    let mut command = host.command("python3");
    command.arg(program()?).args(args);
    Ok(command)
}

/// Where `tools/traffic.py` lies.
pub(crate) fn program() -> Result<PathBuf> {
    let program = lab::scratch()?.join("traffic.py");
    if !program.exists() {
        std::fs::write(&program, PROGRAM)?;
    }
    Ok(program)
}

/// Starts one in the background and waits for its first line.
pub fn start(host: &Host, args: &[&str]) -> Result<Traffic> {
    let log = lab::scratch()?.join(format!("traffic-{}-{}-{}.log", host.ns, args[0], wall()));
    let process = Process::start(
        &format!("{} on {}", args[0], host.ns),
        command(host, args)?,
        &log,
    )?;
    let mut traffic = Traffic { process };
    traffic.lines_until(1)?;
    Ok(traffic)
}

/// Sends `bytes` random bytes from `host` by TCP, and proves by checksum that they came.
pub fn send(host: &Host, to: Ipv4Addr, port: u16, bytes: usize) -> Result<()> {
    let args = [
        "send",
        &to.to_string(),
        &port.to_string(),
        &bytes.to_string(),
    ];
    run(command(host, &args)?, Duration::from_mins(1)).map(|_| ())
}

/// Whether a TCP connection opens: `open`, `refused` or `timeout`.
pub fn connect(host: &Host, to: Ipv4Addr, port: u16, wait: Duration) -> Result<String> {
    let wait_s = wait.as_secs_f32().to_string();
    let args = ["connect", &to.to_string(), &port.to_string(), &wait_s];
    let said = run(command(host, &args)?, wait + STEP)?;
    let word = said.split_whitespace().nth(1);
    Ok(word.context("connect said nothing")?.to_owned())
}

/// Waits until connection attempts end with `word`; fails when one that begins more than
/// `within` after `since` still does not.
pub fn becomes(
    host: &Host,
    (to, port): (Ipv4Addr, u16),
    word: &str,
    since: f64,
    within: Duration,
) -> Result<()> {
    loop {
        let began = wall();
        let said = connect(host, to, port, Duration::from_millis(700))?;
        if said == word {
            return Ok(());
        }
        if began > since + within.as_secs_f64() {
            bail!("port {port} is {said}, not {word}, {within:?} after the edit");
        }
    }
}

/// The wall clock, seconds: what the receivers write before each line.
#[expect(
    clippy::disallowed_methods,
    reason = "end-to-end tests run in real time"
)]
pub fn wall() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |d| d.as_secs_f64())
}

/// A sender or receiver in the background.
#[derive(Debug)]
pub struct Traffic {
    process: Process,
}

/// One thing it said.
#[derive(Debug, Clone)]
pub struct Said {
    /// When, seconds of the wall clock.
    pub at: f64,
    /// The words.
    pub words: Vec<String>,
}

impl Traffic {
    /// What it has said.
    pub fn said(&self) -> Vec<Said> {
        let log = self.process.log();
        let whole = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
        whole.lines().filter_map(Said::parse).collect()
    }

    /// Waits until it has said `n` things.
    fn lines_until(&mut self, n: usize) -> Result<()> {
        eventually("a sender or receiver speaks", STEP, || {
            self.process.must_run()?;
            Ok((self.said().len() >= n).then_some(()))
        })
    }

    /// When it last said `word`.
    pub fn last(&self, word: &str) -> Option<Said> {
        self.said().into_iter().rfind(|s| s.words[0] == word)
    }

    /// Waits until it says `word` after the time `after`.
    pub fn says_after(&mut self, word: &str, after: f64, within: Duration) -> Result<Said> {
        eventually(&format!("`{word}` is said"), within, || {
            Ok(self
                .said()
                .into_iter()
                .find(|s| s.at > after && s.words[0] == word))
        })
    }

    /// Waits until `word` has not been said for a second, at most `within`; gives
    /// when it was said last.
    pub fn silent(&mut self, word: &str, within: Duration) -> Result<f64> {
        eventually(&format!("no `{word}` is said any more"), within, || {
            let last = self.last(word).context("nothing was said at all")?.at;
            Ok((wall() - last > 1.0).then_some(last))
        })
    }

    /// Asks it to stop, and gives all it said.
    pub fn stop(mut self) -> Vec<Said> {
        self.process.stop();
        self.said()
    }
}

impl Said {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().map(str::to_owned);
        let at = words.next()?.parse().ok()?;
        let words: Vec<_> = words.collect();
        (!words.is_empty()).then_some(Self { at, words })
    }

    /// The n-th word as a number.
    pub fn number(&self, n: usize) -> Option<u64> {
        self.words.get(n)?.parse().ok()
    }
}
