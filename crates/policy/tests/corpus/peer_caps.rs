//! What a node finds granted to a peer.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use policy::NodeFacts;
use serde_json::Value;
use wire::{filter::FilterRule, net::Prefix};

/// Capability to its values, as text so that they can be sorted.
type Caps = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn compare(
    rules: &[FilterRule],
    node: &NodeFacts,
    theirs: &BTreeMap<IpAddr, Value>,
) -> Result<(), String> {
    for (peer, told) in theirs {
        let ours = granted(rules, node, *peer);
        let mut captured = Caps::new();
        for (name, values) in told["CapMap"].as_object().into_iter().flatten() {
            let values = values.as_array().into_iter().flatten();
            captured.insert(name.clone(), values.map(Value::to_string).collect());
        }
        if ours != captured {
            return Err(format!("peer_caps of {peer}: {ours:?}, not {captured:?}"));
        }
    }
    Ok(())
}

fn granted(rules: &[FilterRule], node: &NodeFacts, peer: IpAddr) -> Caps {
    let mut caps = Caps::new();
    for rule in rules {
        if !rule.src_ips.iter().any(|s| holds(s, peer)) {
            continue;
        }
        for grant in &rule.cap_grant {
            let dsts = || grant.dsts.iter().map(|d| Prefix::parse_any(d).unwrap());
            let own = node
                .addresses
                .iter()
                .filter(|a| a.is_ipv4() == peer.is_ipv4());
            if !own.into_iter().any(|a| dsts().any(|d| d.contains(*a))) {
                continue;
            }
            for (name, values) in &grant.cap_map {
                let into = caps.entry(name.clone()).or_default();
                into.extend(values.iter().map(Value::to_string));
            }
        }
    }
    caps
}

/// True when a source as filters spell it holds the address.
fn holds(text: &str, address: IpAddr) -> bool {
    if text == "*" {
        return true;
    }
    match text.split_once('-') {
        Some((first, last)) => {
            let (first, last): (IpAddr, IpAddr) = (first.parse().unwrap(), last.parse().unwrap());
            first.is_ipv4() == address.is_ipv4() && (first..=last).contains(&address)
        }
        None => Prefix::parse_any(text).unwrap().contains(address),
    }
}
