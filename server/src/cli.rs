//! The command line.
#![expect(clippy::print_stderr, reason = "it speaks to people")]

mod administer;
mod auth_key;
mod doctor;
mod info;
mod link;
mod node;
mod policy;
mod serve;
mod table;
mod tenant;
mod user;
mod when;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{config::Config, telemetry};

const ABOUT: &str = "The coordination server, console and relay of Warren, a WireGuard mesh.";

const START: &str = "\
First steps:
  warren-server serve           start it; it prints a link that makes you the owner
  open that link                name yourself and your first tenant
  \"Add device\" in the console   shows the command that joins a machine

Configuration:
  A TOML file (--config, WARREN_CONFIG, or /etc/warren/server.toml where it exists), and
  environment variables, which win: WARREN_HTTP__LISTEN is the key `listen` of `[http]`.
  Without any it serves this machine alone, on http://127.0.0.1:8080, with SQLite.
  `warren-server doctor` holds a configuration against reality; docs/configuration.md lists
  every key.

At the shell of the server, running or not, the same program administers it:
  warren-server auth-key create --user you@example.com --reusable
  warren-server node list
  warren-server policy set policy.hujson --reason \"open port 443\"";

#[derive(Debug, Parser)]
#[command(name = "warren-server", version, about = ABOUT, after_help = START)]
struct Cli {
    /// The configuration file.
    #[arg(long, global = true, env = "WARREN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What is logged, instead of the configuration's `log.filter`: `debug`, `info,sqlx=debug`.
    #[arg(long, global = true, env = "WARREN_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve: console, control, relay and STUN, until SIGTERM or Ctrl-C.
    Serve,
    /// Hold the configuration against reality: files, database, ports, certificate, clock.
    Doctor,
    /// What machines must be told to join: URL, CA digest, commands.
    Info,
    /// A new set-up link, while the server has no owner; those before it are void.
    SetupLink,
    /// A one-time link that signs an existing user in, when nothing else works.
    LoginLink(link::Login),
    /// Tenants: separate networks on this server.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Members of a tenant.
    #[command(subcommand)]
    User(user::Command),
    /// Auth keys: how machines join without a person at them.
    #[command(subcommand)]
    AuthKey(auth_key::Command),
    /// Machines.
    #[command(subcommand)]
    Node(node::Command),
    /// The access policy.
    #[command(subcommand)]
    Policy(policy::Command),
}

/// The program: reads the arguments, does what they say, and returns the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("warren-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let file = cli.config.or_else(crate::config::default_file);
    let config = crate::config::load(file.as_deref())?;
    // What the other commands have to say is their output.
    let usual = if matches!(cli.command, Command::Serve) {
        config.log.filter.as_str()
    } else {
        "warn"
    };
    telemetry::init(config.log.format, cli.log.as_deref().unwrap_or(usual))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let started = Started { file };
    runtime.block_on(dispatch(cli.command, config, &started, cli.json))
}

/// Prints to standard output. A reader that has gone away, as `head` does, is no fault.
fn say(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// How answers are shown.
#[derive(Debug, Clone, Copy)]
struct Output {
    json: bool,
}

/// How this program was started.
#[derive(Debug)]
struct Started {
    file: Option<PathBuf>,
}

impl Started {
    /// What to type for this server, before the name of an act.
    fn again(&self, config: &Config) -> String {
        let exe = std::env::current_exe().unwrap_or_default();
        let program = if exe.starts_with("/usr") {
            "warren-server".to_owned()
        } else {
            exe.display().to_string()
        };
        match (&self.file, &config.data_dir) {
            (Some(file), _) if Some(file) == crate::config::default_file().as_ref() => program,
            (Some(file), _) => format!("{program} --config {}", file.display()),
            (None, Some(dir)) => format!("WARREN_DATA_DIR={} {program}", dir.display()),
            (None, None) => program,
        }
    }
}

async fn dispatch(
    command: Command,
    config: Config,
    started: &Started,
    json: bool,
) -> Result<ExitCode> {
    let output = Output { json };
    let request = match command {
        Command::Serve => {
            let again = started.again(&config);
            return serve::run(config, &again).await;
        }
        Command::Doctor => return doctor::run(config, output).await,
        Command::Policy(command) => return policy::run(command, &config, output).await,
        Command::Info => info::request(),
        Command::SetupLink => link::setup(),
        Command::LoginLink(login) => login.request(),
        Command::Tenant(command) => command.request(),
        Command::User(command) => command.request(),
        Command::AuthKey(command) => command.request(),
        Command::Node(command) => command.request(),
    };
    administer::run(&config, &request, output).await
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }
}
