//! Two filters are equal when they pass the same packets, however they are spelled.

use std::{collections::BTreeSet, net::IpAddr};

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
pub(crate) fn filters(ours: &[FilterRule], theirs: &[FilterRule]) -> Result<(), String> {
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
    let mut spans: Vec<Span> = passes
        .iter()
        .filter(|p| {
            (p.target.0..=p.target.1).contains(&target)
                && (p.ports.0..=p.ports.1).contains(&port)
                && p.protocols.contains(&protocol)
        })
        .flat_map(|p| p.sources.iter().copied())
        .collect();
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
