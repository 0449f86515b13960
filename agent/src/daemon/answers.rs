//! Answers that take a while: pings and network checks.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use mesh::{
    event::PingResult,
    netcheck::{NatKind, Report},
};
use tokio::sync::oneshot;
use wire::{
    NodeId,
    control::Node,
    relay_map::{RegionId, RelayMap},
};

use super::notices::split;
use crate::{
    control::NetMap,
    data::{Command, Commands},
    local_api::{
        Reply,
        protocol::{ErrorCode, Netcheck, Pong, Relay, RelayLatency},
    },
    relay::probe,
    tls::{Tls, Trust},
};

/// Whom to ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    peer: NodeId,
    name: String,
    address: Option<IpAddr>,
    codes: BTreeMap<RegionId, String>,
}

/// The peer with this name, short or full, or this address.
pub(super) fn find(map: &NetMap, host: &str) -> Option<Target> {
    let wanted = host.trim().trim_end_matches('.').to_lowercase();
    let address = wanted.parse::<IpAddr>().ok();
    let is_it = |node: &Node| {
        if let Some(address) = address {
            return node.addresses.iter().any(|p| p.addr == address);
        }
        let name = node.name.trim_end_matches('.').to_lowercase();
        name == wanted || name.split('.').next() == Some(&wanted)
    };
    let node = map.peers().values().find(|node| is_it(node))?;
    Some(Target {
        peer: node.id,
        name: short_name(node),
        address: node.addresses.first().map(|p| p.addr),
        codes: codes(map.relay_map()),
    })
}

/// The first label of a node's name.
fn short_name(node: &Node) -> String {
    node.name.split('.').next().unwrap_or_default().to_owned()
}

fn codes(map: &RelayMap) -> BTreeMap<RegionId, String> {
    let regions = map.regions.iter();
    regions
        .map(|(id, r)| (*id, r.region_code.clone()))
        .collect()
}

/// A relay as people know it.
pub(super) fn relay(map: &RelayMap, region: RegionId) -> Relay {
    let found = map.regions.get(&region);
    Relay {
        region,
        code: found.map(|r| r.region_code.clone()).unwrap_or_default(),
    }
}

pub(super) fn millis(rtt: Duration) -> f64 {
    // Microseconds are enough for people.
    (rtt.as_secs_f64() * 1e6).round() / 1e3
}

pub(super) async fn ping(commands: &Commands, target: Target) -> Reply {
    let (reply, answer) = oneshot::channel();
    let peer = target.peer;
    if commands.send(Command::Ping { peer, reply }).await.is_err() {
        return Reply::error(ErrorCode::NotUp, "this machine has just gone down");
    }
    match answer.await {
        Ok(PingResult::Pong { path, rtt }) => {
            let (direct, region) = split(path);
            let relay = region.map(|region| Relay {
                region,
                code: target.codes.get(&region).cloned().unwrap_or_default(),
            });
            Reply::Pong(Pong {
                name: target.name,
                address: target.address,
                direct,
                relay,
                rtt_ms: millis(rtt),
            })
        }
        Ok(PingResult::TimedOut) => Reply::NoPong { name: target.name },
        Ok(PingResult::UnknownPeer) => {
            let why = format!("`{}` has just gone", target.name);
            Reply::error(ErrorCode::UnknownHost, why)
        }
        Ok(PingResult::Expired) => {
            let why = format!(
                "the key of `{}`, or this machine's, has expired",
                target.name
            );
            Reply::error(ErrorCode::Refused, why)
        }
        Err(_) => Reply::error(ErrorCode::NotUp, "this machine has just gone down"),
    }
}

pub(super) async fn netcheck(
    commands: &Commands,
    map: &RelayMap,
    tls: &Tls,
    trust: &Trust,
) -> Reply {
    let (reply, answer) = oneshot::channel();
    if commands.send(Command::Netcheck { reply }).await.is_err() {
        return Reply::error(ErrorCode::NotUp, "this machine has just gone down");
    }
    let (report, https) = tokio::join!(answer, probe::latencies(map, tls, trust));
    match report {
        Ok(report) => Reply::Netcheck(describe(&report, map, &https)),
        Err(_) => Reply::error(ErrorCode::NotUp, "this machine has just gone down"),
    }
}

fn describe(report: &Report, map: &RelayMap, https: &BTreeMap<RegionId, Duration>) -> Netcheck {
    let mut relays: Vec<_> = map
        .regions
        .keys()
        .map(|region| RelayLatency {
            relay: relay(map, *region),
            udp_ms: report.latency.get(region).copied().map(millis),
            https_ms: https.get(region).copied().map(millis),
        })
        .collect();
    let near = |r: &RelayLatency| r.udp_ms.or(r.https_ms).unwrap_or(f64::INFINITY);
    relays.sort_by(|a, b| near(a).total_cmp(&near(b)));
    Netcheck {
        udp: report.udp == Some(true),
        ipv6: report.ipv6 == Some(true),
        nat: report.nat.as_str().to_owned(),
        mapping_varies: match report.nat {
            NatKind::Open | NatKind::Easy => Some(false),
            NatKind::Hard => Some(true),
            NatKind::Blocked | NatKind::Unknown => None,
        },
        mapped_v4: report.mapped_v4,
        mapped_v6: report.mapped_v6,
        home_relay: report.home_relay.map(|region| relay(map, region)),
        relays,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map() -> NetMap {
        let node = |id: u64, name: &str| {
            json!({
                "ID": id, "StableID": "s", "Name": name, "User": 1,
                "Key": format!("nodekey:{id:064x}"),
                "Addresses": [format!("100.64.0.{id}/32")],
            })
        };
        let message = json!({
            "Node": node(1, "me.acme.warren.internal."),
            "Peers": [node(2, "atlas.acme.warren.internal."), node(3, "b.acme.warren.internal.")],
            "DERPMap": {"Regions": {"900": {"RegionID": 900, "RegionCode": "home", "RegionName": "Home"}}},
        });
        NetMap::first(serde_json::from_value(message).unwrap(), None).unwrap()
    }

    #[test]
    fn a_peer_is_found_by_every_name_it_has() {
        let map = map();
        for host in [
            "atlas",
            "ATLAS",
            "atlas.acme.warren.internal",
            "atlas.acme.warren.internal.",
            "100.64.0.2",
        ] {
            let found = find(&map, host).unwrap();
            assert_eq!(
                (found.peer, found.name.as_str()),
                (NodeId(2), "atlas"),
                "{host}"
            );
        }
        for host in ["at", "acme", "100.64.0.9", "", "me"] {
            assert_eq!(find(&map, host), None, "{host}");
        }
    }

    #[test]
    fn relays_are_listed_nearest_first_and_nats_named() {
        let mut relay_map = map().relay_map().clone();
        let far = relay_map.regions[&RegionId(900)].clone();
        relay_map.regions.insert(RegionId(901), far);
        let report = Report {
            udp: Some(true),
            nat: NatKind::Hard,
            latency: [
                (RegionId(900), Duration::from_millis(20)),
                (RegionId(901), Duration::from_millis(10)),
            ]
            .into(),
            ..Report::default()
        };
        let shown = describe(&report, &relay_map, &BTreeMap::new());
        assert_eq!((shown.udp, shown.mapping_varies), (true, Some(true)));
        assert_eq!(shown.relays[0].relay.region, RegionId(901));
        assert_eq!(shown.relays[0].udp_ms, Some(10.0));
    }
}
