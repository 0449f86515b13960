//! The command line.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it speaks to people"
)]

mod serve;

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
  A TOML file (--config FILE or WARREN_CONFIG) and environment variables, which win:
  WARREN_HTTP__LISTEN is the key `listen` of the section `[http]`. Without either it serves
  this machine alone, on http://127.0.0.1:8080, with SQLite. `warren-server doctor` checks a
  configuration against reality; docs/configuration.md lists every key.

At the shell of a server that runs, the same program administers it:
  warren-server auth-key create --user you@example.com --reusable
  warren-server node list
  warren-server policy set policy.hujson";

#[derive(Debug, Parser)]
#[command(name = "warren-server", version, about = ABOUT, after_help = START)]
struct Cli {
    /// The configuration file.
    #[arg(long, global = true, env = "WARREN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What is logged, instead of the configuration's `log.filter`: `debug`, `info,sqlx=debug`.
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve: console, control, relay and STUN, until SIGTERM or Ctrl-C.
    Serve,
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
    let config = crate::config::load(cli.config.as_deref())?;
    let filter = cli.log.as_deref().unwrap_or(&config.log.filter);
    telemetry::init(config.log.format, filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(dispatch(cli.command, config))
}

async fn dispatch(command: Command, config: Config) -> Result<ExitCode> {
    match command {
        Command::Serve => serve::run(config).await,
    }
}
