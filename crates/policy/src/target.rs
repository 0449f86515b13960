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
    let refuse = |why: &str, help: String, sink: &mut Sink| {
        let message = format!("dst=\"{}\": {why}", text.text);
        sink.error(Code::InvalidPorts, text.span, message)
            .help(help);
    };
    let all = || format!("write `{}` for all ports", with_all_ports(&text.text));
    let (what, ports) = match split(&text.text) {
        Ok(parts) => parts,
        Err(why) => {
            refuse(&why, all(), sink);
            return None;
        }
    };
    let ports = match read_ports(ports) {
        Ok(ports) => ports,
        Err(why) => {
            let help = "write ports as `*`, `22`, `80,443` or `8000-8999`";
            refuse(&why, help.to_owned(), sink);
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

/// The selector and the ports; the error is the service's wording of what is
/// wrong with a text without ports.
fn split(text: &str) -> Result<(String, &str), String> {
    // A whole IPv6 address is no address with a port.
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err("an IPv6 address stands in brackets before its ports".to_owned());
    }
    let (what, ports) = text
        .rsplit_once(':')
        .ok_or("hostport must contain a colon (\":\")")?;
    let is_kind = matches!(
        what,
        "tag" | "group" | "autogroup" | "host" | "svc" | "ipset" | "user" | "posture"
    );
    if is_kind {
        return Err(format!("port range \"{ports}\": invalid first integer"));
    }
    Ok(
        match what.strip_prefix('[').and_then(|w| w.split_once(']')) {
            Some((address, rest)) => (format!("{address}{rest}"), ports),
            None => (what.to_owned(), ports),
        },
    )
}

fn with_all_ports(text: &str) -> String {
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{text}]:*")
    } else {
        format!("{text}:*")
    }
}

/// Reads `*` or a list of ports and ranges; the error is the service's wording.
pub(crate) fn read_ports(text: &str) -> Result<Vec<PortRange>, String> {
    if text == "*" {
        return Ok(vec![PortRange::ANY]);
    }
    if text.is_empty() {
        return Err("invalid port list: \"\"".to_owned());
    }
    let ranges = text.split(',').map(|part| {
        let part = part.trim();
        range(part).map_err(|why| format!("port range \"{part}\": {why}"))
    });
    ranges.collect()
}

fn range(text: &str) -> Result<PortRange, &'static str> {
    if text.matches('-').count() > 1 {
        return Err("too many dashes(-)");
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let first = port(first).ok_or("invalid first integer")?;
    let last = port(last).ok_or("invalid last integer")?;
    if first == 0 {
        return Err("first port must be >0, or use '*' for wildcard");
    }
    if first > last {
        return Err("first port must be >= last port");
    }
    Ok(PortRange { first, last })
}

fn port(text: &str) -> Option<u16> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
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
        assert_eq!(
            one("fd7a::1").unwrap_err(),
            "dst=\"fd7a::1\": an IPv6 address stands in brackets before its ports"
        );
    }

    #[test]
    fn refusals_name_the_ports() {
        for (text, why) in [
            ("tag:web", "port range \"web\": invalid first integer"),
            ("printer", "hostport must contain a colon (\":\")"),
            (
                "tag:a:90-80",
                "port range \"90-80\": first port must be >= last port",
            ),
            ("tag:a:65536", "port range \"65536\": invalid first integer"),
            (
                "tag:a:1-65536",
                "port range \"1-65536\": invalid last integer",
            ),
            ("tag:a:1-2-3", "port range \"1-2-3\": too many dashes(-)"),
            ("tag:a:", "invalid port list: \"\""),
            ("tag:a:1,", "port range \"\": invalid first integer"),
            (
                "tag:server:ssh",
                "port range \"ssh\": invalid first integer",
            ),
        ] {
            assert_eq!(one(text).unwrap_err(), format!("dst=\"{text}\": {why}"));
        }
    }
}
