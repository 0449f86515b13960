//! Two filters are equal when they pass the same packets and give the same
//! capabilities, however they are spelled.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use wire::{filter::FilterRule, net::Prefix};

/// Addresses as numbers, the families apart; both ends included.
type Span = (u128, u128);

struct Pass {
    sources: Vec<Span>,
    protocols: Vec<i32>,
    target: Span,
    ports: (u32, u32),
}

/// The first difference between two filters.
pub(crate) fn compare(ours: &[FilterRule], theirs: &[FilterRule]) -> Result<(), String> {
    compare_traffic(ours, theirs)?;
    let (ours, theirs) = (grants(ours), grants(theirs));
    let names: BTreeSet<&Given> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        let none = Vec::new();
        let a = ours.get(name).unwrap_or(&none);
        let b = theirs.get(name).unwrap_or(&none);
        let ends: BTreeSet<u128> = a
            .iter()
            .chain(b)
            .flat_map(|(_, (first, last))| [*first, last.saturating_add(1)])
            .collect();
        for at in ends {
            if receivers(a, at) != receivers(b, at) {
                return Err(format!("capability {name:?}: {a:?}, not {b:?}"));
            }
        }
    }
    Ok(())
}

/// A capability and one of its values, or none.
type Given = (String, Option<String>);

/// By capability and value: sources and the destination.
fn grants(rules: &[FilterRule]) -> BTreeMap<Given, Vec<(Vec<Span>, Span)>> {
    let mut all: BTreeMap<Given, Vec<(Vec<Span>, Span)>> = BTreeMap::new();
    for rule in rules.iter().filter(|r| !r.src_ips.is_empty()) {
        let sources: Vec<Span> = rule.src_ips.iter().flat_map(|s| spans(s)).collect();
        for grant in &rule.cap_grant {
            for target in grant.dsts.iter().flat_map(|d| spans(d)) {
                for (name, values) in &grant.cap_map {
                    let values = values.iter().map(|v| Some(v.to_string()));
                    // The capability alone, and each of its values.
                    for value in values.chain([None]) {
                        let into = all.entry((name.clone(), value)).or_default();
                        into.push((sources.clone(), target));
                    }
                }
            }
        }
    }
    all
}

fn receivers(given: &[(Vec<Span>, Span)], target: u128) -> Vec<Span> {
    let holding = given
        .iter()
        .filter(|(_, (first, last))| (*first..=*last).contains(&target));
    join(holding.flat_map(|(s, _)| s.iter().copied()).collect())
}

fn compare_traffic(ours: &[FilterRule], theirs: &[FilterRule]) -> Result<(), String> {
    let (ours_raw, theirs_raw) = (ours, theirs);
    let (ours, theirs) = (passes(ours), passes(theirs));
    let all = || ours.iter().chain(&theirs);
    let targets: BTreeSet<u128> = all()
        .flat_map(|p| [p.target.0, p.target.1.saturating_add(1)])
        .collect();
    let ports: BTreeSet<u32> = all().flat_map(|p| [p.ports.0, p.ports.1 + 1]).collect();
    let protocols: BTreeSet<i32> = all().flat_map(|p| p.protocols.iter().copied()).collect();
    for target in &targets {
        for port in &ports {
            for protocol in &protocols {
                let a = sources(&ours, *target, *port, *protocol);
                let b = sources(&theirs, *target, *port, *protocol);
                if a != b {
                    return Err(format!(
                        "protocol {protocol} port {port}: {ours_raw:?}, not {theirs_raw:?}"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Who may reach one destination, joined and sorted.
fn sources(passes: &[Pass], target: u128, port: u32, protocol: i32) -> Vec<Span> {
    let spans = passes
        .iter()
        .filter(|p| {
            (p.target.0..=p.target.1).contains(&target)
                && (p.ports.0..=p.ports.1).contains(&port)
                && p.protocols.contains(&protocol)
        })
        .flat_map(|p| p.sources.iter().copied());
    join(spans.collect())
}

fn join(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for (first, last) in spans {
        match joined.last_mut() {
            Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}

fn passes(rules: &[FilterRule]) -> Vec<Pass> {
    let mut all = Vec::new();
    for rule in rules {
        let protocols = match rule.ip_proto.as_slice() {
            [] => vec![6, 17, 1, 58],
            some => some.to_vec(),
        };
        for dst in &rule.dst_ports {
            for target in spans(&dst.ip) {
                all.push(Pass {
                    sources: rule.src_ips.iter().flat_map(|s| spans(s)).collect(),
                    protocols: protocols.clone(),
                    target,
                    ports: (dst.ports.first.into(), dst.ports.last.into()),
                });
            }
        }
    }
    all
}

fn spans(text: &str) -> Vec<Span> {
    if text == "*" {
        return vec![prefix(Prefix::ALL_IPV4), prefix(Prefix::ALL_IPV6)];
    }
    match text.split_once('-') {
        Some((first, last)) => vec![(
            number(first.parse().unwrap()),
            number(last.parse().unwrap()),
        )],
        None => vec![prefix(Prefix::parse_any(text).unwrap())],
    }
}

fn prefix(prefix: Prefix) -> Span {
    let first = number(prefix.addr);
    let free = if prefix.addr.is_ipv4() { 32 } else { 128 } - u32::from(prefix.bits);
    let rest = 1_u128.checked_shl(free).map_or(u128::MAX, |n| n - 1);
    (first, first | rest)
}

/// IPv4 in the low half of `::/16`, where no IPv6 address of the captures lies.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => u128::from(a.to_bits()) | (1 << 40),
        IpAddr::V6(a) => a.to_bits(),
    }
}
