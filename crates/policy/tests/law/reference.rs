//! The naive evaluator: it reads the document as plain JSON and tries every
//! rule, source and destination in nested loops. It shares no code with the crate.

#[path = "posture.rs"]
mod posture;

use std::net::IpAddr;

use policy::{Directory, End, NodeFacts};
use serde_json::Value;

/// May this packet pass?
pub(crate) fn allows(
    document: &Value,
    directory: &Directory,
    from: End<'_>,
    to: End<'_>,
    proto: u8,
    port: u16,
) -> bool {
    if !holds(from) || !holds(to) || from.address.is_ipv4() != to.address.is_ipv4() {
        return false;
    }
    let law = Law {
        document,
        directory,
    };
    for rule in document["acls"].as_array().unwrap() {
        if !protocols(rule["proto"].as_str()).contains(&proto) {
            continue;
        }
        for target in strings(&rule["dst"]) {
            let (what, ports) = target.rsplit_once(':').unwrap();
            let what = what.trim_matches(['[', ']']);
            if port_fits(ports, proto, port) && law.joins(rule, what, from, to) {
                return true;
            }
        }
    }
    for rule in document["grants"].as_array().unwrap() {
        for traffic in strings(&rule["ip"]) {
            let (name, ports) = match traffic.split_once(':') {
                Some((name, ports)) => (Some(name), ports),
                None => (None, traffic),
            };
            if !protocols(name).contains(&proto) || !port_fits(ports, proto, port) {
                continue;
            }
            if strings(&rule["dst"]).any(|what| law.joins(rule, what, from, to)) {
                return true;
            }
        }
    }
    false
}

struct Law<'a> {
    document: &'a Value,
    directory: &'a Directory,
}

impl Law<'_> {
    /// Is one end a source of the rule, and the other its destination `what`?
    fn joins(&self, rule: &Value, what: &str, from: End<'_>, to: End<'_>) -> bool {
        let via: Vec<&str> = strings(&rule["via"]).collect();
        if !via.is_empty() {
            // Only named addresses, on a router with the tag that routes some of them.
            let named = self.named(what);
            let serves = to
                .node
                .routes
                .iter()
                .any(|r| named.iter().any(|p| p.overlaps(r)));
            if !serves || !to.node.tags.iter().any(|t| via.contains(&t.as_str())) {
                return false;
            }
        }
        strings(&rule["src"]).any(|source| {
            if what == "autogroup:self" {
                self.is_own_device(source, from, to) && self.meets_posture(rule, from)
            } else {
                self.is_source(source, from)
                    && self.selects(what, to)
                    && self.meets_posture(rule, from)
            }
        })
    }

    /// Does the device meet one of the postures that the rule asks for? Hosts behind
    /// routers are not asked.
    fn meets_posture(&self, rule: &Value, from: End<'_>) -> bool {
        let mut asked: Vec<&str> = strings(&rule["srcPosture"]).collect();
        if asked.is_empty() {
            asked = strings(&self.document["defaultSrcPosture"]).collect();
        }
        let is_host = !from.node.addresses.contains(&from.address);
        is_host
            || asked.is_empty()
            || asked.iter().any(|name| {
                let mut conditions = strings(&self.document["postures"][name]);
                conditions.all(|text| posture::holds(text, from.node))
            })
    }

    /// The addresses that the document names by this word, if any; enough of them
    /// to tell which routes of the world they meet.
    fn named(&self, what: &str) -> Vec<wire::net::Prefix> {
        let text = self.document["hosts"][what].as_str().unwrap_or(what);
        let text = if text == "ipset:lab" {
            "10.1.0.0/16"
        } else {
            text
        };
        wire::net::Prefix::parse_any(text).into_iter().collect()
    }

    fn is_source(&self, selector: &str, end: End<'_>) -> bool {
        if selector != "*" {
            return self.selects(selector, end);
        }
        let mesh = match end.address {
            IpAddr::V4(a) => {
                let n = a.to_bits();
                let from = |s: &str| s.parse::<std::net::Ipv4Addr>().unwrap().to_bits();
                n >= from("100.64.0.0")
                    && n <= from("100.127.255.255")
                    && !(n >= from("100.115.92.0") && n <= from("100.115.93.255"))
            }
            IpAddr::V6(a) => a.segments()[..3] == [0xfd7a, 0x115c, 0xa1e0],
        };
        mesh || self
            .directory
            .routes
            .iter()
            .any(|r| r.contains(end.address))
    }

    fn selects(&self, selector: &str, end: End<'_>) -> bool {
        let node = end.node;
        let own = node.addresses.contains(&end.address);
        match selector {
            "*" | "autogroup:danger-all" => true,
            "ipset:lab" => {
                let inside = |p: &str| {
                    p.parse::<wire::net::Prefix>()
                        .unwrap()
                        .contains(end.address)
                };
                inside("10.1.0.0/16") && !inside("10.1.2.0/24") || inside("100.64.0.4/32")
            }
            "100.64.0.2-100.64.0.5" => match end.address {
                IpAddr::V4(a) => {
                    a.octets()[..3] == [100, 64, 0] && (2..=5).contains(&a.octets()[3])
                }
                IpAddr::V6(_) => false,
            },
            "autogroup:member" | "user:*@example.com" => own && is_personal(node),
            "autogroup:tagged" => own && !node.tags.is_empty(),
            s if s.starts_with("tag:") => own && node.tags.iter().any(|t| t == s),
            s if s.starts_with("group:") => {
                own && strings(&self.document["groups"][s]).any(|m| self.is_of(node, m))
            }
            s if s.contains('@') => own && self.is_of(node, s),
            s => {
                let text = self.document["hosts"][s].as_str().unwrap_or(s);
                wire::net::Prefix::parse_any(text)
                    .unwrap()
                    .contains(end.address)
            }
        }
    }

    fn is_of(&self, node: &NodeFacts, email: &str) -> bool {
        is_personal(node)
            && self
                .directory
                .users
                .iter()
                .any(|u| Some(u.id) == node.user && u.email == email)
    }

    fn is_own_device(&self, source: &str, from: End<'_>, to: End<'_>) -> bool {
        is_personal(from.node)
            && is_personal(to.node)
            && from.node.user == to.node.user
            && from.node.addresses.contains(&from.address)
            && to.node.addresses.contains(&to.address)
            && self.selects(source, from)
    }
}

fn is_personal(node: &NodeFacts) -> bool {
    node.user.is_some() && node.tags.is_empty()
}

fn holds(end: End<'_>) -> bool {
    end.node.addresses.contains(&end.address)
        || end.node.routes.iter().any(|r| r.contains(end.address))
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn protocols(name: Option<&str>) -> Vec<u8> {
    match name {
        None => vec![6, 17, 1, 58],
        Some("tcp") => vec![6],
        Some("udp") => vec![17],
        Some("icmp") => vec![1, 58],
        Some(number) => vec![number.parse().unwrap()],
    }
}

fn port_fits(ports: &str, proto: u8, port: u16) -> bool {
    match proto {
        1 | 58 => true,
        6 | 17 | 132 => {
            ports == "*"
                || ports.split(',').any(|p| {
                    let (first, last) = p.split_once('-').unwrap_or((p, p));
                    (first.parse().unwrap()..=last.parse().unwrap()).contains(&port)
                })
        }
        _ => ports == "*",
    }
}
