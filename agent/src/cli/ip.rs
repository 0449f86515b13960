//! `warren ip`.

use std::{net::IpAddr, path::Path};

use clap::Args;

use super::{Failure, status};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// A peer's name; without one, this machine.
    peer: Option<String>,
    /// The IPv4 address only.
    #[arg(short = '4', conflicts_with = "v6")]
    v4: bool,
    /// The IPv6 address only.
    #[arg(short = '6')]
    v6: bool,
}

pub(super) fn run(socket: &Path, options: &Options) -> Result<(), Failure> {
    let status = status::ask(socket)?;
    let addresses = match &options.peer {
        None => status.node.map(|n| n.addresses).ok_or_else(|| {
            Failure::Told("this machine has no addresses yet: run `warren up`".to_owned())
        })?,
        Some(name) => {
            let is_it = |full: &str| full == name || full.split('.').next() == Some(name);
            let found = status.peers.into_iter().find(|p| is_it(&p.name));
            found
                .map(|p| p.addresses)
                .ok_or_else(|| Failure::Told(format!("no peer is called `{name}`")))?
        }
    };
    for address in addresses.iter().filter(|a| wanted(options, **a)) {
        println!("{address}");
    }
    Ok(())
}

fn wanted(options: &Options, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !options.v6,
        IpAddr::V6(_) => !options.v4,
    }
}
