//! Our agent on a host of the lab: its daemon and its command line.

use std::{
    ffi::OsStr,
    net::Ipv4Addr,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use wire::NodeSecret;

use crate::{
    eventually::eventually,
    lab::{self, Host},
    process::{Process, output, run},
    program::program,
    stack::Stack,
};

const STEP: Duration = Duration::from_secs(30);

/// How a ping went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Straight to this address.
    Direct(String),
    /// Through a relay.
    Relay,
}

impl Via {
    /// Whether it is no relay.
    pub fn is_direct(&self) -> bool {
        matches!(self, Self::Direct(_))
    }
}

/// An agent with a folder of its own.
#[derive(Debug)]
pub struct Agent {
    /// Where it runs.
    pub host: Host,
    /// The name it asks for.
    pub name: String,
    dir: PathBuf,
    daemon: Process,
}

impl Agent {
    /// Starts the daemon on `host`, without a network yet.
    pub fn start(host: &Host) -> Result<Self> {
        let dir = lab::scratch()?.join(format!("agent-{}", host.ns));
        std::fs::create_dir_all(&dir)?;
        let daemon = daemon(host, &dir)?;
        let mut agent = Self {
            host: host.clone(),
            name: host.ns.clone(),
            dir,
            daemon,
        };
        agent.ready()?;
        Ok(agent)
    }

    /// Starts the daemon and joins with an auth key.
    pub fn join(host: &Host, stack: &Stack, auth_key: &str) -> Result<Self> {
        let agent = Self::start(host)?;
        agent.up(stack, &["--auth-key", auth_key])?;
        Ok(agent)
    }

    /// `warren up` for this server, with more arguments; waits until it has joined.
    pub fn up(&self, stack: &Stack, more: &[&str]) -> Result<()> {
        run(self.up_command(stack, more)?, STEP).map(|_| ())
    }

    /// The command of [`Self::up`].
    pub fn up_command(&self, stack: &Stack, more: &[&str]) -> Result<Command> {
        let (url, ca) = (stack.url(), stack.ca_sha256()?);
        let mut up = self.command(&["up", "--server", &url, "--server-ca-sha256", &ca])?;
        up.args(["--hostname", &self.name]).args(more);
        Ok(up)
    }

    /// Waits until the daemon answers.
    fn ready(&mut self) -> Result<()> {
        let daemon = &mut self.daemon;
        let socket = self.dir.join("warren.sock");
        eventually("the daemon's socket is there", STEP, || {
            daemon.must_run()?;
            Ok(std::os::unix::net::UnixStream::connect(&socket)
                .is_ok()
                .then_some(()))
        })
    }

    /// A command of its command line.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Command> {
        let mut command = self.host.command(program("warren")?);
        command
            .args(args)
            .arg("--socket")
            .arg(self.dir.join("warren.sock"));
        Ok(command)
    }

    /// `warren status --json`.
    pub fn status(&self) -> Result<Value> {
        let said = run(self.command(&["status", "--json"])?, STEP)?;
        serde_json::from_str(&said).with_context(|| format!("status said no JSON: {said}"))
    }

    /// Its first mesh address.
    pub fn address(&self) -> Result<Ipv4Addr> {
        let said = run(self.command(&["ip"])?, STEP)?;
        said.lines()
            .find_map(|line| line.trim().parse().ok())
            .with_context(|| format!("`warren ip` named no IPv4 address: {said}"))
    }

    /// One `warren ping`, whatever comes of it.
    pub fn try_ping(&self, to: &str, within: Duration) -> Result<Output> {
        let seconds = within.as_secs().to_string();
        let mut ping = self.command(&["ping", "--json", "--timeout", &seconds, to])?;
        output(&mut ping, within + Duration::from_secs(5))
    }

    /// Pings once and says by which path the answer came.
    pub fn ping(&self, to: &str, within: Duration) -> Result<Via> {
        let said = self.try_ping(to, within)?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        ensure!(
            said.status.success(),
            "{} does not reach {to}: {text}{}",
            self.host.ns,
            String::from_utf8_lossy(&said.stderr)
        );
        let answer: Value = serde_json::from_str(text.lines().last().unwrap_or_default())
            .with_context(|| format!("ping said no JSON: {text}"))?;
        match (answer["direct"].as_str(), answer.get("relay")) {
            (Some(address), _) => Ok(Via::Direct(address.to_owned())),
            (None, Some(_)) => Ok(Via::Relay),
            (None, None) => bail!("ping names no path: {text}"),
        }
    }

    /// Pings until an answer comes by a path of the wanted kind.
    pub fn ping_until(
        &self,
        to: &str,
        within: Duration,
        wanted: impl Fn(&Via) -> bool,
    ) -> Result<()> {
        let mut last = None;
        eventually("a ping comes by the wanted path", within, || {
            let via = self.ping(to, within)?;
            let is = wanted(&via);
            last = Some(via);
            Ok(is.then_some(()))
        })
        .with_context(|| format!("{} to {to}: the last came by {last:?}", self.host.ns))
    }

    /// Fails when `to` answers; `within` is how long it is asked.
    pub fn must_not_reach(&self, to: &str, within: Duration) -> Result<()> {
        let said = self.try_ping(to, within)?;
        ensure!(
            !said.status.success(),
            "{} reaches {to}: {}",
            self.host.ns,
            String::from_utf8_lossy(&said.stdout)
        );
        Ok(())
    }

    /// `warren netcheck --json`.
    pub fn netcheck(&self) -> Result<Value> {
        let said = run(self.command(&["netcheck", "--json"])?, STEP)?;
        serde_json::from_str(&said).with_context(|| format!("netcheck said no JSON: {said}"))
    }

    /// `kill -9` of the daemon, and a new one on the same state.
    pub fn restart(&mut self) -> Result<()> {
        self.daemon.kill();
        self.daemon = daemon(&self.host, &self.dir)?;
        self.ready()
    }

    /// SIGTERM.
    pub fn stop(&mut self) {
        self.daemon.stop();
    }

    /// The daemon's process id.
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// The daemon's log.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// The node's secret key, from the daemon's state.
    pub fn node_secret(&self) -> Result<NodeSecret> {
        let file = self.dir.join("state/state.json");
        let state: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let key = state["profile"]["node_key"].as_str();
        Ok(NodeSecret::from_state_text(
            key.context("no node key in the state")?,
        )?)
    }
}

fn daemon(host: &Host, dir: &std::path::Path) -> Result<Process> {
    let mut command = host.command(program("warren")?);
    command
        .arg("daemon")
        .arg("--state-dir")
        .arg(dir.join("state"))
        .arg("--socket")
        .arg(dir.join("warren.sock"))
        .args(["--interface", "warren0"]);
    Process::start(
        &format!("warren on {}", host.ns),
        command,
        &dir.join("daemon.log"),
    )
}
