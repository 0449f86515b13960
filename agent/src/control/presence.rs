//! What the server is told of this node while it is up.

use std::collections::BTreeMap;

use mesh::{event::Endpoint, netcheck};
use wire::{
    CapabilityVersion, DiscoKey, NodeKey,
    control::{Hostinfo, MapRequest, NetInfo, map::PathReport},
    relay_map::RegionId,
};

/// What is reported.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Presence {
    /// What the machine says of itself, without what is below.
    pub host: Hostinfo,
    /// The path-discovery key.
    pub disco: DiscoKey,
    /// Where peers may reach us.
    pub endpoints: Vec<Endpoint>,
    /// The relay they may reach us through; 0: none yet.
    pub home_relay: RegionId,
    /// What STUN showed.
    pub network: netcheck::Report,
    /// How active peers are reached.
    pub paths: Vec<PathReport>,
}

impl Presence {
    /// The request that opens the map stream.
    pub fn stream(&self, node: NodeKey) -> MapRequest {
        MapRequest {
            stream: true,
            omit_peers: false,
            compress: "zstd".to_owned(),
            keep_alive: true,
            paths: None,
            ..self.report(node)
        }
    }

    /// The request that reports without asking for anything.
    pub fn report(&self, node: NodeKey) -> MapRequest {
        MapRequest {
            version: CapabilityVersion::AGENT,
            node_key: node,
            disco_key: self.disco,
            omit_peers: true,
            hostinfo: Some(self.hostinfo()),
            endpoints: self.endpoints.iter().map(|e| e.addr).collect(),
            endpoint_types: self.endpoints.iter().map(|e| e.kind as i32).collect(),
            paths: Some(self.paths.clone()),
            ..MapRequest::default()
        }
    }

    /// What the machine says of itself, whole.
    pub fn hostinfo(&self) -> Hostinfo {
        Hostinfo {
            net_info: (self.home_relay != RegionId(0)).then(|| self.net_info()),
            ..self.host.clone()
        }
    }

    fn net_info(&self) -> NetInfo {
        let report = &self.network;
        let mapped = match report.nat {
            netcheck::NatKind::Hard => Some(true),
            netcheck::NatKind::Easy | netcheck::NatKind::Open => Some(false),
            netcheck::NatKind::Unknown | netcheck::NatKind::Blocked => None,
        };
        let latency: BTreeMap<_, _> = report
            .latency
            .iter()
            .map(|(region, rtt)| (format!("{region}-v4"), rtt.as_secs_f64()))
            .collect();
        NetInfo {
            mapping_varies_by_dest_ip: mapped,
            working_udp: report.udp,
            working_ipv6: report.ipv6,
            preferred_relay: self.home_relay,
            relay_latency: latency,
        }
    }
}

#[cfg(test)]
mod tests {
    use mesh::event::EndpointKind;

    use super::*;

    #[test]
    fn endpoints_are_reported_with_their_kinds_and_the_home_relay_with_the_host() {
        let presence = Presence {
            endpoints: vec![Endpoint {
                addr: "192.0.2.1:41642".parse().unwrap(),
                kind: EndpointKind::Stun,
            }],
            home_relay: RegionId(900),
            network: netcheck::Report {
                nat: netcheck::NatKind::Hard,
                ..netcheck::Report::default()
            },
            ..Presence::default()
        };
        let request = presence.report(NodeKey::from_bytes([1; 32]));
        assert!(!request.stream && request.omit_peers);
        assert_eq!(request.endpoint_types, [2]);
        let net = request.hostinfo.unwrap().net_info.unwrap();
        assert_eq!(net.preferred_relay, RegionId(900));
        assert_eq!(net.mapping_varies_by_dest_ip, Some(true));
    }

    #[test]
    fn without_a_home_relay_nothing_is_said_of_the_network() {
        let presence = Presence::default();
        assert_eq!(presence.hostinfo().net_info, None);
    }
}
