//! The real server in the lab, and its local administration.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    eventually::eventually,
    lab::{self, Host},
    process::{Process, run},
    program::{find, program},
};

/// A debug build starts slowly while other programs start, too.
const START: Duration = Duration::from_secs(30);

/// A server on the public segment: console, control and relay over TLS with its local CA.
#[derive(Debug)]
pub struct Stack {
    /// Where it runs.
    pub host: Host,
    config: Config,
    log: PathBuf,
    server: Process,
}

impl Stack {
    /// Starts a server with an empty database on `host`, and waits until it serves.
    pub fn start(host: &Host) -> Result<Self> {
        Self::start_with(host, &[])
    }

    /// As [`Self::start`], with more of the environment's settings.
    pub fn start_with(host: &Host, settings: &[(&str, &str)]) -> Result<Self> {
        let scratch = lab::scratch()?;
        let log = scratch.join("server.log");
        let config = Config::new(host, scratch.join("server"), settings);
        let server = Process::start("warren-server", config.serve(host)?, &log)?;
        let mut stack = Self {
            host: host.clone(),
            config,
            log,
            server,
        };
        stack.ready()?;
        Ok(stack)
    }

    /// Waits until it serves.
    pub fn ready(&mut self) -> Result<()> {
        let url = self.url();
        let server = &mut self.server;
        eventually("the server serves", START, || {
            server.must_run()?;
            let mut curl = Command::new("curl");
            curl.args(["-fsk", "--max-time", "5", "-o", "/dev/null"])
                .arg(format!("{url}/key?v=130"));
            run(curl, Duration::from_secs(6)).map(Some)
        })
        .with_context(|| format!("its log ends:\n{}", crate::process::tail(&self.log())))?;
        Ok(())
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts it again on the same data; does not wait.
    pub fn start_again(&mut self) -> Result<()> {
        self.server = Process::start("warren-server", self.config.serve(&self.host)?, &self.log)?;
        Ok(())
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The URL that people and machines use.
    pub fn url(&self) -> String {
        format!("https://{}", self.host.address)
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.config.data
    }

    /// The PEM file of the local CA.
    pub fn ca_file(&self) -> Result<PathBuf> {
        let near = [self.data().to_owned(), self.data().join("tls")];
        near.iter()
            .map(|dir| dir.join("ca.pem"))
            .find(|file| file.is_file())
            .with_context(|| format!("no ca.pem below {}", self.data().display()))
    }

    /// SHA-256 of the local CA's certificate, computed here from its file.
    pub fn ca_sha256(&self) -> Result<String> {
        let pem = std::fs::read_to_string(self.ca_file()?)?;
        let body: String = pem.lines().filter(|l| !l.starts_with("---")).collect();
        Ok(hex::encode(Sha256::digest(BASE64_STANDARD.decode(body)?)))
    }

    /// Runs an administration command and gives its JSON.
    pub fn admin(&self, args: &[&str]) -> Result<Value> {
        let mut command = self.config.of(Command::new(program("warren-server")?));
        command.args(args).arg("--json");
        let said = run(command, Duration::from_secs(15))?;
        serde_json::from_str(&said).with_context(|| format!("{args:?} said no JSON: {said}"))
    }

    /// Makes a tenant with an owner.
    pub fn tenant(&self, slug: &str) -> Result<Tenant<'_>> {
        self.admin(&["tenant", "create", slug, "--name", slug])?;
        let tenant = Tenant {
            stack: self,
            slug: slug.to_owned(),
            owner: format!("owner@{slug}.example"),
        };
        tenant.user(&tenant.owner, "owner")?;
        Ok(tenant)
    }

    /// A tenant that exists already.
    pub fn existing(&self, slug: &str, owner: &str) -> Tenant<'_> {
        Tenant {
            stack: self,
            slug: slug.to_owned(),
            owner: owner.to_owned(),
        }
    }
}

/// What the server is started with, and administered with.
#[derive(Debug)]
struct Config {
    data: PathBuf,
    environment: Vec<(String, OsString)>,
}

impl Config {
    fn new(host: &Host, data: PathBuf, settings: &[(&str, &str)]) -> Self {
        let listen = format!("{}:443", host.address);
        let mut environment = vec![
            ("WARREN_DATA_DIR".to_owned(), data.clone().into()),
            ("WARREN_HTTP__LISTEN".to_owned(), listen.into()),
        ];
        if let Some(agent) = find("warren-static") {
            environment.push(("WARREN_INSTALL__AGENT".to_owned(), agent.into()));
        }
        let more = settings.iter().map(|(k, v)| ((*k).to_owned(), v.into()));
        environment.extend(more);
        Self { data, environment }
    }

    fn serve(&self, host: &Host) -> Result<Command> {
        let mut command = self.of(host.command(program("warren-server")?));
        command.arg("serve");
        Ok(command)
    }

    fn of(&self, mut command: Command) -> Command {
        command.envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }
}

/// A tenant, administered from the server's shell.
#[derive(Debug, Clone)]
pub struct Tenant<'a> {
    stack: &'a Stack,
    /// Its short name.
    pub slug: String,
    /// Its owner's e-mail address.
    pub owner: String,
}

impl Tenant<'_> {
    /// Makes a member.
    pub fn user(&self, email: &str, role: &str) -> Result<()> {
        let args = [
            "user", "create", "--tenant", &self.slug, "--email", email, "--role", role,
        ];
        self.stack.admin(&args).map(|_| ())
    }

    /// A reusable auth key of the owner.
    pub fn auth_key(&self) -> Result<String> {
        self.auth_key_of(&self.owner, &["--reusable"])
    }

    /// An auth key of this member, with more arguments.
    pub fn auth_key_of(&self, email: &str, more: &[&str]) -> Result<String> {
        let args = [
            "auth-key", "create", "--tenant", &self.slug, "--user", email,
        ];
        let made = self.stack.admin(&[&args[..], more].concat())?;
        let secret = made["secret"].as_str().context("no secret in the answer")?;
        Ok(secret.to_owned())
    }

    /// The nodes, as the server lists them.
    pub fn nodes(&self) -> Result<Vec<Value>> {
        let list = self
            .stack
            .admin(&["node", "list", "--tenant", &self.slug])?;
        Ok(list.as_array().context("a list of nodes")?.clone())
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Result<Value> {
        let nodes = self.nodes()?;
        nodes
            .iter()
            .find(|n| n["name"] == name)
            .cloned()
            .with_context(|| format!("no node is called {name}: {nodes:?}"))
    }

    /// Runs `node VERB` for the node of this name.
    pub fn act(&self, verb: &str, name: &str) -> Result<()> {
        let id = self.node(name)?["id"].to_string();
        let args = ["node", verb, "--tenant", &self.slug, &id];
        self.stack.admin(&args).map(|_| ())
    }

    /// The routes of the node of this name.
    pub fn routes(&self, name: &str) -> Result<Value> {
        self.stack
            .admin(&["node", "routes", "--tenant", &self.slug, name])
    }

    /// Replaces the policy.
    pub fn set_policy(&self, document: &str) -> Result<()> {
        let file = lab::scratch()?.join("policy.hujson");
        std::fs::write(&file, document)?;
        let file = file.display().to_string();
        let args = ["policy", "set", "--tenant", &self.slug, &file];
        self.stack.admin(&args).map(|_| ())
    }
}
