//! The official client on a host of the lab: `tailscaled` and `tailscale`.

use std::{
    ffi::OsStr,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{
    agent::Via,
    eventually::eventually,
    lab::{self, Host},
    process::{Process, output, run},
    stack::Stack,
};

const STEP: Duration = Duration::from_secs(30);

/// Where the official programs are; `scripts/go-clients.sh` builds them.
pub fn clients() -> Result<PathBuf> {
    let dir = std::env::var_os("WARREN_CLIENTS").context(
        "WARREN_CLIENTS names no folder with the official clients; `make interop` sets it",
    )?;
    let dir = PathBuf::from(dir);
    ensure!(
        dir.join("tailscaled").is_file(),
        "no tailscaled in {}; `make interop` builds it",
        dir.display()
    );
    Ok(dir)
}

/// An official client with a folder of its own.
#[derive(Debug)]
pub struct Tailscale {
    /// Where it runs.
    pub host: Host,
    dir: PathBuf,
    clients: PathBuf,
    daemon: Process,
}

impl Tailscale {
    /// Starts `tailscaled`, which trusts the CA in this PEM file, without a network yet.
    pub fn start(host: &Host, ca: &Path) -> Result<Self> {
        let dir = lab::scratch()?.join(format!("tailscale-{}", host.ns));
        std::fs::create_dir_all(&dir)?;
        let clients = clients()?;
        let mut command = host.command(clients.join("tailscaled"));
        command
            .arg(format!("--statedir={}", dir.display()))
            .arg(format!("--socket={}", dir.join("sock").display()))
            .args(["--tun=tailscale0", "--port=41641", "--no-logs-no-support"])
            .env("SSL_CERT_FILE", ca)
            .env("HOME", &dir)
            .env("TS_DEBUG_FIREWALL_MODE", "nftables");
        let log = dir.join("daemon.log");
        let daemon = Process::start(&format!("tailscaled on {}", host.ns), command, &log)?;
        let mut client = Self {
            host: host.clone(),
            dir,
            clients,
            daemon,
        };
        client.ready()?;
        Ok(client)
    }

    fn ready(&mut self) -> Result<()> {
        let socket = self.dir.join("sock");
        let daemon = &mut self.daemon;
        eventually("tailscaled's socket is there", STEP, || {
            daemon.must_run()?;
            Ok(std::os::unix::net::UnixStream::connect(&socket)
                .is_ok()
                .then_some(()))
        })
    }

    /// Starts it and joins with an auth key.
    pub fn join(host: &Host, stack: &Stack, auth_key: &str) -> Result<Self> {
        let client = Self::start(host, &stack.ca_file()?)?;
        run(client.up_command(stack, &["--auth-key", auth_key]), STEP)
            .with_context(|| format!("its log ends:\n{}", crate::process::tail(&client.log())))?;
        Ok(client)
    }

    /// Joins by a link: gives it to `confirm`, and waits until the client has joined.
    pub fn up_by_link(
        &self,
        stack: &Stack,
        confirm: impl FnOnce(&str) -> Result<()>,
    ) -> Result<()> {
        let log = self.dir.join("up.log");
        let mut up = Process::start("tailscale up", self.up_command(stack, &[]), &log)?;
        let start = format!("{}/register/", stack.url());
        up.says(&start, STEP)?;
        let said = up.log();
        let link = said
            .split_whitespace()
            .find(|word| word.starts_with(&start));
        confirm(link.context("the link")?)?;
        eventually("it has joined", STEP, || {
            Ok((self.status()?["BackendState"] == "Running").then_some(()))
        })
    }

    fn up_command(&self, stack: &Stack, more: &[&str]) -> Command {
        let mut up = self.command(&["up", "--accept-dns=false", "--timeout=25s"]);
        up.arg(format!("--login-server={}", stack.url()))
            .arg(format!("--hostname={}", self.host.ns))
            .args(more);
        up
    }

    /// A command of its command line.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = self.host.command(self.clients.join("tailscale"));
        command
            .arg(format!("--socket={}", self.dir.join("sock").display()))
            .args(args)
            .env("HOME", &self.dir);
        command
    }

    /// `tailscale status --json`.
    pub fn status(&self) -> Result<Value> {
        let said = run(self.command(&["status", "--json"]), STEP)?;
        serde_json::from_str(&said).with_context(|| format!("status said no JSON: {said}"))
    }

    /// The peer of this host name, in its own status.
    pub fn peer(&self, name: &str) -> Result<Option<Value>> {
        let status = self.status()?;
        let peers = status["Peer"].as_object().cloned().unwrap_or_default();
        Ok(peers.into_values().find(|p| p["HostName"] == name))
    }

    /// Its IPv4 mesh address.
    pub fn address(&self) -> Result<Ipv4Addr> {
        let said = run(self.command(&["ip", "-4"]), STEP)?;
        Ok(said.trim().parse()?)
    }

    /// One disco ping, and by which path the answer came.
    pub fn ping(&self, to: &str, within: Duration) -> Result<Via> {
        let timeout = format!("--timeout={}s", within.as_secs().max(1));
        let mut ping = self.command(&["ping", "--c=1", "--until-direct=false", &timeout, to]);
        let said = output(&mut ping, within + Duration::from_secs(5))?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let Some(via) = text
            .lines()
            .find_map(|line| line.split_once(" via ").map(|(_, via)| via))
        else {
            bail!(
                "{} does not reach {to}: {text}{}",
                self.host.ns,
                String::from_utf8_lossy(&said.stderr)
            );
        };
        let path = via.split(" in ").next().unwrap_or(via);
        Ok(if path.starts_with("DERP") {
            Via::Relay
        } else {
            Via::Direct(path.to_owned())
        })
    }

    /// `tailscale logout`.
    pub fn logout(&self) -> Result<()> {
        run(self.command(&["logout"]), STEP).map(|_| ())
    }

    /// The daemon's process id.
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// The daemon's log.
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}
