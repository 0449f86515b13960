//! `docker-compose.yml` in the lab: each service's own command, in its own environment.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    compose::{self, Service},
    eventually::eventually,
    lab::{self, Host, Topology},
    process::{Process, run},
    program::program,
};
use serde_json::Value;

const STEP: Duration = Duration::from_secs(30);

pub(crate) fn the_composed_services_run_as_written() -> Result<()> {
    let services = compose::services(&compose::file("docker-compose.yml")?)?;
    let Some(postgres) = Postgres::prepare(&services)? else {
        return passed_over();
    };
    let (mut net, srv) = Topology::new()?;
    let hosts: BTreeMap<&str, Host> = services
        .keys()
        .map(|name| match name.as_str() {
            "server" => Ok(("server", srv.clone())),
            name => Ok((name, net.public_host(name)?)),
        })
        .collect::<Result<_>>()?;
    name_each_other(&services, &hosts)?;

    let _database = postgres.start(&hosts["postgres"])?;
    let server = Container::start(&hosts["server"], "server", &services["server"])?;
    let owner = "ada@example.com";
    server.eventually(&["warren-server", "tenant", "create", "acme"])?;
    server.exec(&[
        "warren-server",
        "user",
        "create",
        "--email",
        owner,
        "--role",
        "owner",
    ])?;
    let key = server.exec(&[
        "warren-server",
        "auth-key",
        "create",
        "--user",
        owner,
        "--reusable",
        "--json",
    ])?;
    let key: Value = serde_json::from_str(&key)?;
    let key = key["secret"].as_str().context("no secret")?.to_owned();
    let (url, digest) = server.announced()?;

    let agents: Vec<_> = ["alpha", "beta"]
        .iter()
        .map(|name| Container::start(&hosts[name], name, &services[*name]))
        .collect::<Result<_>>()?;
    for agent in &agents {
        agent.eventually(&[
            "warren",
            "up",
            "--server",
            &url,
            "--server-ca-sha256",
            &digest,
            "--auth-key",
            &key,
            "--hostname",
            &agent.name,
        ])?;
    }
    agents[0].eventually(&["warren", "ping", "beta"])?;
    Ok(())
}

#[expect(
    clippy::print_stdout,
    clippy::unnecessary_wraps,
    reason = "what is passed over says so, and is no failure"
)]
fn passed_over() -> Result<()> {
    println!("PASSED OVER: PostgreSQL is not installed, or not ours to start");
    Ok(())
}

/// Every service finds the others by their names, as containers do.
fn name_each_other(
    services: &BTreeMap<String, Service>,
    hosts: &BTreeMap<&str, Host>,
) -> Result<()> {
    let mut lines = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    for (name, service) in services {
        let names: Vec<&str> = std::iter::once(name.as_str())
            .chain(service.aliases.iter().map(String::as_str))
            .collect();
        let address = hosts[name.as_str()].address;
        writeln!(lines, "\n{address} {}", names.join(" "))?;
    }
    // The lab's /etc is a copy of its own.
    std::fs::write("/etc/hosts", lines).context("writing the lab's /etc/hosts")
}

/// A service with the folders that its container would have.
struct Container {
    name: String,
    host: Host,
    dir: PathBuf,
    environment: BTreeMap<String, String>,
    process: Process,
}

impl Container {
    fn start(host: &Host, name: &str, service: &Service) -> Result<Self> {
        let dir = lab::scratch()?.join(name);
        for part in ["var", "run"] {
            std::fs::create_dir_all(dir.join(part))?;
        }
        let log = dir.join("log");
        let command = inside(host, &dir, &service.environment, &service.command)?;
        Ok(Self {
            name: name.to_owned(),
            host: host.clone(),
            process: Process::start(name, command, &log)?,
            environment: service.environment.clone(),
            dir,
        })
    }

    /// As `docker compose exec`.
    fn exec(&self, command: &[&str]) -> Result<String> {
        let command: Vec<_> = command.iter().map(|&word| word.to_owned()).collect();
        let command = inside(&self.host, &self.dir, &self.environment, &command)?;
        run(command, STEP).with_context(|| format!("{} said:\n{}", self.name, self.process.log()))
    }

    fn eventually(&self, command: &[&str]) -> Result<()> {
        let what = format!("{}: {}", self.name, command.join(" "));
        eventually(&what, STEP, || self.exec(command).map(Some)).map(|_| ())
    }

    /// The URL and the CA's digest, as the server's log tells them to people.
    fn announced(&self) -> Result<(String, String)> {
        let log = self.process.log();
        let url = log
            .lines()
            .find_map(|l| l.strip_prefix("Warren serves at "));
        let digest = log
            .lines()
            .map(str::trim)
            .find(|line| line.len() == 64 && line.bytes().all(|b| b.is_ascii_hexdigit()));
        match (url, digest) {
            (Some(url), Some(digest)) => Ok((url.to_owned(), digest.to_owned())),
            _ => bail!("the server tells no URL or digest:\n{log}"),
        }
    }
}

/// `command` on `host`, with /var/lib and /run in folders of its own, and our programs in its PATH.
fn inside(
    host: &Host,
    dir: &Path,
    environment: &BTreeMap<String, String>,
    command: &[String],
) -> Result<Command> {
    const ENTER: &str = r#"
mount --bind "$1/var" /var/lib; mount --bind "$1/run" /run; shift
exec "$@"
"#;
    let bin = program("warren-server")?;
    let bin = bin.parent().context("programs without a folder")?;
    let mut out = host.command("unshare");
    out.args(["--mount", "sh", "-ec", ENTER, "sh"])
        .arg(dir)
        .args(command)
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()),
        )
        .envs(environment);
    Ok(out)
}

/// The database service: the installed PostgreSQL, made as its image would make it.
struct Postgres {
    bin: PathBuf,
    data: PathBuf,
    user: String,
    name: String,
}

impl Postgres {
    /// `None` where it cannot be started.
    fn prepare(services: &BTreeMap<String, Service>) -> Result<Option<Self>> {
        let folders = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten();
        let mut bins = folders.flatten().map(|d| d.path().join("bin"));
        let Some(bin) = bins.find(|b| b.join("initdb").exists()) else {
            return Ok(None);
        };
        let wanted = &services["postgres"].environment;
        let word = |key: &str| {
            wanted
                .get(key)
                .cloned()
                .with_context(|| format!("no {key}"))
        };
        let dir = lab::scratch()?.join("postgres");
        std::fs::create_dir_all(&dir)?;
        let made = Self {
            bin,
            data: dir.join("data"),
            user: word("POSTGRES_USER")?,
            name: word("POSTGRES_DB")?,
        };
        let password = dir.join("password");
        std::fs::write(&password, word("POSTGRES_PASSWORD")?)?;
        let mut own = Command::new("sh");
        own.arg("-ec")
            .arg("chown -R postgres \"$1\"; chmod a+x \"$1\"/..")
            .arg("sh")
            .arg(&dir);
        if run(own, STEP).is_err() {
            return Ok(None);
        }
        let mut init = made.as_postgres(Command::new("setpriv"), "initdb");
        init.args(["-A", "scram-sha-256", "--no-sync", "-U", &made.user, "-D"])
            .arg(&made.data)
            .arg(format!("--pwfile={}", password.display()));
        run(init, STEP).context("making the database")?;
        ensure!(
            made.name == made.user,
            "the image would make {} itself",
            made.name
        );
        let rule = format!("host all {} 203.0.113.0/24 scram-sha-256\n", made.user);
        let hba = made.data.join("pg_hba.conf");
        let old = std::fs::read_to_string(&hba)?;
        std::fs::write(&hba, format!("{rule}{old}"))?;
        Ok(Some(made))
    }

    fn as_postgres(&self, mut setpriv: Command, program: &str) -> Command {
        setpriv
            .args([
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "--",
            ])
            .arg(self.bin.join(program))
            .current_dir("/");
        setpriv
    }

    fn start(&self, host: &Host) -> Result<Process> {
        let scratch = self.data.parent().context("a folder")?.to_owned();
        let mut command = self.as_postgres(host.command("setpriv"), "postgres");
        command.arg("-D").arg(&self.data).args([
            "-c",
            "listen_addresses=*",
            "-c",
            "unix_socket_directories=",
        ]);
        let mut running = Process::start("postgres", command, &scratch.join("log"))?;
        running.says("ready to accept connections", STEP)?;
        let mut create = host.command(self.bin.join("createdb"));
        create
            .args([
                "-h",
                &host.address.to_string(),
                "-U",
                &self.user,
                "-w",
                "-O",
                &self.user,
            ])
            .args(["--maintenance-db=postgres", &self.name])
            .env(
                "PGPASSWORD",
                std::fs::read_to_string(scratch.join("password"))?,
            );
        run(create, STEP).context("making the database")?;
        Ok(running)
    }
}
