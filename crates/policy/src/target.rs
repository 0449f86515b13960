//! The destinations of a rule: a selector and its ports.

use wire::net::PortRange;

use crate::{
    diagnostic::{Code, Sink, Span},
    selector::{self, Selector},
    source::Text,
};

/// A destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub span: Span,
    /// What it selects.
    pub selector: Selector,
    /// Its ports, at least one range.
    pub ports: Vec<PortRange>,
}

/// Reads `SELECTOR:PORTS`; an IPv6 address may stand in brackets.
pub(crate) fn read(text: &Text, sink: &mut Sink) -> Option<Target> {
    let Some((what, ports)) = split(&text.text) else {
        sink.error(
            Code::InvalidPorts,
            text.span,
            format!("`{}` names no ports", text.text),
        )
        .help(format!(
            "write `{}` for all of them",
            with_all_ports(&text.text)
        ));
        return None;
    };
    let ports = match read_ports(ports) {
        Ok(ports) => ports,
        Err(why) => {
            sink.error(
                Code::InvalidPorts,
                text.span,
                format!("dst=\"{}\": port range \"{ports}\": {why}", text.text),
            )
            .help("write ports as `*`, `22`, `80,443` or `8000-8999`");
            return None;
        }
    };
    let selector = selector::read(
        &Text {
            span: text.span,
            text: what,
        },
        sink,
    )?;
    Some(Target {
        span: text.span,
        selector,
        ports,
    })
}

/// The selector and the ports; `None` when there are no ports.
fn split(text: &str) -> Option<(String, &str)> {
    // A whole IPv6 address is no address with a port.
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return None;
    }
    let (what, ports) = text.rsplit_once(':')?;
    let is_kind = matches!(
        what,
        "tag" | "group" | "autogroup" | "host" | "svc" | "ipset" | "user" | "posture"
    );
    if is_kind {
        return None;
    }
    match what.strip_prefix('[').and_then(|w| w.split_once(']')) {
        Some((address, rest)) => Some((format!("{address}{rest}"), ports)),
        None => Some((what.to_owned(), ports)),
    }
}

fn with_all_ports(text: &str) -> String {
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{text}]:*")
    } else {
        format!("{text}:*")
    }
}

/// Reads `*` or a list of ports and ranges; the error is the service's wording.
pub(crate) fn read_ports(text: &str) -> Result<Vec<PortRange>, &'static str> {
    if text == "*" {
        return Ok(vec![PortRange::ANY]);
    }
    text.split(',').map(|part| range(part.trim())).collect()
}

fn range(text: &str) -> Result<PortRange, &'static str> {
    let Some((first, last)) = text.split_once('-') else {
        let only = port(text, "invalid first integer")?;
        if only == 0 {
            return Err("first port must be >0, or use '*' for wildcard");
        }
        return Ok(PortRange::one(only));
    };
    let first = port(first, "invalid first integer")?;
    let last = port(last, "invalid last integer")?;
    if first > last {
        return Err("invalid port range: first port is greater than last port");
    }
    Ok(PortRange { first, last })
}

fn port(text: &str, why: &'static str) -> Result<u16, &'static str> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(why);
    }
    text.parse().map_err(|_| "port number out of range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::SelectorKind;

    fn one(text: &str) -> Result<(SelectorKind, Vec<PortRange>), String> {
        let mut sink = Sink::default();
        let text = Text {
            span: Span::new(0, 1),
            text: text.to_owned(),
        };
        read(&text, &mut sink)
            .map(|t| (t.selector.kind, t.ports))
            .ok_or_else(|| sink.finish()[0].message.clone())
    }

    #[test]
    fn ports_are_lists_of_ranges() {
        let (_, ports) = one("tag:web:22,80-443").unwrap();
        assert_eq!(
            ports,
            [
                PortRange::one(22),
                PortRange {
                    first: 80,
                    last: 443
                }
            ]
        );
        assert_eq!(
            one("*:*").unwrap(),
            (SelectorKind::Any, vec![PortRange::ANY])
        );
    }

    #[test]
    fn ipv6_addresses_take_ports_in_brackets() {
        let (kind, ports) = one("[fd7a::1]:22").unwrap();
        assert_eq!(kind.to_string(), "fd7a::1");
        assert_eq!(ports, [PortRange::one(22)]);
        assert_eq!(one("[fd7a::]/64:22").unwrap().0.to_string(), "fd7a::/64");
        assert_eq!(one("fd7a::/64:22").unwrap().0.to_string(), "fd7a::/64");
        assert_eq!(one("fd7a::1").unwrap_err(), "`fd7a::1` names no ports");
    }

    #[test]
    fn refusals_name_the_ports() {
        assert_eq!(one("tag:web").unwrap_err(), "`tag:web` names no ports");
        assert_eq!(
            one("tag:server:ssh").unwrap_err(),
            "dst=\"tag:server:ssh\": port range \"ssh\": invalid first integer"
        );
        assert!(
            one("tag:a:90-80")
                .unwrap_err()
                .ends_with("greater than last port")
        );
        assert!(one("tag:a:65536").unwrap_err().ends_with("out of range"));
        assert!(one("tag:a:").is_err());
        assert!(one("tag:a:1,").is_err());
    }
}
