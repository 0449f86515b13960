//! `warren ping`.

use std::{path::Path, time::Duration};

use clap::Args;

use super::{Failure, unexpected};
use crate::{
    clock::Clock,
    local_api::{
        Reply, Request, client,
        protocol::{ErrorCode, Pong},
    },
};

/// Between answers.
const INTERVAL: Duration = Duration::from_secs(1);
/// Between attempts while nobody answers.
const RETRY: Duration = Duration::from_millis(200);
/// A machine that has just joined is seen within this.
const APPEAR: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The peer's name, short or full, or its address in the mesh.
    host: String,
    /// Ask so many times, once a second. Without it: until an answer comes directly, which proves
    /// the direct path, or until the time is over.
    #[arg(short, long, value_name = "N")]
    count: Option<u32>,
    /// Seconds to wait: for each answer with --count, else in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    timeout: u64,
    /// Fail when no answer comes directly.
    #[arg(long)]
    until_direct: bool,
    /// Print a line of JSON for each answer.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(socket: &Path, options: &Options) -> Result<(), Failure> {
    let limit = Duration::from_secs(options.timeout);
    let direct = match options.count {
        Some(count) => several(socket, options, count, limit)?,
        None => until_direct(socket, options, limit)?,
    };
    if options.until_direct && !direct {
        return Err(Failure::Told(format!(
            "no direct path to {} was found; traffic goes through a relay",
            options.host
        )));
    }
    Ok(())
}

/// Whether the last answer came directly.
fn several(socket: &Path, options: &Options, count: u32, limit: Duration) -> Result<bool, Failure> {
    let mut direct = false;
    for nth in 0..count {
        if nth > 0 {
            std::thread::sleep(INTERVAL);
        }
        let pong = one(socket, &options.host, limit)?;
        direct = pong.direct.is_some();
        print(&pong, options.json)?;
    }
    Ok(direct)
}

/// Whether an answer came directly within `limit`. One answer at least must come.
fn until_direct(socket: &Path, options: &Options, limit: Duration) -> Result<bool, Failure> {
    let clock = Clock::system();
    let end = clock.now() + limit;
    let mut answered = false;
    loop {
        let left = end.saturating_duration_since(clock.now());
        match one(socket, &options.host, left) {
            Ok(pong) => {
                print(&pong, options.json)?;
                answered = true;
                if pong.direct.is_some() {
                    return Ok(true);
                }
            }
            Err(why) if !answered => return Err(why),
            Err(_) => return Ok(false),
        }
        if clock.now() + INTERVAL >= end {
            return Ok(false);
        }
        std::thread::sleep(INTERVAL);
    }
}

/// One answer, asked for as often as it takes within `limit`.
fn one(socket: &Path, host: &str, limit: Duration) -> Result<Pong, Failure> {
    let clock = Clock::system();
    let start = clock.now();
    let waited = || clock.now().saturating_duration_since(start);
    loop {
        let request = Request::Ping {
            host: host.to_owned(),
        };
        let reply = client::ask(socket, &request)?.read()?;
        let (patience, why) = match reply {
            Reply::Pong(pong) if waited() <= limit => return Ok(pong),
            Reply::Pong(_) | Reply::NoPong { .. } => (limit, no_answer(host, limit)),
            Reply::Error {
                code: ErrorCode::UnknownHost,
                message,
            } => (limit.min(APPEAR), message),
            other => return Err(unexpected(&other)),
        };
        if waited() + RETRY >= patience {
            return Err(Failure::Told(why));
        }
        std::thread::sleep(RETRY);
    }
}

fn no_answer(host: &str, limit: Duration) -> String {
    format!("{host} did not answer within {} s", limit.as_secs())
}

fn print(pong: &Pong, json: bool) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string(pong)?);
        return Ok(());
    }
    let way = match (&pong.direct, &pong.relay) {
        (Some(direct), _) => format!("directly from {direct}"),
        (None, Some(relay)) => format!("through relay {}", relay.code),
        (None, None) => "by an unknown path".to_owned(),
    };
    let address = pong.address.map(|a| format!(" ({a})")).unwrap_or_default();
    println!(
        "{}{address} answered {way} in {:.1} ms",
        pong.name, pong.rtt_ms
    );
    Ok(())
}
