//! The command line: asks the daemon, prints for people, with `--json` for programs.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks to the person who uses it"
)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each command has few replies; any other is told as it is"
)]

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{
        Config, DEFAULT_INTERFACE, DEFAULT_PORT, DEFAULT_SOCKET, DEFAULT_STATE_DIR, Environment,
    },
    daemon,
    local_api::{
        Reply, Request,
        client::{self, ClientError},
        protocol::ErrorCode,
    },
    telemetry,
};

mod down;
mod ip;
mod netcheck;
mod ping;
mod status;
mod table;
mod up;

/// Joins this machine to a private mesh of machines.
///
/// `warren up --server URL` joins; the daemon (`warren daemon`, usually a
/// service) then keeps the machine connected, directly with its peers where
/// that is possible and through a relay where not.
#[derive(Debug, Parser)]
#[command(name = "warren", version, max_term_width = 100)]
struct Cli {
    /// The daemon's socket. Several daemons on one machine have one each.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Join a mesh, or come back to it.
    ///
    /// The first time, name the server. With an auth key the machine joins at
    /// once; without one, a link is shown that a person opens to let it in.
    /// Later, `warren up` alone is enough. What is not given stays as it was.
    Up(up::Options),
    /// Disconnect, and stay a member. `warren up` comes back.
    Down,
    /// Leave the mesh: the server forgets this machine's key, and so does the machine.
    Logout,
    /// Show this machine and its peers, and how each is reached.
    Status(Json),
    /// Ask a peer for a sign of life over the mesh's own paths.
    ///
    /// Shows whether the answer came directly, and from where, or through a
    /// relay, and how long it took. It says nothing about the peer's services:
    /// those are the access policy's and the peer's own matter.
    Ping(ping::Options),
    /// Examine the network: does UDP work, what kind of NAT is in the way, which relay is near?
    Netcheck(Json),
    /// Show this machine's addresses in the mesh, or a peer's.
    Ip(ip::Options),
    /// Print a report for a person who helps. It holds addresses and machine names, and no secret.
    Bugreport,
    /// Print the version.
    Version,
    /// Run the daemon. Needs root, or the right to make network interfaces (`CAP_NET_ADMIN`).
    Daemon(DaemonOptions),
}

#[derive(Debug, Args)]
struct Json {
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct DaemonOptions {
    /// The folder of keys, preferences and the last netmap. It must be for the daemon alone (0700).
    #[arg(long, value_name = "FOLDER", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
    /// The network interface to make. Several daemons on one machine need different ones.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_INTERFACE)]
    interface: String,
    /// The UDP port. A firewall in front may forward it. 0 takes any; so does one that is in use.
    #[arg(long, value_name = "PORT", default_value_t = DEFAULT_PORT)]
    port: u16,
}

/// Why a command failed, and the exit code.
#[derive(Debug)]
enum Failure {
    /// Told already; or there is nothing to tell.
    Quiet,
    /// To be told.
    Told(String),
}

impl From<ClientError> for Failure {
    fn from(why: ClientError) -> Self {
        Self::Told(why.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(why: serde_json::Error) -> Self {
        Self::Told(why.to_string())
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Quiet) => ExitCode::FAILURE,
        Err(Failure::Told(why)) => {
            eprintln!("warren: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let socket = &cli.socket;
    match cli.command {
        Command::Up(options) => up::run(socket, options),
        Command::Down => down::run(socket, &Request::Down),
        Command::Logout => down::run(socket, &Request::Logout),
        Command::Status(Json { json }) => status::run(socket, json),
        Command::Ping(options) => ping::run(socket, &options),
        Command::Netcheck(Json { json }) => netcheck::run(socket, json),
        Command::Ip(options) => ip::run(socket, &options),
        Command::Bugreport => match ask(socket, &Request::Bugreport)? {
            Reply::Report { text } => {
                print!("{text}");
                Ok(())
            }
            other => Err(unexpected(&other)),
        },
        Command::Version => {
            println!("warren {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Command::Daemon(options) => run_daemon(cli.socket, options),
    }
}

fn run_daemon(socket: PathBuf, options: DaemonOptions) -> Result<(), Failure> {
    let environment = Environment::read();
    let told = |why: anyhow::Error| {
        let denied = |e: &std::io::Error| e.kind() == std::io::ErrorKind::PermissionDenied;
        let hint = why.chain().filter_map(|c| c.downcast_ref()).any(denied);
        let hint = if hint { ". Run the daemon as root" } else { "" };
        Failure::Told(format!("{why:#}{hint}"))
    };
    let recent = telemetry::start(environment.log.as_deref()).map_err(told)?;
    let config = Config {
        socket,
        state_dir: options.state_dir,
        interface: options.interface,
        port: options.port,
    };
    daemon::run(config, &environment, recent).map_err(told)
}

/// One request, one reply; an error of the daemon's is a failure.
fn ask(socket: &std::path::Path, request: &Request) -> Result<Reply, Failure> {
    match client::ask(socket, request)?.read()? {
        Reply::Error { code: _, message } => Err(Failure::Told(message)),
        reply => Ok(reply),
    }
}

fn unexpected(reply: &Reply) -> Failure {
    match reply {
        Reply::Error { code, message } => Failure::Told(match code {
            ErrorCode::BadRequest => format!("the daemon does not understand: {message}"),
            _ => message.clone(),
        }),
        other => Failure::Told(format!("the daemon gave another answer: {other:?}")),
    }
}

#[cfg(test)]
mod tests;
