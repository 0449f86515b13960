//! `TO[:PORTS]` of the command line.

use std::net::{IpAddr, Ipv6Addr};

use anyhow::{Result, bail};
use policy::explain::read_ports;
use wire::net::Prefix;

/// What stands in front of a colon that belongs to the name.
const KINDS: [&str; 7] = ["tag", "group", "autogroup", "ipset", "svc", "user", "host"];

/// What is in front of the ports, and the ports, as policies write them.
///
/// # Errors
/// When an IPv6 address may end in a port, or what follows the name is no port.
pub(super) fn split(text: &str) -> Result<(String, String)> {
    let text = text.trim();
    let whole = || Ok((text.to_owned(), "*".to_owned()));
    if let Some(bracketed) = text.strip_prefix('[') {
        return match bracketed.split_once(']') {
            Some((name, "")) => Ok((name.to_owned(), "*".to_owned())),
            Some((name, ports)) if ports.starts_with(':') => {
                known(name, ports.trim_start_matches(':'))
            }
            Some((name, _)) => bail!(
                "`{text}` is not how an address and its ports are written: write `[{name}]:22`"
            ),
            None => bail!("`{text}` opens a bracket and does not close it"),
        };
    }
    let Some((name, ports)) = text.rsplit_once(':') else {
        return whole();
    };
    let first = text.split_once('-').map_or(text, |(first, _)| first);
    if first.parse::<Ipv6Addr>().is_ok() {
        let last = text.split_once('-').map_or(text, |(_, last)| last);
        let bare = last.rsplit_once(':').map_or(last, |(bare, _)| bare);
        if bare.parse::<IpAddr>().is_ok() && read_ports(ports).is_ok() {
            bail!(
                "`{text}` may be an address, or an address and a port: write `[{name}]:{ports}` \
                 for port {ports} of {name}, or `[{text}]` for the address"
            );
        }
        return whole();
    }
    if KINDS.contains(&name) || text.parse::<Prefix>().is_ok() {
        return whole();
    }
    known(name, ports)
}

fn known(name: &str, ports: &str) -> Result<(String, String)> {
    if ports.is_empty() {
        bail!("`{name}:` ends without a port: write `{name}:22`, or `{name}` for every port");
    }
    if let Err(unclear) = read_ports(ports) {
        bail!("{unclear}");
    }
    Ok((name.to_owned(), ports.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_policies_write_them() {
        for (text, name, ports) in [
            ("web-1", "web-1", "*"),
            ("web-1:443", "web-1", "443"),
            ("web-1:ssh", "web-1", "ssh"),
            ("tag:db:22,5432", "tag:db", "22,5432"),
            ("tag:db:postgres", "tag:db", "postgres"),
            ("tag:db", "tag:db", "*"),
            ("tag:80", "tag:80", "*"),
            ("tag:ssh", "tag:ssh", "*"),
            ("group:ops:8000-8999", "group:ops", "8000-8999"),
            ("group:ops@okta:22", "group:ops@okta", "22"),
            ("user:*@example.com", "user:*@example.com", "*"),
            ("bob@example.com:22", "bob@example.com", "22"),
            ("10.20.0.0/16:443", "10.20.0.0/16", "443"),
            ("100.64.0.1-100.64.0.3:22", "100.64.0.1-100.64.0.3", "22"),
            ("100.64.0.7:22", "100.64.0.7", "22"),
            ("fd7a:115c:a1e0::7", "fd7a:115c:a1e0::7", "*"),
            (
                "fd7a:115c:a1e0::ab12:cd34",
                "fd7a:115c:a1e0::ab12:cd34",
                "*",
            ),
            ("fd7a:115c:a1e0:0:0:0:0:7", "fd7a:115c:a1e0:0:0:0:0:7", "*"),
            ("fd7a:115c:a1e0::/48", "fd7a:115c:a1e0::/48", "*"),
            ("fd7a:115c:a1e0::/48:22", "fd7a:115c:a1e0::/48", "22"),
            ("fd7a::1-fd7a::5", "fd7a::1-fd7a::5", "*"),
            ("[fd7a:115c:a1e0::7]:22", "fd7a:115c:a1e0::7", "22"),
            ("[fd7a:115c:a1e0::7:22]", "fd7a:115c:a1e0::7:22", "*"),
            ("*:*", "*", "*"),
        ] {
            let read = split(text).unwrap();
            assert_eq!(read, (name.to_owned(), ports.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_asked_back() {
        for (text, said) in [
            (
                "fd7a:115c:a1e0::3:5432",
                "`fd7a:115c:a1e0::3:5432` may be an address, or an address and a port: \
                 write `[fd7a:115c:a1e0::3]:5432` for port 5432 of fd7a:115c:a1e0::3, \
                 or `[fd7a:115c:a1e0::3:5432]` for the address",
            ),
            (
                "[fd7a:115c:a1e0::3]22",
                "`[fd7a:115c:a1e0::3]22` is not how an address and its ports are written: \
                 write `[fd7a:115c:a1e0::3]:22`",
            ),
            (
                "web-1:shh",
                "`shh` is neither a port nor a service that has a name here; did you mean `ssh`?",
            ),
            (
                "web-1:",
                "`web-1:` ends without a port: write `web-1:22`, or `web-1` for every port",
            ),
        ] {
            assert_eq!(split(text).unwrap_err().to_string(), said);
        }
    }
}
