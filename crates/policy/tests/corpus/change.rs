//! Captures in which one expected value is another.

use serde_json::{Value, json};
use wire::net::Prefix;

use crate::case::{Case, Facts, Reject, Seen};

type Change = fn(&mut Seen) -> Option<()>;

const CHANGES: [(&str, Change); 6] = [
    ("a port", port),
    ("a destination", destination),
    ("an address", address),
    ("a peer", peer),
    ("a capability", capability),
    ("a granted capability", granted),
];

/// The capture once for each value that can be changed in it.
pub(crate) fn all(case: &Case) -> Vec<(&'static str, Case)> {
    let mut changed = vec![("the verdict", verdict(case))];
    for (what, change) in CHANGES {
        let mut other = case.clone();
        let seen = other.expect.iter_mut().flatten();
        let mut hit = false;
        for (_, seen) in seen {
            if change(seen).is_some() {
                hit = true;
                break;
            }
        }
        if hit {
            changed.push((what, other));
        }
    }
    changed
}

fn verdict(case: &Case) -> Case {
    let mut other = case.clone();
    other.reject = match &case.reject {
        Some(_) => None,
        None => Some(Reject {
            code: 400,
            message: "changed".to_owned(),
        }),
    };
    other
}

fn first_port(seen: &mut Seen) -> Option<&mut Value> {
    let rules = seen.packet_filter_rules.as_mut()?.as_array_mut()?;
    let ports = rules.iter_mut().find_map(|r| r["DstPorts"].as_array_mut());
    ports?.first_mut()
}

fn port(seen: &mut Seen) -> Option<()> {
    let ports = &mut first_port(seen)?["Ports"];
    let first = ports["First"].as_u64()?;
    // Another single port, or one port less.
    if ports["Last"].as_u64()? == first {
        ports["Last"] = json!(first ^ 1);
        ports["First"] = json!(first ^ 1);
    } else {
        ports["First"] = json!(first + 1);
    }
    Some(())
}

fn destination(seen: &mut Seen) -> Option<()> {
    first_port(seen)?["IP"] = json!("100.127.250.250");
    Some(())
}

fn address(seen: &mut Seen) -> Option<()> {
    let addresses = seen.own.as_mut()?.addresses.as_mut()?;
    *addresses.first_mut()? = Prefix::host("100.127.250.250".parse().unwrap());
    Some(())
}

fn peer(seen: &mut Seen) -> Option<()> {
    let peers = seen.peers.as_mut()?;
    if peers.pop_first().is_none() {
        let nobody = Facts {
            addresses: None,
            allowed_ips: None,
            primary_routes: None,
            tags: None,
            cap_map: None,
        };
        peers.insert("nobody".to_owned(), nobody);
    }
    Some(())
}

fn capability(seen: &mut Seen) -> Option<()> {
    let caps = seen.own.as_mut()?.cap_map.get_or_insert_default();
    caps.insert("changed".to_owned(), Value::Null);
    Some(())
}

fn granted(seen: &mut Seen) -> Option<()> {
    let rules = seen.packet_filter_rules.as_mut()?.as_array_mut()?;
    let grant = rules
        .iter_mut()
        .find_map(|r| r["CapGrant"].as_array_mut()?.first_mut())?;
    grant["CapMap"]["changed.example/cap"] = json!([{}]);
    Some(())
}
