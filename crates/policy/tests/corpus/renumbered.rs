//! Captures whose nodes bear other numbers than when they were taken.
//!
//! Where a node's IPv6 address is the host part of its IPv4 one, the node was
//! renumbered after the capture, and the policy's text was not. A policy that
//! names such an address named one that no node had: the service answered
//! accordingly (empty filters, tests of an unknown address). So the nodes of
//! such a capture get other numbers again, in what they are and in what is
//! expected of them; which ones does not matter to a policy that names none. It
//! must hold so, and still does not count as passed: it is not as captured.

use std::net::{IpAddr, Ipv6Addr};

use serde_json::Value;

/// What is printed of such a capture.
pub(crate) const RULE: &str = "its policy names an IPv6 address that a node was given after the capture; \
     it holds with other numbers";

/// Gives the nodes other IPv6 addresses where the policy names a later one;
/// tells whether it did.
pub(crate) fn restore(case: &mut Value) -> bool {
    let policy = case["policy"].as_str().unwrap_or_default();
    let machines = case["nodes"].as_object().into_iter().flatten();
    let given: Vec<Ipv6Addr> = machines.filter_map(|(_, m)| later_number(m)).collect();
    if !given.iter().any(|address| names(policy, *address)) {
        return false;
    }
    for part in ["nodes", "expect"] {
        replace(&mut case[part], &given);
    }
    true
}

/// The IPv6 address of a node that was renumbered.
fn later_number(machine: &Value) -> Option<Ipv6Addr> {
    let address = |key: &str| machine[key].as_str()?.parse().ok();
    let (IpAddr::V4(v4), IpAddr::V6(v6)) = (address("ipv4")?, address("ipv6")?) else {
        return None;
    };
    let is_later = v6.segments()[7] == u16::from(v4.octets()[3]) && v6.segments()[3..7] == [0; 4];
    is_later.then_some(v6)
}

/// True when the text has the address itself, not one that it is the start of.
fn names(policy: &str, address: Ipv6Addr) -> bool {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '/' | '.');
    let mut words = policy.split(|c: char| !is_part(c));
    words.any(|word| word.parse() == Ok(address) || word == format!("{address}/128"))
}

/// Another address in the place of each that was given later.
fn replace(value: &mut Value, given: &[Ipv6Addr]) {
    match value {
        Value::String(text) => {
            let (bare, length) = match text.split_once('/') {
                Some((bare, length)) => (bare, format!("/{length}")),
                None => (text.as_str(), String::new()),
            };
            if let Ok(address) = bare.parse::<Ipv6Addr>()
                && given.contains(&address)
            {
                *text = format!("{}{length}", other(address));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, given)),
        Value::Object(members) => {
            let old = std::mem::take(members);
            for (key, mut item) in old {
                replace(&mut item, given);
                let mut key = Value::String(key);
                replace(&mut key, given);
                members.insert(key.as_str().unwrap_or_default().to_owned(), item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn other(address: Ipv6Addr) -> Ipv6Addr {
    let mut segments = address.segments();
    segments[6] = 0x7b01;
    segments.into()
}
