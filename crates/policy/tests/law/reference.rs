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
    let reached = holds(to) || is_abroad(to.node, to.address);
    if !holds(from) || !reached || from.address.is_ipv4() != to.address.is_ipv4() {
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

/// Does some grant give a capability to one end at the other?
pub(crate) fn gives(document: &Value, directory: &Directory, from: End<'_>, to: End<'_>) -> bool {
    let law = Law {
        document,
        directory,
    };
    if !holds(from) || !holds(to) || from.address.is_ipv4() != to.address.is_ipv4() {
        return false;
    }
    let own = to.node.addresses.contains(&to.address);
    let grants = document["grants"].as_array().unwrap().iter();
    let mut apps = grants.filter(|g| g["app"].is_object() && g["via"].is_null());
    // `*` is a node itself there, not what lies behind it.
    apps.any(|g| {
        strings(&g["dst"]).any(|what| (own || what != "*") && law.joins(g, what, from, to))
    })
}

struct Law<'a> {
    document: &'a Value,
    directory: &'a Directory,
}

impl Law<'_> {
    /// Is one end a source of the rule, and the other its destination `what`?
    fn joins(&self, rule: &Value, what: &str, from: End<'_>, to: End<'_>) -> bool {
        let via: Vec<&str> = strings(&rule["via"]).collect();
        let is_router = || has_one(to.node, &via) && self.leads(what, to);
        if !via.is_empty() && !is_router() {
            return false;
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

    /// Is the node a router for the destination? Only addresses have routers.
    fn leads(&self, what: &str, to: End<'_>) -> bool {
        let abroad = is_abroad(to.node, to.address);
        if what == "autogroup:internet" {
            return abroad;
        }
        if what == "ipset:net" && abroad {
            return true;
        }
        let is_in = |a: IpAddr| self.holds_address(what, a).unwrap_or(false);
        // Where a set and a route meet, one of their bounds lies in both.
        let bounds = self.bounds(what);
        to.node.routes.iter().any(|route| {
            let inside = bounds.iter().copied().filter(|a| route.contains(*a));
            inside.chain([route.addr]).any(is_in)
        })
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
        if let Some(holds) = self.holds_address(selector, end.address) {
            return holds;
        }
        match selector {
            "*" | "autogroup:danger-all" => true,
            "autogroup:internet" => is_abroad(node, end.address),
            "autogroup:member" | "user:*@example.com" => own && is_personal(node),
            "autogroup:tagged" => own && !node.tags.is_empty(),
            s if s.starts_with("tag:") => own && node.tags.iter().any(|t| t == s),
            s if s.starts_with("autogroup:") => own && self.has_role(node, s),
            "group:eng@okta" => {
                let group = &self.directory.connections[0].groups[0];
                own && is_personal(node) && group.members.iter().any(|m| Some(*m) == node.user)
            }
            s if s.starts_with("group:") => {
                own && strings(&self.document["groups"][s]).any(|m| self.is_of(node, m))
            }
            s => own && s.contains('@') && self.is_of(node, s),
        }
    }

    /// Whether the addresses that a word names hold this one; `None` for words that name none.
    fn holds_address(&self, word: &str, address: IpAddr) -> Option<bool> {
        let word = word.strip_prefix("host:").unwrap_or(word);
        if word.starts_with("ipset:") {
            let mut inside = false;
            for entry in strings(&self.document["ipsets"][word]) {
                let (operation, what) = entry.split_once(' ').unwrap_or(("add", entry));
                let named = match what {
                    "autogroup:internet" => is_public(address),
                    what => self.holds_address(what, address) == Some(true),
                };
                if named {
                    inside = operation == "add";
                }
            }
            return Some(inside);
        }
        let text = self.document["hosts"][word].as_str().unwrap_or(word);
        if let Some((first, last)) = ends(text) {
            let of_family = first.is_ipv4() == address.is_ipv4();
            return Some(of_family && first <= address && address <= last);
        }
        let prefix = wire::net::Prefix::parse_any(text).ok()?;
        Some(prefix.contains(address))
    }

    /// The first addresses of what a word names, and the first ones after it.
    fn bounds(&self, word: &str) -> Vec<IpAddr> {
        let word = word.strip_prefix("host:").unwrap_or(word);
        if word.starts_with("ipset:") {
            let entries = strings(&self.document["ipsets"][word]);
            return entries
                .flat_map(|e| self.bounds(e.split_once(' ').map_or(e, |(_, what)| what)))
                .collect();
        }
        let text = self.document["hosts"][word].as_str().unwrap_or(word);
        let prefix = wire::net::Prefix::parse_any(text).ok();
        let both = ends(text).or_else(|| prefix.map(|p| (p.addr, last(p))));
        let Some((first, last)) = both else {
            return Vec::new();
        };
        let after = match last {
            IpAddr::V4(a) => IpAddr::V4(a.to_bits().wrapping_add(1).into()),
            IpAddr::V6(a) => IpAddr::V6(a.to_bits().wrapping_add(1).into()),
        };
        vec![first, after]
    }

    fn has_role(&self, node: &NodeFacts, group: &str) -> bool {
        use wire::api::Role;
        let of = |u: &&policy::User| Some(u.id) == node.user && is_personal(node);
        let Some(user) = self.directory.users.iter().find(of) else {
            return false;
        };
        match group {
            "autogroup:owner" => user.role == Role::Owner,
            "autogroup:admin" => user.role == Role::Owner || user.role == Role::Admin,
            "autogroup:it-admin" => user.role == Role::ItAdmin,
            "autogroup:network-admin" => user.role == Role::NetworkAdmin,
            "autogroup:billing-admin" => user.role == Role::BillingAdmin,
            "autogroup:auditor" => user.role == Role::Auditor,
            other => panic!("no role {other}"),
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

fn has_one(node: &NodeFacts, tags: &[&str]) -> bool {
    node.tags.iter().any(|t| tags.contains(&t.as_str()))
}

fn holds(end: End<'_>) -> bool {
    end.node.addresses.contains(&end.address)
        || end.node.routes.iter().any(|r| r.contains(end.address))
}

/// Is it an exit node, and the address on the Internet?
fn is_abroad(node: &NodeFacts, address: IpAddr) -> bool {
    !node.exit_routes.is_empty() && is_public(address)
}

/// What `autogroup:internet` holds.
fn is_public(address: IpAddr) -> bool {
    let outside = |text: &str| {
        let prefix: wire::net::Prefix = text.parse().unwrap();
        !prefix.contains(address)
    };
    let private = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
    ];
    match address {
        IpAddr::V4(_) => private.iter().all(|p| outside(p)),
        IpAddr::V6(_) => !outside("2000::/3"),
    }
}

/// `FIRST-LAST`
fn ends(text: &str) -> Option<(IpAddr, IpAddr)> {
    let (first, last) = text.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn last(prefix: wire::net::Prefix) -> IpAddr {
    match prefix.addr {
        IpAddr::V4(a) => {
            let free = u32::MAX.checked_shr(prefix.bits.into()).unwrap_or(0);
            IpAddr::V4((a.to_bits() | free).into())
        }
        IpAddr::V6(a) => {
            let free = u128::MAX.checked_shr(prefix.bits.into()).unwrap_or(0);
            IpAddr::V6((a.to_bits() | free).into())
        }
    }
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
        None | Some("*") => vec![6, 17, 1, 58],
        Some("tcp") => vec![6],
        Some("udp") => vec![17],
        Some("icmp") => vec![1],
        Some("ipv6-icmp") => vec![58],
        Some("sctp") => vec![132],
        Some("gre") => vec![47],
        Some("esp") => vec![50],
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
